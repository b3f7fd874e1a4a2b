import type { ClusterView } from '../lab/protocol.ts';
import { drawCluster, type Item } from './cluster-drawing.ts';
import { type ClusterModel, clusterModel, podSays } from './cluster-model.ts';
import { escapeText, find } from './dom.ts';
import type { Relations, relationsOf } from './relations.ts';

const SVG = 'http://www.w3.org/2000/svg';
const GONE_MS = 160;

/** The live chart of the cluster: a drawing, the same as text, and short announcements for screen readers. */
export class ClusterChart {
  #drawing: HTMLElement;
  #outline: HTMLElement;
  #announce: HTMLElement;
  #svg: SVGSVGElement;
  #lines: SVGGElement;
  #things: SVGGElement;
  #shown = new Map<string, { group: SVGGElement; item: Item }>();
  #view: ClusterView | undefined;
  #said = new Map<string, string>();
  #toSay: string[] = [];
  #sayTimer: ReturnType<typeof setTimeout> | undefined;
  #selected: string | undefined;
  #relations: Relations | undefined;
  /** Fetched with the first selection. */
  #relate: typeof relationsOf | undefined;

  constructor(panel: HTMLElement, onSelect: (object: string) => void) {
    this.#drawing = find(panel, '[data-view]');
    this.#outline = find(panel, '[data-outline]');
    this.#announce = find(panel, '[data-announce]');
    this.#svg = document.createElementNS(SVG, 'svg');
    this.#svg.setAttribute('aria-hidden', 'true');
    this.#svg.classList.add('chart');
    this.#svg.innerHTML =
      '<defs><pattern id="hatch" width="5" height="5" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><path d="M0 0V5" stroke="var(--sea)" stroke-width="2.4"/></pattern></defs>';
    this.#lines = this.#svg.appendChild(document.createElementNS(SVG, 'g'));
    this.#things = this.#svg.appendChild(document.createElementNS(SVG, 'g'));
    this.#drawing.replaceChildren(this.#svg);
    this.#svg.addEventListener('click', (event) => {
      const object = (event.target as Element).closest<SVGGElement>('[data-object]')?.dataset.object;
      this.#select(object);
      if (object) onSelect(object);
    });
    this.#outline.addEventListener('click', (event) => {
      const object = (event.target as Element).closest<HTMLElement>('[data-object]')?.dataset.object;
      if (!object) return;
      this.#select(object);
      onSelect(object);
    });
    new ResizeObserver(() => this.#redraw()).observe(this.#drawing);
  }

  show(view: ClusterView): void {
    this.#view = view;
    this.#redraw();
    const model = clusterModel(view);
    this.#writeOutline(model);
    this.#say(model);
  }

  /** Marks an object and what belongs to it; a click on the sea takes the mark away. */
  #select(object: string | undefined): void {
    this.#selected = object;
    const mark = (): void => {
      if (!this.#view) return;
      this.#redraw();
      this.#writeOutline(clusterModel(this.#view));
      if (this.#relations) this.#announce.textContent = this.#relations.says;
    };
    if (object === undefined || this.#relate) return mark();
    void import('./relations.ts').then(
      ({ relationsOf }) => {
        this.#relate = relationsOf;
        mark();
      },
      // Without it there is no mark; what was selected is explained all the same.
      () => undefined,
    );
  }

  #redraw(): void {
    if (!this.#view || this.#drawing.clientWidth === 0) return;
    const model = clusterModel(this.#view);
    this.#relations = this.#selected === undefined ? undefined : this.#relate?.(model, this.#selected);
    const drawing = drawCluster(model, Math.max(260, this.#drawing.clientWidth));
    this.#svg.setAttribute('viewBox', `0 0 ${drawing.width} ${drawing.height}`);
    this.#svg.setAttribute('width', String(drawing.width));
    this.#svg.setAttribute('height', String(drawing.height));
    this.#lines.innerHTML = drawing.lines
      .map((line) => `<path class="${line.className}${this.#relations?.line(line.key) ? ' related' : ''}" d="${line.path}"/>`)
      .join('');
    const seen = new Set<string>();
    for (const item of drawing.items) {
      seen.add(item.key);
      this.#place(item);
    }
    for (const [key, { group }] of this.#shown) {
      if (seen.has(key)) continue;
      this.#shown.delete(key);
      group.classList.add('gone');
      setTimeout(() => group.remove(), GONE_MS);
    }
  }

  #place(item: Item): void {
    const known = this.#shown.get(item.key);
    const group = known?.group ?? document.createElementNS(SVG, 'g');
    if (known?.item.markup !== item.markup) group.innerHTML = item.markup;
    const mark =
      !this.#relations || !item.object ? '' : item.object === this.#selected ? ' selected' : this.#relations.objects.has(item.object) ? ' related' : '';
    group.setAttribute('class', `thing ${item.className}${mark}`);
    group.style.transform = `translate(${item.x.toFixed(1)}px, ${item.y.toFixed(1)}px)`;
    if (item.object) group.dataset.object = item.object;
    if (!known) this.#things.append(group);
    this.#shown.set(item.key, { group, item });
  }

  #writeOutline(model: ClusterModel): void {
    const button = (object: string, text: string): string =>
      `<button type="button" data-object="${escapeText(object)}"${object === this.#selected ? ' aria-current="true"' : ''}>${escapeText(text)}</button>`;
    const rows = model.rows.map((row) => {
      const slots = row.slots.map((slot) => {
        const claims = slot.claims.map((claim) => `，PVC ${escapeText(claim.name)} ${escapeText(claim.phase)}`).join('');
        if (!slot.pod) return `<li>編號 ${slot.ordinal ?? ''}：沒有 Pod${claims}</li>`;
        const { pod } = slot;
        const where = pod.node ? `，在 ${escapeText(pod.node)}` : '';
        return `<li>${button(`pods/${pod.namespace}/${pod.name}`, pod.name)}：${escapeText(podSays(pod))}${pod.ip ? `，${escapeText(pod.ip)}` : ''}${where}${claims}</li>`;
      });
      const services = row.services.map(
        (service) =>
          `<li>Service ${button(`services/${service.namespace}/${service.name}`, service.name)}（${service.clusterIP === 'None' ? 'Headless' : escapeText(service.clusterIP)}）指向 ${service.endpoints.filter((each) => each.ready).length} 個就緒的 Pod</li>`,
      );
      const title = row.kind === 'Pod' ? '獨立的 Pod' : `${row.kind} ${row.name}，${row.note}`;
      return `<h3>${row.object ? button(row.object, title) : escapeText(title)}</h3><ul>${slots.join('')}${services.join('')}</ul>`;
    });
    const loose = [
      ...model.looseServices.map((service) => `<li>Service ${button(`services/${service.namespace}/${service.name}`, service.name)}：後面沒有就緒的 Pod</li>`),
      ...model.looseClaims.map(
        (claim) => `<li>PVC ${button(`persistentvolumeclaims/${claim.namespace}/${claim.name}`, claim.name)}：${escapeText(claim.phase)}</li>`,
      ),
    ];
    const nodes = model.nodes.map(
      (node) =>
        `<li>${button(`nodes//${node.name}`, node.name)}：${!node.running ? '關機' : node.ready ? '正常' : 'NotReady'}，${node.pods.length} 個 Pod</li>`,
    );
    const said = this.#relations ? `<p>${escapeText(this.#relations.says)}</p>` : '';
    const html = `${said}${rows.join('') || '<p>還沒有任何物件。</p>'}${loose.length > 0 ? `<h3>其他</h3><ul>${loose.join('')}</ul>` : ''}<h3>節點</h3><ul>${nodes.join('')}</ul>`;
    // The outline keeps its focus: it is only replaced when it says something new.
    if (this.#outline.dataset.html !== html) {
      const focused = this.#outline.contains(document.activeElement) ? (document.activeElement as HTMLElement).dataset.object : undefined;
      this.#outline.innerHTML = html;
      this.#outline.dataset.html = html;
      if (focused) this.#outline.querySelector<HTMLElement>(`[data-object="${CSS.escape(focused)}"]`)?.focus();
    }
  }

  /** What changed, at most once a second, and never more than three sentences. */
  #say(model: ClusterModel): void {
    const now = new Map<string, string>();
    for (const row of model.rows) for (const { pod } of row.slots) if (pod) now.set(pod.name, podSays(pod));
    if (this.#said.size > 0 || now.size < 4) {
      for (const [name, state] of now) if (this.#said.get(name) !== state) this.#toSay.push(`${name} ${state}`);
      for (const name of this.#said.keys()) if (!now.has(name)) this.#toSay.push(`${name} 不見了`);
    }
    this.#said = now;
    if (this.#toSay.length === 0 || this.#sayTimer !== undefined) return;
    this.#sayTimer = setTimeout(() => {
      this.#sayTimer = undefined;
      this.#announce.textContent = this.#toSay.slice(-3).join('；');
      this.#toSay = [];
    }, 1000);
  }
}
