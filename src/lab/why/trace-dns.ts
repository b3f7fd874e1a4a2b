import { randomHex } from '../../kernel/index.ts';
import type { Kernel } from '../../kernel/kernel.ts';
import type { Client } from '../../sim/client/types.ts';
import type { Cluster, Draw } from '../../sim/cluster.ts';
import { nameOf, namespaceOf } from '../../sim/controllers/object.ts';
import { createQuery, type DnsMessage, decodeMessage, encodeMessage, RCODE, TYPE } from '../../sim/dns/message.ts';
import type { EndpointSlice, Pod, Service } from '../../sim/kinds/types.ts';
import { hostsFile, resolvConf } from '../../sim/kubelet/host-files.ts';
import type { OwnedStack } from '../../sim/network/index.ts';
import { Errno } from '../../unix/types.ts';
import { type Meaning, meaningOf, slicesOf } from './dns.ts';
import { obstacle, refOf } from './obstacles.ts';
import { podObstacles } from './pods.ts';
import { serviceObstacles } from './services.ts';
import type { Obstacle, TraceStep } from './types.ts';

const TIMEOUT_MS = 5_000;
const PODS = 'v1/pods';
const SERVICES = 'v1/services';

/** Where a trace starts: a running Pod and its own network. */
export interface Origin {
  cluster: Pick<Cluster, 'client' | 'kernel' | 'watchDraws'>;
  pod: Pod;
  stack: OwnedStack;
}

export const step = (ok: boolean, found: Obstacle): TraceStep => ({ ...found, ok });

/** What stands in the way, as steps of the trace. */
export const stops = (obstacles: readonly Obstacle[]): TraceStep[] => obstacles.map((one) => step(false, one));

/** Runs `work` and tells which endpoints kube-proxy drew meanwhile for connections of `sourceIp`. */
export async function withDraws<T>(origin: Origin, work: () => Promise<T>): Promise<{ value: T; draws: Draw[] }> {
  const draws: Draw[] = [];
  const watch = origin.cluster.watchDraws((draw) => {
    if (draw.sourceIp === origin.stack.ip) draws.push(draw);
  });
  try {
    return { value: await work(), draws };
  } finally {
    watch.dispose();
  }
}

/** Candidates in the order a C library asks them, by the Pod's /etc/resolv.conf. */
function candidatesOf(name: string, conf: string): { server: string; names: { full: string; suffix: string }[] } {
  const search = (/^search (.*)$/m.exec(conf)?.[1] ?? '').split(' ').filter(Boolean);
  const ndots = Number(/ndots:(\d+)/.exec(conf)?.[1] ?? 1);
  const server = /^nameserver (\S+)/m.exec(conf)?.[1] ?? '';
  const asIs = { full: name, suffix: '' };
  if (name.endsWith('.')) return { server, names: [asIs] };
  const searched = search.map((suffix) => ({ full: `${name}.${suffix}`, suffix }));
  return { server, names: name.split('.').length - 1 >= ndots ? [asIs, ...searched] : [...searched, asIs] };
}

/**
 * Follows a name from a Pod: /etc/hosts, the search path, each query as CoreDNS answers it, then the Service, its
 * EndpointSlices and the readiness of each endpoint. The queries are real: they take their time, and fill CoreDNS' cache.
 */
export async function traceName(origin: Origin, name: string): Promise<{ steps: TraceStep[]; addresses: string[] }> {
  const { client } = origin.cluster;
  const { pod, stack } = origin;
  const steps: TraceStep[] = [];
  const ownHosts = hostsFile(pod, [stack.ip]).split('\n');
  const line = ownHosts.find((one) => one.split(/\s+/).slice(1).includes(name));
  if (line) return { steps: [step(true, obstacle('trace/hosts', { name }, line))], addresses: [line.split(/\s+/)[0] ?? ''] };
  const conf = resolvConf(pod);
  const { server, names } = candidatesOf(name, conf);
  steps.push(step(true, obstacle('trace/search', { count: `${names.length}` }, conf.trim().replaceAll('\n', '; '), refOf(PODS, pod))));
  const dns = client
    .resource<Service>(SERVICES)
    .list()
    .find((service) => service.spec?.clusterIP === server);
  for (const { full } of names) {
    const { value: answer, draws } = await withDraws(origin, () => ask(origin, server, full));
    if (steps.length === 1) steps.push(nameserverStep(client, server, dns, draws));
    if (answer === undefined) {
      steps.push(step(false, obstacle('trace/dns-silent', { name: full }, `${full} A ${server}: ${TIMEOUT_MS / 1000} s`)));
      if (dns) steps.push(...stops(serviceObstacles(client, dns)));
      return { steps, addresses: [] };
    }
    const addresses = answer.answers.flatMap(({ type, data }) => (type === TYPE.A && 'address' in data ? [data.address] : []));
    const code = Object.entries(RCODE).find(([, value]) => value === answer.rcode)?.[0] ?? `${answer.rcode}`;
    const ttl = answer.answers[0]?.ttl;
    const evidence = `${full} A → ${code}${addresses.length > 0 ? ` ${addresses.join(', ')} (TTL ${ttl})` : ''}`;
    const rule = addresses.length > 0 ? 'trace/answered' : answer.rcode === RCODE.NXDOMAIN ? 'trace/nxdomain' : 'trace/no-address';
    steps.push(step(addresses.length > 0, obstacle(rule, { name: full, count: `${addresses.length}` }, evidence)));
    if (addresses.length > 0) {
      const meaning = meaningOf(client, full.endsWith('.') ? full : `${full}.`, namespaceOf(pod));
      if (meaning) steps.push(...meaningSteps(client, meaning, addresses));
      return { steps, addresses };
    }
  }
  const meaning = meaningOf(client, name, namespaceOf(pod));
  if (meaning) steps.push(...meaningSteps(client, meaning, []));
  return { steps, addresses: [] };
}

/** Who the nameserver of resolv.conf is, and which CoreDNS the dice gave. */
function nameserverStep(client: Client, server: string, dns: Service | undefined, draws: readonly Draw[]): TraceStep {
  const draw = draws[0];
  if (!dns) return step(true, obstacle('trace/nameserver', { server }, `nameserver ${server}`));
  const pod =
    draw &&
    client
      .resource<Pod>(PODS)
      .list(namespaceOf(dns))
      .find((one) => one.status?.podIP === draw.chosen.ip);
  const detail = { server, pod: pod ? nameOf(pod) : '', count: `${draw?.candidates.length ?? 0}` };
  if (!draw) return step(false, obstacle('dns/coredns-down', detail, `${namespaceOf(dns)}/${nameOf(dns)}: 0 endpoints`, refOf(SERVICES, dns)));
  return step(true, obstacle('trace/coredns', detail, `${server}:53 → ${draw.chosen.ip}:${draw.chosen.port}`, pod ? refOf(PODS, pod) : refOf(SERVICES, dns)));
}

/** One question to one server. Undefined: no answer. */
async function ask({ cluster, stack }: Origin, server: string, name: string): Promise<DnsMessage | undefined> {
  const query = createQuery(queryId(cluster.kernel), name, TYPE.A);
  try {
    return decodeMessage(await stack.datagram(server, 53, encodeMessage(query), { timeoutMs: TIMEOUT_MS }));
  } catch (error) {
    if (error instanceof Errno) return undefined;
    throw error;
  }
}

const queryId = (kernel: Kernel): number => Number.parseInt(randomHex(kernel.random, 4), 16);

/** From the name's Service to the endpoints that are, or are not, in the answer. */
function meaningSteps(client: Client, { host, service: serviceName, namespace }: Meaning, addresses: readonly string[]): TraceStep[] {
  const service = client.resource<Service>(SERVICES).get(namespace, serviceName);
  const detail = { service: serviceName, namespace, host: host ?? '', ip: service?.spec?.clusterIP ?? '' };
  const ref = { resource: SERVICES, namespace, name: serviceName };
  if (!service) return [step(false, obstacle('dns/service-missing', detail, `services "${serviceName}" not found`, ref))];
  const headless = service.spec?.clusterIP === 'None';
  const rule = headless ? (host === undefined ? 'dns/headless' : 'trace/headless-host') : host === undefined ? 'dns/cluster-ip' : 'dns/not-headless-pod';
  const steps = [step(headless || host === undefined, obstacle(rule, detail, `clusterIP: ${detail.ip}`, ref))];
  const slices = slicesOf(client, namespace, serviceName);
  if (slices.every((slice) => (slice.endpoints ?? []).length === 0)) return [...steps, ...stops(serviceObstacles(client, service))];
  for (const slice of slices) {
    steps.push(
      step(true, obstacle('trace/slice', { count: `${(slice.endpoints ?? []).length}` }, nameOf(slice), refOf('discovery.k8s.io/v1/endpointslices', slice))),
    );
    for (const endpoint of slice.endpoints ?? [])
      if (host === undefined || endpoint.hostname === host) steps.push(...endpointSteps(client, namespace, endpoint, headless, addresses));
  }
  if (host !== undefined && !slices.some((slice) => slice.endpoints?.some((one) => one.hostname === host)))
    steps.push(step(false, obstacle('dns/pod-missing', detail, `hostname: ${host}`, ref)));
  return steps;
}

function endpointSteps(
  client: Client,
  namespace: string,
  endpoint: NonNullable<EndpointSlice['endpoints']>[number],
  headless: boolean,
  answered: readonly string[],
): TraceStep[] {
  const ready = endpoint.conditions?.ready !== false;
  const ip = endpoint.addresses?.[0] ?? '';
  const target = endpoint.targetRef?.name;
  const pod = target === undefined ? undefined : client.resource<Pod>(PODS).get(namespace, target);
  const evidence = `${ip} ${target ?? ''} ready=${ready} serving=${endpoint.conditions?.serving ?? ready} terminating=${endpoint.conditions?.terminating ?? false}`;
  const found = obstacle(ready ? 'trace/endpoint-ready' : 'trace/endpoint-not-ready', { pod: target ?? ip }, evidence, pod && refOf(PODS, pod));
  const steps = [step(ready, found)];
  if (!ready && pod) steps.push(...stops(podObstacles(client, pod)));
  // What CoreDNS answered may be older than what the API server says now.
  if (headless && answered.length > 0 && ready !== answered.includes(ip))
    steps.push(step(false, obstacle('trace/stale', { pod: target ?? ip }, answered.join(', '))));
  return steps;
}
