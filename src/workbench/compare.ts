import type { ObjectChange } from '../lab/moments.ts';

const CHANGES = { created: '建立', changed: '更動', deleted: '刪除' } as const;

/** What is different between two moments: a list of objects, each with the diff of its YAML. */
export function showComparison(
  place: HTMLElement,
  changes: readonly ObjectChange[],
  moments: { fromMs: number; toMs: number },
  clock: (ms: number) => string,
): void {
  const heading = element('h3', `${clock(moments.fromMs)} → ${clock(moments.toMs)}：${changes.length === 0 ? '沒有差別' : `${changes.length} 個物件不同`}`);
  heading.tabIndex = -1;
  const list = document.createElement('ul');
  for (const { change, resource, name, actors, diff } of changes) {
    const item = document.createElement('li');
    const details = document.createElement('details');
    const summary = element('summary', `${CHANGES[change]} ${resource.split('/').at(-1)}/${name}`);
    summary.dataset.change = change;
    summary.append(element('span', `　${actors.join('、')}`));
    const code = element('pre', '');
    code.tabIndex = 0;
    code.setAttribute('aria-label', `${name} 的差異`);
    // The two lines with file names say nothing here.
    for (const line of diff.replace(/^---.*\n\+\+\+.*\n/, '').split('\n')) {
      const row = element('span', `${line}\n`);
      if (line.startsWith('+')) row.className = 'added';
      else if (line.startsWith('-')) row.className = 'removed';
      code.append(row);
    }
    details.append(summary, code);
    item.append(details);
    list.append(item);
  }
  place.replaceChildren(heading, ...(changes.length > 0 ? [list] : []));
  place.hidden = false;
  heading.focus();
}

function element(tag: string, text: string): HTMLElement {
  return Object.assign(document.createElement(tag), { textContent: text });
}
