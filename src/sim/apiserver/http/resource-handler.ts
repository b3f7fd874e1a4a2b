import type { Cause } from '../../cause.ts';
import type { ApiObject } from '../../client/types.ts';
import type { HttpRequest, HttpResponse } from '../../transport.ts';
import type { Authenticator } from '../authentication.ts';
import { convert, DecodeError } from '../decode.ts';
import type { DeleteParameters } from '../deletion.ts';
import { returnsDeletedObject } from '../kind-rules.ts';
import { trackUpdate } from '../managed-fields/index.ts';
import { changePodPart } from '../pod-parts.ts';
import type { Authorizer } from '../rbac.ts';
import type { RequestContext } from '../request-context.ts';
import type { ResourceInfo } from '../resources.ts';
import { answerReview } from '../reviews.ts';
import { type ObjectNode, typeNode } from '../schema.ts';
import type { Mutable } from '../spec-and-status.ts';
import { newBadRequest, newNotFound, quote, type Status } from '../status-error.ts';
import { bindPod, evictPod, finalizeNamespace, getScale, updateScale } from '../subresources.ts';
import { requestToken } from '../token-request.ts';
import type { Verbs } from '../verbs.ts';
import { applyResource } from './apply-handler.ts';
import { bodyReader, bodyText, decodeBody, type ExpectedKind } from './body.ts';
import { encodeJson, JsonSyntaxError } from './json.ts';
import { listObjects, parseRevision, tooLargeRevision } from './list.ts';
import { negotiateOutput, type OutputFormat } from './media-type.ts';
import { checkDeleteOptions, deleteOptionsOfQuery, isPrintable, listOptions, type WriteParameters, writeParameters } from './options.ts';
import { APPLY_PATCH, patchObject, readPatch } from './patch-body.ts';
import { checkIdentity, dedupeOwners, type ResourceRequest } from './resource-request.ts';
import { respond, shapeList, shapeObject, statusResponse, warningHeaders, watchShape } from './response.ts';
import { openWatch } from './watch.ts';
import { YamlSyntaxError } from './yaml.ts';

type Json = Record<string, unknown>;

/** First word of the User-Agent: the field manager when none is given. */
function agentOf(http: HttpRequest): string {
  const agent = (http.headers['user-agent'] ?? '').split('/')[0] ?? '';
  return [...agent].filter(isPrintable).join('').slice(0, 128);
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
    const command = request.http.headers['x-chartroom-command'];
    const cause: Cause = {
      actor: agent || 'unknown',
      rule: `request/${verb}`,
      detail: { user: user.username, resource: info.id, namespace, name, ...(command ? { command } : {}) },
    };
    return { user, cause, fieldManager: parameters.fieldManager || agent || 'unknown', dryRun: parameters.dryRun ?? false, warnings: request.warnings };
  }

  /** The resource whose rules and storage count: another version of the same for a few. */
  #stored(info: ResourceInfo): ResourceInfo {
    return info.alias ? (this.#verbs.registry.get(info.alias.stored) as ResourceInfo) : info;
  }

  /** The stored form. Who set which field is told in the version the client speaks. */
  #toStored(info: ResourceInfo, existing: ApiObject | undefined, whole: Mutable, context: RequestContext, subresource: string): Mutable {
    if (!info.alias) return whole;
    const stored = this.#verbs.normalize(this.#stored(info), info.alias.toStored(whole));
    const before = existing && info.alias.toWire(existing);
    const { metadata } = trackUpdate(info, before, info.alias.toWire(stored), context.fieldManager, subresource, this.#verbs.now());
    const { managedFields: _old, ...rest } = stored.metadata;
    return { ...stored, metadata: metadata?.managedFields ? { ...rest, managedFields: metadata.managedFields } : rest };
  }

  #expected(request: ResourceRequest): ExpectedKind {
    const { info, subresource } = request;
    const sub = subresource === '' ? undefined : info.subresources.get(subresource);
    if (!sub || (sub.kind.kind === info.kind && sub.kind.group === info.group))
      return { group: info.group, version: info.version, kind: info.kind, node: info.node, custom: info.custom !== undefined };
    const { group, version, kind } = sub.kind;
    return { group, version, kind, node: nodeFor(group, version, kind) };
  }

  get(request: ResourceRequest): HttpResponse {
    const { info, namespace, name, subresource, query, warnings } = request;
    const format = formatOf(request);
    const revision = parseRevision(query.get('resourceVersion') ?? '');
    if (revision > this.#verbs.store.revision) throw tooLargeRevision(revision, this.#verbs.store.revision);
    const object = this.#verbs.get(info, namespace, name);
    if (subresource === 'scale') return respond(200, getScale(this.#verbs, info, object), format, warnings);
    return respond(200, shapeObject(this.#verbs, info, object, format, query), format, warnings);
  }

  list(request: ResourceRequest): HttpResponse {
    const { info, namespace, query, warnings, name } = request;
    const options = listOptions(query, request.watchPath);
    if (name !== '') options.fieldSelector = `metadata.name=${name}`;
    const format = formatOf(request);
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
    const format = formatOf(request);
    bodyReader(http.headers['content-type']);
    const text = bodyText(http.body);
    const parameters = writeParameters(query, 'CreateOptions');
    const object = decodeBody(this.#verbs.registry, text, http.headers['content-type'], this.#expected(request), parameters.fieldValidation, warnings) as Json;
    dedupeOwners(object, warnings);
    const context = this.#context(request, parameters, 'create');
    if (subresource !== '') return this.#createSubresource(request, object, context, format);
    if (!info.verbs.has('get')) {
      if (info.kind === 'Binding') return statusResponse(this.#bind(request, object, context), format, warnings);
      const full = { kind: info.kind, apiVersion: info.groupVersion, ...object, metadata: (object.metadata as Json | undefined) ?? {} };
      this.#verbs.matchNamespace(info, namespace, full.metadata);
      const tracked = trackUpdate(info, undefined, full as ApiObject, context.fieldManager, '', this.#verbs.now()) as ApiObject & Json;
      return respond(201, answerReview(info, tracked, request.user, this.#authorizer, this.#authenticator), format, warnings);
    }
    const stored = this.#stored(info);
    const whole = this.#toStored(info, undefined, this.#verbs.applyDefaults(info, object), context, '');
    const created = this.#verbs.create(stored, namespace, whole, context, { managed: info.alias !== undefined });
    return respond(201, shapeObject(this.#verbs, info, created, format, query), format, warnings);
  }

  /** The old `bindings` collection. */
  #bind(request: ResourceRequest, object: Json, context: RequestContext): Status {
    const pods = this.#verbs.registry.get('v1/pods') as ResourceInfo;
    return bindPod(this.#verbs, pods, request.namespace, ((object.metadata as Json | undefined)?.name as string) ?? '', object, context);
  }

  #createSubresource(request: ResourceRequest, object: Json, context: RequestContext, format: OutputFormat): HttpResponse {
    const { info, namespace, name, subresource, warnings } = request;
    switch (subresource) {
      case 'binding':
        return statusResponse(bindPod(this.#verbs, info, namespace, name, object, context), format, warnings);
      case 'eviction':
        return statusResponse(evictPod(this.#verbs, info, namespace, name, object, context), format, warnings);
      case 'token':
        return respond(201, requestToken(this.#verbs, this.#authenticator, info, namespace, name, object, context.fieldManager), format, warnings);
      default:
        throw newNotFound(info, name);
    }
  }

  update(request: ResourceRequest): HttpResponse {
    const { http, info, namespace, name, subresource, query, warnings } = request;
    const format = formatOf(request);
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
    dedupeOwners(object, warnings);
    checkIdentity(request, object);
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
        const whole = this.#verbs.applyDefaults(info, structuredClone(object));
        return this.#toStored(info, existing, existing ? ownPart(subresource, existing, whole) : whole, context, subresource);
      },
      context,
      { subresource, uid: object.metadata?.uid, managed: info.alias !== undefined },
    );
    return respond(created ? 201 : 200, shapeObject(this.#verbs, info, updated, format, query), format, warnings);
  }

  patch(request: ResourceRequest): HttpResponse {
    const { http, info, namespace, name, subresource, query, warnings } = request;
    const type = (http.headers['content-type'] ?? '').split(';')[0]?.trim() ?? '';
    const format = formatOf(request);
    const text = bodyText(http.body);
    const parameters = writeParameters(query, 'PatchOptions', type);
    const context = this.#context(request, parameters, 'patch');
    if (type === APPLY_PATCH) {
      const { object, created } = applyResource(this.#verbs, request, text, parameters, context);
      return respond(created ? 201 : 200, shapeObject(this.#verbs, info, object, format, query), format, warnings);
    }
    if (subresource === 'scale') {
      const expected = this.#expected(request);
      const patch = readPatch(type, text, parameters.fieldValidation);
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
    const patch = readPatch(type, text, parameters.fieldValidation);
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
        checkIdentity(request, object);
        const whole = this.#verbs.applyDefaults(info, object);
        return this.#toStored(info, existing, ownPart(subresource, existing, whole), context, subresource);
      },
      context,
      { subresource, managed: info.alias !== undefined },
    );
    return respond(200, shapeObject(this.#verbs, info, patched, format, query), format, warnings);
  }

  #deleteOptions(request: ResourceRequest): DeleteParameters & { dryRun: boolean } {
    const text = bodyText(request.http.body);
    let options: Json;
    if (text === '') options = deleteOptionsOfQuery(request.query);
    else {
      try {
        const parsed = bodyReader(request.http.headers['content-type'])(text).value ?? {};
        const { kind, apiVersion } = parsed as { kind?: unknown; apiVersion?: unknown };
        if (kind && kind !== 'DeleteOptions')
          throw newBadRequest(
            `no kind ${quote(String(kind))} is registered for version ${quote(String(apiVersion || 'meta.k8s.io/v1'))} in scheme "pkg/apis/meta/internalversion/scheme/register.go:27"`,
          );
        options = convert(deleteOptionsNode(), parsed, { strict: [], checkTypes: true });
      } catch (error) {
        if (error instanceof JsonSyntaxError) throw newBadRequest(`couldn't get version/kind; json parse error: ${error.message}`);
        if (error instanceof DecodeError || error instanceof YamlSyntaxError) throw newBadRequest(error.message);
        throw error;
      }
    }
    const dryRun = (options.dryRun as string[] | undefined) ?? [];
    checkDeleteOptions({ ...(options as DeleteParameters), dryRun });
    return { ...(options as DeleteParameters), dryRun: dryRun.includes('All') };
  }

  delete(request: ResourceRequest): HttpResponse {
    const { info, namespace, name, query, warnings } = request;
    const format = formatOf(request);
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
    const { info, namespace, query, warnings } = request;
    const format = formatOf(request);
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

/** The answer's form. Subresources with a kind of their own have no table. */
function formatOf({ http, query, info, subresource }: ResourceRequest): OutputFormat {
  const ownKind = subresource !== '' && info.subresources.get(subresource)?.kind.kind !== info.kind;
  return negotiateOutput({ headers: http.headers, query }, !ownKind && info.verbs.has('get'));
}

/** What a subresource lets through of a new object. */
function ownPart(subresource: string, existing: ApiObject, object: Mutable): Mutable {
  if (subresource === 'finalize') return finalizeNamespace(existing, object) as Mutable;
  if (subresource === 'ephemeralcontainers' || subresource === 'resize') return changePodPart(existing, object, subresource) as Mutable;
  return object;
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
