import type { Client } from '../../sim/client/types.ts';
import { nameOf } from '../../sim/controllers/object.ts';
import { isPodReady } from '../../sim/controllers/pods.ts';
import type { EndpointSlice, Pod, Service, StatefulSet } from '../../sim/kinds/types.ts';
import { obstacle, refOf } from './obstacles.ts';
import { podObstacles, readiness } from './pods.ts';
import { selectedPods, serviceObstacles } from './services.ts';
import type { Obstacle } from './types.ts';

const ZONE = 'cluster.local';
const SERVICES = 'v1/services';

/** A name of the cluster's zone that stands for a Service or for one host behind it. */
export interface Meaning {
  host?: string;
  service: string;
  namespace: string;
  /** What the resolver's search list added to the name as asked. */
  suffix: string;
}

const SLICES = 'discovery.k8s.io/v1/endpointslices';

/** The slices of a Service. */
export function slicesOf(client: Client, namespace: string, service: string): EndpointSlice[] {
  return client
    .resource<EndpointSlice>(SLICES)
    .list(namespace)
    .filter((slice) => slice.metadata?.labels?.['kubernetes.io/service-name'] === service);
}

/** Nobody answers at the cluster's DNS address: no name can be resolved, whatever else is right. */
function deafDns(client: Client): { obstacles: Obstacle[]; slice?: EndpointSlice; found: boolean } | undefined {
  const service = client.resource<Service>(SERVICES).get('kube-system', 'kube-dns');
  const slices = slicesOf(client, 'kube-system', 'kube-dns');
  if (service && slices.some((slice) => slice.endpoints?.some((one) => one.conditions?.ready !== false))) return undefined;
  const obstacles = [
    obstacle('dns/coredns-down', {}, 'kube-system/kube-dns: 0 endpoints ready', { resource: SERVICES, namespace: 'kube-system', name: 'kube-dns' }),
  ];
  if (service) obstacles.push(...serviceObstacles(client, service));
  return { obstacles, found: false, ...(slices[0] ? { slice: slices[0] } : {}) };
}

/** Why a name resolves as it does, or does not, asked from a Pod in `namespace`. */
export function explainName(client: Client, name: string, namespace: string): { obstacles: Obstacle[]; slice?: EndpointSlice; found: boolean } {
  const deaf = deafDns(client);
  if (deaf) return deaf;
  const meaning = meaningOf(client, name, namespace);
  if (!meaning) return { obstacles: [obstacle('dns/outside', {}, name)], found: true };
  const { service: serviceName, host, suffix } = meaning;
  const obstacles: Obstacle[] = [];
  if (suffix !== '') obstacles.push(obstacle('dns/search', { suffix }, `search ${namespace}.svc.${ZONE} svc.${ZONE} ${ZONE}`));
  const detail = { service: serviceName, namespace: meaning.namespace, host: host ?? '' };
  const service = client.resource<Service>(SERVICES).get(meaning.namespace, serviceName);
  if (!service) {
    obstacles.push(
      obstacle('dns/service-missing', detail, `services "${serviceName}" not found`, { resource: SERVICES, namespace: meaning.namespace, name: serviceName }),
    );
    return { obstacles, found: false };
  }
  const ref = refOf(SERVICES, service);
  const headless = service.spec?.clusterIP === 'None';
  if (!headless) {
    if (host === undefined)
      obstacles.push(obstacle('dns/cluster-ip', { ...detail, ip: service.spec?.clusterIP ?? '' }, `clusterIP: ${service.spec?.clusterIP ?? ''}`, ref));
    else obstacles.push(obstacle('dns/not-headless-pod', detail, `clusterIP: ${service.spec?.clusterIP ?? ''}`, ref));
    return { obstacles, found: host === undefined };
  }
  const slices = slicesOf(client, meaning.namespace, serviceName);
  const endpoints = slices.flatMap((slice) => slice.endpoints ?? []).filter((one) => one.conditions?.ready !== false || service.spec?.publishNotReadyAddresses);
  if (host === undefined) {
    const addresses = endpoints.flatMap((one) => one.addresses ?? []);
    obstacles.push(obstacle('dns/headless', detail, addresses.length > 0 ? addresses.join(', ') : '0 addresses', ref));
    if (addresses.length === 0) obstacles.push(...serviceObstacles(client, service));
    return { obstacles, found: addresses.length > 0, slice: slices[0] as EndpointSlice };
  }
  const endpoint = endpoints.find((one) => one.hostname === host);
  if (endpoint) {
    obstacles.push(
      obstacle(
        'dns/pod-found',
        detail,
        (endpoint.addresses ?? []).join(', '),
        endpoint.targetRef?.name ? { resource: 'v1/pods', namespace: meaning.namespace, name: endpoint.targetRef.name } : ref,
      ),
    );
    return { obstacles, found: true, slice: slices[0] as EndpointSlice };
  }
  obstacles.push(...missingHost(client, service, host, detail));
  return { obstacles, found: false, slice: slices[0] as EndpointSlice };
}

function missingHost(client: Client, service: Service, host: string, detail: Readonly<Record<string, string>>): Obstacle[] {
  const named = client
    .resource<Pod>('v1/pods')
    .list(detail.namespace)
    .filter((pod) => (pod.spec?.hostname ?? nameOf(pod)) === host);
  const found: Obstacle[] = [];
  for (const pod of named) {
    const about = { ...detail, pod: nameOf(pod), subdomain: pod.spec?.subdomain ?? '' };
    const ref = refOf('v1/pods', pod);
    if (about.subdomain !== detail.service) found.push(obstacle('dns/pod-other-subdomain', about, `spec.subdomain: ${about.subdomain || '<none>'}`, ref));
    else if (!selectedPods(client, service).includes(pod))
      found.push(
        obstacle(
          'not/service-selects-nothing',
          { service: nameOf(service), selector: JSON.stringify(service.spec?.selector ?? {}) },
          `labels: ${JSON.stringify(pod.metadata?.labels ?? {})}`,
          ref,
        ),
      );
    else if (!isPodReady(pod)) found.push(obstacle('dns/pod-not-ready', about, readiness(pod), ref), ...podObstacles(client, pod));
  }
  return found.length > 0 ? found : [obstacle('dns/pod-missing', detail, `pods "${host}" not found`)];
}

/** What a name means: the resolver tries the search list (ndots:5), the first that exists counts. */
export function meaningOf(client: Client, asked: string, namespace: string): Meaning | undefined {
  const absolute = asked.endsWith('.');
  const name = asked.replace(/\.$/, '');
  if (name === '') return undefined;
  const suffixes = [`${namespace}.svc.${ZONE}`, `svc.${ZONE}`, ZONE];
  const candidates: Meaning[] = [];
  const add = (full: string, suffix: string): void => {
    const parsed = parse(full);
    if (parsed) candidates.push({ ...parsed, suffix });
  };
  if (!absolute && name.split('.').length <= 5) for (const suffix of suffixes) add(`${name}.${suffix}`, suffix);
  add(name, '');
  const service = (one: Meaning) => client.resource<Service>(SERVICES).get(one.namespace, one.service) !== undefined;
  const space = (one: Meaning) => client.resource('v1/namespaces').get('', one.namespace) !== undefined;
  const memberOf = (one: Meaning) => isMember(client, one);
  return candidates.find(service) ?? candidates.find((one) => space(one) && (one.host === undefined || one.suffix === '' || memberOf(one)));
}

/** The host part names a Pod or an ordinal, or the Service part is some StatefulSet's serviceName: meant for the cluster, not the world. */
function isMember(client: Client, { host, service, namespace }: Meaning): boolean {
  if (/-\d+$/.test(host ?? '') || client.resource('v1/pods').get(namespace, host ?? '')) return true;
  return client
    .resource<StatefulSet>('apps/v1/statefulsets')
    .list(namespace)
    .some((set) => set.spec?.serviceName === service);
}

/** [host.]service.namespace.svc.cluster.local */
function parse(full: string): Omit<Meaning, 'suffix'> | undefined {
  if (!full.endsWith(`.svc.${ZONE}`)) return undefined;
  const labels = full.slice(0, -`.svc.${ZONE}`.length).split('.');
  const namespace = labels.pop();
  const service = labels.pop();
  if (!namespace || !service || labels.length > 1) return undefined;
  return labels[0] === undefined ? { service, namespace } : { host: labels[0], service, namespace };
}
