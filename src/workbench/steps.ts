import type { LabFileSet, StepState } from '../lab/protocol.ts';
import { progressStore } from './store.ts';

export interface StepsPane {
  /** The lab is ready: the buttons work now. */
  enable(): void;
  disable(): void;
  show(states: readonly StepState[]): void;
  /** A command line was entered: steps that only ask for running something are reached by it. */
  entered(line: string): void;
}

const squeeze = (text: string): string => text.trim().replace(/\s+/g, ' ');

/** The steps in the text: run and copy buttons, check marks, what is still missing, hints. */
export function createSteps(lab: LabFileSet['lab'], run: (command: string) => void, onReached: (reached: readonly string[]) => void): StepsPane {
  const sections = new Map([...document.querySelectorAll<HTMLElement>('section[data-step]')].map((section) => [section.dataset.step ?? '', section]));
  const reached = new Set(progressStore.read()[lab.name] ?? []);
  const entered = new Set<string>();
  /** Goals that held before anything was done: for them, the step's commands count. */
  const trivial = new Set<string>();

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
    onReached([...reached]);
  };
  const reach = (ids: readonly string[]): void => {
    const fresh = ids.filter((id) => !reached.has(id));
    if (fresh.length === 0) return;
    for (const id of fresh) reached.add(id);
    progressStore.reach(lab.name, fresh);
    mark();
    for (const id of fresh) document.dispatchEvent(new CustomEvent('chartroom-step', { detail: id }));
  };

  for (const section of sections.values()) {
    section.addEventListener('click', (event) => {
      const button = (event.target as Element).closest<HTMLButtonElement>('button');
      const command = button?.closest<HTMLElement>('[data-command]')?.dataset.command;
      if (button?.dataset.run !== undefined && command !== undefined) run(command);
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
      if (entered.size === 0) for (const state of states) if (state.reached) trivial.add(state.id);
      reach(states.filter((state) => state.reached && !trivial.has(state.id)).map((state) => state.id));
      for (const state of states) {
        const section = sections.get(state.id);
        if (!section) continue;
        if (state.hint) sayHint(section, state.hint);
        if (reached.has(state.id)) continue;
        const failing = trivial.has(state.id) ? undefined : state.failing;
        const touched = lab.steps.find((step) => step.id === state.id)?.commands.some((command) => entered.has(squeeze(command.run)));
        say(section, touched && failing ? `還差一點：${failing.object} 應該是 ${failing.expected}，現在是 ${failing.actual}` : '');
      }
    },
    entered(line) {
      entered.add(squeeze(line));
      const done = lab.steps.filter(
        (step) =>
          (step.checks.length === 0 || trivial.has(step.id)) && step.commands.length > 0 && step.commands.every((command) => entered.has(squeeze(command.run))),
      );
      reach(done.map((step) => step.id));
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

/** What a misconception rule says: Markdown with `code` only. */
function sayHint(section: HTMLElement, markdown: string): void {
  const place = section.querySelector<HTMLElement>('[data-hint-text]');
  if (!place || place.dataset.told === markdown) return;
  place.dataset.told = markdown;
  place.querySelector('.told')?.remove();
  const line = document.createElement('span');
  line.className = 'hint-line told';
  for (const [index, part] of markdown.split('`').entries()) {
    if (index % 2 === 0) line.append(part);
    else line.append(Object.assign(document.createElement('code'), { textContent: part }));
  }
  place.prepend(line);
  place.hidden = false;
}
