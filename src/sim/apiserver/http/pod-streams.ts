import { Check } from '../../kinds/check.ts';
import type { ChannelSocket, HttpRequest, HttpResponse } from '../../transport.ts';
import type { PodAccess } from '../pod-access.ts';
import type { ResourceInfo } from '../resources.ts';
import { newBadRequest, newInternalError, newInvalid, newServiceUnavailable } from '../status-error.ts';
import type { Verbs } from '../verbs.ts';
import { kubeletAnswer } from './node-proxy.ts';
import { proxyRequest } from './pod-proxy.ts';
import { portForwardSocket } from './port-forward.ts';

export interface PodRoute {
  info: ResourceInfo;
  namespace: string;
  name: string;
  subresource: string;
  /** What follows `proxy/`. */
  rest: string;
}

function flag(query: URLSearchParams, key: string, whenAbsent = false): boolean {
  const value = query.get(key);
  return value === null ? whenAbsent : value !== 'false' && value !== '0';
}

function integer(query: URLSearchParams, key: string): number | undefined {
  const value = query.get(key);
  if (value === null || value === '') return undefined;
  if (!/^-?\d+$/.test(value)) throw newBadRequest(`strconv.ParseInt: parsing ${JSON.stringify(value)}: invalid syntax`);
  return Number(value);
}

/** `ValidatePodLogOptions`; 422. */
function checkLogOptions(query: URLSearchParams, name: string): void {
  const check = new Check();
  check.nonNegative('tailLines', integer(query, 'tailLines'));
  const limit = integer(query, 'limitBytes');
  if (limit !== undefined && limit < 1) check.invalid('limitBytes', limit, 'must be greater than 0');
  const seconds = integer(query, 'sinceSeconds');
  if (seconds !== undefined && query.get('sinceTime')) check.forbidden('', 'at most one of `sinceTime` or `sinceSeconds` may be specified');
  else if (seconds !== undefined && seconds < 1) check.invalid('sinceSeconds', seconds, 'must be greater than 0');
  if (check.errors.length > 0) throw newInvalid({ group: '', resource: 'PodLogOptions' }, name, check.errors);
}

/** The subresources that are conversations with a Pod's kubelet: log, exec, attach, portforward. */
export class PodStreams {
  readonly #verbs: Verbs;
  readonly #podAccess: PodAccess | undefined;

  constructor(verbs: Verbs, access: PodAccess | undefined) {
    this.#verbs = verbs;
    this.#podAccess = access;
  }

  #access(): PodAccess {
    if (!this.#podAccess) throw newServiceUnavailable('no kubelet to ask');
    return this.#podAccess;
  }

  /** The same requests without an upgrade: `log` is a plain stream, the others ask for one. */
  async serve(route: PodRoute, query: URLSearchParams, request: HttpRequest): Promise<HttpResponse> {
    if (route.subresource === 'log') return this.#log(route, query, request);
    if (route.subresource === 'proxy') {
      if (route.info.id === 'v1/nodes') return kubeletAnswer(this.#verbs, route.info, route.name, route.rest);
      const kind = route.info.id === 'v1/pods' ? 'pods' : 'services';
      return proxyRequest(this.#verbs, this.#access(), kind, route.namespace, route.name, route.rest, request);
    }
    this.#verbs.get(route.info, route.namespace, route.name);
    throw newBadRequest('Upgrade request required');
  }

  #log(route: PodRoute, query: URLSearchParams, request: HttpRequest): HttpResponse {
    checkLogOptions(query, route.name);
    this.#verbs.get(route.info, route.namespace, route.name);
    const sinceTime = query.get('sinceTime');
    const controller = new AbortController();
    if (request.signal?.aborted) controller.abort();
    request.signal?.addEventListener('abort', () => controller.abort(), { once: true });
    const stream = this.#access().logs(route.namespace, route.name, {
      container: query.get('container') ?? undefined,
      follow: flag(query, 'follow'),
      previous: flag(query, 'previous'),
      timestamps: flag(query, 'timestamps'),
      tailLines: integer(query, 'tailLines'),
      sinceSeconds: integer(query, 'sinceSeconds'),
      sinceTimeMs: sinceTime ? Date.parse(sinceTime) : undefined,
      limitBytes: integer(query, 'limitBytes'),
      signal: controller.signal,
    });
    return { status: 200, headers: { 'cache-control': 'no-cache, private', 'content-type': 'text/plain' }, warnings: [], stream };
  }

  /** Opens exec, attach or port-forward. Refusals are responses. */
  async upgrade(route: PodRoute, query: URLSearchParams, protocols: readonly string[]): Promise<ChannelSocket | HttpResponse> {
    const { namespace, name, subresource } = route;
    this.#verbs.get(route.info, namespace, name);
    const container = query.get('container') ?? undefined;
    const streams = { stdin: flag(query, 'stdin'), stdout: flag(query, 'stdout', true), stderr: flag(query, 'stderr', true), tty: flag(query, 'tty') };
    switch (subresource) {
      case 'exec': {
        const command = query.getAll('command');
        if (command.length === 0) throw newBadRequest('you must specify at least one command for the container');
        return this.#access().exec(namespace, name, { container, command, ...streams });
      }
      case 'attach':
        return this.#access().attach(namespace, name, { container, ...streams });
      case 'portforward':
        return portForwardSocket(
          this.#access(),
          namespace,
          name,
          query
            .getAll('ports')
            .flatMap((ports) => ports.split(','))
            .map(Number),
          protocols,
        );
      default:
        throw newInternalError(`unable to upgrade ${subresource}`);
    }
  }
}
