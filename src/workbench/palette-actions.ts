/** Something the page can do, as the palette offers it. */
export interface Action {
  label: string;
  /** Where it belongs: a step's title, a group. */
  note: string;
  /** More words it is found by. */
  words: string;
  act: () => void;
}

/** Everything the page can do now. Each action presses the page's own control, so that there is one way of doing it. */
export function pageActions(page: ParentNode = document): Action[] {
  const actions: Action[] = [];
  const offer = (label: string, note: string, words: string, act: () => void): void => void actions.push({ label, note, words, act });
  const press = (selector: string, label: string, note: string, words: string, act?: (button: HTMLElement) => void): void => {
    const control = page.querySelector<HTMLElement>(selector);
    if (control && !control.hidden && !control.hasAttribute('disabled')) offer(label, note, words, () => (act ? act(control) : control.click()));
  };
  const lab = page.querySelector<HTMLElement>('section[data-lab]');
  const openSheet = (): void => {
    const sheet = lab?.querySelector<HTMLElement>('[data-sheet][aria-expanded="false"]');
    if (sheet && sheet.offsetParent !== null) sheet.click();
  };

  const steps = [...page.querySelectorAll<HTMLElement>('section[data-step]')];
  const open = steps.find((step) => !step.hasAttribute('data-reached'));
  const titleOf = (step: HTMLElement): string => step.querySelector('h3')?.textContent ?? '';
  if (open) {
    offer(`到下一個還沒完成的步驟：${titleOf(open)}`, '課文', 'next step goto', () => {
      open.scrollIntoView({ block: 'start' });
      open.querySelector<HTMLElement>('button:not([disabled])')?.focus({ preventScroll: true });
    });
  }
  const offerCommands = (step: HTMLElement): void => {
    for (const command of step.querySelectorAll<HTMLElement>('[data-command]')) {
      const button = command.querySelector<HTMLButtonElement>('[data-run]');
      if (button && !button.disabled) offer(`執行 ${command.dataset.command}`, titleOf(step), 'run step', () => button.click());
    }
  };
  // What the reader is at comes first, the other steps' commands last.
  if (open) offerCommands(open);
  for (const button of page.querySelectorAll<HTMLElement>('[data-twins]'))
    offer('打開並排的兩個叢集', button.closest('.twins')?.querySelector('.twins-title')?.textContent ?? '', 'twin compare', () => button.click());

  if (lab) {
    for (const tab of lab.querySelectorAll<HTMLElement>('[role="tab"]'))
      offer(`打開「${tab.textContent?.trim()}」`, '實驗', `open tab ${tab.dataset.tab}`, () => {
        openSheet();
        tab.click();
        if (tab.dataset.tab !== 'terminal') tab.focus();
      });
    const list = lab.querySelector<HTMLSelectElement>('[data-file-list]');
    for (const { value } of list?.options ?? [])
      offer(`編輯檔案 ${value}`, '檔案', 'file edit open switch', () => {
        openSheet();
        lab.querySelector<HTMLElement>('[data-tab="files"]')?.click();
        if (list && list.value !== value) {
          list.value = value;
          list.dispatchEvent(new Event('change'));
        }
      });
    for (const speed of lab.querySelectorAll<HTMLInputElement>('[data-speed] input'))
      offer(`時間${speed.value === '0' ? '' : ' '}${speed.nextElementSibling?.textContent}`, '時間', `speed time pause ${speed.value}`, () => speed.click());
    for (const button of lab.querySelectorAll<HTMLElement>('#lab-forward button'))
      offer(`快轉：${button.textContent}`, '時間', 'skip forward', () => button.click());
    for (const button of lab.querySelectorAll<HTMLElement>('#lab-back button:not([hidden])'))
      offer(button.textContent ?? '', '倒回', 'undo back rewind', () => button.click());
    for (const button of lab.querySelectorAll<HTMLElement>('#lab-share button'))
      offer(button.textContent ?? '', '分享', `share ${button.dataset.share}`, () => button.click());
    press('[popovertarget="lab-break"]', '弄壞叢集……', '實驗', 'break failure chaos');
    press('[data-reset]', '重設：換一個全新的叢集', '實驗', 'reset restart', (button) => {
      // The button asks once more; the palette's words were clear.
      button.click();
      if (button.dataset.sure !== undefined) button.click();
    });
    press('[data-host]', lab.querySelector('[data-host]')?.textContent ?? '', '實驗', 'webcontainer node');
    press('[data-split]', '分割終端機，或收回', '終端機', 'split terminal', (button) => {
      openSheet();
      button.click();
    });
    press('[data-copy-all]', '複製終端機的畫面', '終端機', 'copy screen');
    press('[data-input-toggle]', '打開或收起輸入列（注音等輸入法）', '終端機', 'input ime');
    press('[data-read-aloud]', '讓螢幕閱讀器朗讀終端機，或停止', '終端機', 'screen reader');
    press('[data-outline-toggle]', '用文字看叢集，或回到圖', '叢集', 'outline text');
  }

  const theme = page.querySelector<HTMLSelectElement>('starlight-theme-select select');
  for (const option of theme?.options ?? [])
    offer(`外觀：${option.textContent?.trim()}`, '網站', `theme ${option.value}`, () => {
      if (!theme) return;
      theme.value = option.value;
      theme.dispatchEvent(new Event('change'));
    });
  press('[data-progress-export]', '匯出進度', '網站', 'progress export');
  press('[data-progress-import]', '匯入進度', '網站', 'progress import');
  offer('列印這一頁', '網站', 'print pdf', () => print());
  for (const step of steps) if (step !== open) offerCommands(step);
  return actions;
}

/** Actions in which every word of the query occurs. Without a query: the first of them. */
export function matchActions(actions: readonly Action[], query: string): Action[] {
  const words = query.toLowerCase().split(/\s+/).filter(Boolean);
  const found = actions.filter((action) => {
    const text = `${action.label} ${action.note} ${action.words}`.toLowerCase();
    return words.every((word) => text.includes(word));
  });
  return found.slice(0, words.length === 0 ? 40 : 8);
}
