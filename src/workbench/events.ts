import type { ClusterView } from '../lab/protocol.ts';
import { clockText, find } from './dom.ts';

const SHOWN = 300;

/** The cluster's events, newest first. */
export function createEvents(panel: HTMLElement, ask: (object: string) => void): { show(view: ClusterView, startMs: number): void } {
  const table = find<HTMLTableElement>(panel, '[data-events]');
  const empty = find(panel, '[data-events-empty]');
  const body = find(table, 'tbody');
  let last = '';
  return {
    show(view, startMs) {
      const events = view.events.filter((event) => event.atMs >= startMs).slice(-SHOWN);
      const mark = events.map((event) => `${event.atMs}${event.object}${event.reason}${event.count}`).join('|');
      if (mark === last) return;
      last = mark;
      table.hidden = events.length === 0;
      empty.hidden = events.length > 0;
      body.replaceChildren(
        ...[...events]
          .sort((a, b) => b.atMs - a.atMs)
          .map((event) => {
            const row = document.createElement('tr');
            row.dataset.type = event.type;
            for (const text of [
              clockText(event.atMs - startMs),
              event.object,
              event.reason,
              event.message + (event.count > 1 ? `（${event.count} 次）` : ''),
            ]) {
              const cell = document.createElement('td');
              cell.textContent = text;
              row.append(cell);
            }
            const why = Object.assign(document.createElement('button'), { type: 'button', className: 'quiet', textContent: event.reason, title: '為什麼？' });
            why.addEventListener('click', () => ask(`events/${event.namespace}/${event.name}`));
            row.cells[2]?.replaceChildren(why);
            return row;
          }),
      );
    },
  };
}
