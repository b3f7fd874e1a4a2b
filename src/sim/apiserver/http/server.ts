import type { ChannelSocket, HttpRequest, HttpResponse, Transport } from '../../transport.ts';
import { Authenticator } from '../authentication.ts';
import { celEngine, loadRules } from '../crd/rules.ts';
import { KubeletRefusal, type PodAccess } from '../pod-access.ts';
import { type AccessAttributes, Authorizer } from '../rbac.ts';
import type { UserInfo } from '../request-context.ts';
import type { ResourceInfo } from '../resources.ts';
import { newBadRequest, newGenericServerResponse, newInternalError, StatusError } from '../status-error.ts';
import type { Verbs } from '../verbs.ts';
import { AVAILABLE, errorFormat, isProducible, unsupportedMediaType } from './media-type.ts';
import { RequestCounts } from './metrics.ts';
import { APPLY_PATCH, JSON_PATCH, MERGE_PATCH, STRATEGIC_PATCH } from './patch-body.ts';
import { PlainPaths } from './plain.ts';
import { PodStreams } from './pod-streams.ts';
import { ResourceHandler } from './resource-handler.ts';
import type { ResourceRequest } from './resource-request.ts';
import { errorResponse, statusResponse, textResponse } from './response.ts';

/** What metrics call verbs that are methods. */
const METRIC_VERBS: Record<string, string> = { create: 'POST', update: 'PUT' };
const MAY_HAVE_RULES = /^(apiextensions|admissionregistration)\.k8s\.io\//;
const METHOD_VERBS: Record<string, string> = { GET: 'get', POST: 'create', PUT: 'update', PATCH: 'patch', DELETE: 'delete' };

interface Route {
  info: ResourceInfo;
  namespace: string;
  name: string;
  subresource: string;
  /** What follows the subresource (proxy paths). */
  rest: string;
  watchPath: boolean;
}

/** Undefined when the path is not well escaped. */
function decodeSegments(segments: readonly string[]): string[] | undefined {
  try {
    return segments.map(decodeURIComponent);
  } catch {
    return undefined;
  }
}

/** HTTP over the verbs: routing, content negotiation and access, as the real server's handler chain and go-restful do them. */
export class HttpServer implements Transport {
  readonly #verbs: Verbs;
  readonly #plain: PlainPaths;
  readonly #handler: ResourceHandler;
  readonly #authorizer: Authorizer;
  readonly #authenticator: Authenticator;
  readonly #streams: PodStreams;
  readonly #requests = new RequestCounts();

  constructor(options: { verbs: Verbs; podAccess: PodAccess | undefined; address: string }) {
    this.#verbs = options.verbs;
    this.#plain = new PlainPaths(options.verbs, options.address, this.#requests);
    this.#authorizer = new Authorizer(options.verbs);
    this.#authenticator = new Authenticator(options.verbs);
    this.#handler = new ResourceHandler(options.verbs, this.#authorizer, this.#authenticator);
    this.#streams = new PodStreams(options.verbs, options.podAccess);
  }

  async request(request: HttpRequest): Promise<HttpResponse> {
    const response = await this.#answer(request);
    this.#count(request, response.status);
    return response;
  }

  #count({ method, path }: HttpRequest, code: number): void {
    const [plain = '', search = ''] = path.split('?');
    const segments = decodeSegments(plain.split('/').filter(Boolean)) ?? [];
    const route = segments[0] === 'api' || segments[0] === 'apis' ? this.#route(segments) : undefined;
    const verb = route && this.#verb(method, route, new URLSearchParams(search));
    if (!route || !verb) return;
    const { info, namespace, name, subresource } = route;
    const scope = name !== '' || verb === 'create' ? 'resource' : namespace !== '' ? 'namespace' : 'cluster';
    const labels = { group: info.group, version: info.version, resource: info.resource, subresource, scope, code: String(code) };
    this.#requests.add({
      ...labels,
      component: 'apiserver',
      dry_run: search.includes('dryRun=All') ? 'All' : '',
      verb: METRIC_VERBS[verb] ?? verb.toUpperCase(),
    });
  }

  async #answer(request: HttpRequest): Promise<HttpResponse> {
    try {
      return await this.#serve(request);
    } catch (error) {
      const format = errorFormat(request.headers, new URLSearchParams(request.path.split('?')[1]));
      if (error instanceof StatusError) return errorResponse(error, format);
      // Merging goes down with the patch; nothing that deep is ever stored.
      if (error instanceof RangeError) return errorResponse(newBadRequest('exceeded max depth'), format);
      this.#verbs.kernel.onError(error);
      return statusResponse(newInternalError(error instanceof Error ? error.message : String(error)).status, format);
    }
  }

  async upgrade(request: HttpRequest, protocols: readonly string[]): Promise<ChannelSocket | HttpResponse> {
    try {
      const [path = '', search = ''] = request.path.split('?');
      const query = new URLSearchParams(search);
      const user = this.#userOf(request);
      const segments = decodeSegments(path.split('/').filter(Boolean));
      const route = segments && this.#route(segments);
      if (!route) return errorResponse(newGenericServerResponse(404));
      if (!route.info.subresources.has(route.subresource)) return errorResponse(newGenericServerResponse(404));
      this.#authorize(user, route, route.subresource === 'log' ? 'get' : 'create');
      return await this.#streams.upgrade(route, query, protocols);
    } catch (error) {
      // The kubelet's own words, passed through as the real server's proxy does.
      if (error instanceof KubeletRefusal) return textResponse(error.code, error.message);
      return errorResponse(error);
    }
  }

  #userOf(request: HttpRequest): UserInfo {
    const user = this.#authenticator.authenticate(request.headers);
    const other = this.#authenticator.impersonated(request.headers);
    if (!other) return user;
    this.#authorizer.require(user, { verb: 'impersonate', group: '', resource: 'users', subresource: '', namespace: '', name: other.username });
    return other;
  }

  async #serve(request: HttpRequest): Promise<HttpResponse> {
    const at = request.path.indexOf('?');
    const path = at < 0 ? request.path : request.path.slice(0, at);
    const query = new URLSearchParams(at < 0 ? '' : request.path.slice(at + 1));
    const user = this.#userOf(request);
    const segments = path.split('/').filter(Boolean);
    const first = segments[0];
    if ((first === 'api' && segments.length >= 2) || (first === 'apis' && segments.length >= 3)) {
      const groupVersion = first === 'api' ? (segments[1] as string) : `${segments[1]}/${segments[2]}`;
      if (!this.#verbs.registry.hasGroupVersion(groupVersion)) return textResponse(404, '404 page not found\n');
      if (segments.length > (first === 'api' ? 2 : 3)) return this.#resource(request, segments, query, user);
    }
    this.#authorizer.require(user, { verb: request.method.toLowerCase(), path });
    return this.#plain.serve(request, path, segments, query);
  }

  /** Finds the resource a path names; undefined when there is none. */
  #route(segments: readonly string[]): Route | undefined {
    const core = segments[0] === 'api';
    const groupVersion = core ? segments[1] : `${segments[1]}/${segments[2]}`;
    let parts = segments.slice(core ? 2 : 3);
    const watchPath = parts[0] === 'watch';
    if (watchPath) parts = parts.slice(1);
    let namespace = '';
    if (parts[0] === 'namespaces' && parts.length >= 3 && !(core && parts.length === 3 && (parts[2] === 'status' || parts[2] === 'finalize'))) {
      namespace = parts[1] as string;
      parts = parts.slice(2);
    }
    const info = this.#verbs.registry.get(`${groupVersion}/${parts[0]}`);
    if (!info) return undefined;
    if (!info.namespaced && namespace !== '') return undefined;
    const [, name = '', subresource = '', ...rest] = parts;
    if (info.namespaced && name !== '' && namespace === '') return undefined;
    if (rest.length > 0 && subresource !== 'proxy') return undefined;
    if (subresource !== '' && !info.subresources.has(subresource)) return undefined;
    return { info, namespace, name, subresource, rest: rest.join('/'), watchPath };
  }

  #authorize(user: UserInfo, route: Route, verb: string): void {
    const { info, namespace, name, subresource } = route;
    const attributes: AccessAttributes = { verb, group: info.group, resource: info.resource, subresource, namespace, name };
    this.#authorizer.require(user, attributes);
  }

  async #resource(request: HttpRequest, raw: readonly string[], query: URLSearchParams, user: UserInfo): Promise<HttpResponse> {
    const segments = decodeSegments(raw);
    const route = segments && this.#route(segments);
    if (!route) throw newGenericServerResponse(404);
    const { info, name, namespace, subresource } = route;
    const verb = this.#verb(request.method, route, query);
    if (!verb) throw newGenericServerResponse(405);
    this.#authorize(user, route, verb);
    if (verb === 'patch' && subresource !== 'proxy') {
      const type = (request.headers['content-type'] ?? '').split(';')[0]?.trim() ?? '';
      const accepted = info.custom ? [JSON_PATCH, MERGE_PATCH, APPLY_PATCH] : [JSON_PATCH, MERGE_PATCH, STRATEGIC_PATCH, APPLY_PATCH];
      if (!accepted.includes(type) && info.custom) throw unsupportedMediaType(accepted.join(', '));
      if (!accepted.includes(type)) throw newGenericServerResponse(415, '415: Unsupported Media Type');
    }
    const isStream = subresource === 'log' || subresource === 'exec' || subresource === 'attach' || subresource === 'portforward' || subresource === 'proxy';
    if (!isStream && !isProducible(request.headers.accept)) {
      throw newGenericServerResponse(406, `406: Not Acceptable\n\nAvailable representations: ${AVAILABLE}`);
    }
    const notice = this.#verbs.strategy(info)?.deprecation;
    const full: ResourceRequest = {
      http: request,
      query,
      info,
      namespace,
      name,
      subresource,
      user,
      warnings: notice ? [notice] : [],
      watchPath: route.watchPath,
    };
    // Verbs are synchronous: the engine has to be there before the rules.
    if (MAY_HAVE_RULES.test(info.id) && request.body && !celEngine()) {
      const mentionsRules = /"?(x-kubernetes-validations|expression)"?\s*:/.test(new TextDecoder().decode(request.body));
      if (mentionsRules) await this.#verbs.kernel.external(loadRules());
    }
    try {
      if (isStream) return await this.#streams.serve(route, query, request);
      switch (verb) {
        case 'get':
          return this.#handler.get(full);
        case 'list':
        case 'watch':
          return this.#handler.list(full);
        case 'create':
          return this.#handler.create(full);
        case 'update':
          return this.#handler.update(full);
        case 'patch':
          return this.#handler.patch(full);
        case 'delete':
          return this.#handler.delete(full);
        default:
          return this.#handler.deleteCollection(full);
      }
    } catch (error) {
      if (error instanceof StatusError) return errorResponse(error, errorFormat(request.headers, query), full.warnings);
      throw error;
    }
  }

  /** The API verb of a request; undefined when the resource does not have it. */
  #verb(method: string, route: Route, query: URLSearchParams): string | undefined {
    const { info, namespace, name, subresource } = route;
    const proxied = subresource === 'proxy' && (method === 'HEAD' || method === 'OPTIONS');
    const base = proxied ? 'get' : METHOD_VERBS[method];
    if (!base) return undefined;
    if (subresource !== '') {
      const verbs = info.subresources.get(subresource)?.verbs;
      return verbs?.has(base) ? base : undefined;
    }
    if (name !== '') {
      if (base === 'create') return undefined;
      if (base === 'get' && route.watchPath) return info.verbs.has('watch') ? 'watch' : undefined;
      return info.verbs.has(base) ? base : undefined;
    }
    const inScope = !info.namespaced || namespace !== '';
    switch (base) {
      case 'get':
        if (route.watchPath || (query.get('watch') !== null && query.get('watch') !== 'false' && query.get('watch') !== '0'))
          return info.verbs.has('watch') ? 'watch' : undefined;
        return info.verbs.has('list') ? 'list' : undefined;
      case 'create':
        return inScope && info.verbs.has('create') ? 'create' : undefined;
      case 'delete':
        return inScope && info.verbs.has('deletecollection') ? 'deletecollection' : undefined;
      default:
        return undefined;
    }
  }
}
