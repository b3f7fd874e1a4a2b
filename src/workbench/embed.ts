/**
 * A lab in an <iframe>. Parameters: step, theme, size, view. Messages to the embedding page and from it are described in
 * HOSTING.md; both carry plain data, and a message can do no more than a reader at the terminal of a simulated cluster.
 */
const body = document.body;
const lab = body.dataset.embed ?? '';
const steps = [...document.querySelectorAll<HTMLElement>('section[data-step]')];
const panel = document.querySelector<HTMLElement>('section[data-lab]');
const back = document.querySelector<HTMLButtonElement>('[data-embed-back]');
const next = document.querySelector<HTMLButtonElement>('[data-embed-next]');
const reached = new Set(steps.filter((step) => step.hasAttribute('data-reached')).map((step) => step.dataset.step ?? ''));
let shown = 0;

/** Nothing in it is anybody's secret: ids of steps, and that the lab is ready. */
function tell(type: 'ready' | 'step' | 'reached' | 'failed', more: Record<string, unknown> = {}): void {
  if (parent !== window) parent.postMessage({ source: 'chartroom', version: 1, type, lab, ...more }, '*');
}

function show(id: string | undefined): void {
  const index = steps.findIndex((step) => step.dataset.step === id);
  if (index >= 0) shown = index;
  for (const [at, step] of steps.entries()) step.hidden = at !== shown;
  if (back) back.disabled = shown === 0;
  if (next) next.disabled = shown === steps.length - 1;
  tell('step', { step: steps[shown]?.dataset.step });
}

panel?.setAttribute('data-open', '');
show(new URLSearchParams(location.search).get('step') ?? steps[0]?.dataset.step);
back?.addEventListener('click', () => show(steps[shown - 1]?.dataset.step));
next?.addEventListener('click', () => show(steps[shown + 1]?.dataset.step));

document.addEventListener('chartroom-step', (event) => {
  const step = (event as CustomEvent<string>).detail;
  reached.add(step);
  tell('reached', { step, reached: [...reached], total: steps.length });
});

if (panel) {
  let last = '';
  const look = (): void => {
    const state = panel.dataset.state ?? '';
    if (state === last) return;
    last = state;
    if (state === 'ready') tell('ready', { steps: steps.map((step) => step.dataset.step) });
    if (state === 'failed') tell('failed');
  };
  new MutationObserver(look).observe(panel, { attributeFilter: ['data-state'] });
  look();
}

addEventListener('message', (event: MessageEvent<unknown>) => {
  if (event.source !== parent || typeof event.data !== 'object' || event.data === null) return;
  const { target, type, step, theme, command } = event.data as Record<string, unknown>;
  if (target !== 'chartroom') return;
  if (type === 'show' && typeof step === 'string') show(step);
  if (type === 'theme' && (theme === 'light' || theme === 'dark')) document.documentElement.dataset.theme = theme;
  // Only commands that the step itself offers.
  if (type === 'run' && typeof command === 'string')
    steps[shown]?.querySelector<HTMLButtonElement>(`[data-command="${CSS.escape(command)}"] [data-run]:not([disabled])`)?.click();
});

export {};
