import type { Disposable, Kernel } from '../../kernel/index.ts';
import type { Pod } from '../kinds/types.ts';
import { priorityOf } from './pod-state.ts';

/** A Pod that waits to be scheduled. */
export interface QueuedPod {
  pod: Pod;
  /** When it was first put in the active queue: among equal priorities the oldest goes first. */
  queuedAtMs: number;
  sequence: number;
  attempts: number;
  /** Plugins that refused it last time: only events that concern these bring it back. */
  refusedBy: Set<string>;
  /** When it last came back from an attempt. */
  failedAtMs: number;
}

const INITIAL_BACKOFF_MS = 1_000;
const MAX_BACKOFF_MS = 10_000;
const STUCK_MS = 5 * 60_000;

/** The scheduling queue: active, backing off, unschedulable (pkg/scheduler/backend/queue of v1.36). */
export class SchedulingQueue implements Disposable {
  readonly #kernel: Kernel;
  readonly #onActive: () => void;
  readonly #active = new Map<string, QueuedPod>();
  readonly #backoff = new Map<string, { item: QueuedPod; handle: Disposable }>();
  readonly #unschedulable = new Map<string, { item: QueuedPod; handle: Disposable }>();
  #sequence = 0;
  #sorted: QueuedPod[] = [];
  #dirty = false;

  constructor(kernel: Kernel, onActive: () => void) {
    this.#kernel = kernel;
    this.#onActive = onActive;
  }

  get size(): number {
    return this.#active.size;
  }

  /** A new Pod, or a new version of one that waits. */
  add(pod: Pod): void {
    const uid = pod.metadata?.uid ?? '';
    const known = this.#find(uid);
    if (known) {
      known.pod = pod;
      return;
    }
    this.#activate({ pod, queuedAtMs: this.#kernel.now(), sequence: this.#sequence++, attempts: 0, refusedBy: new Set(), failedAtMs: 0 });
  }

  has(uid: string): boolean {
    return this.#find(uid) !== undefined;
  }

  remove(uid: string): void {
    if (this.#active.delete(uid)) this.#dirty = true;
    this.#backoff.get(uid)?.handle.dispose();
    this.#backoff.delete(uid);
    this.#unschedulable.get(uid)?.handle.dispose();
    this.#unschedulable.delete(uid);
  }

  pop(): QueuedPod | undefined {
    if (this.#dirty) {
      this.#sorted = [...this.#active.values()].sort((a, b) => priorityOf(a.pod) - priorityOf(b.pod) || b.queuedAtMs - a.queuedAtMs || b.sequence - a.sequence);
      this.#dirty = false;
    }
    const item = this.#sorted.pop();
    if (item) this.#active.delete(item.pod.metadata?.uid ?? '');
    return item;
  }

  /** A Pod no node was found for: it waits for an event, five minutes at most. */
  park(item: QueuedPod, refusedBy: Set<string>): void {
    const uid = item.pod.metadata?.uid ?? '';
    item.attempts++;
    item.refusedBy = refusedBy;
    item.failedAtMs = this.#kernel.now();
    // What failed for other reasons than a plugin's refusal is simply tried again.
    if (refusedBy.size === 0) {
      this.#startBackoff(item);
      return;
    }
    const handle = this.#kernel.timer(STUCK_MS, () => this.#move(uid));
    this.#unschedulable.set(uid, { item, handle });
  }

  /** Brings back the Pods that an event of these plugins may help; `concerns` can look at the Pod itself. */
  wake(plugins: readonly string[], concerns?: (pod: Pod) => boolean): void {
    for (const [uid, { item }] of [...this.#unschedulable]) {
      if (plugins.some((plugin) => item.refusedBy.has(plugin)) && (concerns?.(item.pod) ?? true)) this.#move(uid);
    }
  }

  /** A Pod that waits was itself changed in a way that may help. */
  wakePod(uid: string): void {
    if (this.#unschedulable.has(uid)) this.#move(uid);
  }

  #find(uid: string): QueuedPod | undefined {
    return this.#active.get(uid) ?? this.#backoff.get(uid)?.item ?? this.#unschedulable.get(uid)?.item;
  }

  #move(uid: string): void {
    const entry = this.#unschedulable.get(uid);
    if (!entry) return;
    entry.handle.dispose();
    this.#unschedulable.delete(uid);
    this.#startBackoff(entry.item);
  }

  #startBackoff(item: QueuedPod): void {
    const uid = item.pod.metadata?.uid ?? '';
    const backoffMs = Math.min(INITIAL_BACKOFF_MS * 2 ** Math.max(0, item.attempts - 1), MAX_BACKOFF_MS);
    const waitMs = item.failedAtMs + backoffMs - this.#kernel.now();
    if (waitMs <= 0) {
      this.#activate(item);
      return;
    }
    const handle = this.#kernel.timer(waitMs, () => {
      this.#backoff.delete(uid);
      this.#activate(item);
    });
    this.#backoff.set(uid, { item, handle });
  }

  #activate(item: QueuedPod): void {
    item.queuedAtMs = this.#kernel.now();
    this.#active.set(item.pod.metadata?.uid ?? '', item);
    this.#dirty = true;
    this.#onActive();
  }

  dispose(): void {
    for (const { handle } of [...this.#backoff.values(), ...this.#unschedulable.values()]) handle.dispose();
  }
}
