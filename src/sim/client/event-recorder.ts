import type { Kernel } from '../../kernel/index.ts';
import type { Event } from '../kinds/types.ts';
import { timeText } from '../time-text.ts';
import type { Client, EventRecord } from './types.ts';

/** Events with the same key but other messages within this time are folded into one after `MAX_SIMILAR`. */
const AGGREGATION_WINDOW_MS = 600_000;
const MAX_SIMILAR = 10;
/** Spam filter: a bucket of 25 per object and source, refilled one every five minutes. */
const BURST = 25;
const REFILL_MS = 300_000;
const CACHE_LIMIT = 4096;

interface Logged {
  name: string;
  namespace: string;
  count: number;
  firstTimestamp: string;
}

/**
 * Turns EventRecords into core/v1 Events the way client-go's `tools/record` does (EventCorrelator: spam filter,
 * aggregation of similar events, counting of equal ones). The scheduler records through events.k8s.io, without counting.
 */
export class EventRecorder {
  readonly #kernel: Kernel;
  readonly #client: Pick<Client, 'resource'>;
  readonly #logged = new Map<string, Logged>();
  readonly #similar = new Map<string, { messages: Set<string>; lastMs: number }>();
  readonly #tokens = new Map<string, { tokens: number; lastMs: number }>();
  readonly #random;
  #lastNanos = 0n;

  constructor(kernel: Kernel, client: Pick<Client, 'resource'>) {
    this.#kernel = kernel;
    this.#client = client;
    this.#random = kernel.random.fork('events');
  }

  record(event: EventRecord): void {
    if (event.component === 'default-scheduler') {
      this.#create(event, event.message, undefined);
      return;
    }
    const { regarding } = event;
    const source = `${event.component}${event.host ?? ''}`;
    const object = `${source}${regarding.kind}${regarding.namespace}${regarding.name}${regarding.uid ?? ''}${regarding.apiVersion}`;
    if (this.#isSpam(object)) return;
    const nowMs = this.#kernel.now();
    const aggregateKey = `${object}${regarding.fieldPath ?? ''}${event.type}${event.reason}${event.component}${event.host ?? ''}`;
    const similar = this.#similar.get(aggregateKey);
    let message = event.message;
    let key = `${aggregateKey}${event.message}`;
    if (similar && nowMs - similar.lastMs <= AGGREGATION_WINDOW_MS) {
      similar.messages.add(event.message);
      similar.lastMs = nowMs;
      if (similar.messages.size >= MAX_SIMILAR) {
        message = `(combined from similar events): ${event.message}`;
        key = aggregateKey;
        similar.messages.delete(similar.messages.values().next().value as string);
      }
    } else remember(this.#similar, aggregateKey, { messages: new Set([event.message]), lastMs: nowMs });
    const known = this.#logged.get(key);
    if (known && this.#count(known, event, message)) return;
    const created = this.#create(event, message, key);
    if (created) remember(this.#logged, key, created);
  }

  #isSpam(key: string): boolean {
    const nowMs = this.#kernel.now();
    const bucket = this.#tokens.get(key) ?? { tokens: BURST, lastMs: nowMs };
    bucket.tokens = Math.min(BURST, bucket.tokens + (nowMs - bucket.lastMs) / REFILL_MS);
    bucket.lastMs = nowMs;
    remember(this.#tokens, key, bucket);
    if (bucket.tokens < 1) return true;
    bucket.tokens--;
    return false;
  }

  /** One more of the same: false when the Event is gone (it expires after an hour), so that a new one is made. */
  #count(known: Logged, event: EventRecord, message: string): boolean {
    const events = this.#client.resource<Event>('v1/events');
    if (!events.get(known.namespace, known.name)) return false;
    known.count++;
    const patch = { count: known.count, lastTimestamp: timeText(this.#kernel.now()), message };
    try {
      events.patch(known.namespace, known.name, patch, { cause: event.cause, fieldManager: managerOf(event) });
    } catch (error) {
      if (!(error instanceof Error) || error.name !== 'StatusError') throw error;
    }
    return true;
  }

  #create(event: EventRecord, message: string, key: string | undefined): Logged | undefined {
    const { regarding } = event;
    const nowMs = this.#kernel.now();
    const time = timeText(nowMs);
    const namespace = regarding.namespace || 'default';
    const name = `${regarding.name}.${this.#nanos().toString(16)}`;
    const modern = key === undefined;
    const object: Event = {
      apiVersion: 'v1',
      kind: 'Event',
      metadata: { name, namespace },
      involvedObject: { ...regarding },
      reason: event.reason,
      message,
      type: event.type,
      ...(modern
        ? {
            eventTime: `${new Date(nowMs).toISOString().slice(0, 23)}${String(Number(this.#lastNanos % 1_000_000n))
              .padStart(6, '0')
              .slice(0, 3)}Z`,
            action: event.reason === 'Scheduled' ? 'Binding' : event.reason === 'Preempted' ? 'Preempting' : 'Scheduling',
          }
        : { firstTimestamp: time, lastTimestamp: time, count: 1 }),
      source: modern ? {} : { component: event.component, ...(event.host ? { host: event.host } : {}) },
      reportingComponent: event.component,
      reportingInstance: modern ? `${event.component}-${event.host ?? 'vm'}` : (event.host ?? ''),
    };
    try {
      this.#client.resource<Event>('v1/events').create(object, { cause: event.cause, fieldManager: managerOf(event) });
    } catch (error) {
      // As client-go does: an event the server refuses (its namespace is going) is dropped.
      if (!(error instanceof Error) || error.name !== 'StatusError') throw error;
      return undefined;
    }
    return { name, namespace, count: 1, firstTimestamp: time };
  }

  /** Nanoseconds since the epoch, never the same twice. */
  #nanos(): bigint {
    let nanos = BigInt(this.#kernel.now()) * 1_000_000n + BigInt(this.#random.int(1_000_000));
    if (nanos <= this.#lastNanos) nanos = this.#lastNanos + 1n;
    this.#lastNanos = nanos;
    return nanos;
  }
}

function managerOf(event: EventRecord): string | undefined {
  return event.component === 'default-scheduler' ? 'kube-scheduler' : event.component === 'kubelet' ? 'kubelet' : undefined;
}

/** Puts at the end of a bounded map (least recently used goes first). */
function remember<V>(map: Map<string, V>, key: string, value: V): void {
  map.delete(key);
  map.set(key, value);
  if (map.size > CACHE_LIMIT) map.delete(map.keys().next().value as string);
}
