import { startTls } from '../../../unix/handshake.ts';
import type { EndpointSlice, Pod, Service } from '../../kinds/types.ts';
import type { HttpRequest, HttpResponse } from '../../transport.ts';
import type { ByteDuplex, PodAccess } from '../pod-access.ts';
import { newBadRequest, newServiceUnavailable, quote } from '../status-error.ts';
import type { Verbs } from '../verbs.ts';

/** Where a proxied request goes. */
interface Target {
  scheme: string;
  pod: string;
  port: number;
}

const MAX_RESPONSE_BYTES = 16 * 1024 * 1024;

/** `[scheme:]name[:port]`, as the names of proxied Pods and Services may be written. */
function splitName(text: string): { scheme: string; name: string; port: string } {
  const parts = text.split(':');
  if (parts.length === 3) return { scheme: parts[0] as string, name: parts[1] as string, port: parts[2] as string };
  return { scheme: '', name: parts[0] as string, port: parts[1] ?? '' };
}

function podTarget(verbs: Verbs, namespace: string, text: string): Target {
  const { scheme, name, port } = splitName(text);
  const info = verbs.registry.get('v1/pods');
  const pod = info && (verbs.get(info, namespace, name) as Pod);
  const first = pod?.spec?.containers?.[0]?.ports?.[0]?.containerPort ?? 80;
  const number = port === '' ? first : Number(port);
  if (!Number.isInteger(number) || number < 1 || number > 65_535) throw newBadRequest(`invalid pod request ${quote(text)}`);
  return { scheme, pod: name, port: number };
}

/** One of the ready endpoints of the Service's port, by chance (models `service.ResourceLocation`). */
function serviceTarget(verbs: Verbs, namespace: string, text: string): Target {
  const { scheme, name, port } = splitName(text);
  const info = verbs.registry.get('v1/services');
  const service = info && (verbs.get(info, namespace, name) as Service);
  const ports = service?.spec?.ports ?? [];
  const wanted = port === '' && ports.length === 1 ? ports[0] : ports.find((known) => known.name === port || String(known.port) === port);
  if (!wanted) throw newServiceUnavailable(`no service port ${quote(port)} found for service ${quote(name)}`);
  const candidates: Target[] = [];
  for (const slice of verbs.context.list<EndpointSlice>('discovery.k8s.io/v1/endpointslices', namespace)) {
    if (slice.metadata?.labels?.['kubernetes.io/service-name'] !== name) continue;
    const number = slice.ports?.find((known) => (known.name ?? '') === (wanted.name ?? ''))?.port;
    for (const endpoint of slice.endpoints ?? []) {
      if (number && endpoint.conditions?.ready !== false && endpoint.targetRef?.kind === 'Pod')
        candidates.push({ scheme, pod: endpoint.targetRef.name ?? '', port: number });
    }
  }
  if (candidates.length === 0) throw newServiceUnavailable(`no endpoints available for service ${quote(name)}`);
  return verbs.context.random.pick(candidates);
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();

async function readAll(connection: ByteDuplex): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for (;;) {
    const chunk = await connection.read();
    if (chunk === null || size > MAX_RESPONSE_BYTES) break;
    chunks.push(chunk);
    size += chunk.length;
  }
  const out = new Uint8Array(size);
  let at = 0;
  for (const chunk of chunks) {
    out.set(chunk, at);
    at += chunk.length;
  }
  return out;
}

/** Index of the blank line that ends the head, or -1. */
function headEnd(bytes: Uint8Array): number {
  for (let i = 0; i + 3 < bytes.length; i++) if (bytes[i] === 13 && bytes[i + 1] === 10 && bytes[i + 2] === 13 && bytes[i + 3] === 10) return i;
  return -1;
}

function unchunk(bytes: Uint8Array): Uint8Array {
  const out: number[] = [];
  let at = 0;
  for (;;) {
    let end = at;
    while (end < bytes.length && bytes[end] !== 10) end++;
    const size = Number.parseInt(decoder.decode(bytes.subarray(at, end)), 16);
    if (!size) return Uint8Array.from(out);
    for (const byte of bytes.subarray(end + 1, end + 1 + size)) out.push(byte);
    at = end + 1 + size + 2;
  }
}

/** Headers that belong to one connection, or that are the server's own. */
const OWN_HEADERS = new Set(['connection', 'keep-alive', 'transfer-encoding', 'content-length', 'host', 'authorization', 'upgrade', 'accept-encoding']);

/** A server's own absolute address, as one below the proxy's path. */
function throughProxy(url: string, prefix: string, own: string): string {
  const path = url.startsWith(`${own}/`) ? url.slice(own.length) : url;
  return path.startsWith('/') && !path.startsWith('//') && !path.startsWith(prefix) ? prefix + path : url;
}

/**
 * `pods/proxy` and `services/proxy`: one HTTP/1.1 exchange with a port of a Pod (models the API server's
 * UpgradeAwareHandler and proxy.Transport: addresses in HTML and in redirections lead through the proxy again; upgrades are left out).
 */
export async function proxyRequest(
  verbs: Verbs,
  access: PodAccess,
  kind: 'pods' | 'services',
  namespace: string,
  name: string,
  rest: string,
  request: HttpRequest,
): Promise<HttpResponse> {
  const [address = '', query] = request.path.split('?');
  if (rest === '' && !address.endsWith('/') && (request.method === 'GET' || request.method === 'HEAD'))
    return { status: 301, headers: { location: `${address}/${query === undefined ? '' : `?${query}`}` }, warnings: [], body: new Uint8Array() };
  const target = kind === 'pods' ? podTarget(verbs, namespace, name) : serviceTarget(verbs, namespace, name);
  let connection: ByteDuplex;
  try {
    connection = await access.portForward(namespace, target.pod, target.port);
  } catch (error) {
    const ip = verbs.context.get<Pod>('v1/pods', namespace, target.pod)?.status?.podIP ?? '';
    throw newServiceUnavailable(
      `error trying to reach service: dial tcp ${ip}:${target.port}: connect: ${error instanceof Error ? error.message.toLowerCase() : String(error)}`,
    );
  }
  if (target.scheme === 'https') {
    const met = await startTls(connection);
    if (met === 'plain' || met === 'closed')
      throw newServiceUnavailable(`error trying to reach service: ${met === 'plain' ? 'tls: first record does not look like a TLS handshake' : 'EOF'}`);
  }
  const lines = [`${request.method} /${rest}${query === undefined ? '' : `?${query}`} HTTP/1.1`, `Host: ${target.pod}:${target.port}`, 'Connection: close'];
  for (const [key, value] of Object.entries(request.headers)) if (!OWN_HEADERS.has(key)) lines.push(`${key}: ${value}`);
  if (request.body) lines.push(`Content-Length: ${request.body.length}`);
  await connection.write(encoder.encode(`${lines.join('\r\n')}\r\n\r\n`));
  if (request.body) await connection.write(request.body);
  const bytes = await readAll(connection);
  connection.close();
  const end = headEnd(bytes);
  const head = decoder.decode(bytes.subarray(0, Math.max(0, end))).split('\r\n');
  const status = Number(/^HTTP\/1\.\d (\d{3})/.exec(head[0] ?? '')?.[1]);
  if (end < 0 || !status) throw newServiceUnavailable('error trying to reach service: EOF');
  const headers: Record<string, string> = {};
  for (const line of head.slice(1)) {
    const colon = line.indexOf(':');
    if (colon > 0) headers[line.slice(0, colon).trim().toLowerCase()] = line.slice(colon + 1).trim();
  }
  const raw = bytes.subarray(end + 4);
  const body = headers['transfer-encoding']?.includes('chunked') ? unchunk(raw) : raw;
  for (const own of OWN_HEADERS) delete headers[own];
  const prefix = address.slice(0, address.length - rest.length).replace(/\/$/, '');
  const own = `${target.scheme || 'http'}://${target.pod}:${target.port}`;
  const location = headers.location;
  if (location !== undefined && (status === 201 || (status >= 300 && status < 400))) headers.location = throughProxy(location, prefix, own);
  if (!headers['content-type']?.startsWith('text/html')) return { status, headers, warnings: [], body };
  const links = /(\s(?:action|background|cite|classid|codebase|data|formaction|href|icon|longdesc|manifest|poster|profile|src|usemap)=")([^"]*)"/gi;
  const page = decoder.decode(body).replace(links, (_, attribute: string, url: string) => `${attribute}${throughProxy(url, prefix, own)}"`);
  return { status, headers, warnings: [], body: encoder.encode(page) };
}
