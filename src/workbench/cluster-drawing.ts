import { type ClaimView, type ClusterModel, podSays, podShape, type Row, type ServiceView, type Slot } from './cluster-model.ts';
import { escapeText } from './dom.ts';

/** One thing on the chart: redrawn when its markup changes, moved when its place does. */
export interface Item {
  key: string;
  x: number;
  y: number;
  /** SVG markup around (0, 0). */
  markup: string;
  className: string;
  /** "pods/default/web-0": what a click selects. */
  object?: string;
}

export interface Drawing {
  width: number;
  height: number;
  items: Item[];
  /** Lines lie below the items and are simply redrawn. */
  lines: { key: string; path: string; className: string }[];
}

const RADIUS = 15;
const MARGIN = 16;
const HEAD = 26;
const NODE_HEIGHT = 58;

/** Places everything for a chart of that width (CSS pixels). */
export function drawCluster(model: ClusterModel, width: number): Drawing {
  const drawing: Drawing = { width, height: 0, items: [], lines: [] };
  let y = 12;
  for (const row of model.rows) y = drawRow(drawing, model, row, y);
  if (model.looseServices.length > 0) {
    let x = MARGIN;
    for (const service of model.looseServices) {
      const chip = serviceChip(service);
      drawing.items.push({ ...chip, x: x + chip.width / 2, y: y + 14 });
      x += chip.width + 14;
    }
    y += 40;
  }
  if (model.looseClaims.length > 0) {
    model.looseClaims.forEach((claim, index) => {
      drawing.items.push({ ...claimItem(claim), x: MARGIN + 60 + index * 150, y: y + 16 });
    });
    y += 44;
  }
  if (model.rows.length === 0 && model.looseServices.length === 0) {
    drawing.items.push({
      key: 'empty',
      x: width / 2,
      y: 70,
      className: 'quiet',
      markup: '<text text-anchor="middle">海面上還沒有船。建立一個物件，它就會出現在這裡。</text>',
    });
    y = 130;
  }
  drawing.height = drawNodes(drawing, model, y + 6);
  return drawing;
}

function drawRow(drawing: Drawing, model: ClusterModel, row: Row, top: number): number {
  const title = row.kind === 'Pod' ? '獨立的 Pod' : `${row.kind} ${row.name}`;
  drawing.items.push({
    key: `row/${row.key}`,
    x: MARGIN,
    y: top + 14,
    className: row.deleting ? 'row-title leaving' : 'row-title',
    object: row.object,
    markup: `<text><tspan class="kind">${escapeText(row.kind === 'Pod' ? title : row.kind)}</tspan>${row.kind === 'Pod' ? '' : ` <tspan dx="4" class="name">${escapeText(row.name)}</tspan>`}<tspan dx="8" class="note">${escapeText(row.note)}</tspan></text>`,
  });
  let y = top + HEAD;
  // The Services stand between the title and the line, each above the Pods it points to.
  const anchors: { service: ServiceView; x: number; y: number }[] = [];
  const chipsAt = y + 12;
  if (row.services.length > 0) y += 46;

  const compact = row.slots.length > 48;
  const step = compact ? 26 : Math.max(98, Math.min(124, (drawing.width - MARGIN * 2) / Math.max(1, row.slots.length)));
  const perLine = Math.max(1, Math.floor((drawing.width - MARGIN * 2) / step));
  const hasClaims = row.slots.some((slot) => slot.claims.length > 0);
  const lineHeight = compact ? 26 : RADIUS * 2 + 36 + (hasClaims ? 34 : 0);
  const lines = Math.max(1, Math.ceil(row.slots.length / perLine));
  let free = MARGIN;
  for (const service of row.services) {
    const chip = serviceChip(service);
    const xs = row.slots.flatMap((slot, index) =>
      service.endpoints.some((endpoint) => endpoint.ip === slot.pod?.ip) ? [MARGIN + ((index % perLine) + 0.5) * step] : [],
    );
    const middle = xs.length > 0 ? xs.reduce((sum, x) => sum + x, 0) / xs.length : drawing.width / 2;
    const x = Math.max(free + chip.width / 2, Math.min(middle, drawing.width - MARGIN - chip.width / 2));
    drawing.items.push({ ...chip, x, y: chipsAt });
    anchors.push({ service, x, y: chipsAt + 11 });
    free = x + chip.width / 2 + 12;
  }
  for (let line = 0; line < lines; line++) {
    const slots = row.slots.slice(line * perLine, (line + 1) * perLine);
    const lineY = y + line * lineHeight + RADIUS + 2;
    if (row.kind === 'StatefulSet' && slots.length > 0 && !compact) {
      const end = MARGIN + (slots.length - 0.5) * step;
      drawing.lines.push({ key: `rail/${row.key}/${line}`, path: `M${MARGIN} ${lineY}H${end}`, className: 'rail' });
    }
    slots.forEach((slot, index) => {
      drawSlot(drawing, model, slot, MARGIN + (index + 0.5) * step, lineY, compact, anchors);
    });
  }
  if (row.slots.length === 0) drawing.items.push({ key: `none/${row.key}`, x: MARGIN, y: y + 16, className: 'quiet', markup: '<text>沒有 Pod</text>' });
  return y + (row.slots.length === 0 ? 28 : lines * lineHeight) + 14;
}

function drawSlot(
  drawing: Drawing,
  model: ClusterModel,
  slot: Slot,
  x: number,
  y: number,
  compact: boolean,
  anchors: readonly { service: ServiceView; x: number; y: number }[],
): void {
  const { pod } = slot;
  const radius = compact ? 9 : RADIUS;
  slot.claims.forEach((claim, index) => {
    const claimY = y + radius + 52 + index * 22;
    drawing.lines.push({
      key: `hang/${slot.key}/${claim.name}`,
      path: `M${x - 44} ${claimY}V${y + 6}Q${x - 44} ${y} ${x - radius} ${y}`,
      className: pod ? 'hang' : 'hang loose',
    });
    drawing.items.push({ ...claimItem(claim), x: x - 44, y: claimY });
  });
  if (!pod) {
    drawing.items.push({
      key: `gap/${slot.key}`,
      x,
      y,
      className: 'gap',
      object: slot.missing,
      markup: `<title>${slot.ordinal ?? ''} 號：還沒有 Pod</title><circle r="${radius - 4}"/><text y="4" text-anchor="middle">${slot.ordinal ?? ''}</text>`,
    });
    return;
  }
  const shape = podShape(pod);
  for (const { service, x: fromX, y: fromY } of anchors) {
    const endpoint = service.endpoints.find((each) => each.ip === pod.ip);
    if (endpoint) {
      drawing.lines.push({
        key: `bearing/${service.namespace}/${service.name}/${pod.uid}`,
        path: `M${fromX} ${fromY}L${x} ${y - radius - 2}`,
        className: endpoint.ready ? 'bearing' : 'bearing unready',
      });
    }
  }
  const suffix = pod.ordinal === undefined ? (pod.owner ? `…${pod.name.slice(-6)}` : pod.name) : undefined;
  const node = model.nodes.find((each) => each.name === pod.node);
  const first = shape === 'ready' ? (pod.ip ?? '') : pod.status;
  const second = suffix ?? node?.short ?? '';
  const labels = compact
    ? ''
    : `<text class="state" y="${radius + 14}" text-anchor="middle">${escapeText(first)}</text><text class="where" y="${radius + 28}" text-anchor="middle">${escapeText(second)}</text>`;
  drawing.items.push({
    key: `pod/${pod.uid}`,
    x,
    y,
    className: `pod ${shape}`,
    object: `pods/${pod.namespace}/${pod.name}`,
    markup: `<title>${escapeText(`${pod.name}：${podSays(pod)}`)}</title>${podMark(shape, radius, pod.ordinal)}${labels}`,
  });
}

/** The mark itself: shape and text carry the meaning, colour repeats it. */
function podMark(shape: ReturnType<typeof podShape>, radius: number, ordinal: number | undefined): string {
  const inside = ordinal === undefined ? '' : `<text class="ordinal" y="5" text-anchor="middle">${ordinal}</text>`;
  const badge =
    radius < 12 ? '' : shape === 'failing' ? '<g class="badge" transform="translate(12,-12)"><circle r="7"/><text y="4" text-anchor="middle">!</text></g>' : '';
  const tick = shape === 'done' && ordinal === undefined ? '<path class="tick" d="M-6 0-1.5 5 6.5-5"/>' : '';
  const cross = shape === 'leaving' ? `<path class="cross" d="M${-radius} ${radius}L${radius} ${-radius}"/>` : '';
  const ring = shape === 'unready' ? `<circle class="inner" r="${radius - 5}"/>` : '';
  return `<circle class="body" r="${radius}"/>${ring}${cross}${inside}${tick}${badge}`;
}

function claimItem(claim: ClaimView): Omit<Item, 'x' | 'y'> {
  const bound = claim.phase === 'Bound';
  return {
    key: `claim/${claim.namespace}/${claim.name}`,
    className: `claim ${claim.deleting ? 'leaving' : bound ? 'bound' : 'pending'}`,
    object: `persistentvolumeclaims/${claim.namespace}/${claim.name}`,
    markup: `<title>${escapeText(`${claim.name}：${claim.phase}`)}</title><rect x="-6" y="-7" width="12" height="14" rx="2"/><path d="M-6 -2.5H6"/><text x="11" y="4">PVC ${escapeText(bound ? (claim.capacity ?? '') : claim.phase)}</text>`,
  };
}

function serviceChip(service: ServiceView): Omit<Item, 'x' | 'y'> & { width: number } {
  const address = service.clusterIP === 'None' ? 'Headless' : service.clusterIP || service.type;
  const width = textWidth(service.name, 12) + textWidth(address, 11) + 34;
  return {
    key: `service/${service.namespace}/${service.name}`,
    className: 'service',
    object: `services/${service.namespace}/${service.name}`,
    width,
    markup: `<title>${escapeText(`Service ${service.name}（${address}），${service.endpoints.filter((each) => each.ready).length} 個就緒的端點`)}</title><rect x="${-width / 2}" y="-11" width="${width}" height="22" rx="11"/><path d="M${-width / 2 + 10} 4l4-9 4 9z"/><text x="${-width / 2 + 22}" y="4"><tspan class="name">${escapeText(service.name)}</tspan><tspan dx="6" class="note">${escapeText(address)}</tspan></text>`,
  };
}

function drawNodes(drawing: Drawing, model: ClusterModel, top: number): number {
  const count = Math.max(1, model.nodes.length);
  const perLine = Math.max(1, Math.min(count, Math.floor((drawing.width - MARGIN) / 150)));
  const width = (drawing.width - MARGIN * 2 - (perLine - 1) * 10) / perLine;
  model.nodes.forEach((node, index) => {
    const fits = Math.max(1, Math.floor((width - 20) / 20));
    const shown = node.pods.length > fits ? fits - 1 : node.pods.length;
    const dots = node.pods
      .slice(0, shown)
      .map(
        (pod, i) =>
          `<g class="dot ${podShape(pod)}" transform="translate(${18 + i * 20},42)"><circle class="body" r="8"/><text y="4" text-anchor="middle">${pod.ordinal ?? ''}</text></g>`,
      )
      .join('');
    const more = node.pods.length > shown ? `<text class="note" x="${18 + shown * 20 - 6}" y="46">+${node.pods.length - shown}</text>` : '';
    const state = !node.running ? '關機' : !node.ready ? 'NotReady' : !node.schedulable ? '不再排程' : '';
    drawing.items.push({
      key: `node/${node.name}`,
      x: MARGIN + (index % perLine) * (width + 10),
      y: top + Math.floor(index / perLine) * (NODE_HEIGHT + 10),
      className: node.ready && node.running ? 'node' : 'node down',
      object: `nodes//${node.name}`,
      markup: `<title>${escapeText(`節點 ${node.name}`)}</title><rect width="${width}" height="${NODE_HEIGHT}" rx="2"/><text class="name" x="10" y="19">${escapeText(node.short)}</text><text class="note" x="${width - 10}" y="19" text-anchor="end">${escapeText(state)}</text>${dots}${more}`,
    });
  });
  return top + Math.ceil(model.nodes.length / perLine) * (NODE_HEIGHT + 10) + 6;
}

/** Rough width of a text: Han characters are as wide as the type is high, others a little over half. */
function textWidth(text: string, size: number): number {
  let width = 0;
  for (const char of text) width += char.charCodeAt(0) > 0x2e80 ? size : size * 0.6;
  return width;
}
