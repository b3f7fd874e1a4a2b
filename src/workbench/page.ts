import { wireQuestions } from './questions.ts';
import { progressStore } from './store.ts';

/** What every page does: questions, and marks of progress in the course menu. */
function markProgress(): void {
  const progress = progressStore.read();
  for (const link of document.querySelectorAll<HTMLAnchorElement>('[data-progress-lab]')) {
    const lab = link.dataset.progressLab ?? '';
    const total = Number(link.dataset.progressSteps);
    const done = Math.min(total, progress[lab]?.length ?? 0);
    let mark = link.querySelector<HTMLElement>('.progress-mark');
    if (!mark) {
      mark = document.createElement('span');
      mark.className = 'progress-mark';
      link.append(mark);
    }
    mark.textContent = done === 0 ? '' : done >= total ? '✓ 完成' : `${done}/${total}`;
  }
}

/** A glossary card stays inside the window. */
function steerCards(event: Event): void {
  const term = (event.target as Element | null)?.closest?.<HTMLElement>('.term');
  const card = term?.querySelector<HTMLElement>('.term-card');
  if (!term || !card) return;
  const edge = Math.min(document.documentElement.clientWidth, (term.closest('.main-pane') ?? document.body).getBoundingClientRect().right) - 8;
  card.style.setProperty('--shift', `${Math.min(0, edge - (term.getBoundingClientRect().left + card.offsetWidth))}px`);
}

wireQuestions();
const progressTools = document.querySelector<HTMLElement>('[data-progress-tools]');
if (progressTools) void import('./progress-file.ts').then(({ wireProgressFile }) => wireProgressFile(progressTools));
markProgress();
document.addEventListener('chartroom-progress', markProgress);
addEventListener('storage', markProgress);
document.addEventListener('pointerover', steerCards, { passive: true });
document.addEventListener('focusin', steerCards);

/** Offline: once the page has settled, so that it never competes with the lab's start. */
function installServiceWorker(): void {
  const base = document.documentElement.querySelector<HTMLElement>('[data-search]')?.dataset.base ?? '/';
  if (!('serviceWorker' in navigator) || !isSecureContext) return;
  setTimeout(() => {
    navigator.serviceWorker.register(`${base}sw.js`).catch(() => {
      // Blocked storage or a private window: the site works all the same, with a network.
    });
  }, 3000);
}
if (import.meta.env.PROD) installServiceWorker();
