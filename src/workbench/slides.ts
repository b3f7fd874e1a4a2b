import type { ObjectChange } from '../lab/moments.ts';
import type { SessionRequest } from '../lab/protocol.ts';
import { clockText } from './dom.ts';

export interface SlideOptions {
  commands: readonly { atMs: number; line: string }[];
  startMs: number;
  nowMs: number;
  request<T>(request: SessionRequest): Promise<T>;
  /** Shows the cluster as it was then; undefined: as it is. */
  preview(atMs: number | undefined): void;
}

/**
 * The session as slides for teaching: one per command, with what it changed and the cluster just before the next one.
 * Nothing moves by itself. Buttons, arrow keys, Home, End; Escape ends it. Each slide is read out as one region.
 */
export function showSlides(place: HTMLElement, { commands, startMs, nowMs, request, preview }: SlideOptions): void {
  let at = 0;
  const region = document.createElement('section');
  region.className = 'slides';
  region.setAttribute('aria-label', '投影片');
  region.tabIndex = -1;
  const text = document.createElement('div');
  text.setAttribute('aria-live', 'polite');
  const bar = document.createElement('p');
  const button = (label: string, act: () => void): HTMLButtonElement => {
    const made = Object.assign(document.createElement('button'), { type: 'button', textContent: label });
    made.addEventListener('click', act);
    bar.append(made, ' ');
    return made;
  };
  const go = (to: number): void => {
    at = Math.max(0, Math.min(commands.length - 1, to));
    void show();
  };
  const end = (): void => {
    region.remove();
    preview(undefined);
  };
  const back = button('← 上一步', () => go(at - 1));
  const next = button('下一步 →', () => go(at + 1));
  button('結束', end);
  region.append(text, bar);
  region.addEventListener('keydown', (event) => {
    const to = { ArrowLeft: at - 1, ArrowRight: at + 1, PageUp: at - 1, PageDown: at + 1, Home: 0, End: commands.length - 1 }[event.key];
    if (event.key === 'Escape') end();
    else if (to === undefined) return;
    else go(to);
    event.preventDefault();
  });

  async function show(): Promise<void> {
    const shown = at;
    const { atMs, line } = commands[shown] ?? { atMs: startMs, line: '' };
    const untilMs = (commands[shown + 1]?.atMs ?? nowMs + 1) - 1;
    const changes = await request<ObjectChange[]>({ type: 'compare', fromMs: atMs - 1, toMs: untilMs }).catch((): ObjectChange[] => []);
    if (shown !== at) return;
    const heading = Object.assign(document.createElement('h3'), { textContent: `${shown + 1} / ${commands.length}　${clockText(atMs - startMs)}` });
    const command = Object.assign(document.createElement('code'), { textContent: `$ ${line}` });
    const list = document.createElement('ul');
    const verbs = { created: '建立了', changed: '改了', deleted: '刪除了' } as const;
    for (const { change, resource, name } of changes.slice(0, 12))
      list.append(Object.assign(document.createElement('li'), { textContent: `${verbs[change]} ${resource.split('/').at(-1)}/${name}` }));
    if (changes.length === 0) list.append(Object.assign(document.createElement('li'), { textContent: '叢集沒有改變。' }));
    if (changes.length > 12) list.append(Object.assign(document.createElement('li'), { textContent: `……還有 ${changes.length - 12} 個` }));
    text.replaceChildren(heading, command, list);
    back.disabled = shown === 0;
    next.disabled = shown === commands.length - 1;
    preview(untilMs);
  }

  place.replaceChildren(region);
  void show();
  region.focus();
}
