import '@xterm/xterm/css/xterm.css';
import { FitAddon } from '@xterm/addon-fit';
import { type ITheme, Terminal } from '@xterm/xterm';
import { debounce } from './dom.ts';

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

/** One terminal: a screen in an element of its own. */
export interface TerminalPane {
  readonly element: HTMLElement;
  readonly columns: number;
  readonly rows: number;
  write(data: string): void;
  /** Empties screen and history, for a session that begins anew. */
  clear(): void;
  focus(): void;
  /** Speaks to screen readers. Off by default: that mode ignores what soft keyboards and input methods insert. */
  readAloud(on: boolean): void;
  /** Everything printed so far, wrapped lines joined. */
  text(): string;
  dispose(): void;
}

export interface TerminalCallbacks {
  send(data: string): void;
  resized(columns: number, rows: number): void;
  focused(): void;
  /** F6: leaves the terminal by keyboard, since Tab completes. */
  leave(): void;
}

export function createTerminal(screen: HTMLElement, callbacks: TerminalCallbacks): TerminalPane {
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
  // On a phone the paper is wider than the screen, so that kubectl's tables stay tables; it is moved with a finger.
  const paper = document.createElement('div');
  paper.className = 'terminal-paper';
  screen.replaceChildren(paper);
  terminal.open(paper);
  terminal.textarea?.setAttribute('aria-label', '終端機：打指令，Tab 補完，F6 離開');

  const refit = (): void => {
    // A hidden panel has no size; it is fitted when it is shown.
    if (screen.clientWidth > 0 && screen.clientHeight > 0) fit.fit();
  };
  refit();
  const sizes = new ResizeObserver(debounce(refit, 60));
  sizes.observe(screen);
  const looks = new MutationObserver(() => {
    terminal.options.theme = currentTheme();
  });
  looks.observe(document.documentElement, { attributeFilter: ['data-theme'] });
  terminal.onResize(({ cols, rows }) => callbacks.resized(cols, rows));
  terminal.onData((data) => callbacks.send(data));
  terminal.textarea?.addEventListener('focus', () => callbacks.focused());

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

  return {
    element: screen,
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
    focus: () => terminal.focus(),
    readAloud(on) {
      terminal.options.screenReaderMode = on;
    },
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
    dispose() {
      sizes.disconnect();
      looks.disconnect();
      terminal.dispose();
      screen.remove();
    },
  };
}
