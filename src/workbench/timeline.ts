import type { ClusterView } from '../lab/protocol.ts';
import { type PodShape, podSays, podShape } from './cluster-model.ts';
import { clockText, escapeText, find } from './dom.ts';

interface Lane {
  name: string;
  uid: string;
  spans: { fromMs: number; toMs?: number; shape: PodShape; says: string }[];
  goneMs?: number;
}

/** What the timeline remembers; kept with the session, since replaying a session does not tell it again. */
export interface TimelineMemory {
  lanes: Lane[];
  commands: { atMs: number; line: string }[];
}

const LANE = 24;
const TOP = 40;
const MOST_LANES = 60;
const MOST_COMMANDS = 500;

/** One lane for each Pod that ever was: the stages it went through, against the cluster's clock; above them the reader's commands. */
export class Timeline {
  #panel: HTMLElement;
  #place: HTMLElement;
  #empty: HTMLElement;
  #travel: HTMLElement;
  #range: HTMLInputElement;
  #label: HTMLElement;
  #lanes = new Map<string, Lane>();
  #commands: TimelineMemory['commands'] = [];
  #startMs = 0;
  #nowMs = 0;
  /** The moment that was picked; undefined: now. */
  #pickedMs: number | undefined;

  constructor(panel: HTMLElement, onTravel: (toMs: number) => void) {
    this.#panel = panel;
    this.#place = find(panel, '[data-timeline]');
    this.#empty = find(panel, '[data-timeline-empty]');
    this.#travel = find(panel, '[data-travel]');
    this.#range = find<HTMLInputElement>(panel, '[data-travel-at]');
    this.#label = find(panel, '[data-travel-label]');
    this.#range.addEventListener('input', () => this.#pick(this.#startMs + Number(this.#range.value)));
    find(panel, '[data-travel-go]').addEventListener('click', () => onTravel(this.#pickedMs ?? this.#nowMs));
    this.#place.addEventListener('click', (event) => {
      const { fromMs, lengthMs, left, width } = this.#scale();
      const x = event.clientX - this.#place.getBoundingClientRect().left;
      if (x >= left) this.#pick(Math.min(this.#nowMs, Math.max(this.#startMs, fromMs + ((x - left) / (width - left - 12)) * lengthMs)));
    });
  }

  get memory(): TimelineMemory {
    return { lanes: [...this.#lanes.values()], commands: this.#commands };
  }

  remember(memory: TimelineMemory): void {
    this.#lanes = new Map(memory.lanes.map((lane) => [lane.uid, lane]));
    this.#commands = memory.commands;
  }

  show(view: ClusterView, startMs: number): void {
    this.#startMs = startMs;
    this.#nowMs = view.nowMs;
    const here = new Set<string>();
    for (const pod of view.pods) {
      if (pod.namespace.startsWith('kube-')) continue;
      here.add(pod.uid);
      const lane = this.#lanes.get(pod.uid) ?? { name: pod.name, uid: pod.uid, spans: [] };
      this.#lanes.set(pod.uid, lane);
      const last = lane.spans.at(-1);
      const shape = podShape(pod);
      const says = podSays(pod);
      if (last?.shape === shape && last.says === says) continue;
      if (last) last.toMs = this.#nowMs;
      lane.spans.push({ fromMs: this.#nowMs, shape, says });
    }
    for (const lane of this.#lanes.values()) {
      const last = lane.spans.at(-1);
      if (!here.has(lane.uid) && last && last.toMs === undefined) {
        last.toMs = this.#nowMs;
        lane.goneMs = this.#nowMs;
      }
    }
    this.draw();
  }

  command(line: string): void {
    if (line.trim() !== '') this.#commands = [...this.#commands.slice(1 - MOST_COMMANDS), { atMs: this.#nowMs, line }];
  }

  tick(nowMs: number): void {
    this.#nowMs = Math.max(this.#nowMs, nowMs);
    this.draw();
  }

  /** Forgets what came after that moment, and all but so many commands: the session goes on from there. */
  cut(atMs: number, commands: number): void {
    this.#nowMs = atMs;
    this.#pickedMs = undefined;
    this.#commands = this.#commands.slice(0, commands);
    for (const [uid, lane] of this.#lanes) {
      lane.spans = lane.spans
        .filter((span) => span.fromMs <= atMs)
        .map((span) => ({ ...span, toMs: span.toMs !== undefined && span.toMs <= atMs ? span.toMs : undefined }));
      if (lane.goneMs !== undefined && lane.goneMs > atMs) delete lane.goneMs;
      if (lane.spans.length === 0) this.#lanes.delete(uid);
    }
    this.draw();
  }

  reset(): void {
    this.#lanes.clear();
    this.#commands = [];
    this.#pickedMs = undefined;
    this.draw();
  }

  #pick(atMs: number): void {
    this.#pickedMs = Math.round(atMs);
    this.draw();
  }

  #scale(): { fromMs: number; lengthMs: number; left: number; width: number } {
    const width = this.#panel.clientWidth - 4;
    const first = [...this.#lanes.values()].map((lane) => lane.spans[0]?.fromMs ?? this.#nowMs);
    const fromMs = Math.max(this.#startMs, Math.min(this.#nowMs, ...first) - 2000);
    return { fromMs, lengthMs: Math.max(20_000, this.#nowMs - fromMs), left: Math.min(200, width * 0.36), width };
  }

  draw(): void {
    if (this.#panel.hidden || this.#panel.clientWidth === 0) return;
    const shown = [...this.#lanes.values()].slice(-MOST_LANES);
    this.#empty.hidden = shown.length > 0;
    this.#travel.hidden = shown.length === 0;
    if (shown.length === 0) {
      this.#place.replaceChildren();
      return;
    }
    const startMs = this.#startMs;
    this.#range.max = String(Math.max(1, Math.round(this.#nowMs - startMs)));
    const pickedMs = this.#pickedMs ?? this.#nowMs;
    if (document.activeElement !== this.#range) this.#range.value = String(Math.round(pickedMs - startMs));
    this.#label.textContent = clockText(pickedMs - startMs);

    const { fromMs, lengthMs, left, width } = this.#scale();
    const x = (ms: number): number => Math.max(left, left + ((ms - fromMs) / lengthMs) * (width - left - 12));
    const height = TOP + shown.length * LANE + 12;
    const every =
      [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1800, 3600].map((s) => s * 1000).find((ms) => lengthMs / ms <= Math.max(3, width / 130)) ?? 7_200_000;
    let markup = '';
    for (let ms = Math.ceil((fromMs - startMs) / every) * every + startMs; ms <= fromMs + lengthMs; ms += every) {
      markup += `<path class="tick-line" d="M${x(ms)} ${TOP - 6}V${height}"/><text class="tick-label" x="${x(ms)}" y="13" text-anchor="middle">${clockText(ms - startMs)}</text>`;
    }
    for (const { atMs, line } of this.#commands) {
      if (atMs >= fromMs)
        markup += `<g class="command-mark" transform="translate(${x(atMs)},26)"><title>${escapeText(`${clockText(atMs - startMs)}　${line}`)}</title><path d="M-5 -5H5L0 4Z"/></g>`;
    }
    shown.forEach((lane, index) => {
      const y = TOP + index * LANE;
      markup += `<text class="lane" x="10" y="${y + 15}">${escapeText(lane.name.length > 24 ? `…${lane.name.slice(-22)}` : lane.name)}</text>`;
      for (const span of lane.spans) {
        const from = x(span.fromMs);
        const to = Math.max(from + 2, x(span.toMs ?? this.#nowMs));
        markup += `<rect class="span ${span.shape}" x="${from}" y="${y + 4}" width="${to - from}" height="14" rx="2"><title>${escapeText(`${lane.name}：${span.says}，${clockText(span.fromMs - startMs)}`)}</title></rect>`;
      }
      if (lane.goneMs !== undefined) markup += `<path class="end" d="M${x(lane.goneMs)} ${y + 2}v18"/>`;
    });
    if (this.#pickedMs !== undefined) markup += `<path class="picked" d="M${x(pickedMs)} 18V${height}"/>`;
    this.#place.innerHTML = `<svg class="timeline" width="${width}" height="${height}" role="img" aria-label="${escapeText(inWords(shown, startMs))}">${markup}</svg>`;
  }
}

function inWords(lanes: readonly Lane[], startMs: number): string {
  return lanes.map((lane) => `${lane.name}：${lane.spans.map((span) => `${clockText(span.fromMs - startMs)} ${span.says}`).join('、')}`).join('；');
}
