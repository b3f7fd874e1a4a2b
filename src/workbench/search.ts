import type { SearchEntry, SearchResult } from './search-match.ts';

/** The search dialog: loads the index when it is first opened. Ctrl-K opens it, except where Ctrl-K means something else. */
export function wireSearch(root: HTMLElement): void {
  const dialog = root.querySelector('dialog');
  const field = root.querySelector<HTMLInputElement>('input');
  const list = root.querySelector<HTMLElement>('[data-search-results]');
  const status = root.querySelector<HTMLElement>('[data-search-status]');
  const opener = root.querySelector<HTMLButtonElement>('[data-search-open]');
  if (!dialog || !field || !list || !status || !opener) return;
  const base = root.dataset.base ?? '/';
  let entries: Promise<SearchEntry[]> | undefined;

  const open = (): void => {
    entries ??= fetch(`${base}search.json`).then((response) => {
      if (!response.ok) throw new Error(String(response.status));
      return response.json() as Promise<SearchEntry[]>;
    });
    dialog.showModal();
    field.select();
  };
  const show = async (): Promise<void> => {
    const query = field.value;
    let found: SearchResult[] = [];
    try {
      const [known = [], { searchEntries }] = await Promise.all([entries, import('./search-match.ts')]);
      found = searchEntries(known, query);
    } catch {
      entries = undefined;
      status.textContent = '搜尋的資料沒有載到。檢查一下網路，再打一次。';
      return;
    }
    if (query !== field.value) return;
    status.textContent = query.trim() === '' ? '' : found.length === 0 ? '沒有找到。換個說法，或是用英文的名稱試試。' : `${found.length} 個地方`;
    list.replaceChildren(
      ...found.map(({ entry, excerpt }) => {
        const item = document.createElement('li');
        const link = document.createElement('a');
        link.href = base + entry.url;
        const title = document.createElement('strong');
        title.textContent = entry.heading === '' ? entry.page : `${entry.page}　›　${entry.heading}`;
        const text = document.createElement('span');
        excerpt.forEach((part, index) => {
          text.append(index % 2 === 1 ? Object.assign(document.createElement('mark'), { textContent: part }) : part);
        });
        link.append(title, text);
        item.append(link);
        return item;
      }),
    );
  };

  opener.addEventListener('click', open);
  field.addEventListener('input', () => void show());
  dialog.addEventListener('click', (event) => {
    const target = event.target as Element;
    if (target === dialog || target.closest('a')) dialog.close();
  });
  dialog.addEventListener('keydown', (event) => {
    if (event.key !== 'ArrowDown' && event.key !== 'ArrowUp') return;
    const links = [...list.querySelectorAll('a')];
    const at = links.indexOf(document.activeElement as HTMLAnchorElement);
    const next = at + (event.key === 'ArrowDown' ? 1 : -1);
    event.preventDefault();
    if (next < 0) field.focus();
    else links[Math.min(next, links.length - 1)]?.focus();
  });
  addEventListener('keydown', (event) => {
    if (!(event.ctrlKey || event.metaKey) || event.key !== 'k') return;
    // In the terminal Ctrl-K cuts the rest of the line; in the editor it is the editor's.
    if ((event.target as Element).closest?.('.xterm, .cm-editor')) return;
    event.preventDefault();
    if (dialog.open) dialog.close();
    else open();
  });
  opener.disabled = false;
}
