import type { LabFileSet, StepState } from '../lab/protocol.ts';
import { progressStore } from './store.ts';

export interface StepsPane {
  /** The lab is ready: the buttons work now. */
  enable(): void;
  disable(): void;
  show(states: readonly StepState[]): void;
  /** A command line was entered: from now on the open step says what it still lacks. */
  entered(): void;
}

/** What checks expect and find, in the reader's words. */
const inWords = (text: string): string =>
  text
    .replace(/^present$/, '存在')
    .replace(/^absent$/, '不存在')
    .replace(/^created after (.*)$/, '在 $1 之後建立')
    .replace(/^created before it$/, '更早建立的');

/** The steps in the text: run and copy buttons, check marks, what is still missing, hints. */
export function createSteps(
  lab: LabFileSet['lab'],
  options: { run: (command: string) => void; reached: (ids: readonly string[]) => void; told: (words: string) => void },
): StepsPane {
  const sections = new Map([...document.querySelectorAll<HTMLElement>('section[data-step]')].map((section) => [section.dataset.step ?? '', section]));
  const reached = new Set(progressStore.read()[lab.name] ?? []);
  let entered = false;

  const say = (section: HTMLElement, text: string, kind?: 'reached'): void => {
    const place = section.querySelector<HTMLElement>('[data-step-state]');
    if (!place || place.textContent === text) return;
    place.textContent = text;
    if (kind) place.dataset.kind = kind;
    else delete place.dataset.kind;
  };
  const mark = (): void => {
    for (const [id, section] of sections) {
      section.toggleAttribute('data-reached', reached.has(id));
      if (reached.has(id)) say(section, '完成', 'reached');
    }
    options.reached([...reached]);
  };
  const reach = (ids: readonly string[]): void => {
    const fresh = ids.filter((id) => !reached.has(id));
    if (fresh.length === 0) return;
    for (const id of fresh) reached.add(id);
    entered = false;
    progressStore.reach(lab.name, fresh);
    mark();
    for (const id of fresh) document.dispatchEvent(new CustomEvent('chartroom-step', { detail: id }));
  };

  for (const section of sections.values()) {
    section.addEventListener('click', (event) => {
      const button = (event.target as Element).closest<HTMLButtonElement>('button');
      const command = button?.closest<HTMLElement>('[data-command]')?.dataset.command;
      if (button?.dataset.run !== undefined && command !== undefined) options.run(command);
      if (button?.dataset.copy !== undefined && command !== undefined) {
        navigator.clipboard?.writeText(command).then(
          () => flash(button, '已複製'),
          () => flash(button, '沒複製到'),
        );
      }
      if (button?.dataset.hint !== undefined) nextHint(section, button);
    });
    for (const button of section.querySelectorAll<HTMLButtonElement>('[data-copy]')) button.disabled = false;
    for (const button of section.querySelectorAll<HTMLButtonElement>('[data-hint]')) button.hidden = false;
  }
  mark();

  return {
    enable() {
      for (const button of document.querySelectorAll<HTMLButtonElement>('[data-run]')) button.disabled = false;
    },
    disable() {
      for (const button of document.querySelectorAll<HTMLButtonElement>('[data-run]')) button.disabled = true;
    },
    show(states) {
      reach(states.filter((state) => state.reached).map((state) => state.id));
      const open = states.find((state) => !reached.has(state.id));
      for (const state of states) {
        const section = sections.get(state.id);
        if (!section || reached.has(state.id)) continue;
        if (state.hint && sayHint(section, state.hint)) options.told(state.hint);
        const { failing } = state;
        if (!entered || state !== open) say(section, '');
        else if (failing) say(section, `還差一點：${failing.object} 應該是 ${inWords(failing.expected)}，現在是 ${inWords(failing.actual)}`);
        else if (state.unseen) say(section, '叢集已經是該有的樣子，再用指令看一眼。');
      }
    },
    entered() {
      entered = true;
    },
  };
}

function flash(button: HTMLButtonElement, text: string): void {
  const before = button.dataset.label ?? button.textContent ?? '';
  button.dataset.label = before;
  button.textContent = text;
  setTimeout(() => {
    button.textContent = before;
  }, 1500);
}

/** Three grades, one at a time: a nudge, the way, the answer. */
function nextHint(section: HTMLElement, button: HTMLButtonElement): void {
  const hints = [...section.querySelectorAll<HTMLTemplateElement>('[data-hint-template]')];
  const given = Number(button.dataset.given ?? 0);
  const hint = hints[given];
  if (!hint) return;
  const line = document.createElement('span');
  line.className = 'hint-line';
  line.append(hint.content.cloneNode(true));
  const place = section.querySelector<HTMLElement>('[data-hint-text]');
  place?.append(line);
  if (place) place.hidden = false;
  button.dataset.given = String(given + 1);
  if (given + 1 >= hints.length) button.hidden = true;
  else button.textContent = '再給一點';
}

/** What a misconception rule says: Markdown with `code` and **strong**. False when it stands there already. */
function sayHint(section: HTMLElement, markdown: string): boolean {
  const place = section.querySelector<HTMLElement>('[data-hint-text]');
  if (!place || place.dataset.told === markdown) return false;
  place.dataset.told = markdown;
  place.querySelector('.told')?.remove();
  const line = document.createElement('span');
  line.className = 'hint-line told';
  for (const part of markdown.split(/(`[^`]+`|\*\*[^*]+\*\*)/)) {
    const marked = /^(?:`(.+)`|\*\*(.+)\*\*)$/.exec(part);
    if (marked) line.append(Object.assign(document.createElement(marked[1] ? 'code' : 'strong'), { textContent: marked[1] ?? marked[2] }));
    else line.append(part);
  }
  place.prepend(line);
  place.hidden = false;
  return true;
}
