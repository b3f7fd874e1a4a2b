import { find } from './dom.ts';
import { layoutStore } from './store.ts';
import { createTerminal, type TerminalPane } from './terminal.ts';

const MAIN = 'main';
const SIDE = 'side';

export interface DeckCallbacks {
  /** What was typed, for the terminal of that id. */
  send(terminal: string, data: string): void;
  resized(terminal: string, columns: number, rows: number): void;
  opened(terminal: string, columns: number, rows: number): void;
  closed(terminal: string): void;
  leave(): void;
}

/** The terminals of a lab, one or two side by side, with the key bar and the plain text field they share. */
export class TerminalDeck {
  #panel: HTMLElement;
  #callbacks: DeckCallbacks;
  #panes = new Map<string, TerminalPane>();
  #active = MAIN;
  #row: HTMLFormElement;
  #field: HTMLInputElement;
  #control = false;
  #controlButton: HTMLElement | null;
  #splitButton: HTMLElement;

  constructor(panel: HTMLElement, root: HTMLElement, callbacks: DeckCallbacks) {
    this.#panel = panel;
    this.#callbacks = callbacks;
    this.#row = find<HTMLFormElement>(panel, '[data-input-row]');
    this.#field = find<HTMLInputElement>(this.#row, 'input');
    this.#controlButton = panel.querySelector('[data-modifier]');
    this.#splitButton = find(root, '[data-split]');
    this.#add(MAIN, find(panel, '[data-terminal]'));
    this.#wireRow(find(root, '[data-input-toggle]'));
    this.#wireKeys();
    this.#wireReadAloud();
    this.#splitButton.addEventListener('click', () => {
      if (this.#panes.has(SIDE)) this.#close(SIDE);
      else {
        const pane = this.#pane(SIDE);
        callbacks.opened(SIDE, pane.columns, pane.rows);
        pane.focus();
      }
    });
  }

  /** The terminal that commands go to: the one used last. */
  get active(): string {
    return this.#active;
  }
  /** Terminals that are open, with their sizes. */
  get open(): { terminal: string; columns: number; rows: number }[] {
    return [...this.#panes].map(([terminal, { columns, rows }]) => ({ terminal, columns, rows }));
  }

  write(terminal: string, data: string): void {
    this.#pane(terminal).write(data);
  }

  clear(): void {
    for (const pane of this.#panes.values()) pane.clear();
  }

  /** What the active terminal shows and has shown. */
  text(): string {
    return this.#panes.get(this.#active)?.text() ?? '';
  }

  focus(): void {
    if (this.#row.hidden) this.#panes.get(this.#active)?.focus();
    else this.#field.focus();
  }

  /** The terminal of that id, opened if it is not there (a restored session may have had two). */
  #pane(id: string): TerminalPane {
    const known = this.#panes.get(id);
    if (known) return known;
    const screen = document.createElement('div');
    screen.className = 'terminal-screen';
    screen.dataset.terminal = id;
    find(this.#panel, '[data-screens]').append(screen);
    this.#splitButton.setAttribute('aria-pressed', 'true');
    return this.#add(id, screen);
  }

  #add(id: string, screen: HTMLElement): TerminalPane {
    const pane = createTerminal(screen, {
      send: (data) => this.#send(id, data),
      resized: (columns, rows) => this.#callbacks.resized(id, columns, rows),
      focused: () => this.#activate(id),
      leave: this.#callbacks.leave,
    });
    if (layoutStore.read().readAloud) pane.readAloud(true);
    this.#panes.set(id, pane);
    return pane;
  }

  #activate(id: string): void {
    this.#active = id;
    for (const [each, pane] of this.#panes) pane.element.toggleAttribute('data-active', each === id);
  }

  #close(id: string): void {
    this.#panes.get(id)?.dispose();
    this.#panes.delete(id);
    this.#splitButton.setAttribute('aria-pressed', 'false');
    this.#activate(MAIN);
    this.#callbacks.closed(id);
    this.focus();
  }

  #send(terminal: string, data: string): void {
    const plain = this.#control && /^[a-z]$/i.test(data) ? String.fromCharCode(data.toUpperCase().charCodeAt(0) - 64) : data;
    this.#setControl(false);
    this.#callbacks.send(terminal, plain);
  }

  #setControl(on: boolean): void {
    this.#control = on;
    this.#controlButton?.setAttribute('aria-pressed', String(on));
  }

  #wireRow(toggle: HTMLElement): void {
    const show = (on: boolean): void => {
      this.#row.hidden = !on;
      toggle.setAttribute('aria-pressed', String(on));
    };
    show(layoutStore.read().inputRow ?? matchMedia('(pointer: coarse)').matches);
    toggle.addEventListener('click', () => {
      show(Boolean(this.#row.hidden));
      layoutStore.change({ inputRow: !this.#row.hidden });
      this.focus();
    });
    this.#row.addEventListener('submit', (event) => {
      event.preventDefault();
      this.#callbacks.send(this.#active, `${this.#field.value}\r`);
      this.#field.value = '';
    });
  }

  #wireKeys(): void {
    find(this.#panel, '[data-key-bar]').addEventListener('click', (event) => {
      const button = (event.target as Element).closest<HTMLElement>('button');
      if (!button) return;
      if (button.dataset.modifier !== undefined) this.#setControl(!this.#control);
      else {
        // What stands in the text field belongs to the line: it goes first.
        if (!this.#row.hidden && this.#field.value !== '') {
          this.#callbacks.send(this.#active, this.#field.value);
          this.#field.value = '';
        }
        this.#send(this.#active, button.dataset.send ?? '');
      }
      this.focus();
    });
  }

  #wireReadAloud(): void {
    const button = find(this.#panel, '[data-read-aloud]');
    let on = layoutStore.read().readAloud ?? false;
    button.setAttribute('aria-pressed', String(on));
    button.addEventListener('click', () => {
      on = !on;
      for (const pane of this.#panes.values()) pane.readAloud(on);
      button.setAttribute('aria-pressed', String(on));
      layoutStore.change({ readAloud: on });
      this.focus();
    });
  }
}
