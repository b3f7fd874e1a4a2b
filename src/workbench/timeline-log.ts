import type { ClusterView, PodHistory, PodView } from '../lab/protocol.ts';
import { type PodShape, podSays, podShape } from './cluster-model.ts';

/** A Pod's life as the timeline draws it. */
export interface Lane {
  name: string;
  uid: string;
  spans: { fromMs: number; toMs?: number; shape: PodShape; says: string }[];
  goneMs?: number;
}

const MOST_COMMANDS = 500;

/** What the timeline shows: one lane for each Pod that ever was, and the reader's commands. The drawing is fetched when first opened. */
export class TimelineLog {
  readonly lanes = new Map<string, Lane>();
  commands: readonly { atMs: number; line: string }[] = [];
  startMs = 0;
  nowMs = 0;
  /** Told when there is something new to draw; `reset`: everything is another. */
  onChange: (reset: boolean) => void = () => undefined;

  show(view: ClusterView, startMs: number): void {
    this.startMs = startMs;
    this.nowMs = view.nowMs;
    const here = new Set<string>();
    for (const pod of view.pods) {
      here.add(pod.uid);
      this.#seen(pod, this.nowMs);
    }
    for (const lane of this.lanes.values()) if (!here.has(lane.uid)) this.#gone(lane, this.nowMs);
    this.onChange(false);
  }

  /** Takes the Pods' lives from the session's own history: after it was replayed, nobody has watched them. */
  rebuild(histories: readonly PodHistory[], startMs: number): void {
    this.lanes.clear();
    for (const { states, goneMs } of histories) {
      for (const { fromMs, pod } of states) this.#seen(pod, Math.max(fromMs, startMs));
      const lane = this.lanes.get(states[0]?.pod.uid ?? '');
      if (lane && goneMs !== undefined) this.#gone(lane, goneMs);
      if (lane?.goneMs !== undefined && lane.goneMs < startMs) this.lanes.delete(lane.uid);
    }
    this.onChange(false);
  }

  #seen(pod: PodView, atMs: number): void {
    const lane = this.lanes.get(pod.uid) ?? { name: pod.name, uid: pod.uid, spans: [] };
    this.lanes.set(pod.uid, lane);
    const last = lane.spans.at(-1);
    const shape = podShape(pod);
    const says = podSays(pod);
    if (last?.shape === shape && last.says === says) return;
    if (last) last.toMs = atMs;
    lane.spans.push({ fromMs: atMs, shape, says });
  }

  #gone(lane: Lane, atMs: number): void {
    const last = lane.spans.at(-1);
    if (!last || last.toMs !== undefined) return;
    last.toMs = atMs;
    lane.goneMs = atMs;
  }

  command(line: string, atMs: number): void {
    if (line.trim() !== '') this.commands = [...this.commands.slice(1 - MOST_COMMANDS), { atMs, line }];
  }

  tick(nowMs: number): void {
    this.nowMs = Math.max(this.nowMs, nowMs);
    this.onChange(false);
  }

  reset(): void {
    this.lanes.clear();
    this.commands = [];
    this.nowMs = 0;
    this.onChange(true);
  }
}
