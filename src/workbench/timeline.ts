import { clockText, escapeText, find } from './dom.ts';
import type { Lane, TimelineLog } from './timeline-log.ts';

/** What the timeline asks of the workbench. */
export interface TimelineActions {
  /** Shows the cluster as it was then; undefined: as it is. */
  preview(atMs: number | undefined): void;
  /** Goes back to that moment, to go on from there. */
  travel(toMs: number): void;
  /** Shows what is different between two moments in `place`. */
  compare(place: HTMLElement, moments: { fromMs: number; toMs: number }): void;
}

const LANE = 24;
const TOP = 40;
const MOST_LANES = 60;

/** One lane for each Pod that ever was: the stages it went through, against the cluster's clock; above them the reader's commands. */
export class Timeline {
  #panel: HTMLElement;
  #place: HTMLElement;
  #empty: HTMLElement;
  #travel: HTMLElement;
  #range: HTMLInputElement;
  #label: HTMLElement;
  #compared: HTMLElement;
  #actions: TimelineActions;
  #log: TimelineLog;
  /** The moment that was picked; undefined: now. */
  #pickedMs: number | undefined;
  /** Where a comparison begins. */
  #markedMs: number | undefined;

  constructor(panel: HTMLElement, log: TimelineLog, actions: TimelineActions) {
    this.#panel = panel;
    this.#log = log;
    this.#actions = actions;
    this.#place = find(panel, '[data-timeline]');
    this.#empty = find(panel, '[data-timeline-empty]');
    this.#travel = find(panel, '[data-travel]');
    this.#range = find<HTMLInputElement>(panel, '[data-travel-at]');
    this.#label = find(panel, '[data-travel-label]');
    this.#compared = find(panel, '[data-compared]');
    this.#range.addEventListener('input', () => this.#pick(this.#log.startMs + Number(this.#range.value)));
    const on = (selector: string, act: () => void): void => find(panel, selector).addEventListener('click', act);
    on('[data-travel-go]', () => actions.travel(this.#pickedMs ?? this.#log.nowMs));
    on('[data-travel-now]', () => this.leave());
    on('[data-before]', () => this.#pick(this.#moments().findLast((ms) => ms < this.#at) ?? this.#log.startMs));
    on('[data-after]', () => this.#pick(this.#moments().find((ms) => ms > this.#at) ?? this.#log.nowMs));
    on('[data-compare]', () => this.#compare());
    this.#wireDragging();
    log.onChange = (reset) => {
      if (reset) this.#reset();
      this.draw();
    };
  }

  get #at(): number {
    return this.#pickedMs ?? this.#log.nowMs;
  }

  /** Everything is another: nothing is picked any more. */
  #reset(): void {
    this.#pickedMs = undefined;
    this.#markedMs = undefined;
    this.#compared.hidden = true;
  }

  /** Back to now. */
  leave(): void {
    if (this.#pickedMs === undefined) return;
    this.#pickedMs = undefined;
    this.#actions.preview(undefined);
    this.draw();
  }

  #pick(atMs: number): void {
    this.#pickedMs = Math.round(Math.min(this.#log.nowMs, Math.max(this.#log.startMs, atMs)));
    this.#actions.preview(this.#pickedMs);
    this.draw();
  }

  /** Marks one end of a comparison, or shows it when one is marked. */
  #compare(): void {
    if (this.#markedMs === undefined) this.#markedMs = this.#at;
    else {
      const [fromMs, toMs] = [Math.min(this.#markedMs, this.#at), Math.max(this.#markedMs, this.#at)];
      this.#markedMs = undefined;
      this.#actions.compare(this.#compared, { fromMs, toMs });
    }
    this.draw();
  }

  /** Moments at which something happened. */
  #moments(): number[] {
    const all = [
      ...this.#log.commands.map((command) => command.atMs),
      ...[...this.#log.lanes.values()].flatMap((lane) => lane.spans.map((span) => span.fromMs)),
    ];
    return [...new Set(all)].sort((a, b) => a - b);
  }

  #wireDragging(): void {
    const pick = (event: PointerEvent): void => {
      const { fromMs, lengthMs, left, width } = this.#scale();
      const x = event.clientX - this.#place.getBoundingClientRect().left;
      if (x >= left) this.#pick(fromMs + ((x - left) / (width - left - 12)) * lengthMs);
    };
    this.#place.addEventListener('pointerdown', (event) => {
      if (event.button !== 0) return;
      this.#place.setPointerCapture(event.pointerId);
      pick(event);
    });
    this.#place.addEventListener('pointermove', (event) => {
      if (this.#place.hasPointerCapture(event.pointerId)) pick(event);
    });
  }

  #scale(): { fromMs: number; lengthMs: number; left: number; width: number } {
    const width = this.#panel.clientWidth - 4;
    const first = [...this.#log.lanes.values()].map((lane) => lane.spans[0]?.fromMs ?? this.#log.nowMs);
    const fromMs = Math.max(this.#log.startMs, Math.min(this.#log.nowMs, ...first) - 2000);
    return { fromMs, lengthMs: Math.max(20_000, this.#log.nowMs - fromMs), left: Math.min(200, width * 0.36), width };
  }

  draw(): void {
    if (this.#panel.hidden || this.#panel.clientWidth === 0) return;
    const shown = [...this.#log.lanes.values()].slice(-MOST_LANES);
    const nothing = shown.length === 0 && this.#log.commands.length === 0;
    this.#empty.hidden = !nothing;
    this.#travel.hidden = nothing;
    if (nothing) {
      this.#place.replaceChildren();
      return;
    }
    this.#drawTools();
    this.#drawLanes(shown);
  }

  #drawTools(): void {
    const startMs = this.#log.startMs;
    this.#range.max = String(Math.max(1, Math.round(this.#log.nowMs - startMs)));
    if (document.activeElement !== this.#range || this.#pickedMs === undefined) this.#range.value = String(Math.round(this.#at - startMs));
    this.#label.textContent = this.#pickedMs === undefined ? `${clockText(this.#at - startMs)}（現在）` : clockText(this.#at - startMs);
    this.#range.setAttribute('aria-valuetext', this.#inWordsAt(this.#at));
    find(this.#panel, '[data-travel-now]').hidden = this.#pickedMs === undefined;
    const compare = find(this.#panel, '[data-compare]');
    compare.textContent = this.#markedMs === undefined ? '從這一刻比較' : `和 ${clockText(this.#markedMs - startMs)} 比較`;
  }

  #drawLanes(shown: readonly Lane[]): void {
    const startMs = this.#log.startMs;
    const { fromMs, lengthMs, left, width } = this.#scale();
    const x = (ms: number): number => Math.max(left, left + ((ms - fromMs) / lengthMs) * (width - left - 12));
    const height = TOP + shown.length * LANE + 12;
    const every =
      [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1800, 3600].map((s) => s * 1000).find((ms) => lengthMs / ms <= Math.max(3, width / 130)) ?? 7_200_000;
    let markup = '';
    for (let ms = Math.ceil((fromMs - startMs) / every) * every + startMs; ms <= fromMs + lengthMs; ms += every) {
      markup += `<path class="tick-line" d="M${x(ms)} ${TOP - 6}V${height}"/><text class="tick-label" x="${x(ms)}" y="13" text-anchor="middle">${clockText(ms - startMs)}</text>`;
    }
    for (const { atMs, line } of this.#log.commands) {
      if (atMs >= fromMs)
        markup += `<g class="command-mark" transform="translate(${x(atMs)},26)"><title>${escapeText(`${clockText(atMs - startMs)}　${line}`)}</title><path d="M-5 -5H5L0 4Z"/></g>`;
    }
    shown.forEach((lane, index) => {
      const y = TOP + index * LANE;
      markup += `<text class="lane" x="10" y="${y + 15}">${escapeText(lane.name.length > 24 ? `…${lane.name.slice(-22)}` : lane.name)}</text>`;
      for (const span of lane.spans) {
        const from = x(span.fromMs);
        const to = Math.max(from + 2, x(span.toMs ?? this.#log.nowMs));
        markup += `<rect class="span ${span.shape}" x="${from}" y="${y + 4}" width="${to - from}" height="14" rx="2"><title>${escapeText(`${lane.name}：${span.says}，${clockText(span.fromMs - startMs)}`)}</title></rect>`;
      }
      if (lane.goneMs !== undefined) markup += `<path class="end" d="M${x(lane.goneMs)} ${y + 2}v18"/>`;
    });
    for (const ms of [this.#markedMs, this.#pickedMs]) if (ms !== undefined) markup += `<path class="picked" d="M${x(ms)} 18V${height}"/>`;
    this.#place.innerHTML = `<svg class="timeline" width="${width}" height="${height}" role="img" aria-label="${escapeText(inWords(shown, startMs))}">${markup}</svg>`;
  }

  /** A moment for those who do not see the drawing: when it is, the command before it, and how each Pod was. */
  #inWordsAt(atMs: number): string {
    const command = this.#log.commands.findLast((one) => one.atMs <= atMs)?.line;
    const pods = [...this.#log.lanes.values()].flatMap((lane) => {
      const span = lane.spans.findLast((one) => one.fromMs <= atMs);
      return span && (span.toMs === undefined || span.toMs > atMs) ? [`${lane.name} ${span.says}`] : [];
    });
    return [clockText(atMs - this.#log.startMs), ...(command === undefined ? [] : [`在 ${command} 之後`]), ...pods.slice(0, 8)].join('，');
  }
}

function inWords(lanes: readonly Lane[], startMs: number): string {
  return lanes.map((lane) => `${lane.name}：${lane.spans.map((span) => `${clockText(span.fromMs - startMs)} ${span.says}`).join('、')}`).join('；');
}
