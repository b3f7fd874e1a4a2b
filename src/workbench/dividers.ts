import { type Layout, layoutStore } from './store.ts';

/** Makes the dividers between lesson and lab, and between cluster and terminal, movable by pointer and by keys. */
export function wireDividers(lab: HTMLElement): void {
  const layout = layoutStore.read();
  const root = document.documentElement;
  const set = {
    width: (percent: number): void => root.style.setProperty('--lab-width', `${percent}vw`),
    height: (percent: number): void => lab.style.setProperty('--view-height', `${percent}%`),
  };
  for (const divider of lab.querySelectorAll<HTMLElement>('[data-divider]')) {
    const kind = divider.dataset.divider as 'width' | 'height';
    const least = Number(divider.getAttribute('aria-valuemin'));
    const most = Number(divider.getAttribute('aria-valuemax'));
    const move = (percent: number): void => {
      const value = Math.round(Math.min(most, Math.max(least, percent)));
      set[kind](value);
      divider.setAttribute('aria-valuenow', String(value));
    };
    const kept: number | undefined = layout[kind];
    if (kept !== undefined) move(kept);
    const keep = (): void => layoutStore.change({ [kind]: Number(divider.getAttribute('aria-valuenow')) } as Layout);

    divider.addEventListener('pointerdown', (event) => {
      event.preventDefault();
      divider.setPointerCapture(event.pointerId);
      const follow = (moved: PointerEvent): void => {
        const body = divider.parentElement?.getBoundingClientRect();
        if (kind === 'width') move(((innerWidth - moved.clientX) / innerWidth) * 100);
        else if (body) move(((moved.clientY - body.top) / body.height) * 100);
      };
      divider.addEventListener('pointermove', follow);
      divider.addEventListener(
        'lostpointercapture',
        () => {
          divider.removeEventListener('pointermove', follow);
          keep();
        },
        { once: true },
      );
    });
    divider.addEventListener('keydown', (event) => {
      const steps: Record<string, number> = kind === 'width' ? { ArrowLeft: 2, ArrowRight: -2 } : { ArrowUp: -3, ArrowDown: 3 };
      const by = steps[event.key];
      if (by === undefined) return;
      event.preventDefault();
      move(Number(divider.getAttribute('aria-valuenow')) + by);
      keep();
    });
  }
}

/** The sheet of small windows: opens and closes by its button, its height follows a drag on the bar and is remembered. */
export function wireSheet(lab: HTMLElement): { open(): void } {
  const button = lab.querySelector<HTMLElement>('[data-sheet]');
  const label = lab.querySelector<HTMLElement>('[data-sheet-label]');
  const bar = lab.querySelector<HTMLElement>('.lab-bar');
  const setHeight = (percent: number): void => lab.style.setProperty('--sheet-height', `${Math.round(Math.min(92, Math.max(30, percent)))}dvh`);
  const kept = layoutStore.read().sheet;
  if (kept !== undefined) setHeight(kept);
  const toggle = (open: boolean): void => {
    lab.toggleAttribute('data-open', open);
    button?.setAttribute('aria-expanded', String(open));
    if (label) label.textContent = open ? '收起' : '打開實驗';
  };
  button?.addEventListener('click', () => toggle(!lab.hasAttribute('data-open')));
  bar?.addEventListener('pointerdown', (event) => {
    if (!lab.hasAttribute('data-open') || (event.target as Element).closest('input, label, .quiet')) return;
    const from = event.clientY;
    let percent: number | undefined;
    const follow = (moved: PointerEvent): void => {
      if (percent === undefined && Math.abs(moved.clientY - from) < 8) return;
      percent = ((innerHeight - moved.clientY) / innerHeight) * 100;
      setHeight(percent);
    };
    const end = (): void => {
      removeEventListener('pointermove', follow);
      if (percent === undefined) return;
      layoutStore.change({ sheet: percent });
      // A drag that ends on the button is not a click on it.
      const swallow = (click: Event): void => click.stopPropagation();
      addEventListener('click', swallow, { capture: true, once: true });
      setTimeout(() => removeEventListener('click', swallow, { capture: true }), 50);
    };
    addEventListener('pointermove', follow);
    addEventListener('pointerup', end, { once: true });
  });
  return {
    open: () => {
      if (button && getComputedStyle(button).display !== 'none') toggle(true);
    },
  };
}
