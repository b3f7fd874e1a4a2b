import type { ApiObject } from '../../client/types.ts';
import type { HttpResponse } from '../../transport.ts';
import type { ResourceInfo } from '../resources.ts';
import { newBadRequest, quote, type Status, StatusError } from '../status-error.ts';
import type { Verbs } from '../verbs.ts';
import { inFieldOrder } from './field-order.ts';
import { encodeJson, prettyJson } from './json.ts';
import type { ListResult } from './list.ts';
import { notAcceptable, type OutputFormat } from './media-type.ts';
import { type IncludeObject, partialMetadata, tableOf } from './table.ts';
import { encodeYaml } from './yaml.ts';

const encoder = new TextEncoder();
const NO_CACHE = { 'cache-control': 'no-cache, private' };

export function textResponse(status: number, text: string): HttpResponse {
  return {
    status,
    headers: { ...NO_CACHE, 'content-type': 'text/plain; charset=utf-8', 'x-content-type-options': 'nosniff' },
    warnings: [],
    body: encoder.encode(text),
  };
}

export function encodeBody(value: unknown, format: OutputFormat): { body: Uint8Array; contentType: string } {
  if (format.encoding === 'yaml') return { body: encoder.encode(encodeYaml(value)), contentType: 'application/yaml' };
  if (format.pretty) return { body: encoder.encode(prettyJson(value)), contentType: 'application/json' };
  return { body: encoder.encode(encodeJson(value)), contentType: 'application/json' };
}

/** `Warning` header values (RFC 7234's 299), each text once. */
export function warningHeaders(texts: readonly string[]): string[] {
  return [...new Set(texts)].map((text) => `299 - "${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`);
}

export function respond(
  status: number,
  value: unknown,
  format: OutputFormat,
  warnings: readonly string[] = [],
  headers: Readonly<Record<string, string>> = {},
): HttpResponse {
  const { body, contentType } = encodeBody(value, format);
  return { status, headers: { ...NO_CACHE, 'content-type': contentType, ...headers }, warnings: warningHeaders(warnings), body };
}

export function statusResponse(status: Status, format: OutputFormat = { encoding: 'json' }, warnings: readonly string[] = []): HttpResponse {
  const retry = status.details?.retryAfterSeconds;
  return respond(status.code ?? 200, status, { encoding: format.encoding, pretty: format.pretty }, warnings, retry ? { 'retry-after': String(retry) } : {});
}

/** Turns an error of a verb into its answer; programmer errors become 500 as the real server's panics do. */
export function errorResponse(error: unknown, format?: OutputFormat, warnings?: readonly string[]): HttpResponse {
  if (error instanceof StatusError) return statusResponse(error.status, format, warnings);
  throw error;
}

/** Lists that Go writes as null when they are empty, because they have no omitempty. */
const nullListCache = new WeakMap<ResourceInfo, readonly string[]>();

function nullLists(info: ResourceInfo): readonly string[] {
  let list = nullListCache.get(info);
  if (!list) {
    list = info.custom ? [] : [...info.node.properties].filter(([, property]) => property.required && property.node.kind === 'list').map(([key]) => key);
    nullListCache.set(info, list);
  }
  return list;
}

const ordered = new WeakMap<ApiObject, WeakMap<ResourceInfo, ApiObject>>();

/** The object as it goes over the wire. Stored objects never change: what was written once is remembered. */
export function wireObject(info: ResourceInfo, stored: ApiObject): ApiObject {
  const known = ordered.get(stored)?.get(info);
  if (known) return known;
  const object = inFieldOrder(info.node, plainWire(info, stored)) as ApiObject;
  if (!Object.isFrozen(stored)) return object;
  const byInfo = ordered.get(stored) ?? new WeakMap<ResourceInfo, ApiObject>();
  ordered.set(stored, byInfo.set(info, object));
  return object;
}

function plainWire(info: ResourceInfo, stored: ApiObject): ApiObject {
  const object = info.alias ? info.alias.toWire(stored) : stored;
  const lists = nullLists(info);
  if (lists.length === 0) return object;
  let out: Record<string, unknown> | undefined;
  for (const key of lists) {
    const value = (object as Record<string, unknown>)[key];
    if (value !== undefined && (value as unknown[]).length > 0) continue;
    out ??= { ...object };
    out[key] = null;
  }
  return (out as ApiObject | undefined) ?? object;
}

function includeOf(query: URLSearchParams): IncludeObject {
  const include = query.get('includeObject') || 'Metadata';
  if (include === 'None' || include === 'Object' || include === 'Metadata') return include;
  throw newBadRequest(
    `Unable to convert to Table as requested: includeObject: Invalid value: ${quote(include)}: must be 'Metadata', 'Object', 'None', or empty`,
  );
}

/** The Go type of an object in the server, for errors: "*core.ConfigMapList". */
const goTypeOf = (info: ResourceInfo, list: string): string =>
  info.custom ? `*unstructured.Unstructured${list}` : `*${info.storage.startsWith('v1/') ? 'core' : info.group.split('.')[0]}.${info.kind}${list}`;

/** One object in the shape the client asked for. */
export function shapeObject(verbs: Verbs, info: ResourceInfo, object: ApiObject, format: OutputFormat, query: URLSearchParams): unknown {
  if (object.kind === 'Status' && object.apiVersion === 'v1') return object;
  if (format.as === 'Table')
    return tableOf(verbs, info, [wireObject(info, object)], { resourceVersion: object.metadata?.resourceVersion }, includeOf(query), format.version);
  if (format.as === 'PartialObjectMetadataList')
    throw notAcceptable(`you requested PartialObjectMetadataList, but the requested object is not a list (${goTypeOf(info, '')})`);
  if (format.as) return partialMetadata(wireObject(info, object), format.version);
  return wireObject(info, object);
}

export function listMetadata(result: ListResult): Record<string, unknown> {
  return {
    resourceVersion: result.resourceVersion,
    ...(result.continueToken ? { continue: result.continueToken } : {}),
    ...(result.remainingItemCount !== undefined && result.remainingItemCount > 0 ? { remainingItemCount: result.remainingItemCount } : {}),
  };
}

/** A list in the shape the client asked for. Items of a plain list carry neither kind nor apiVersion. */
export function shapeList(verbs: Verbs, info: ResourceInfo, result: ListResult, format: OutputFormat, query: URLSearchParams): unknown {
  const metadata = listMetadata(result);
  if (format.as === 'Table') {
    return tableOf(
      verbs,
      info,
      result.items.map((item) => wireObject(info, item)),
      metadata,
      includeOf(query),
      format.version,
    );
  }
  if (format.as === 'PartialObjectMetadataList') {
    const items = result.items.map((item) => partialMetadata(wireObject(info, item), format.version));
    return { kind: 'PartialObjectMetadataList', apiVersion: format.version, metadata, items };
  }
  if (format.as) throw notAcceptable(`you requested PartialObjectMetadata, but the requested object is a list (${goTypeOf(info, 'List')})`);
  // Custom resources keep their kind on items, as unstructured lists do.
  const items = result.items.map((item) => (info.custom ? wireObject(info, item) : { ...wireObject(info, item), kind: undefined, apiVersion: undefined }));
  if (info.custom) return { apiVersion: info.groupVersion, items, kind: info.custom.listKind, metadata };
  return { kind: `${info.kind}List`, apiVersion: info.groupVersion, metadata, items };
}

/** How a watch shows its objects. */
export function watchShape(
  verbs: Verbs,
  info: ResourceInfo,
  format: OutputFormat,
  query: URLSearchParams,
): { key: string; render(object: ApiObject, first: boolean): unknown } {
  if (format.as === 'Table') {
    const include = includeOf(query);
    return {
      key: `Table/${include}/${format.version}`,
      render(object, first) {
        const table = tableOf(verbs, info, [wireObject(info, object)], { resourceVersion: object.metadata?.resourceVersion }, include, format.version);
        if (!first) table.columnDefinitions = null;
        return table;
      },
    };
  }
  if (format.as === 'PartialObjectMetadata')
    return { key: `PartialObjectMetadata/${format.version}`, render: (object) => partialMetadata(wireObject(info, object), format.version) };
  return { key: info.id, render: (object) => wireObject(info, object) };
}
