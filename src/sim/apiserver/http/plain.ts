import type { HttpRequest, HttpResponse } from '../../transport.ts';
import { newGenericServerResponse } from '../status-error.ts';
import type { Verbs } from '../verbs.ts';
import { aggregatedDiscovery, apiGroup, apiGroupList, apiResourceList, apiVersions, healthPaths, healthText, versionInfo } from './discovery.ts';
import { issuerDocument, keySet } from './issuer.ts';
import { parseAccept } from './media-type.ts';
import { metricsText, type RequestCounts } from './metrics.ts';
import { openApiResponse } from './openapi.ts';
import { respond, textResponse } from './response.ts';

const HEALTH = ['healthz', 'livez', 'readyz'];

/** Everything that is no resource: discovery, OpenAPI, health, metrics, who signs tokens. */
export class PlainPaths {
  readonly #verbs: Verbs;
  readonly #address: string;
  readonly #requests: RequestCounts;

  constructor(verbs: Verbs, address: string, requests: RequestCounts) {
    this.#verbs = verbs;
    this.#address = address;
    this.#requests = requests;
  }

  serve(request: HttpRequest, path: string, segments: readonly string[], query: URLSearchParams): HttpResponse {
    const { registry } = this.#verbs;
    const [first = ''] = segments;
    if (HEALTH.includes(first)) {
      const text = healthText(path, query);
      if (text !== undefined) return textResponse(200, text);
    }
    if (path === '/metrics') return metricsText(this.#verbs, this.#requests);
    if (path === '/.well-known/openid-configuration') return issuerDocument(this.#address);
    if (path === '/openid/v1/jwks') return keySet();
    if (path === '/') return respond(200, { paths: this.#rootPaths() }, { encoding: 'json', pretty: true });
    if (first === 'openapi') {
      const response = openApiResponse(registry, path, request.headers.accept);
      if (response) return response;
    }
    const found = this.#discovery(segments, request.headers.accept);
    if (!found) return textResponse(404, '404 page not found\n');
    // `/apis` and `/apis/<group>` are the aggregator's and take any method; the others are go-restful's.
    const aggregators = first === 'apis' && segments.length < 3;
    if (request.method !== 'GET' && !aggregators) throw newGenericServerResponse(405);
    return found;
  }

  #discovery(segments: readonly string[], accept: string | undefined): HttpResponse | undefined {
    const { registry } = this.#verbs;
    const [first = '', second = '', third = ''] = segments;
    if (first === 'version' && segments.length === 1) return respond(200, versionInfo, { encoding: 'json', pretty: true });
    if (first !== 'api' && first !== 'apis') return undefined;
    const accepted = accept === undefined ? [] : parseAccept(accept);
    const answer = (value: unknown): HttpResponse | undefined =>
      value === undefined ? undefined : respond(200, value, { encoding: accepted[0]?.type === 'application/yaml' ? 'yaml' : 'json' });
    if (segments.length === 1) {
      const isAggregated = accepted.some(({ parameters: { g, v, as } }) => g === 'apidiscovery.k8s.io' && v === 'v2' && as === 'APIGroupDiscoveryList');
      if (!isAggregated) return answer(first === 'api' ? apiVersions(this.#address) : apiGroupList(registry));
      const response = respond(200, aggregatedDiscovery(registry, first), { encoding: 'json' });
      return { ...response, headers: { ...response.headers, 'content-type': 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList' } };
    }
    if (first === 'api') return segments.length === 2 ? answer(apiResourceList(registry, second)) : undefined;
    return answer(segments.length === 2 ? apiGroup(registry, second) : segments.length === 3 ? apiResourceList(registry, `${second}/${third}`) : undefined);
  }

  #rootPaths(): string[] {
    const paths = ['/.well-known/openid-configuration', '/api', '/apis', '/apis/', '/metrics', '/openapi/v2', '/openapi/v3', '/openapi/v3/', '/openid/v1/jwks'];
    paths.push('/version', ...HEALTH.flatMap(healthPaths));
    for (const [groupVersion] of this.#verbs.registry.groupVersions()) {
      const [group = ''] = groupVersion.split('/');
      paths.push(...(groupVersion === group ? [`/api/${groupVersion}`] : [`/apis/${group}`, `/apis/${groupVersion}`]));
    }
    return [...new Set(paths)].sort();
  }
}
