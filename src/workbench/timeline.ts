import type { ClusterView } from '../lab/protocol.ts';
import { type PodShape, podSays, podShape } from './cluster-model.ts';
import { clockText, escapeText, find } from './dom.ts';

interface Lane {
  name: string;
  uid: string;
  spans: { fromMs: number; toMs?: number; shape: PodShape; says: string }[];
  goneMs?: number;
}

const LANE = 24;
const TOP = 26;
const MOST_LANES = 60;

/** One lane for each Pod that ever was: the stages it went through, against the cluster's clock. */
export function createTimeline(panel: HTMLElement): { show(view: ClusterView, startMs: number): void; tick(nowMs: number): void; reset(): void; draw(): void } {
  const place = find(panel, '[data-timeline]');
  const empty = find(panel, '[data-timeline-empty]');
  const lanes = new Map<string, Lane>();
  let startMs = 0;
  let nowMs = 0;

  const draw = (): void => {
    if (panel.hidden || panel.clientWidth === 0) return;
    const shown = [...lanes.values()].slice(-MOST_LANES);
    empty.hidden = shown.length > 0;
    if (shown.length === 0) {
      place.replaceChildren();
      return;
    }
    const width = panel.clientWidth - 4;
    const left = Math.min(200, width * 0.36);
    const firstMs = Math.min(...shown.map((lane) => lane.spans[0]?.fromMs ?? nowMs));
    const fromMs = Math.max(startMs, firstMs - 1000);
    const lengthMs = Math.max(20_000, nowMs - fromMs);
    const x = (ms: number): number => left + ((ms - fromMs) / lengthMs) * (width - left - 12);
    const height = TOP + shown.length * LANE + 12;
    const every =
      [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1800, 3600].map((s) => s * 1000).find((ms) => lengthMs / ms <= Math.max(3, width / 130)) ?? 7_200_000;
    let markup = '';
    for (let ms = Math.ceil((fromMs - startMs) / every) * every + startMs; ms <= fromMs + lengthMs; ms += every) {
      markup += `<path class="tick-line" d="M${x(ms)} ${TOP - 6}V${height}"/><text class="tick-label" x="${x(ms)}" y="14" text-anchor="middle">${clockText(ms - startMs)}</text>`;
    }
    shown.forEach((lane, index) => {
      const y = TOP + index * LANE;
      markup += `<text class="lane" x="10" y="${y + 15}">${escapeText(lane.name.length > 24 ? `…${lane.name.slice(-22)}` : lane.name)}</text>`;
      for (const span of lane.spans) {
        const from = x(span.fromMs);
        const to = Math.max(from + 2, x(span.toMs ?? nowMs));
        markup += `<rect class="span ${span.shape}" x="${from}" y="${y + 4}" width="${to - from}" height="14" rx="2"><title>${escapeText(`${lane.name}：${span.says}，${clockText(span.fromMs - startMs)}`)}</title></rect>`;
      }
      if (lane.goneMs !== undefined) markup += `<path class="end" d="M${x(lane.goneMs)} ${y + 2}v18"/>`;
    });
    place.innerHTML = `<svg class="timeline" width="${width}" height="${height}" role="img" aria-label="${escapeText(inWords(shown, startMs))}">${markup}</svg>`;
  };

  return {
    show(view, start) {
      startMs = start;
      nowMs = view.nowMs;
      const here = new Set<string>();
      for (const pod of view.pods) {
        if (pod.namespace.startsWith('kube-')) continue;
        here.add(pod.uid);
        const lane = lanes.get(pod.uid) ?? { name: pod.name, uid: pod.uid, spans: [] };
        lanes.set(pod.uid, lane);
        const last = lane.spans.at(-1);
        const shape = podShape(pod);
        const says = podSays(pod);
        if (last?.shape === shape && last.says === says) continue;
        if (last) last.toMs = nowMs;
        lane.spans.push({ fromMs: nowMs, shape, says });
      }
      for (const lane of lanes.values()) {
        const last = lane.spans.at(-1);
        if (!here.has(lane.uid) && last && last.toMs === undefined) {
          last.toMs = nowMs;
          lane.goneMs = nowMs;
        }
      }
      draw();
    },
    tick(now) {
      nowMs = Math.max(nowMs, now);
      draw();
    },
    reset() {
      lanes.clear();
      place.replaceChildren();
      empty.hidden = false;
    },
    draw,
  };
}

function inWords(lanes: readonly Lane[], startMs: number): string {
  return lanes.map((lane) => `${lane.name}：${lane.spans.map((span) => `${clockText(span.fromMs - startMs)} ${span.says}`).join('、')}`).join('；');
}
