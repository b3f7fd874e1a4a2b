import type { HttpResponse } from '../../transport.ts';
import type { ResourceInfo, ResourceRegistry } from '../resources.ts';
import { typeNameOf } from '../resources.ts';
import { type SchemaFact, schemaTypes } from '../schema.ts';
import { encodeJson } from './json.ts';
import { encodeOpenApiV2 } from './openapi-v2.ts';

type Json = Record<string, unknown>;

const strToU8 = (text: string): Uint8Array => new TextEncoder().encode(text);

const META = 'io.k8s.apimachinery.pkg.apis.meta.v1';

/** OpenAPI v3 spelling of a schema of the facts. Fields have no texts of their own: the type's name must do. */
function v3Schema(fact: SchemaFact, refs: Set<string>): Json {
  const out: Json = {};
  for (const [key, value] of Object.entries(fact)) {
    switch (key) {
      case '$ref':
        refs.add(value as string);
        break;
      case 'properties':
        out.properties = Object.fromEntries(Object.entries(value as Record<string, SchemaFact>).map(([name, property]) => [name, v3Schema(property, refs)]));
        break;
      case 'items':
      case 'additionalProperties':
        out[key] = typeof value === 'object' ? v3Schema(value as SchemaFact, refs) : value;
        break;
      default:
        out[key] = value;
    }
  }
  // OpenAPI 3.0 knows no siblings of $ref: they are wrapped, as upstream does.
  if (fact.$ref) {
    const ref = { $ref: `#/components/schemas/${fact.$ref}` };
    return Object.keys(out).length > 0 ? { allOf: [ref], ...out } : ref;
  }
  return out;
}

/** The schema of a custom resource: what its definition says, with the usual metadata. */
function customSchema(info: ResourceInfo): Json {
  const own = (info.custom?.schema ?? { type: 'object' }) as Json;
  return {
    ...own,
    type: 'object',
    properties: {
      ...((own.properties as Json | undefined) ?? {}),
      apiVersion: { type: 'string' },
      kind: { type: 'string' },
      metadata: { allOf: [{ $ref: `#/components/schemas/${META}.ObjectMeta` }] },
    },
    'x-kubernetes-group-version-kind': [{ group: info.group, kind: info.kind, version: info.version }],
  };
}

/** "com.example.v1.Widget" for example.com/v1 Widget. */
function customTypeName(info: ResourceInfo): string {
  return `${info.group.split('.').reverse().join('.')}.${info.version}.${info.kind}`;
}

const QUERY: Record<string, Json> = {
  dryRun: { in: 'query', name: 'dryRun', schema: { type: 'string', uniqueItems: true } },
  fieldManager: { in: 'query', name: 'fieldManager', schema: { type: 'string', uniqueItems: true } },
  fieldValidation: { in: 'query', name: 'fieldValidation', schema: { type: 'string', uniqueItems: true } },
  force: { in: 'query', name: 'force', schema: { type: 'boolean', uniqueItems: true } },
};

function gvk(info: { group: string; version: string; kind: string }): Json {
  return { group: info.group, version: info.version, kind: info.kind };
}

const PATCH_TYPES = ['application/apply-patch+yaml', 'application/json-patch+json', 'application/merge-patch+json', 'application/strategic-merge-patch+json'];

/** The paths of one resource, as far as clients look: which verbs, which kind, which options. */
function pathsOf(info: ResourceInfo, typeName: string): Record<string, Json> {
  const root = info.group ? `/apis/${info.groupVersion}` : `/api/${info.version}`;
  const collection = info.namespaced ? `${root}/namespaces/{namespace}/${info.resource}` : `${root}/${info.resource}`;
  const ok = (name: string): Json => ({
    200: { description: 'OK', content: { 'application/json': { schema: { $ref: `#/components/schemas/${name}` } } } },
    401: { description: 'Unauthorized' },
  });
  const operation = (action: string, method: string, more: Json = {}): Json => ({
    tags: [`${(info.group || 'core').split('.')[0]}_${info.version}`],
    operationId: `${action}${info.kind}`,
    responses: ok(action === 'list' ? `${typeName}List` : typeName),
    'x-kubernetes-action': method,
    'x-kubernetes-group-version-kind': gvk(info),
    ...more,
  });
  const body = { requestBody: { content: { '*/*': { schema: { $ref: `#/components/schemas/${typeName}` } } }, required: true } };
  const patchTypes = info.custom ? PATCH_TYPES.slice(0, 3) : PATCH_TYPES;
  const patchBody = {
    requestBody: { content: Object.fromEntries(patchTypes.map((type) => [type, { schema: { $ref: `#/components/schemas/${META}.Patch` } }])), required: true },
  };
  const write = [QUERY.dryRun, QUERY.fieldManager, QUERY.fieldValidation];
  const many: Json = {};
  const one: Json = {};
  if (info.verbs.has('list')) many.get = operation('list', 'list');
  if (info.verbs.has('create')) many.post = operation('create', 'post', { parameters: write, ...body });
  if (info.verbs.has('deletecollection')) many.delete = operation('deleteCollection', 'deletecollection', { parameters: [QUERY.dryRun] });
  if (info.verbs.has('get')) one.get = operation('read', 'get');
  if (info.verbs.has('update')) one.put = operation('replace', 'put', { parameters: write, ...body });
  if (info.verbs.has('patch')) one.patch = operation('patch', 'patch', { parameters: [...write, QUERY.force], ...patchBody });
  if (info.verbs.has('delete')) one.delete = operation('delete', 'delete', { parameters: [QUERY.dryRun] });
  const out: Record<string, Json> = { [collection]: many };
  if (Object.keys(one).length > 0) out[`${collection}/{name}`] = one;
  for (const sub of info.subresources.values()) {
    const path: Json = {};
    for (const verb of sub.verbs) {
      const method = { get: 'get', create: 'post', update: 'put', patch: 'patch', delete: 'delete' }[verb];
      if (!method) continue;
      path[method] = {
        operationId: `${verb}${info.kind}${sub.name}`,
        // Clients take any PATCH of a kind to learn what the server understands.
        ...(method === 'get' ? {} : { parameters: method === 'patch' ? [...write, QUERY.force] : write }),
        responses: { 401: { description: 'Unauthorized' } },
        'x-kubernetes-action': method,
        'x-kubernetes-group-version-kind': gvk(sub.kind),
      };
    }
    out[`${collection}/{name}/${sub.name}`] = path;
  }
  return out;
}

function typeNameFor(info: ResourceInfo): string {
  return info.custom ? customTypeName(info) : (typeNameOf(info.group, info.version, info.kind) ?? '');
}

/** Adds a type and all it refers to. */
function addSchemas(name: string, schemas: Record<string, Json>): void {
  const fact = schemaTypes()[name];
  if (schemas[name] || !fact) return;
  const refs = new Set<string>();
  schemas[name] = {};
  schemas[name] = v3Schema(fact, refs);
  for (const ref of refs) addSchemas(ref, schemas);
}

function customList(info: ResourceInfo): Json {
  return {
    type: 'object',
    required: ['items'],
    properties: {
      apiVersion: { type: 'string' },
      items: { type: 'array', items: { $ref: `#/components/schemas/${customTypeName(info)}` } },
      kind: { type: 'string' },
      metadata: { allOf: [{ $ref: `#/components/schemas/${META}.ListMeta` }] },
    },
    'x-kubernetes-group-version-kind': [{ group: info.group, kind: `${info.kind}List`, version: info.version }],
  };
}

/** One group version's document. */
function document(infos: readonly ResourceInfo[]): Json {
  const schemas: Record<string, Json> = {};
  let paths: Record<string, Json> = {};
  for (const extra of ['DeleteOptions', 'Patch', 'Status', 'WatchEvent', 'ObjectMeta', 'ListMeta']) addSchemas(`${META}.${extra}`, schemas);
  for (const info of infos) {
    const name = typeNameFor(info);
    if (info.custom) {
      schemas[name] = customSchema(info);
      schemas[`${name}List`] = customList(info);
    } else {
      addSchemas(name, schemas);
      addSchemas(`${name}List`, schemas);
    }
    for (const sub of info.subresources.values()) addSchemas(typeNameOf(sub.kind.group, sub.kind.version, sub.kind.kind) ?? '', schemas);
    paths = { ...paths, ...pathsOf(info, name) };
  }
  return { openapi: '3.0.0', info: { title: 'Kubernetes', version: 'v1.36.3' }, paths, components: { schemas } };
}

function pathOf(groupVersion: string): string {
  return groupVersion.includes('/') ? `apis/${groupVersion}` : `api/${groupVersion}`;
}

const cache = new WeakMap<readonly ResourceInfo[], Uint8Array>();

function hashOf(infos: readonly ResourceInfo[]): string {
  let hash = 0x811c9dc5;
  for (const info of infos)
    for (const char of `${info.id}${info.custom ? JSON.stringify(info.custom.schema) : ''}`)
      hash = Math.imul(hash ^ (char.codePointAt(0) ?? 0), 0x01000193) >>> 0;
  return hash.toString(16).toUpperCase().padStart(8, '0').repeat(16);
}

function ok(body: Uint8Array, contentType: string, headers: Record<string, string> = {}): HttpResponse {
  return { status: 200, headers: { 'cache-control': 'no-cache, private', 'content-type': contentType, vary: 'Accept', ...headers }, warnings: [], body };
}

/**
 * `/openapi/v2` and `/openapi/v3`, made from the schema facts when first asked for; undefined for unknown paths.
 * Descriptions are left out: the upstream texts are not part of this project.
 */
export function openApiResponse(registry: ResourceRegistry, path: string, accept: string | undefined): HttpResponse | undefined {
  if (path === '/openapi/v3' || path === '/openapi/v3/') {
    const paths: Json = {};
    for (const [groupVersion, infos] of registry.groupVersions()) {
      const name = pathOf(groupVersion);
      paths[name] = { serverRelativeURL: `/openapi/v3/${name}?hash=${hashOf(infos)}` };
    }
    return ok(strToU8(encodeJson({ paths })), 'application/json');
  }
  if (path === '/openapi/v2') return ok(...v2(registry, accept));
  if (!path.startsWith('/openapi/v3/')) return undefined;
  const wanted = path.slice('/openapi/v3/'.length);
  for (const [groupVersion, infos] of registry.groupVersions()) {
    if (pathOf(groupVersion) !== wanted) continue;
    let body = cache.get(infos);
    if (!body) {
      body = strToU8(encodeJson(document(infos)));
      cache.set(infos, body);
    }
    return ok(body, 'application/json', { etag: `"${hashOf(infos)}"` });
  }
  return undefined;
}

/** The old format: all groups in one Swagger 2.0 document, as JSON or protobuf. */
function v2(registry: ResourceRegistry, accept: string | undefined): [Uint8Array, string] {
  const definitions: Record<string, Json> = {};
  for (const [name, fact] of Object.entries(schemaTypes())) definitions[name] = v2Schema(fact);
  for (const info of registry.all()) if (info.custom) definitions[customTypeName(info)] = v2Custom(info);
  const swagger = { swagger: '2.0', info: { title: 'Kubernetes', version: 'v1.36.3' }, paths: v2Paths(registry), definitions };
  if (accept?.includes('protobuf')) return [encodeOpenApiV2(swagger), 'application/com.github.proto-openapi.spec.v2.v1.0+protobuf'];
  return [strToU8(encodeJson(swagger)), 'application/json'];
}

function v2Schema(fact: SchemaFact): Json {
  const out: Json = {};
  for (const [key, value] of Object.entries(fact)) {
    if (key === '$ref') out.$ref = `#/definitions/${value as string}`;
    else if (key === 'properties')
      out.properties = Object.fromEntries(Object.entries(value as Record<string, SchemaFact>).map(([name, property]) => [name, v2Schema(property)]));
    else if (key === 'items' || key === 'additionalProperties') out[key] = v2Schema(value as SchemaFact);
    else if (key === 'oneOf') out.type = 'string';
    else out[key] = value;
  }
  return out;
}

function v2Custom(info: ResourceInfo): Json {
  return JSON.parse(JSON.stringify(customSchema(info)).replaceAll('#/components/schemas/', '#/definitions/')) as Json;
}

/** Only what clients ask of v2: the parameters of writes. */
function v2Paths(registry: ResourceRegistry): Record<string, Json> {
  const out: Record<string, Json> = {};
  const parameter = (name: string, type = 'string'): Json => ({ in: 'query', name, type, uniqueItems: true });
  for (const info of registry.all()) {
    for (const [path, methods] of Object.entries(pathsOf(info, typeNameFor(info)))) {
      const converted: Json = {};
      for (const [method, operation] of Object.entries(methods) as [string, Json][]) {
        converted[method] = {
          operationId: operation.operationId,
          parameters: ((operation.parameters as Json[] | undefined) ?? []).map((known) =>
            parameter(String(known.name), known.name === 'force' ? 'boolean' : 'string'),
          ),
          responses: { 401: { description: 'Unauthorized' } },
          'x-kubernetes-action': operation['x-kubernetes-action'],
          'x-kubernetes-group-version-kind': operation['x-kubernetes-group-version-kind'],
        };
      }
      out[path] = converted;
    }
  }
  return out;
}
