import '@xterm/xterm/css/xterm.css';
import { FitAddon } from '@xterm/addon-fit';
import { type ITheme, Terminal } from '@xterm/xterm';
import { debounce, find } from './dom.ts';
import { layoutStore } from './store.ts';

const themes: Record<'light' | 'dark', ITheme> = {
  light: {
    background: '#fffdf8',
    foreground: '#14283c',
    cursor: '#85231a',
    cursorAccent: '#fffdf8',
    selectionBackground: '#e9d9ae',
    black: '#14283c',
    red: '#9a2c20',
    green: '#2f5f2b',
    yellow: '#6f4f0d',
    blue: '#1d4f7a',
    magenta: '#6c3a70',
    cyan: '#1c5f6d',
    white: '#5b6873',
    brightBlack: '#4d5b67',
    brightRed: '#85231a',
    brightGreen: '#2b5228',
    brightYellow: '#63460b',
    brightBlue: '#17426a',
    brightMagenta: '#5a2f5e',
    brightCyan: '#1c4f5d',
    brightWhite: '#14283c',
  },
  dark: {
    background: '#0a131c',
    foreground: '#dce6ea',
    cursor: '#e6c987',
    cursorAccent: '#0a131c',
    selectionBackground: '#34506a',
    black: '#26394a',
    red: '#ee8577',
    green: '#8fc189',
    yellow: '#d9b25c',
    blue: '#7fb2e5',
    magenta: '#cf9bd2',
    cyan: '#6fb7c9',
    white: '#c3d0d8',
    brightBlack: '#8299aa',
    brightRed: '#f7aea3',
    brightGreen: '#a9d3a3',
    brightYellow: '#e6c987',
    brightBlue: '#a8cdf0',
    brightMagenta: '#dfb8e1',
    brightCyan: '#8fcddc',
    brightWhite: '#f3f8fa',
  },
};

function currentTheme(): ITheme {
  return document.documentElement.dataset.theme === 'dark' ? themes.dark : themes.light;
}

export interface TerminalPane {
  readonly columns: number;
  readonly rows: number;
  write(data: string): void;
  /** Empties screen and history, for a session that begins anew. */
  clear(): void;
  focus(): void;
  /** Everything printed so far, wrapped lines joined. */
  text(): string;
}

/**
 * The terminal's screen, its key bar and its plain text field.
 * `send` takes what was typed; `resized` hears the new size. F6 leaves the terminal by keyboard, since Tab completes.
 */
export function createTerminal(
  panel: HTMLElement,
  callbacks: { send: (data: string) => void; resized: (columns: number, rows: number) => void; leave: () => void },
): TerminalPane {
  const screen = find(panel, '[data-terminal]');
  const terminal = new Terminal({
    fontFamily: getComputedStyle(document.documentElement).getPropertyValue('--mono'),
    fontSize: innerWidth < 640 ? 12 : 13,
    lineHeight: 1.25,
    cursorBlink: false,
    scrollback: 5000,
    theme: currentTheme(),
    minimumContrastRatio: 4.5,
    allowProposedApi: false,
  });
  const fit = new FitAddon();
  terminal.loadAddon(fit);
  find(panel, '[data-terminal-wait]').remove();
  terminal.open(screen);
  terminal.textarea?.setAttribute('aria-label', '終端機：打指令，Tab 補完，F6 離開');

  const refit = (): void => {
    // A hidden panel has no size; it is fitted when it is shown.
    if (screen.clientWidth > 0 && screen.clientHeight > 0) fit.fit();
  };
  refit();
  new ResizeObserver(debounce(refit, 60)).observe(screen);
  terminal.onResize(({ cols, rows }) => callbacks.resized(cols, rows));
  new MutationObserver(() => {
    terminal.options.theme = currentTheme();
  }).observe(document.documentElement, { attributeFilter: ['data-theme'] });

  let control = false;
  const controlButton = panel.querySelector<HTMLElement>('[data-modifier]');
  const setControl = (on: boolean): void => {
    control = on;
    controlButton?.setAttribute('aria-pressed', String(on));
  };
  const send = (data: string): void => {
    if (control && /^[a-z]$/i.test(data)) data = String.fromCharCode(data.toUpperCase().charCodeAt(0) - 64);
    setControl(false);
    callbacks.send(data);
  };
  terminal.onData(send);

  terminal.attachCustomKeyEventHandler((event) => {
    if (event.type !== 'keydown') return true;
    if (event.key === 'F6') {
      event.preventDefault();
      callbacks.leave();
      return false;
    }
    const copies = (event.ctrlKey && event.key === 'c' && !event.shiftKey && terminal.hasSelection()) || (event.ctrlKey && event.shiftKey && event.key === 'C');
    if (copies) {
      event.preventDefault();
      void navigator.clipboard?.writeText(terminal.getSelection());
      terminal.clearSelection();
      return false;
    }
    // The browser's own paste goes to xterm's text area.
    if (event.ctrlKey && (event.key === 'v' || event.key === 'V')) return false;
    return true;
  });

  // xterm's mode for screen readers ignores what soft keyboards and input methods insert: it is for who asks for it.
  const readAloud = find(panel, '[data-read-aloud]');
  readAloud.addEventListener('click', () => {
    const on = !terminal.options.screenReaderMode;
    terminal.options.screenReaderMode = on;
    readAloud.setAttribute('aria-pressed', String(on));
    layoutStore.change({ readAloud: on });
    terminal.focus();
  });
  if (layoutStore.read().readAloud) {
    terminal.options.screenReaderMode = true;
    readAloud.setAttribute('aria-pressed', 'true');
  }

  const row = find<HTMLFormElement>(panel, '[data-input-row]');
  const field = find<HTMLInputElement>(row, 'input');
  row.addEventListener('submit', (event) => {
    event.preventDefault();
    callbacks.send(`${field.value}\r`);
    field.value = '';
  });

  find(panel, '[data-key-bar]').addEventListener('click', (event) => {
    const button = (event.target as Element).closest<HTMLElement>('button');
    if (!button) return;
    if (button.dataset.modifier !== undefined) setControl(!control);
    else {
      // What stands in the text field belongs to the line: it goes first.
      if (!row.hidden && field.value !== '') {
        callbacks.send(field.value);
        field.value = '';
      }
      send(button.dataset.send ?? '');
    }
    if (row.hidden) terminal.focus();
    else field.focus();
  });

  return {
    get columns() {
      return terminal.cols;
    },
    get rows() {
      return terminal.rows;
    },
    write: (data) =>
      terminal.write(data, () => {
        screen.dataset.terminalReady = 'true';
      }),
    clear: () => terminal.reset(),
    focus: () => (row.hidden ? terminal.focus() : field.focus()),
    text() {
      const buffer = terminal.buffer.active;
      let text = '';
      for (let i = 0; i < buffer.length; i++) {
        const line = buffer.getLine(i);
        if (!line) continue;
        const next = buffer.getLine(i + 1);
        text += line.translateToString(!next?.isWrapped) + (next?.isWrapped ? '' : '\n');
      }
      return `${text.trimEnd()}\n`;
    },
  };
}
