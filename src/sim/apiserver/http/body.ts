import { convert, DecodeError } from '../decode.ts';
import { nodeOfKind, type ResourceRegistry, typeNameOf } from '../resources.ts';
import type { ObjectNode } from '../schema.ts';
import { newBadRequest, newInvalid, newRequestEntityTooLarge, quote, type StatusError } from '../status-error.ts';
import { JsonSyntaxError, type ParsedJson, parseJson } from './json.ts';
import { AVAILABLE, unsupportedMediaType } from './media-type.ts';
import { parseYaml, YamlSyntaxError } from './yaml.ts';

export type FieldValidation = 'Strict' | 'Warn' | 'Ignore';

/** `--max-request-body-bytes`. */
const MAX_BODY_BYTES = 3 * 1024 * 1024;

export interface ExpectedKind {
  group: string;
  version: string;
  kind: string;
  node: ObjectNode;
  custom?: boolean;
}

/** The request's body as text. 413 when it is too long. */
export function bodyText(body: Uint8Array | undefined): string {
  if (!body) return '';
  if (body.length > MAX_BODY_BYTES) throw newRequestEntityTooLarge(`limit is ${MAX_BODY_BYTES}`);
  return new TextDecoder('utf-8', { ignoreBOM: true }).decode(body);
}

/** `json: cannot unmarshal …` of the first look at a body. */
const META_TYPE = 'struct { APIVersion string "json:\\"apiVersion,omitempty\\""; Kind string "json:\\"kind,omitempty\\"" }';

export function goKind(value: unknown): string {
  if (Array.isArray(value)) return 'array';
  return typeof value === 'boolean' ? 'bool' : typeof value;
}

/** The reader a Content-Type asks for (JSON when there is none). Throws 415. */
export function bodyReader(contentType: string | undefined): (text: string) => ParsedJson {
  const type = (contentType ?? '').split(';')[0]?.trim().toLowerCase() ?? '';
  if (type === 'application/json' || type === '') return parseJson;
  if (type === 'application/yaml') return parseYaml;
  throw unsupportedMediaType(AVAILABLE);
}

/** The first bytes of a body for an error (`summarizeData`): as text when it looks like JSON, else in hexadecimal. */
function summarize(text: string): string {
  const bytes = new TextEncoder().encode(text);
  if (bytes.length === 0) return '<empty>';
  const first = bytes.subarray(0, 30);
  const shown = text.startsWith('{') ? new TextDecoder().decode(first) : [...first].map((byte) => byte.toString(16).padStart(2, '0')).join('');
  return bytes.length > 30 ? `${shown} ...` : shown;
}

/**
 * Decodes a body into the normal form of the expected kind, saying what the server says when it does not fit
 * (models the decoder of `create.go`/`update.go` with `transformDecodeError`). `warnings` gets the strict complaints
 * when the client wants warnings.
 */
export function decodeBody(
  registry: ResourceRegistry,
  text: string,
  contentType: string | undefined,
  expected: ExpectedKind,
  validation: FieldValidation,
  warnings: string[],
): Record<string, unknown> {
  const unrecognized = (why: string): StatusError =>
    newBadRequest(`the object provided is unrecognized (must be of type ${expected.kind}): ${why} (${summarize(text)})`);
  let parsed: ParsedJson;
  try {
    parsed = bodyReader(contentType)(text);
  } catch (error) {
    if (error instanceof JsonSyntaxError) throw unrecognized(`couldn't get version/kind; json parse error: ${error.message}`);
    if (error instanceof YamlSyntaxError) throw unrecognized(error.message);
    throw error;
  }
  if (typeof parsed.value !== 'object' || parsed.value === null || Array.isArray(parsed.value)) {
    if (parsed.value !== null)
      throw unrecognized(`couldn't get version/kind; json parse error: json: cannot unmarshal ${goKind(parsed.value)} into Go value of type ${META_TYPE}`);
    parsed.value = {};
  }
  const body = parsed.value as Record<string, unknown>;
  for (const key of ['apiVersion', 'kind'] as const) {
    if (body[key] === undefined || body[key] === null || typeof body[key] === 'string') continue;
    const found = goKind(body[key]);
    throw unrecognized(`couldn't get version/kind; json parse error: json: cannot unmarshal ${found} into Go struct field .${key} of type string`);
  }
  const expectedVersion = expected.group ? `${expected.group}/${expected.version}` : expected.version;
  if (expected.custom) checkCustomType(body, text, expected.kind, expectedVersion, unrecognized);
  const apiVersion = (body.apiVersion as string | undefined) || expectedVersion;
  const kind = (body.kind as string | undefined) || expected.kind;
  const [version = '', group = ''] = apiVersion.split('/').reverse();
  const cannot = (why: string): StatusError => newBadRequest(`${kind} in version ${quote(version)} cannot be handled as a ${expected.kind}: ${why}`);
  let node = expected.node;
  const same = apiVersion === expectedVersion && kind === expected.kind;
  if (!same) {
    if (typeNameOf(group, version, kind) === undefined) {
      const own = registry.byKind(apiVersion, kind);
      if (!own) throw cannot(`no kind ${quote(kind)} is registered for version ${quote(apiVersion)} in scheme "pkg/api/legacyscheme/scheme.go:30"`);
      node = own.node;
    } else node = nodeOfKind(group, version, kind);
  }
  const strict: string[] = [];
  let object: Record<string, unknown>;
  try {
    object = convert(node, body, { strict, duplicates: parsed.duplicates, checkTypes: true });
  } catch (error) {
    if (error instanceof DecodeError) throw cannot(error.message);
    throw error;
  }
  if (strict.length > 0 && validation === 'Strict') throw cannot(`strict decoding error: ${strict.join(', ')}`);
  if (validation === 'Warn') warnings.push(...strict);
  if (!same) {
    if (kind !== expected.kind) throw cannot(`converting (${version}.${kind}) to (${internalGroup(expected.group)}.${expected.kind}): unknown conversion`);
    throw newBadRequest(`the API version in the data (${apiVersion}) does not match the expected API version (${expectedVersion})`);
  }
  keepManagedFieldsReset(body, object);
  return object;
}

/** Custom resources say what they are: nothing is filled in for them. */
function checkCustomType(body: Record<string, unknown>, text: string, kind: string, version: string, unrecognized: (why: string) => StatusError): void {
  const given = (body.apiVersion as string | undefined) ?? '';
  if (!body.kind) throw unrecognized(`Object 'Kind' is missing in '${text}'`);
  if (given !== version) throw newBadRequest(`the API version in the data (${given}) does not match the expected API version (${version})`);
  if (body.kind !== kind) {
    const error = { type: 'Invalid value' as const, field: 'kind', value: quote(body.kind as string), detail: `must be ${kind}` };
    throw newInvalid({ group: version.split('/')[0] ?? '', resource: kind }, (body.metadata as { name?: string } | undefined)?.name ?? '', [error]);
  }
}

/** `managedFields: []` asks to forget all managers; decoding drops empty lists, so it is said as `[{}]`, which means the same. */
export function keepManagedFieldsReset(body: Record<string, unknown>, object: Record<string, unknown>): void {
  const given = (body.metadata as { managedFields?: unknown } | undefined)?.managedFields;
  if (Array.isArray(given) && given.length === 0 && object.metadata) (object.metadata as Record<string, unknown>).managedFields = [{}];
}

/** Package names of the internal types, as Go prints them. */
function internalGroup(group: string): string {
  const first = group.split('.')[0] ?? '';
  return first === '' ? 'core' : first === 'rbac' ? 'rbac' : first;
}
