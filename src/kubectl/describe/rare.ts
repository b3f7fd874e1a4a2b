import { CliError } from '../util/errors.ts';
import type { Obj } from '../util/object.ts';
import { type DescribeContext, events, formatLabels, labelsAndAnnotations, rfc1123, since, slice } from './common.ts';
import type { DescribeWriter } from './writer.ts';

/** Pages of kinds that a reader seldom meets. */
export function describeCsiNode(node: Obj, context: DescribeContext, w: DescribeWriter): void {
  w.field(0, 'Name', node.metadata.name);
  labelsAndAnnotations(w, node);
  w.field(0, 'CreationTimestamp', rfc1123(node.metadata.creationTimestamp));
  w.write(0, 'Spec:\n');
  if (node.spec?.drivers) w.write(1, 'Drivers:\n');
  for (const driver of node.spec?.drivers ?? []) {
    w.write(2, `${driver.name}:\n`);
    w.field(3, 'Node ID', driver.nodeID);
    if (driver.allocatable?.count !== undefined) {
      w.write(3, 'Allocatables:\n');
      w.field(4, 'Count', driver.allocatable.count);
    }
    if (driver.topologyKeys) w.field(3, 'Topology Keys', slice(driver.topologyKeys));
  }
  events(w, context);
}

export function describeServiceCidr(cidr: Obj, context: DescribeContext, w: DescribeWriter): void {
  w.field(0, 'Name', cidr.metadata.name);
  labelsAndAnnotations(w, cidr);
  w.field(0, 'CIDRs', (cidr.spec?.cidrs ?? []).join(', '));
  const conditions: Obj[] = cidr.status?.conditions ?? [];
  if (conditions.length > 0) {
    w.write(0, 'Status:\nConditions:\n');
    w.table(
      1,
      ['Type', 'Status', 'LastTransitionTime', 'Reason', 'Message'],
      conditions.map((each) => [each.type, each.status, rfc1123(each.lastTransitionTime), each.reason ?? '', each.message ?? '']),
    );
  }
  events(w, context);
}

export function describeIpAddress(address: Obj, context: DescribeContext, w: DescribeWriter): void {
  w.field(0, 'Name', address.metadata.name);
  labelsAndAnnotations(w, address);
  const parent = address.spec?.parentRef;
  if (parent) {
    w.write(0, 'Parent Reference:\n');
    w.field(1, 'Group', parent.group ?? '');
    w.field(1, 'Resource', parent.resource ?? '');
    w.field(1, 'Namespace', parent.namespace ?? '');
    w.field(1, 'Name', parent.name ?? '');
  }
  events(w, context);
}

export function describeVolumeAttributesClass(each: Obj, context: DescribeContext, w: DescribeWriter): void {
  w.field(0, 'Name', each.metadata.name);
  w.field(0, 'Annotations', formatLabels(each.metadata.annotations));
  w.field(0, 'DriverName', each.driverName ?? '');
  w.field(0, 'Parameters', formatLabels(each.parameters));
  events(w, context);
}

export function describeCertificateSigningRequest(csr: Obj, context: DescribeContext, w: DescribeWriter): void {
  const { subject, names } = readRequest(csr.spec?.request ?? '');
  w.field(0, 'Name', csr.metadata.name);
  w.field(0, 'Labels', formatLabels(csr.metadata.labels));
  w.field(0, 'Annotations', formatLabels(csr.metadata.annotations));
  w.field(0, 'CreationTimestamp', rfc1123(csr.metadata.creationTimestamp));
  w.field(0, 'Requesting User', csr.spec?.username ?? '');
  if (csr.spec?.signerName) w.field(0, 'Signer', csr.spec.signerName);
  const seconds = csr.spec?.expirationSeconds;
  if (seconds !== undefined) w.field(0, 'Requested Duration', since(new Date(0).toISOString(), seconds * 1000));
  w.field(0, 'Status', statusOf(csr));
  w.write(0, 'Subject:\n');
  w.field(0, '\tCommon Name', subject.get('2.5.4.3')?.at(-1) ?? '');
  w.field(0, '\tSerial Number', subject.get('2.5.4.5')?.at(-1) ?? '');
  const list = (title: string, values: readonly string[] | undefined): void => {
    if (values?.length) w.write(0, `\t${title}:\t${values.join('\n\t\t')}\n`);
  };
  list('Organization', subject.get('2.5.4.10'));
  list('Organizational Unit', subject.get('2.5.4.11'));
  list('Country', subject.get('2.5.4.6'));
  list('Locality', subject.get('2.5.4.7'));
  list('Province', subject.get('2.5.4.8'));
  list('StreetAddress', subject.get('2.5.4.9'));
  list('PostalCode', subject.get('2.5.4.17'));
  if (names.size > 0) {
    w.write(0, 'Subject Alternative Names:\n');
    list('DNS Names', names.get(2));
    list('Email Addresses', names.get(1));
    list('URIs', names.get(6));
    list('IP Addresses', names.get(7));
  }
  events(w, context);
}

/** extractCSRStatus. */
function statusOf(csr: Obj): string {
  const types: string[] = (csr.status?.conditions ?? []).map((each: Obj) => each.type);
  const words = [types.includes('Denied') ? 'Denied' : types.includes('Approved') ? 'Approved' : 'Pending'];
  if (types.includes('Failed')) words.push('Failed');
  if (csr.status?.certificate) words.push('Issued');
  return words.join(',');
}

/** One element of DER: its tag and the bytes inside. */
interface Element {
  tag: number;
  bytes: Uint8Array;
}

/** The subject's attributes by object identifier and the alternative names by their context tag, of a PEM request in base64. */
function readRequest(base64: string): { subject: Map<string, string[]>; names: Map<number, string[]> } {
  const pem = /-----BEGIN CERTIFICATE REQUEST-----([\s\S]*?)-----END CERTIFICATE REQUEST-----/.exec(atob(base64))?.[1];
  if (pem === undefined) throw new CliError('Error parsing CSR: PEM block type must be CERTIFICATE REQUEST');
  let info: Element[];
  try {
    const der = Uint8Array.from(atob(pem.replace(/\s/g, '')), (char) => char.charCodeAt(0));
    info = elements((elements((elements(der)[0] as Element).bytes)[0] as Element).bytes);
  } catch {
    throw new CliError('Error parsing CSR: asn1: syntax error: data truncated');
  }
  const subject = new Map<string, string[]>();
  for (const set of elements(info[1]?.bytes ?? new Uint8Array())) {
    for (const pair of elements(set.bytes)) {
      const [id, value] = elements(pair.bytes);
      if (id && value) push(subject, objectIdentifier(id.bytes), text(value.bytes));
    }
  }
  const names = new Map<number, string[]>();
  // Attributes: of the request for extensions, the one for alternative names.
  for (const attribute of elements(info[3]?.bytes ?? new Uint8Array())) {
    const [id, values] = elements(attribute.bytes);
    if (!id || !values || objectIdentifier(id.bytes) !== '1.2.840.113549.1.9.14') continue;
    for (const extension of elements(values.bytes).flatMap((each) => elements(each.bytes))) {
      const parts = elements(extension.bytes);
      if (!parts[0] || objectIdentifier(parts[0].bytes) !== '2.5.29.17') continue;
      for (const name of elements(elements(parts.at(-1)?.bytes ?? new Uint8Array())[0]?.bytes ?? new Uint8Array())) {
        const kind = name.tag & 0x1f;
        push(names, kind, kind === 7 ? [...name.bytes].join('.') : text(name.bytes));
      }
    }
  }
  return { subject, names };
}

function push<K>(into: Map<K, string[]>, key: K, value: string): void {
  into.set(key, [...(into.get(key) ?? []), value]);
}

const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

/** The elements that stand one after another in `bytes`; throws when one is cut off. */
function elements(bytes: Uint8Array): Element[] {
  const out: Element[] = [];
  let at = 0;
  while (at < bytes.length) {
    const tag = bytes[at] ?? 0;
    let length = bytes[at + 1] ?? 0;
    at += 2;
    if (length >= 0x80) {
      let octets = length & 0x7f;
      for (length = 0; octets > 0; octets--) length = length * 256 + (bytes[at++] ?? 0);
    }
    if (at + length > bytes.length) throw new Error('data truncated');
    out.push({ tag, bytes: bytes.subarray(at, at + length) });
    at += length;
  }
  return out;
}

function objectIdentifier(bytes: Uint8Array): string {
  const numbers: number[] = [];
  let value = 0;
  for (const byte of bytes) {
    value = value * 128 + (byte & 0x7f);
    if (byte & 0x80) continue;
    numbers.push(value);
    value = 0;
  }
  const [first = 0, ...rest] = numbers;
  const top = Math.min(2, Math.floor(first / 40));
  return [top, first - top * 40, ...rest].join('.');
}
