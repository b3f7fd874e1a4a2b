import {
  autocompletion,
  type Completion,
  type CompletionContext,
  type CompletionResult,
  closeBrackets,
  closeBracketsKeymap,
  completionKeymap,
} from '@codemirror/autocomplete';
import { defaultKeymap, history, historyKeymap, indentWithTab } from '@codemirror/commands';
import { yaml } from '@codemirror/lang-yaml';
import { bracketMatching, foldGutter, HighlightStyle, indentOnInput, indentUnit, syntaxHighlighting } from '@codemirror/language';
import { type Diagnostic, linter, lintGutter, lintKeymap, setDiagnostics } from '@codemirror/lint';
import { highlightSelectionMatches, searchKeymap } from '@codemirror/search';
import { EditorState } from '@codemirror/state';
import { drawSelection, EditorView, highlightActiveLine, highlightActiveLineGutter, hoverTooltip, keymap, lineNumbers } from '@codemirror/view';
import { tags } from '@lezer/highlight';
import { parseAllDocuments } from 'yaml';
import { editScript } from '../applets/edit-script.ts';
import { placeRefusals } from './server-words.ts';
import { documentHead, type Field, fieldsAt, pathAt, type Schemas, schemaFor, schemaMistakes } from './yaml-schema.ts';

export interface YamlEditor {
  readonly text: string;
  show(path: string, text: string): void;
  focus(): void;
  /** Indents the YAML anew, comments kept. False when it cannot be read as YAML. */
  format(): boolean;
  /** Shows what differs from `original` in the editor's place, or the editor again (undefined). */
  compare(original: string | undefined): void;
}

/** A problem as it is told below the editor. */
export interface Problem {
  line: number;
  means: string;
  /** kubectl's or the API server's own words. */
  words?: string;
}

export interface EditorHooks {
  /** The reader's edits, not what `show` puts there. */
  changed(text: string): void;
  /** What kubectl and the API server would say to the file. */
  check(path: string, text: string): Promise<readonly string[]>;
  problems(problems: readonly Problem[]): void;
}

const colours = HighlightStyle.define([
  { tag: [tags.propertyName, tags.definition(tags.propertyName)], color: 'var(--sea-text)' },
  { tag: [tags.string, tags.special(tags.string)], color: 'var(--moss-text)' },
  { tag: [tags.number, tags.bool, tags.null], color: 'var(--brass-text)' },
  { tag: tags.comment, color: 'var(--ink-soft)', fontStyle: 'italic' },
  { tag: [tags.keyword, tags.meta], color: 'var(--red-text)' },
]);

const look = EditorView.theme({
  '&': { backgroundColor: 'var(--terminal)', color: 'var(--ink)', fontSize: '13px' },
  '.cm-content': { fontFamily: 'var(--mono)', lineHeight: '1.55', caretColor: 'var(--red-text)' },
  '.cm-gutters': { backgroundColor: 'var(--paper-sunk)', color: 'var(--ink-soft)', borderRight: '1px solid var(--hairline)', fontFamily: 'var(--mono)' },
  '.cm-activeLine': { backgroundColor: 'color-mix(in srgb, var(--sea) 8%, transparent)' },
  '.cm-activeLineGutter': { backgroundColor: 'transparent', color: 'var(--ink)', fontWeight: '700' },
  '&.cm-focused .cm-selectionBackground, .cm-selectionBackground': { backgroundColor: 'color-mix(in srgb, var(--brass) 30%, transparent) !important' },
  '.cm-cursor': { borderLeftColor: 'var(--red-text)' },
  '.field-card': { padding: '0.4rem 0.7rem', fontSize: '12px', maxWidth: '28rem' },
  '.field-card p': { margin: '0' },
  '.field-card p:first-child': { fontFamily: 'var(--mono)', fontWeight: '700' },
  '.cm-tooltip-autocomplete > ul > li[aria-selected]': { backgroundColor: 'var(--sea-text) !important', color: 'var(--on-strong) !important' },
  '.cm-completionIcon': { display: 'none' },
  '.server-words': { margin: '0.2rem 0 0', fontFamily: 'var(--mono)', fontSize: '12px', overflowWrap: 'anywhere' },
  '.cm-tooltip': { backgroundColor: 'var(--paper-raised)', border: '1px solid var(--rule)', color: 'var(--ink)' },
});

/** Kubernetes' own field types; loaded with the first YAML file. */
let schemas: Schemas | undefined;
const schemasReady = Promise.all([import('../sim/kinds/facts/schema-first.json'), import('../sim/kinds/facts/schema-later.json')]).then(([first, later]) => {
  schemas = { ...first.default, ...later.default } as unknown as Schemas;
});

/** The fields that may stand where a line is, and the key the line holds. */
function fieldsHere(state: EditorState, position: number, column: number): { fields: Field[]; path: string[] } {
  if (!schemas) return { fields: [], path: [] };
  const line = state.doc.lineAt(position);
  const lines = state.doc.toString().split('\n');
  const { apiVersion, kind } = documentHead(lines, line.number - 1);
  const root = schemaFor(schemas, apiVersion, kind);
  const path = pathAt(lines, line.number - 1, column);
  return { fields: root ? fieldsAt(schemas, root, path) : [], path };
}

async function complete(context: CompletionContext): Promise<CompletionResult | null> {
  await schemasReady;
  const line = context.state.doc.lineAt(context.pos);
  const before = line.text.slice(0, context.pos - line.from);
  const value = /^(\s*(?:- +)*)([\w.-]+):\s+([\w.-]*)$/.exec(before);
  if (value) {
    const field = fieldsHere(context.state, context.pos, (value[1] ?? '').length).fields.find((each) => each.name === value[2]);
    if (!field || field.values.length === 0) return null;
    return { from: context.pos - (value[3] ?? '').length, options: field.values.map((label) => ({ label, type: 'enum' })) };
  }
  const key = /^(\s*(?:- +)*)([\w.-]*)$/.exec(before);
  if (!key || (key[2] === '' && !context.explicit)) return null;
  const indent = (key[1] ?? '').length;
  const { fields } = fieldsHere(context.state, context.pos, indent);
  const options: Completion[] = fields.map((field) => ({
    label: field.name,
    detail: field.type + (field.required ? '，必填' : ''),
    type: 'property',
    boost: field.required ? 2 : 0,
    apply: field.nested === undefined ? `${field.name}: ` : `${field.name}:\n${' '.repeat(indent + 2)}${field.nested === 'list' ? '- ' : ''}`,
  }));
  return { from: context.pos - (key[2] ?? '').length, options, validFor: /^[\w.-]*$/ };
}

const explainField = hoverTooltip((view, position) => {
  const line = view.state.doc.lineAt(position);
  const key = /^(\s*(?:- +)*)([\w.-]+)\s*:/.exec(line.text);
  const from = line.from + (key?.[1] ?? '').length;
  if (!key || position < from || position > from + (key[2] ?? '').length) return null;
  const { fields, path } = fieldsHere(view.state, position, (key[1] ?? '').length);
  const field = fields.find((each) => each.name === key[2]);
  if (!field) return null;
  return {
    pos: from,
    end: from + field.name.length,
    above: true,
    create() {
      const dom = document.createElement('div');
      dom.className = 'field-card';
      const place = [...path, field.name].join('.').replaceAll('.[]', '[]');
      for (const text of [
        place,
        field.type,
        field.required ? '必填' : '',
        field.values.length > 0 ? `可以是 ${field.values.join('、')}` : '',
        field.fallback ? `沒寫的話是 ${field.fallback}` : '',
      ]) {
        if (text === '') continue;
        dom.append(Object.assign(document.createElement('p'), { textContent: text }));
      }
      return { dom };
    },
  };
});

/** What YAML itself refuses, in the reader's words first. */
function yamlMistakes(text: string): Diagnostic[] {
  const found: Diagnostic[] = [];
  const tab = /^[ ]*\t/m.exec(text);
  if (tab) {
    const from = tab.index;
    found.push({ from, to: from + tab[0].length, severity: 'error', message: 'YAML 的縮排不能用 Tab，請改成空白。' });
  }
  for (const document of parseAllDocuments(text)) {
    if (!('errors' in document)) continue;
    for (const error of document.errors) {
      if (found.some((each) => each.from === error.pos[0])) continue;
      if (tab && error.code === 'TAB_AS_INDENT') continue;
      found.push({
        from: error.pos[0],
        to: Math.max(error.pos[0] + 1, error.pos[1]),
        severity: 'error',
        message: `這裡不是合法的 YAML：${error.message.split('\n')[0]}`,
      });
    }
  }
  if (found.length === 0 && schemas) found.push(...schemaMistakes(schemas, text).map((mistake) => ({ ...mistake, severity: 'warning' as const })));
  return found.map((each) => ({ ...each, from: Math.min(each.from, text.length), to: Math.min(each.to, text.length) }));
}

/** Of a text of the server's: what it means, and its own words below. */
function asDiagnostics(text: string, lines: readonly string[]): Diagnostic[] {
  return placeRefusals(text, lines).map(({ from, to, means, words }) => ({
    from,
    to,
    severity: 'error' as const,
    message: means,
    source: words,
    renderMessage: () => {
      const box = document.createElement('div');
      box.append(means, Object.assign(document.createElement('p'), { className: 'server-words', textContent: words }));
      return box;
    },
  }));
}

/** Lines of both texts, those that differ marked; long stretches that do not are folded. */
function comparison(original: string, text: string): HTMLElement {
  const list = document.createElement('div');
  list.className = 'file-diff';
  list.tabIndex = 0;
  list.setAttribute('role', 'region');
  list.setAttribute('aria-label', '和原本的檔案比較');
  const edits = editScript(original.split('\n'), text.split('\n'));
  if (edits.every((edit) => edit.kind === ' ')) {
    list.append(Object.assign(document.createElement('p'), { textContent: '跟原本的一樣，沒有改過。' }));
    return list;
  }
  const near = (index: number): boolean => edits.slice(Math.max(0, index - 3), index + 4).some((edit) => edit.kind !== ' ');
  let folded = 0;
  const unfold = (): void => {
    if (folded > 0) list.append(Object.assign(document.createElement('p'), { textContent: `⋯ ${folded} 行一樣` }));
    folded = 0;
  };
  for (const [index, { kind, text: line }] of edits.entries()) {
    if (!near(index)) {
      folded++;
      continue;
    }
    unfold();
    const row = document.createElement(kind === '+' ? 'ins' : kind === '-' ? 'del' : 'span');
    row.append(Object.assign(document.createElement('b'), { textContent: kind }), line);
    list.append(row);
  }
  unfold();
  return list;
}

/** The YAML editor. */
export function createEditor(place: HTMLElement, hooks: EditorHooks): YamlEditor {
  let showing = false;
  let compared: HTMLElement | undefined;
  /** The server's answer, for the text it was asked about. */
  let answered: { text: string; diagnostics: Diagnostic[] } | undefined;
  const tell = (text: string, diagnostics: readonly Diagnostic[]): void =>
    hooks.problems(diagnostics.map(({ from, message, source }) => ({ line: text.slice(0, from).split('\n').length, means: message, words: source })));
  const lint = (path: string, text: string): Diagnostic[] => {
    if (answered?.text === text) return answered.diagnostics;
    const ours = yamlMistakes(text);
    tell(text, ours);
    if (text.trim() !== '') {
      void hooks.check(path, text).then(
        (lines) => {
          if (view.state.doc.toString() !== text) return;
          const theirs = asDiagnostics(text, lines);
          // What we alone noticed stays, as long as the server has nothing to say about that place.
          const diagnostics = [...theirs, ...ours.filter(({ from }) => !theirs.some((each) => each.from === from))].sort((a, b) => a.from - b.from);
          answered = { text, diagnostics };
          view.dispatch(setDiagnostics(view.state, diagnostics));
          tell(text, diagnostics);
        },
        () => undefined,
      );
    }
    return ours;
  };
  const extensions = (path: string) => [
    lineNumbers(),
    foldGutter(),
    history(),
    drawSelection(),
    indentOnInput(),
    bracketMatching(),
    closeBrackets(),
    highlightActiveLine(),
    highlightActiveLineGutter(),
    highlightSelectionMatches(),
    indentUnit.of('  '),
    EditorState.tabSize.of(4),
    EditorState.phrases.of({ Find: '尋找', Replace: '取代', next: '下一個', previous: '上一個', all: '全部', close: '關閉', Diagnostics: '問題' }),
    syntaxHighlighting(colours),
    look,
    EditorView.contentAttributes.of({ 'aria-label': `編輯 ${path}，按 Esc 再按 Tab 可以離開` }),
    keymap.of([...completionKeymap, ...closeBracketsKeymap, ...lintKeymap, ...defaultKeymap, ...searchKeymap, ...historyKeymap, indentWithTab]),
    ...(/\.ya?ml$/.test(path)
      ? [yaml(), lintGutter(), explainField, autocompletion({ override: [complete] }), linter(({ state }) => lint(path, state.doc.toString()), { delay: 300 })]
      : []),
    EditorView.updateListener.of((update) => {
      if (update.docChanged && !showing) hooks.changed(update.state.doc.toString());
    }),
  ];
  const view = new EditorView({ parent: place });
  // What scrolls can be reached by keyboard.
  view.scrollDOM.tabIndex = 0;
  const compare = (original: string | undefined): void => {
    compared?.remove();
    compared = original === undefined ? undefined : comparison(original, view.state.doc.toString());
    view.dom.hidden = compared !== undefined;
    if (compared) {
      place.append(compared);
      compared.focus();
    }
  };
  return {
    get text() {
      return view.state.doc.toString();
    },
    show(path, text) {
      compare(undefined);
      showing = true;
      hooks.problems([]);
      view.setState(EditorState.create({ doc: text, extensions: extensions(path) }));
      showing = false;
    },
    focus: () => view.focus(),
    format() {
      const text = view.state.doc.toString();
      const documents = parseAllDocuments(text);
      if (!Array.isArray(documents) || documents.some((document) => document.errors.length > 0)) return false;
      const tidy = documents.map((document) => document.toString({ indent: 2, lineWidth: 0 })).join('');
      if (tidy !== text) view.dispatch({ changes: { from: 0, to: text.length, insert: tidy } });
      return true;
    },
    compare,
  };
}
