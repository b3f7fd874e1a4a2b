import { type Action, matchActions, pageActions } from './palette-actions.ts';
import { type SearchEntry, type SearchResult, searchEntries } from './search-match.ts';

let entries: Promise<SearchEntry[]> | undefined;
/** What the open palette offers, and whether its keys are wired. */
let actions: Action[] = [];
let wired = false;

/** Fills the open dialog: what the page can do, and search over every lesson. */
export function openPalette(root: HTMLElement, dialog: HTMLDialogElement): void {
  const base = root.dataset.base ?? '/';
  const find = <T extends HTMLElement>(selector: string): T => dialog.querySelector<T>(selector) as T;
  const field = find<HTMLInputElement>('input');
  const doing = find('[data-palette-actions]');
  const results = find('[data-search-results]');
  const status = find('[data-search-status]');

  entries ??= fetch(`${base}search.json`).then((response) => {
    if (!response.ok) throw new Error(String(response.status));
    return response.json() as Promise<SearchEntry[]>;
  });
  actions = pageActions();

  const actionItem = (action: Action): HTMLElement => {
    const item = document.createElement('li');
    const button = document.createElement('button');
    button.type = 'button';
    button.append(
      Object.assign(document.createElement('strong'), { textContent: action.label }),
      Object.assign(document.createElement('span'), { textContent: action.note }),
    );
    button.addEventListener('click', () => {
      dialog.close();
      action.act();
    });
    item.append(button);
    return item;
  };
  const resultItem = ({ entry, excerpt }: SearchResult): HTMLElement => {
    const item = document.createElement('li');
    const link = document.createElement('a');
    link.href = base + entry.url;
    const text = document.createElement('span');
    excerpt.forEach((part, index) => {
      text.append(index % 2 === 1 ? Object.assign(document.createElement('mark'), { textContent: part }) : part);
    });
    link.append(
      Object.assign(document.createElement('strong'), { textContent: entry.heading === '' ? entry.page : `${entry.page}　›　${entry.heading}` }),
      text,
    );
    item.append(link);
    return item;
  };

  const show = async (): Promise<void> => {
    const query = field.value;
    const doable = matchActions(actions, query);
    doing.replaceChildren(...doable.map(actionItem));
    doing.hidden = doable.length === 0;
    let found: SearchResult[] = [];
    if (query.trim() !== '') {
      try {
        found = searchEntries((await entries) ?? [], query);
      } catch {
        entries = undefined;
        status.textContent = '搜尋的資料沒有載到。檢查一下網路，再打一次。';
        return;
      }
    }
    if (query !== field.value) return;
    results.replaceChildren(...found.map(resultItem));
    results.hidden = found.length === 0;
    if (query.trim() === '') status.textContent = '打字可以找課文，也可以找動作。上下鍵選，Enter 執行。';
    else if (found.length + doable.length === 0) status.textContent = '沒有找到。換個說法，或是用英文的名稱試試。';
    else status.textContent = [doable.length > 0 && `${doable.length} 個動作`, found.length > 0 && `課文裡 ${found.length} 個地方`].filter(Boolean).join('，');
  };

  if (!wired) {
    wired = true;
    field.addEventListener('input', () => void show());
    dialog.addEventListener('click', (event) => {
      const target = event.target as Element;
      if (target === dialog || target.closest('a')) dialog.close();
    });
    dialog.addEventListener('keydown', (event) => {
      const choices = [...dialog.querySelectorAll<HTMLElement>('ul:not([hidden]) :is(a, li button)')];
      if (event.key === 'Enter' && document.activeElement === field && !event.isComposing) {
        event.preventDefault();
        choices[0]?.click();
      }
      if (event.key !== 'ArrowDown' && event.key !== 'ArrowUp') return;
      const next = choices.indexOf(document.activeElement as HTMLElement) + (event.key === 'ArrowDown' ? 1 : -1);
      event.preventDefault();
      if (next < 0) field.focus();
      else choices[Math.min(next, choices.length - 1)]?.focus();
    });
  }
  field.select();
  void show();
}
