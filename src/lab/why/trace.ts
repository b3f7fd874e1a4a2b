import type { Client } from '../../sim/client/types.ts';
import type { Cluster, Draw } from '../../sim/cluster.ts';
import { nameOf, namespaceOf } from '../../sim/controllers/object.ts';
import type { Pod, Service } from '../../sim/kinds/types.ts';
import { Errno, type Socket } from '../../unix/types.ts';
import { obstacle, refOf } from './obstacles.ts';
import { absentPodObstacles, podObstacles } from './pods.ts';
import { serviceObstacles } from './services.ts';
import { type Origin, step, stops, traceName, withDraws } from './trace-dns.ts';
import type { Trace, TraceStep } from './types.ts';

const PODS = 'v1/pods';
const SERVICES = 'v1/services';
const CONNECT_MS = 5_000;
const ANSWER_MS = 5_000;

/** What to follow, and from which Pod. */
export interface TraceQuestion {
  namespace: string;
  pod: string;
  /** A name ("dns"), or a URL or host:port to which a connection is made ("request"). */
  what: 'dns' | 'request';
  target: string;
}

type Traced = Pick<Cluster, 'client' | 'kernel' | 'podStack' | 'watchDraws'>;

/**
 * Follows a name or a request from a Pod, by really sending it: search path, CoreDNS, Service, EndpointSlice, readiness;
 * for a request also kube-proxy's draw and the connection. Takes virtual time; belongs to the session's log.
 */
export async function trace(cluster: Traced, question: TraceQuestion): Promise<Trace> {
  const from = `${question.namespace}/${question.pod}`;
  const subject = question.what === 'dns' ? `dns ${question.target}` : question.target;
  const pod = cluster.client.resource<Pod>(PODS).get(question.namespace, question.pod);
  const stack = cluster.podStack(question.namespace, question.pod);
  if (!pod || !stack) {
    const evidence = pod ? `${pod.status?.phase ?? 'Pending'}` : `pods "${question.pod}" not found`;
    const why = pod ? podObstacles(cluster.client, pod) : absentPodObstacles(cluster.client, question.namespace, question.pod);
    return { subject, from, reached: false, steps: stops([obstacle('trace/no-client', { pod: question.pod }, evidence), ...why]) };
  }
  const origin: Origin = { cluster, pod, stack };
  try {
    const { steps, reached } = question.what === 'dns' ? await nameTrace(origin, question.target) : await requestTrace(origin, question.target);
    return { subject, from, reached, steps };
  } finally {
    stack.dispose();
  }
}

async function nameTrace(origin: Origin, name: string): Promise<{ steps: TraceStep[]; reached: boolean }> {
  const { steps, addresses } = await traceName(origin, name);
  return { steps, reached: addresses.length > 0 };
}

/** "http://web:8080/x", "web:8080", "web" → where to connect, and what to ask there. */
function parseTarget(target: string): { host: string; port: number; path: string | undefined } {
  const match = /^(?:(https?|tcp):\/\/)?([^/:]+)(?::(\d+))?(\/.*)?$/.exec(target);
  const scheme = match?.[1] ?? (match?.[3] === undefined ? 'http' : 'tcp');
  return {
    host: match?.[2] ?? target,
    port: Number(match?.[3] ?? (scheme === 'https' ? 443 : 80)),
    path: scheme === 'http' || match?.[4] !== undefined ? (match?.[4] ?? '/') : undefined,
  };
}

async function requestTrace(origin: Origin, target: string): Promise<{ steps: TraceStep[]; reached: boolean }> {
  const { cluster, pod, stack } = origin;
  const { client } = cluster;
  const { host, port, path } = parseTarget(target);
  const steps = [
    step(true, obstacle('trace/client', { pod: nameOf(pod), node: pod.spec?.nodeName ?? '' }, `${stack.ip} (${pod.spec?.nodeName ?? ''})`, refOf(PODS, pod))),
  ];
  let ip = host;
  if (!/^\d+(\.\d+){3}$/.test(host)) {
    const named = await traceName(origin, host);
    steps.push(...named.steps);
    if (named.addresses.length === 0) return { steps, reached: false };
    ip = named.addresses[0] ?? '';
    if (named.addresses.length > 1)
      steps.push(step(true, obstacle('trace/first-address', { ip, count: `${named.addresses.length}` }, named.addresses.join(', '))));
  }
  const connected = await withDraws(origin, () => connect(origin, ip, port));
  const draw = connected.draws[0];
  if (draw) steps.push(...drawSteps(client, draw));
  const service = client
    .resource<Service>(SERVICES)
    .list()
    .find((one) => one.spec?.clusterIP === ip);
  const reachedIp = draw?.chosen.ip ?? ip;
  const server = client
    .resource<Pod>(PODS)
    .list()
    .find((one) => one.status?.podIP === reachedIp && !one.spec?.hostNetwork);
  const { socket, code } = connected.value;
  const detail = { ip: reachedIp, port: `${draw?.chosen.port ?? port}`, pod: server ? nameOf(server) : reachedIp, code: code ?? '' };
  const object = server ? refOf(PODS, server) : service && refOf(SERVICES, service);
  if (!socket) {
    steps.push(
      step(
        false,
        obstacle(`trace/${code === 'ECONNREFUSED' ? (service && !draw ? 'no-endpoints' : 'refused') : 'lost'}`, detail, `${ip}:${port} ${code}`, object),
      ),
    );
    if (service) steps.push(...portSteps(service, port), ...stops(serviceObstacles(client, service)));
    if (server) steps.push(...stops(podObstacles(client, server)));
    return { steps, reached: false };
  }
  steps.push(step(true, obstacle('trace/connected', detail, `${stack.ip} → ${detail.ip}:${detail.port}`, object)));
  if (path !== undefined) steps.push(await httpStep(origin, socket, host, path, detail));
  socket.close();
  return { steps, reached: true };
}

/** A ClusterIP answers only at the ports that the Service names. */
function portSteps(service: Service, port: number): TraceStep[] {
  const ports = (service.spec?.ports ?? []).map((one) => one.port);
  if (ports.includes(port)) return [];
  return [
    step(
      false,
      obstacle(
        'trace/other-port',
        { port: `${port}`, service: `${namespaceOf(service)}/${nameOf(service)}` },
        `ports: ${ports.join(', ')}`,
        refOf(SERVICES, service),
      ),
    ),
  ];
}

/** kube-proxy's rule and the dice: each endpoint with its chance, and the one that was drawn. */
function drawSteps(client: Client, draw: Draw): TraceStep[] {
  const podOf = (ip: string): Pod | undefined =>
    client
      .resource<Pod>(PODS)
      .list()
      .find((pod) => pod.status?.podIP === ip && !pod.spec?.hostNetwork);
  const count = draw.candidates.length;
  const list = draw.candidates.map((one, index) => {
    const name = podOf(one.ip)?.metadata?.name ?? one.ip;
    // As the iptables rules have it: the first is taken with 1/n, the next with 1/(n-1) of what is left, the last always.
    return `${one === draw.chosen ? '▶ ' : ''}${name} ${one.ip}:${one.port} (1/${count - index})`;
  });
  const number = draw.candidates.indexOf(draw.chosen) + 1;
  const chosen = podOf(draw.chosen.ip);
  return [
    step(true, obstacle('trace/rule', { node: draw.node, service: draw.rule.replace(/:$/, ''), count: `${count}` }, list.join('; '))),
    step(
      true,
      obstacle(
        draw.remembered ? 'trace/affinity' : 'trace/dice',
        { number: `${number}`, count: `${count}`, pod: chosen ? nameOf(chosen) : draw.chosen.ip },
        `${draw.chosen.ip}:${draw.chosen.port}`,
        chosen && refOf(PODS, chosen),
      ),
    ),
  ];
}

async function connect({ stack }: Origin, ip: string, port: number): Promise<{ socket?: Socket; code?: string }> {
  try {
    return { socket: await stack.connect(ip, port, { timeoutMs: CONNECT_MS }) };
  } catch (error) {
    if (error instanceof Errno) return { code: error.code };
    throw error;
  }
}

/** Asks for a page and reads the status line. */
async function httpStep(origin: Origin, socket: Socket, host: string, path: string, detail: Readonly<Record<string, string>>): Promise<TraceStep> {
  const { kernel } = origin.cluster;
  await socket.write(new TextEncoder().encode(`GET ${path} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`));
  let text = '';
  const reading = (async () => {
    while (!text.includes('\r\n')) {
      const chunk = await socket.read();
      if (!chunk) break;
      text += new TextDecoder().decode(chunk);
    }
  })();
  reading.catch(() => undefined);
  await Promise.race([reading, kernel.sleep(ANSWER_MS)]);
  const status = text.split('\r\n')[0] ?? '';
  return step(
    status !== '',
    obstacle(status === '' ? 'trace/no-answer' : 'trace/answer', detail, status === '' ? `GET ${path}: ${ANSWER_MS / 1000} s` : status),
  );
}
