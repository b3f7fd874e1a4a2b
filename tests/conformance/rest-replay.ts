import { readFileSync } from 'node:fs';
import { nodeClock } from '../../src/hosts/node/clock.ts';
import { Kernel } from '../../src/kernel/index.ts';
import type { Cluster } from '../../src/sim/cluster.ts';
import type { HttpResponse } from '../../src/sim/transport.ts';

/** One recorded HTTP conversation (corpus/README.md). */
export interface Conversation {
  name: string;
  note?: string;
  request: { method: string; path: string; headers: Record<string, string>; body?: unknown };
  response: { status: number; headers: Record<string, string>; body?: unknown; events?: unknown[] };
  meanwhile?: { method: string; path: string; body: unknown }[];
}

export interface Outcome {
  name: string;
  differences: string[];
}

/** What was done between conversations without being recorded, by the conversation that follows it. */
const UNRECORDED: Record<string, Conversation['request'][]> = {
  'list-limit': ['b', 'c', 'd', 'e', 'f'].map((name) => ({
    method: 'POST',
    path: '/api/v1/namespaces/rest/configmaps',
    headers: { accept: 'application/json', 'content-type': 'application/json' },
    body: { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, labels: { t: name } }, data: { k: name } },
  })),
};

export function readConversations(file: string): Conversation[] {
  return JSON.parse(readFileSync(new URL(`./corpus/${file}`, import.meta.url), 'utf8')) as Conversation[];
}

const UID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const TIME = /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z/g;

/** What may differ from run to run, in the spirit of compare.py: identities, times, addresses, generated names, ages. */
function normalText(text: string): string {
  return text
    .replace(/\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b/g, '<uid>')
    .replace(TIME, '<time>')
    .replace(/\b10\.4[23]\.\d+\.\d+\b/g, '<ip>')
    .replace(/\bk3d-\w+-(server|agent)-\d\b/g, '<node>')
    .replace(/(?<=-)[bcdfghjklmnpqrstvwxz2456789]{8,10}\b/g, '<hash>')
    .replace(/(?<=-)[bcdfghjklmnpqrstvwxz2456789]{5}\b/g, '<suffix>')
    .replace(/(resourceVersion"?(: ?|=))"?\d+"?/g, '$1<rv>')
    .replace(/(current: )\d+/g, '$1<rv>')
    .replace(/(too old resource version: \d+ )\(\d+\)/g, '$1(<rv>)');
}

function normal(value: unknown, key = ''): unknown {
  if (typeof value === 'string') {
    if (key === 'resourceVersion' || key === 'continue') return '<any>';
    if (/^(\d+[smhd])+$/.test(value)) return '<age>';
    return normalText(value);
  }
  if (typeof value === 'number') {
    if (key === 'nodePort' || key === 'healthCheckNodePort') return '<port>';
    return value;
  }
  if (Array.isArray(value)) return value.map((item) => normal(item, key));
  if (typeof value === 'object' && value !== null) {
    const out: Record<string, unknown> = {};
    for (const [name, inner] of Object.entries(value)) {
      // The texts of the API's documentation are not part of the project.
      if (name === 'description') continue;
      out[normalText(name)] = normal(inner, name);
    }
    return out;
  }
  return value;
}

function differences(expected: unknown, actual: unknown, path = ''): string[] {
  if (Array.isArray(expected) && Array.isArray(actual)) {
    const out: string[] = [];
    for (let i = 0; i < Math.max(expected.length, actual.length); i++) out.push(...differences(expected[i], actual[i], `${path}[${i}]`));
    return out;
  }
  if (
    typeof expected === 'object' &&
    typeof actual === 'object' &&
    expected !== null &&
    actual !== null &&
    !Array.isArray(expected) &&
    !Array.isArray(actual)
  ) {
    const out: string[] = [];
    const left = expected as Record<string, unknown>;
    const right = actual as Record<string, unknown>;
    for (const key of new Set([...Object.keys(left), ...Object.keys(right)])) out.push(...differences(left[key], right[key], `${path}.${key}`));
    return out;
  }
  return Object.is(expected, actual) ? [] : [`${path}: ${short(expected)} → ${short(actual)}`];
}

function short(value: unknown): string {
  const text = JSON.stringify(value) ?? 'absent';
  return text.length > 700 ? `${text.slice(0, 700)}…` : text;
}

async function wholeCluster(kernel: Kernel): Promise<Cluster> {
  const { createCluster } = await import('../../src/sim/index.ts');
  return createCluster({ kernel, preset: 'k3d' });
}

/** Between two conversations, when the recording does not say more: less than a controller takes to react. */
const PAUSE_MS = 20;

/** Where the recording shows that more time went by, but not how much: what happened meanwhile. */
const PAUSES: Record<string, number> = {
  // Before any controller had seen the StatefulSet.
  'sts-scale-get': 1,
  // The Pod's grace period had run out …
  'sts-table': 3_900,
  // … and it had been made anew.
  'pod-binding-again': 2_500,
};

/** When a Table was printed, as far as its ages tell. */
function printedAges(body: unknown): number[] {
  const rows = (body as { rows?: { cells: unknown[]; object?: { metadata?: { creationTimestamp?: string } } }[] } | undefined)?.rows ?? [];
  const out: number[] = [];
  for (const row of rows) {
    const created = row.object?.metadata?.creationTimestamp;
    const age = row.cells.map((cell) => /^(\d+)s$/.exec(String(cell))?.[1]).find((seconds) => seconds !== undefined);
    if (created && age) out.push(Date.parse(created) + Number(age) * 1000 + 500);
  }
  return out;
}

/** Plays conversations against a fresh cluster, carrying identities and revisions over from its own answers. */
export class RestReplay {
  readonly kernel: Kernel;
  #cluster: Cluster | undefined;
  /** Recorded uid or resourceVersion → ours. */
  readonly #known = new Map<string, string>();
  #greatest = 0;
  #smallest = Number.POSITIVE_INFINITY;
  #startRecordedMs: number | undefined;
  #startMs = 0;

  readonly #make: (kernel: Kernel) => Promise<Cluster>;

  constructor(make: (kernel: Kernel) => Promise<Cluster> = wholeCluster, seed = 'rest') {
    this.#make = make;
    this.kernel = new Kernel({ seed, host: nodeClock });
  }

  async #clusterReady(): Promise<Cluster> {
    this.#cluster ??= await this.#make(this.kernel);
    return this.#cluster;
  }

  dispose(): void {
    this.#cluster?.dispose();
  }

  async play(conversations: readonly Conversation[]): Promise<Outcome[]> {
    const outcomes: Outcome[] = [];
    for (const conversation of conversations) {
      this.#greatest = Math.max(this.#greatest, 0);
      outcomes.push({ name: conversation.name, differences: await this.#one(conversation) });
    }
    return outcomes;
  }

  /** Lets as much virtual time pass as the recording's own timestamps say went by. */
  async #keepPace(conversation: Conversation): Promise<void> {
    const pause = PAUSES[conversation.name] ?? PAUSE_MS;
    const times = (JSON.stringify(conversation.response).match(TIME) ?? []).map((time) => Date.parse(time));
    const latest = Math.max(...times.filter((ms) => ms > Date.UTC(2020, 0)), ...printedAges(conversation.response.body));
    if (!Number.isFinite(latest)) {
      await this.kernel.advance({ untilMs: this.kernel.now() + pause });
      return;
    }
    if (this.#startRecordedMs === undefined) {
      this.#startRecordedMs = latest;
      this.#startMs = this.kernel.now();
    }
    const target = this.#startMs + (latest - this.#startRecordedMs);
    await this.kernel.advance({ untilMs: Math.max(this.kernel.now() + pause, target) });
  }

  #translate(text: string): string {
    let out = text;
    for (const [recorded, ours] of this.#known) if (UID.test(recorded) || recorded.length > 12) out = out.replaceAll(recorded, ours);
    return out.replace(/(resourceVersion"?(?:: ?|=)"?)(\d+)/g, (whole, head: string, digits: string) => {
      const value = Number(digits);
      if (value === 0 || value < this.#smallest || value > this.#greatest + 10_000) return whole;
      let ours = this.#known.get(digits);
      if (ours === undefined) {
        ours = String((this.#cluster as Cluster & { writes: readonly { revision: number }[] }).writes.at(-1)?.revision ?? 0);
        this.#known.set(digits, ours);
      }
      return `${head}${ours}`;
    });
  }

  #learn(expected: unknown, actual: unknown, key = ''): void {
    if (Array.isArray(expected) && Array.isArray(actual)) {
      for (const [i, item] of expected.entries()) this.#learn(item, actual[i], key);
    } else if (typeof expected === 'object' && expected !== null && typeof actual === 'object' && actual !== null) {
      for (const [name, inner] of Object.entries(expected)) this.#learn(inner, (actual as Record<string, unknown>)[name], name);
    } else if (typeof expected === 'string' && typeof actual === 'string' && (key === 'uid' || key === 'resourceVersion' || key === 'continue')) {
      this.#known.set(expected, actual);
      if (key === 'resourceVersion') {
        this.#greatest = Math.max(this.#greatest, Number(expected));
        this.#smallest = Math.min(this.#smallest, Number(expected));
      }
    }
  }

  async #send(method: string, path: string, headers: Record<string, string>, body: unknown, signal?: AbortSignal): Promise<HttpResponse> {
    const cluster = await this.#clusterReady();
    const text = body === undefined || body === null ? undefined : typeof body === 'string' ? body : JSON.stringify(body);
    return cluster.transport.request({
      method,
      path: this.#translate(path),
      headers: { 'user-agent': 'curl/8.5.0', ...headers },
      ...(text === undefined ? {} : { body: new TextEncoder().encode(this.#translate(text)) }),
      ...(signal ? { signal } : {}),
    });
  }

  async #one(conversation: Conversation): Promise<string[]> {
    const { request, response, meanwhile } = conversation;
    await this.#clusterReady();
    for (const { method, path, headers, body } of UNRECORDED[conversation.name] ?? []) await this.#send(method, path, headers, body);
    if (!response.events) await this.#keepPace(conversation);
    const controller = new AbortController();
    const actual = await this.#send(request.method, request.path, request.headers, request.body, controller.signal);
    const out: string[] = [];
    if (actual.status !== response.status) out.push(`status: ${response.status} → ${actual.status}`);
    for (const [name, value] of Object.entries(response.headers)) {
      const got = name === 'warning' ? actual.warnings.join(', ') : actual.headers[name];
      if (got !== value) out.push(`header ${name}: ${value} → ${got}`);
    }
    if (response.events) {
      const events = await this.#collect(actual, meanwhile ?? [], controller);
      this.#learn(response.events, events);
      // How many bookmarks come is a matter of time.
      const plain = (list: unknown[]): unknown[] =>
        list.filter((event, i) => (event as { type: string }).type !== 'BOOKMARK' || (list[i - 1] as { type: string } | undefined)?.type !== 'BOOKMARK');
      out.push(...differences(normal(plain(response.events)), normal(plain(events))));
      return out;
    }
    const text = actual.body ? new TextDecoder().decode(actual.body) : '';
    if (typeof response.body === 'string') {
      if (normalText(response.body) !== normalText(text)) out.push(...differences(normalText(response.body), normalText(text)));
      return out;
    }
    const parsed: unknown = text === '' ? undefined : JSON.parse(text);
    this.#learn(response.body, parsed);
    out.push(...differences(normal(response.body), normal(parsed)));
    return out;
  }

  async #collect(response: HttpResponse, meanwhile: NonNullable<Conversation['meanwhile']>, controller: AbortController): Promise<unknown[]> {
    const events: unknown[] = [];
    const reading = (async () => {
      for await (const chunk of response.stream ?? []) for (const line of new TextDecoder().decode(chunk).split('\n')) if (line) events.push(JSON.parse(line));
    })();
    await this.kernel.advance({ untilMs: this.kernel.now() + 500 });
    for (const { method, path, body } of meanwhile) {
      const type = method === 'PATCH' ? 'application/merge-patch+json' : 'application/json';
      await this.#send(method, path, { accept: 'application/json', 'content-type': type }, body);
      await this.kernel.advance({ untilMs: this.kernel.now() + 300 });
    }
    await this.kernel.advance({ untilMs: this.kernel.now() + 3_000 });
    controller.abort();
    await reading;
    return events;
  }
}
