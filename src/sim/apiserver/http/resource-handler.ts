import type { Cause } from '../../cause.ts';
import type { ApiObject } from '../../client/types.ts';
import type { HttpRequest, HttpResponse } from '../../transport.ts';
import type { Authenticator } from '../authentication.ts';
import { convert, DecodeError } from '../decode.ts';
import { applyConfiguration } from '../managed-fields/apply.ts';
import type { Authorizer } from '../rbac.ts';
import type { RequestContext, UserInfo } from '../request-context.ts';
import type { ResourceInfo } from '../resources.ts';
import { answerReview } from '../reviews.ts';
import { type ObjectNode, typeNode } from '../schema.ts';
import { newBadRequest, newConflict, newInvalid, newNotFound, type Status } from '../status-error.ts';
import { bindPod, evictPod, finalizeNamespace, getScale, updateScale } from '../subresources.ts';
import { type DeleteParameters, returnsDeletedObject, type Verbs } from '../verbs.ts';
import { bodyText, decodeBody, type ExpectedKind, parseBody } from './body.ts';
import { encodeJson, JsonSyntaxError } from './json.ts';
import { listObjects } from './list.ts';
import { negotiateOutput } from './media-type.ts';
import { deleteOptionsOfQuery, dryRunErrors, listOptions, type WriteParameters, writeParameters } from './options.ts';
import { APPLY_PATCH, patchObject, readPatch } from './patch-body.ts';
import { respond, shapeList, shapeObject, statusResponse, warningHeaders, watchShape } from './response.ts';
import { openWatch } from './watch.ts';
import { parseYaml, YamlSyntaxError } from './yaml.ts';

/** One request for a resource, after routing. */
export interface ResourceRequest {
  http: HttpRequest;
  query: URLSearchParams;
  info: ResourceInfo;
  namespace: string;
  name: string;
  subresource: string;
  user: UserInfo;
  warnings: string[];
  /** The old `/watch/` paths. */
  watchPath: boolean;
}

type Json = Record<string, unknown>;

/** First word of the User-Agent: the field manager when none is given. */
function agentOf(http: HttpRequest): string {
  const agent = (http.headers['user-agent'] ?? '').split('/')[0] ?? '';
  return agent.slice(0, 128).replace(/[^\x20-\x7e]/g, '');
}

/** What the API verbs do over HTTP (models `k8s.io/apiserver/pkg/endpoints/handlers`). */
export class ResourceHandler {
  readonly #verbs: Verbs;
  readonly #authorizer: Authorizer;
  readonly #authenticator: Authenticator;

  constructor(verbs: Verbs, authorizer: Authorizer, authenticator: Authenticator) {
    this.#verbs = verbs;
    this.#authorizer = authorizer;
    this.#authenticator = authenticator;
  }

  #context(request: ResourceRequest, parameters: Partial<WriteParameters>, verb: string): RequestContext {
    const agent = agentOf(request.http);
    const { info, namespace, name, user } = request;
    const cause: Cause = {
      actor: agent || 'unknown',
      rule: `request/${verb}`,
      detail: { user: user.username, resource: info.id, namespace, name },
    };
    return { user, cause, fieldManager: parameters.fieldManager || agent || 'unknown', dryRun: parameters.dryRun ?? false, warnings: request.warnings };
  }

  /** The resource whose rules and storage count: another version of the same for a few. */
  #stored(info: ResourceInfo): ResourceInfo {
    return info.alias ? (this.#verbs.registry.get(info.alias.stored) as ResourceInfo) : info;
  }

  #expected(request: ResourceRequest): ExpectedKind {
    const { info, subresource } = request;
    const sub = subresource === '' ? undefined : info.subresources.get(subresource);
    if (!sub || (sub.kind.kind === info.kind && sub.kind.group === info.group))
      return { group: info.group, version: info.version, kind: info.kind, node: info.node };
    const { group, version, kind } = sub.kind;
    return { group, version, kind, node: nodeFor(group, version, kind) };
  }

  get(request: ResourceRequest): HttpResponse {
    const { info, namespace, name, subresource, query, warnings } = request;
    const format = negotiateOutput(request.http.headers.accept, { table: subresource === '' || subresource === 'status', list: false });
    const object = this.#verbs.get(info, namespace, name);
    if (subresource === 'scale') return respond(200, getScale(this.#verbs, info, object), format, warnings);
    return respond(200, shapeObject(this.#verbs, info, object, format, query), format, warnings);
  }

  list(request: ResourceRequest): HttpResponse {
    const { info, namespace, query, warnings, name } = request;
    const options = listOptions(query, request.watchPath);
    if (name !== '') options.fieldSelector = `metadata.name=${name}`;
    const format = negotiateOutput(request.http.headers.accept, { table: true, list: true });
    if (options.watch) {
      const view = watchShape(this.#verbs, info, format, query);
      const stream = openWatch(this.#verbs, info, namespace, options, view, (frame) => encodeJson(frame), request.http.signal);
      return { status: 200, headers: { 'cache-control': 'no-cache, private', 'content-type': 'application/json' }, warnings: warningHeaders(warnings), stream };
    }
    const result = listObjects(this.#verbs, info, namespace, options);
    return respond(200, shapeList(this.#verbs, info, result, format, query), format, warnings);
  }

  create(request: ResourceRequest): HttpResponse {
    const { http, info, namespace, subresource, query, warnings } = request;
    const format = negotiateOutput(http.headers.accept, { table: subresource === '', list: false });
    const text = bodyText(http.body);
    const parameters = writeParameters(query, 'CreateOptions');
    const object = decodeBody(this.#verbs.registry, text, http.headers['content-type'], this.#expected(request), parameters.fieldValidation, warnings) as Json;
    const context = this.#context(request, parameters, 'create');
    if (subresource !== '') return this.#createSubresource(request, object, context, format);
    if (!info.verbs.has('get')) {
      if (info.kind === 'Binding') return statusResponse(this.#bind(request, object, context), format, warnings);
      const full = { kind: info.kind, apiVersion: info.groupVersion, ...object, metadata: (object.metadata as Json | undefined) ?? {} };
      return respond(201, answerReview(info, full, request.user, this.#authorizer, this.#authenticator), format, warnings);
    }
    const stored = this.#stored(info);
    const whole = this.#verbs.applyDefaults(info, object);
    const created = this.#verbs.create(stored, namespace, info.alias ? this.#verbs.normalize(stored, info.alias.toStored(whole)) : whole, context);
    return respond(201, shapeObject(this.#verbs, info, created, format, query), format, warnings);
  }

  /** The old `bindings` collection. */
  #bind(request: ResourceRequest, object: Json, context: RequestContext): Status {
    const pods = this.#verbs.registry.get('v1/pods') as ResourceInfo;
    return bindPod(this.#verbs, pods, request.namespace, ((object.metadata as Json | undefined)?.name as string) ?? '', object, context);
  }

  #createSubresource(request: ResourceRequest, object: Json, context: RequestContext, format: ReturnType<typeof negotiateOutput>): HttpResponse {
    const { info, namespace, name, subresource, warnings } = request;
    switch (subresource) {
      case 'binding':
        return statusResponse(bindPod(this.#verbs, info, namespace, name, object, context), format, warnings);
      case 'eviction':
        return statusResponse(evictPod(this.#verbs, info, namespace, name, object, context), format, warnings);
      case 'token':
        return respond(201, this.#token(info, namespace, name, object), format, warnings);
      default:
        throw newNotFound(info, name);
    }
  }

  /** `serviceaccounts/token`: a TokenRequest answered. */
  #token(info: ResourceInfo, namespace: string, name: string, object: Json): Json {
    const account = this.#verbs.get(info, namespace, name);
    const spec = (object.spec ?? {}) as { audiences?: string[]; expirationSeconds?: number; boundObjectRef?: { kind?: string; name?: string; uid?: string } };
    const expirationSeconds = spec.expirationSeconds ?? 3600;
    if (expirationSeconds < 600) {
      throw newInvalid({ group: 'authentication.k8s.io', resource: 'TokenRequest' }, '', [
        { type: 'Invalid value', field: 'spec.expirationSeconds', value: String(expirationSeconds), detail: 'may not specify a duration less than 10 minutes' },
      ]);
    }
    const audiences = spec.audiences?.length ? spec.audiences : ['https://kubernetes.default.svc.cluster.local'];
    const bound = spec.boundObjectRef;
    if (bound?.kind === 'Pod' && bound.uid) {
      const pod = this.#verbs.context.get('v1/pods', namespace, bound.name ?? '');
      if (pod?.metadata?.uid !== bound.uid)
        throw newConflict(
          { group: '', resource: 'Pod' },
          bound.name ?? '',
          `the UID in the bound object reference (${bound.uid}) does not match the UID in record. The object might have been deleted and then recreated`,
        );
    }
    const pod = bound?.kind === 'Pod' && bound.name && bound.uid ? { name: bound.name, uid: bound.uid } : undefined;
    const token = this.#authenticator.issueToken(namespace, { name, uid: account.metadata?.uid ?? '' }, audiences, expirationSeconds, pod);
    const expirationTimestamp = `${new Date(this.#verbs.kernel.now() + expirationSeconds * 1000).toISOString().slice(0, 19)}Z`;
    return {
      kind: 'TokenRequest',
      apiVersion: 'authentication.k8s.io/v1',
      metadata: { name, namespace, creationTimestamp: this.#verbs.now() },
      spec: { audiences, expirationSeconds, boundObjectRef: bound ?? null },
      status: { token, expirationTimestamp },
    };
  }

  update(request: ResourceRequest): HttpResponse {
    const { http, info, namespace, name, subresource, query, warnings } = request;
    const format = negotiateOutput(http.headers.accept, { table: subresource === '' || subresource === 'status', list: false });
    const text = bodyText(http.body);
    const parameters = writeParameters(query, 'UpdateOptions');
    const object = decodeBody(
      this.#verbs.registry,
      text,
      http.headers['content-type'],
      this.#expected(request),
      parameters.fieldValidation,
      warnings,
    ) as ApiObject & Json;
    const context = this.#context(request, parameters, 'update');
    object.metadata ??= {};
    this.#checkIdentity(request, object);
    if (subresource === 'scale')
      return respond(
        200,
        updateScale(this.#verbs, info, namespace, name, () => object, context),
        format,
        warnings,
      );
    const stored = this.#stored(info);
    const { object: updated, created } = this.#verbs.update(
      stored,
      namespace,
      name,
      (existing) => {
        const changed = subresource === 'finalize' && existing ? finalizeNamespace(existing, object) : object;
        const whole = this.#verbs.applyDefaults(info, structuredCopy(changed) as ApiObject & Json);
        return info.alias ? this.#verbs.normalize(stored, info.alias.toStored(whole)) : whole;
      },
      context,
      { subresource, uid: object.metadata?.uid },
    );
    return respond(created ? 201 : 200, shapeObject(this.#verbs, info, updated, format, query), format, warnings);
  }

  /** The object must be the one the URL names. */
  #checkIdentity({ info, namespace, name }: ResourceRequest, object: ApiObject): void {
    const { metadata = {} } = object;
    if (info.namespaced && metadata.namespace && metadata.namespace !== namespace) {
      throw newBadRequest('the namespace of the provided object does not match the namespace sent on the request');
    }
    if (!metadata.name) throw newBadRequest('name must be provided');
    if (metadata.name !== name) throw newBadRequest(`the name of the object (${metadata.name}) does not match the name on the URL (${name})`);
  }

  patch(request: ResourceRequest): HttpResponse {
    const { http, info, namespace, name, subresource, query, warnings } = request;
    const type = (http.headers['content-type'] ?? '').split(';')[0]?.trim() ?? '';
    const format = negotiateOutput(http.headers.accept, { table: subresource === '' || subresource === 'status', list: false });
    const text = bodyText(http.body);
    const parameters = writeParameters(query, 'PatchOptions', type);
    const context = this.#context(request, parameters, 'patch');
    if (type === APPLY_PATCH) return this.#apply(request, text, parameters, context, format);
    if (subresource === 'scale') {
      const expected = this.#expected(request);
      const patch = readPatch(type, text);
      const scale = updateScale(
        this.#verbs,
        info,
        namespace,
        name,
        (current) => patchObject(expected.node, type, patch, current, parameters.fieldValidation, warnings) as ApiObject,
        context,
      );
      return respond(200, scale, format, warnings);
    }
    this.#verbs.get(info, namespace, name);
    const patch = readPatch(type, text);
    const stored = this.#stored(info);
    const { object: patched } = this.#verbs.update(
      stored,
      namespace,
      name,
      (existing) => {
        if (!existing) throw newNotFound(info, name);
        const current = info.alias ? info.alias.toWire(existing) : existing;
        const object = patchObject(info.node, type, patch, current, parameters.fieldValidation, warnings) as ApiObject & Json;
        object.metadata ??= {};
        this.#checkPatchedIdentity(request, object);
        const whole = this.#verbs.applyDefaults(info, object);
        return info.alias ? this.#verbs.normalize(stored, info.alias.toStored(whole)) : whole;
      },
      context,
      { subresource },
    );
    return respond(200, shapeObject(this.#verbs, info, patched, format, query), format, warnings);
  }

  #checkPatchedIdentity(request: ResourceRequest, object: ApiObject): void {
    if (!object.metadata?.name) return;
    this.#checkIdentity(request, object);
  }

  #apply(
    request: ResourceRequest,
    text: string,
    parameters: WriteParameters,
    context: RequestContext,
    format: ReturnType<typeof negotiateOutput>,
  ): HttpResponse {
    const { info, namespace, name, subresource, query, warnings } = request;
    const verbs = this.#verbs;
    let body: unknown;
    try {
      body = text.trimStart().startsWith('{') ? parseBody(text, 'application/json').value : parseYaml(text).value;
    } catch (error) {
      if (error instanceof YamlSyntaxError || error instanceof JsonSyntaxError) throw newBadRequest(`error decoding YAML: ${error.message}`);
      throw error;
    }
    if (typeof body !== 'object' || body === null || Array.isArray(body))
      throw newBadRequest('error decoding YAML: error unmarshaling JSON: json: cannot unmarshal into Go value of type map[string]interface {}');
    const config = body as ApiObject & Json;
    if (!config.kind || !config.apiVersion) throw newBadRequest(`invalid object type: ${config.apiVersion ?? ''}, Kind=${config.kind ?? ''}`);
    if (config.apiVersion !== info.groupVersion)
      throw newBadRequest(`Incorrect version specified in apply patch. Specified patch version: ${config.apiVersion}, expected: ${info.groupVersion}`);
    if (config.metadata?.managedFields) throw newBadRequest('metadata.managedFields must be nil');
    const strict: string[] = [];
    let clean: ApiObject;
    try {
      clean = convertConfig(info.node, config, strict);
    } catch (error) {
      if (error instanceof DecodeError)
        throw newBadRequest(
          `failed to create typed patch object (${namespace ? `${namespace}/` : ''}${name}; ${info.groupVersion}, Kind=${info.kind}): ${error.message}`,
        );
      throw error;
    }
    if (strict.length > 0) {
      const path = /"(.*)"/.exec(strict[0] as string)?.[1] ?? '';
      throw typedPatchError(namespace, name, info, path);
    }
    const { object, created } = verbs.update(
      info,
      namespace,
      name,
      (existing) => {
        const applied = applyConfiguration(
          info,
          existing,
          clean,
          { manager: parameters.fieldManager, force: parameters.force ?? false, subresource, now: verbs.now() },
          (merged) => verbs.applyDefaults(info, convert(info.node, merged, { strict: [], checkTypes: true })),
        );
        applied.metadata ??= {};
        applied.metadata.name ??= name;
        if (!existing && clean.metadata?.uid) {
          throw newConflict(info, name, `uid mismatch: the provided object specified uid ${clean.metadata.uid}, and no existing object was found`);
        }
        this.#checkPatchedIdentity(request, applied);
        return applied;
      },
      context,
      { subresource, allowCreate: true, managed: true, ...(clean.metadata?.uid ? { uid: clean.metadata.uid } : {}) },
    );
    return respond(created ? 201 : 200, shapeObject(verbs, info, object, format, query), format, warnings);
  }

  #deleteOptions(request: ResourceRequest): DeleteParameters & { dryRun: boolean } {
    const text = bodyText(request.http.body);
    let options: Json;
    if (text === '') options = deleteOptionsOfQuery(request.query);
    else {
      try {
        const parsed = parseBody(text, request.http.headers['content-type']).value;
        options = convert(deleteOptionsNode(), parsed ?? {}, { strict: [], checkTypes: true });
      } catch (error) {
        if (error instanceof JsonSyntaxError) throw newBadRequest(`couldn't get version/kind; json parse error: ${error.message}`);
        if (error instanceof DecodeError || error instanceof YamlSyntaxError) throw newBadRequest(error.message);
        throw error;
      }
    }
    const dryRun = (options.dryRun as string[] | undefined) ?? [];
    const errors = dryRunErrors(dryRun);
    if (errors.length > 0) throw newInvalid({ group: 'meta.k8s.io', resource: 'DeleteOptions' }, '', errors);
    return { ...(options as DeleteParameters), dryRun: dryRun.includes('All') };
  }

  delete(request: ResourceRequest): HttpResponse {
    const { http, info, namespace, name, query, warnings } = request;
    const format = negotiateOutput(http.headers.accept, { table: true, list: false });
    const options = this.#deleteOptions(request);
    const context = this.#context(request, { dryRun: options.dryRun }, 'delete');
    const { object, deleted } = this.#verbs.delete(info, namespace, name, options, context);
    const pending = !deleted && object === this.#verbs.bucket(info).get(info.namespaced ? namespace : '', name) && info.id === 'v1/pods';
    if ((deleted && !returnsDeletedObject(info)) || (pending && !returnsDeletedObject(info))) {
      const details = { name, ...(info.group ? { group: info.group } : {}), kind: info.resource, uid: object.metadata?.uid };
      return statusResponse({ kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', details }, format, warnings);
    }
    const code = !deleted && options.orphanDependents === false ? 202 : 200;
    return respond(code, shapeObject(this.#verbs, info, object, format, query), format, warnings);
  }

  deleteCollection(request: ResourceRequest): HttpResponse {
    const { http, info, namespace, query, warnings } = request;
    const format = negotiateOutput(http.headers.accept, { table: true, list: true });
    const selection = listOptions(query);
    const options = this.#deleteOptions(request);
    const context = this.#context(request, { dryRun: options.dryRun }, 'deletecollection');
    const result = listObjects(this.#verbs, info, namespace, selection);
    for (const object of result.items) {
      const own = object.metadata?.namespace ?? '';
      if (!this.#verbs.bucket(info).get(own, object.metadata?.name ?? '')) continue;
      this.#verbs.delete(info, own, object.metadata?.name ?? '', { ...options }, context);
    }
    return respond(200, shapeList(this.#verbs, info, result, format, query), format, warnings);
  }
}

/** A copy of what a client sent, so that a retried change starts from the same. */
function structuredCopy<T>(value: T): T {
  return structuredClone(value);
}

function nodeFor(group: string, version: string, kind: string): ObjectNode {
  return typeNode(
    group === 'policy'
      ? 'io.k8s.api.policy.v1.Eviction'
      : group === 'autoscaling'
        ? 'io.k8s.api.autoscaling.v1.Scale'
        : group === 'authentication.k8s.io'
          ? 'io.k8s.api.authentication.v1.TokenRequest'
          : `io.k8s.api.core.${version}.${kind}`,
  ) as ObjectNode;
}

function deleteOptionsNode(): ObjectNode {
  return typeNode('io.k8s.apimachinery.pkg.apis.meta.v1.DeleteOptions') as ObjectNode;
}

/** What the client applies, cleaned by type but without anything filled in: only what it says is owned. */
function convertConfig(node: ObjectNode, config: ApiObject, strict: string[]): ApiObject {
  const full = convert(node, config, { strict, checkTypes: true });
  return onlyGiven(full, config) as ApiObject;
}

/** Keeps of `full` what `given` mentions. Emptied optional values (`data: {}`) stay as the client wrote them. */
function onlyGiven(full: unknown, given: unknown): unknown {
  if (Array.isArray(given)) {
    const list = Array.isArray(full) ? full : [];
    return given.map((item, i) => onlyGiven(list[i], item));
  }
  if (typeof given === 'object' && given !== null) {
    const source = (full ?? {}) as Json;
    const out: Json = {};
    for (const key of Object.keys(given)) {
      const value = (given as Json)[key];
      if (value === null) continue;
      out[key] = onlyGiven(source[key], value);
    }
    return out;
  }
  return full === undefined ? given : full;
}

function typedPatchError(namespace: string, name: string, info: ResourceInfo, path: string): Error {
  const where = `${namespace}/${name}; ${info.groupVersion}, Kind=${info.kind}`;
  const error = newBadRequest(`failed to create typed patch object (${where}): .${path}: field not declared in schema`);
  error.status.code = 500;
  delete error.status.reason;
  return error;
}
