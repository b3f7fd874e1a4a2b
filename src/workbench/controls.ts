import type { SessionRequest } from '../lab/protocol.ts';
import { find } from './dom.ts';
import { wireMenus } from './menus.ts';

/** What the lab's buttons do; the workbench knows how. */
export interface Actions {
  speed(speed: number): void;
  forward(request: SessionRequest): Promise<unknown>;
  undo(): void;
  pick(): void;
  /** The menu of going back opens. */
  branches(): void;
  /** The failures menu opens. */
  failures(menu: HTMLElement): void;
  share(how: 'link' | 'question' | 'file' | 'open' | 'slides'): void;
  reset(): void;
  host(): void;
  complain(message: string): void;
}

export interface NoticeButton {
  label: string;
  action: () => void;
  /** The notice stays when it is pressed. */
  stays?: boolean;
}

/** A word to the reader at the lab's foot, with buttons; it stays until one is pressed. */
export function showNotice(root: HTMLElement, text: string, kind: 'word' | 'error', buttons: readonly NoticeButton[]): void {
  const place = find(root, '[data-notice]');
  place.dataset.kind = kind;
  place.replaceChildren(text);
  for (const { label, action, stays } of buttons.length < 2 ? [...buttons, { label: '知道了', action: () => undefined }] : buttons) {
    const element = document.createElement('button');
    element.type = 'button';
    element.textContent = label;
    element.addEventListener('click', () => {
      if (!stays) place.hidden = true;
      action();
    });
    place.append(element);
  }
  place.hidden = false;
}

/** Tabs by click and by arrow keys. */
export function wireTabs(root: HTMLElement, show: (id: string) => void, focusTerminal: () => void): void {
  const tabs = [...root.querySelectorAll<HTMLElement>('[role="tab"]')];
  for (const [index, tab] of tabs.entries()) {
    tab.addEventListener('click', () => {
      show(tab.dataset.tab ?? '');
      if (tab.dataset.tab === 'terminal') focusTerminal();
    });
    tab.addEventListener('keydown', (event) => {
      const by = event.key === 'ArrowRight' ? 1 : event.key === 'ArrowLeft' ? -1 : 0;
      if (by === 0) return;
      event.preventDefault();
      const next = tabs[(index + by + tabs.length) % tabs.length];
      show(next?.dataset.tab ?? '');
      next?.focus();
    });
  }
}

/** Shows one panel and marks its tab; the terminal's tools are only there with the terminal. */
export function showPanel(root: HTMLElement, id: string): void {
  for (const tab of root.querySelectorAll<HTMLElement>('[role="tab"]')) {
    const chosen = tab.dataset.tab === id;
    tab.setAttribute('aria-selected', String(chosen));
    tab.tabIndex = chosen ? 0 : -1;
  }
  for (const panel of root.querySelectorAll<HTMLElement>('[role="tabpanel"]')) panel.hidden = panel.dataset.panel !== id;
  for (const tool of root.querySelectorAll<HTMLElement>('.tool')) tool.hidden = id !== 'terminal';
}

/** Speed, fast-forward, going back, sharing, reset. */
export function wireBar(root: HTMLElement, actions: Actions): void {
  wireMenus(root);
  find(root, '[data-speed]').addEventListener('change', (event) => actions.speed(Number((event.target as HTMLInputElement).value)));
  const on = (selector: string, action: (button: HTMLButtonElement) => void): void => {
    const button = find<HTMLButtonElement>(root, selector);
    button.addEventListener('click', () => {
      button.closest<HTMLElement>('[popover]')?.hidePopover();
      action(button);
    });
  };
  const forward = (selector: string, request: SessionRequest): void =>
    on(selector, (button) => {
      button.disabled = true;
      actions
        .forward(request)
        .catch((error: Error) => actions.complain(error.message))
        .finally(() => {
          button.disabled = false;
        });
    });
  forward('[data-settle]', { type: 'until-settled' });
  forward('[data-step]', { type: 'step' });
  forward('[data-skip]', { type: 'skip', ms: 300_000 });
  on('[data-undo]', () => actions.undo());
  on('[data-pick]', () => actions.pick());
  on('[data-host]', () => actions.host());
  for (const how of ['link', 'question', 'file', 'open', 'slides'] as const) on(`[data-share="${how}"]`, () => actions.share(how));
  const opening = (selector: string, act: (menu: HTMLElement) => void): void => {
    const menu = find(root, selector);
    menu.addEventListener('toggle', (event) => (event as ToggleEvent).newState === 'open' && act(menu));
  };
  opening('#lab-back', () => actions.branches());
  opening('#lab-break', (menu) => actions.failures(menu));

  let sure: ReturnType<typeof setTimeout> | undefined;
  on('[data-reset]', (button) => {
    const calm = (): void => {
      clearTimeout(sure);
      sure = undefined;
      button.textContent = '重設';
      delete button.dataset.sure;
    };
    if (sure === undefined) {
      button.textContent = '真的重設？';
      button.dataset.sure = '';
      sure = setTimeout(calm, 4000);
    } else {
      calm();
      actions.reset();
    }
  });
}

/** The text form of the cluster view, and the button that copies the terminal. */
export function wireOutline(root: HTMLElement, terminalText: () => string, complain: (message: string) => void): void {
  const toggle = find(root, '[data-outline-toggle]');
  const outline = find(root, '[data-outline]');
  toggle.addEventListener('click', () => {
    const hidden = outline.classList.toggle('sr-only');
    toggle.setAttribute('aria-pressed', String(!hidden));
    outline.tabIndex = hidden ? -1 : 0;
  });
  const copyAll = find(root, '[data-copy-all]');
  copyAll.addEventListener('click', () => {
    navigator.clipboard.writeText(terminalText()).then(
      () => {
        copyAll.textContent = '已複製';
        setTimeout(() => {
          copyAll.textContent = '複製畫面';
        }, 1500);
      },
      () => complain('瀏覽器不讓我用剪貼簿。可以在終端機裡選取文字，再按 Ctrl+C。'),
    );
  });
}

/** A page nobody looks at does not let its cluster grow old. `pause` tells whether there was a clock to stop. */
export function wireHiding(afterMs: number, hooks: { hide(): void; pause(): boolean; resume(): void }): void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let paused = false;
  document.addEventListener('visibilitychange', () => {
    clearTimeout(timer);
    if (document.hidden) {
      hooks.hide();
      timer = setTimeout(() => {
        paused = hooks.pause();
      }, afterMs);
    } else if (paused) {
      paused = false;
      hooks.resume();
    }
  });
}

/** Whether this page is the only one with that lab open; waits a moment for a page that is just going away. */
export async function claimLab(name: string): Promise<boolean> {
  if (!navigator.locks) return true;
  for (let attempt = 0; ; attempt++) {
    const owner = await new Promise<boolean>((resolve) => {
      void navigator.locks.request(`chartroom.${name}`, { ifAvailable: true }, (lock) => {
        resolve(lock !== null);
        return lock ? new Promise<void>(() => undefined) : undefined;
      });
    });
    if (owner || attempt === 3) return owner;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
