import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { nodeClock } from '../../../src/hosts/node/clock.ts';
import { Kernel } from '../../../src/kernel/index.ts';
import type { Cluster } from '../../../src/sim/cluster.ts';
import { createCluster } from '../../../src/sim/index.ts';

/** What the API answers is looked into by path here, as a script would. */
// biome-ignore lint/suspicious/noExplicitAny: every kind of object passes through, and the assertions tell when a path is wrong.
export type Json = any;

const decoder = new TextDecoder();
const encoder = new TextEncoder();

const E2E = 'registry.k8s.io/e2e-test-images';
export const AGNHOST = `${E2E}/agnhost:2.63.0`;
export const BUSYBOX = `${E2E}/busybox:1.37.0-1`;
export const HTTPD = `${E2E}/httpd:2.4.38-4`;
export const NEW_HTTPD = `${E2E}/httpd:2.4.39-4`;
export const DNSUTILS = `${E2E}/jessie-dnsutils:1.7`;
export const PAUSE = 'registry.k8s.io/pause:3.10.1';

interface Answer {
  status: number;
  text: string;
}

export class ApiFailure extends Error {
  readonly status: number;
  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/**
 * A cluster as upstream's end-to-end specs meet it: through the HTTP door only, in JSON, each spec in a namespace of its own.
 * Time is virtual, so that the specs' long waits cost nothing.
 */
export class Outside {
  readonly kernel: Kernel;
  readonly #cluster: Cluster;
  namespace = 'default';

  private constructor(kernel: Kernel, cluster: Cluster) {
    this.kernel = kernel;
    this.#cluster = cluster;
  }

  static async start(seed: string): Promise<Outside> {
    const kernel = new Kernel({ seed, host: nodeClock });
    return new Outside(kernel, await createCluster({ kernel, preset: 'k3d' }));
  }

  dispose(): void {
    this.#cluster.dispose();
  }

  async #settle<T>(work: Promise<T>): Promise<T> {
    let done = false;
    const end = (): void => {
      done = true;
    };
    work.then(end, end);
    await this.kernel.advance({ until: () => done, untilMs: this.kernel.now() + 600_000 });
    assert.ok(done, 'no answer within ten minutes');
    return work;
  }

  async request(method: string, path: string, body?: Json, contentType = 'application/json', accept = 'application/json'): Promise<Answer> {
    const bytes = body === undefined ? undefined : encoder.encode(typeof body === 'string' ? body : JSON.stringify(body));
    const headers = { accept, ...(bytes ? { 'content-type': contentType } : {}) };
    return this.#settle(
      (async () => {
        const response = await this.#cluster.transport.request({ method, path, headers, ...(bytes ? { body: bytes } : {}) });
        let text = decoder.decode(response.body ?? new Uint8Array());
        if (response.stream) for await (const chunk of response.stream) text += decoder.decode(chunk);
        return { status: response.status, text };
      })(),
    );
  }

  async #api(method: string, path: string, body?: Json, contentType?: string): Promise<Json> {
    const { status, text } = await this.request(method, path, body, contentType);
    if (status >= 300) {
      const message = text.startsWith('{') ? (JSON.parse(text) as { message?: string }).message : text;
      throw new ApiFailure(status, `${method} ${path}: ${status} ${message}`);
    }
    return JSON.parse(text);
  }

  get(path: string): Promise<Json> {
    return this.#api('GET', path);
  }

  post(path: string, body: Json): Promise<Json> {
    return this.#api('POST', path, body);
  }

  put(path: string, body: Json): Promise<Json> {
    return this.#api('PUT', path, body);
  }

  del(path: string, options?: Json): Promise<Json> {
    return this.#api('DELETE', path, options);
  }

  merge(path: string, patch: Json): Promise<Json> {
    return this.#api('PATCH', path, patch, 'application/merge-patch+json');
  }

  strategic(path: string, patch: Json): Promise<Json> {
    return this.#api('PATCH', path, patch, 'application/strategic-merge-patch+json');
  }

  patchJson(path: string, operations: Json): Promise<Json> {
    return this.#api('PATCH', path, operations, 'application/json-patch+json');
  }

  /** The events of a watch that is open while `during` runs and `seconds` longer. */
  async watch(path: string, during: () => Promise<unknown>, seconds: number): Promise<{ type: string; object: Json }[]> {
    const controller = new AbortController();
    const response = await this.#settle(
      this.#cluster.transport.request({ method: 'GET', path, headers: { accept: 'application/json' }, signal: controller.signal }),
    );
    let text = '';
    const reading = (async () => {
      for await (const chunk of response.stream ?? []) text += decoder.decode(chunk, { stream: true });
    })().catch(() => undefined);
    await during();
    await this.pass(seconds);
    controller.abort();
    await this.#settle(reading);
    return text
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line));
  }

  async pass(seconds: number): Promise<void> {
    await this.kernel.advance({ untilMs: this.kernel.now() + seconds * 1000 });
  }

  /** Polls every second until `holds` answers with something true, and returns that. */
  async until<T>(what: string, holds: () => Promise<T>, seconds = 300): Promise<T> {
    const endMs = this.kernel.now() + seconds * 1000;
    let last: unknown;
    while (this.kernel.now() < endMs) {
      try {
        const found = await holds();
        if (found) return found;
        last = found;
      } catch (error) {
        last = error;
      }
      await this.pass(1);
    }
    throw new Error(`not seen: ${what}; last: ${last instanceof Error ? last.message : JSON.stringify(last)}`);
  }

  /** Until a path answers 404. */
  gone(path: string, seconds = 60): Promise<boolean> {
    return this.until(`${path} gone`, async () => (await this.request('GET', path)).status === 404, seconds);
  }

  /** What the framework's BeforeEach makes and waits for. */
  async makeNamespace(name: string): Promise<void> {
    await this.post('/api/v1/namespaces', { apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
    this.namespace = name;
    await this.until('the default service account', () => this.get(this.of('serviceaccounts/default')));
    await this.until('the root certificate', () => this.get(this.of('configmaps/kube-root-ca.crt')));
  }

  /** Path of a core resource in the namespace, or of a group's: `of('pods/a')`, `of('jobs', 'batch/v1')`. */
  of(resource: string, group?: string): string {
    return `${group === undefined ? '/api/v1' : `/apis/${group}`}/namespaces/${this.namespace}/${resource}`;
  }

  pod(name: string, spec: Json, metadata: Json = {}): Promise<Json> {
    return this.post(this.of('pods'), { apiVersion: 'v1', kind: 'Pod', metadata: { name, ...metadata }, spec });
  }

  podIn(name: string, phases: readonly string[], seconds = 300): Promise<Json> {
    return this.until(
      `${name} ${phases}`,
      async () => {
        const pod = await this.get(this.of(`pods/${name}`));
        return phases.includes(pod.status.phase) ? pod : undefined;
      },
      seconds,
    );
  }

  running(name: string): Promise<Json> {
    return this.podIn(name, ['Running']);
  }

  ready(name: string, seconds = 300): Promise<Json> {
    return this.until(
      `${name} ready`,
      async () => {
        const pod = await this.get(this.of(`pods/${name}`));
        return pod.status.conditions?.some((one: Json) => one.type === 'Ready' && one.status === 'True') ? pod : undefined;
      },
      seconds,
    );
  }

  ended(name: string): Promise<Json> {
    return this.podIn(name, ['Succeeded', 'Failed']);
  }

  async logs(name: string, container?: string): Promise<string> {
    return (await this.request('GET', this.of(`pods/${name}/log${container === undefined ? '' : `?container=${container}`}`))).text;
  }

  /** Runs a Pod to its end and returns what it wrote. */
  async output(name: string, spec: Json, metadata?: Json): Promise<{ phase: string; pod: Json; log: string }> {
    await this.pod(name, { restartPolicy: 'Never', ...spec }, metadata);
    const pod = await this.ended(name);
    return { phase: pod.status.phase, pod, log: await this.logs(name) };
  }

  /** As client-go's remotecommand does it. */
  async exec(pod: string, command: readonly string[], container?: string): Promise<{ out: string; err: string; status: Json }> {
    const words = command.map((word) => `command=${encodeURIComponent(word)}`).join('&');
    const path = this.of(`pods/${pod}/exec?${words}&stdout=true&stderr=true${container === undefined ? '' : `&container=${container}`}`);
    return this.#settle(
      (async () => {
        const socket = await this.#cluster.transport.upgrade({ method: 'GET', path, headers: {} }, ['v5.channel.k8s.io']);
        if (!('receive' in socket)) throw new ApiFailure(socket.status, decoder.decode(socket.body));
        const channels = ['', '', '', ''];
        for (let chunk = await socket.receive(); chunk; chunk = await socket.receive()) channels[chunk[0] ?? 0] += decoder.decode(chunk.subarray(1));
        return { out: channels[1] ?? '', err: channels[2] ?? '', status: JSON.parse(channels[3] || '{}') };
      })(),
    );
  }

  /** As `kubectl exec POD -- /bin/sh -c …`. */
  shell(pod: string, command: string): Promise<{ out: string; err: string; status: Json }> {
    return this.exec(pod, ['/bin/sh', '-c', command]);
  }
}

export function has(text: string, part: string | RegExp): void {
  assert.ok(typeof part === 'string' ? text.includes(part) : part.test(text), `${JSON.stringify(text.slice(0, 800))} lacks ${part}`);
}

export function refused(work: Promise<unknown>, status: number, message = /./): Promise<void> {
  return assert.rejects(work, (error: ApiFailure) => error.status === status && message.test(error.message));
}

export function conditionOf(object: Json, type: string): Json {
  return object.status.conditions?.find((one: Json) => one.type === type);
}

/** Registers specs that share one cluster, as upstream's do. */
export function suite(name: string): (title: string, body: (outside: Outside) => Promise<void>) => void {
  let shared: Promise<Outside> | undefined;
  let count = 0;
  after(async () => (await shared)?.dispose());
  return (title, body) =>
    test(title, async () => {
      shared ??= Outside.start(name);
      const outside = await shared;
      await outside.makeNamespace(`${name}-${++count}`);
      await body(outside);
      await outside.del(`/api/v1/namespaces/${outside.namespace}`);
    });
}

export const services = (outside: Outside): string => outside.of('services');

/** A Pod to run commands in. */
export async function execPod(outside: Outside, name = 'execpod'): Promise<string> {
  await outside.pod(name, { terminationGracePeriodSeconds: 0, containers: [{ name: 'agnhost-container', image: AGNHOST, args: ['pause'] }] });
  await outside.ready(name);
  return name;
}

export async function nodeAddresses(outside: Outside): Promise<string[]> {
  const { items } = await outside.get('/api/v1/nodes');
  return items.map((node: Json) => node.status.addresses.find((one: Json) => one.type === 'InternalIP').address);
}
