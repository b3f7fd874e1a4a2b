import { closeBrackets, closeBracketsKeymap } from '@codemirror/autocomplete';
import { defaultKeymap, history, historyKeymap, indentWithTab } from '@codemirror/commands';
import { yaml } from '@codemirror/lang-yaml';
import { bracketMatching, foldGutter, HighlightStyle, indentOnInput, indentUnit, syntaxHighlighting } from '@codemirror/language';
import { type Diagnostic, linter, lintGutter } from '@codemirror/lint';
import { highlightSelectionMatches, searchKeymap } from '@codemirror/search';
import { EditorState } from '@codemirror/state';
import { drawSelection, EditorView, highlightActiveLine, highlightActiveLineGutter, keymap, lineNumbers } from '@codemirror/view';
import { tags } from '@lezer/highlight';
import { parseAllDocuments } from 'yaml';

export interface YamlEditor {
  readonly text: string;
  show(path: string, text: string): void;
  focus(): void;
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
  '.cm-tooltip': { backgroundColor: 'var(--paper-raised)', border: '1px solid var(--rule)', color: 'var(--ink)' },
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
  return found.map((each) => ({ ...each, from: Math.min(each.from, text.length), to: Math.min(each.to, text.length) }));
}

/** The YAML editor. `onChange` hears the reader's edits, not what `show` puts there. */
export function createEditor(place: HTMLElement, onChange: (text: string) => void): YamlEditor {
  let showing = false;
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
    EditorState.phrases.of({ Find: '尋找', Replace: '取代', next: '下一個', previous: '上一個', all: '全部', close: '關閉' }),
    syntaxHighlighting(colours),
    look,
    EditorView.contentAttributes.of({ 'aria-label': `編輯 ${path}，按 Esc 再按 Tab 可以離開` }),
    keymap.of([...closeBracketsKeymap, ...defaultKeymap, ...searchKeymap, ...historyKeymap, indentWithTab]),
    ...(/\.ya?ml$/.test(path) ? [yaml(), lintGutter(), linter((view) => yamlMistakes(view.state.doc.toString()), { delay: 300 })] : []),
    EditorView.updateListener.of((update) => {
      if (update.docChanged && !showing) onChange(update.state.doc.toString());
    }),
  ];
  const view = new EditorView({ parent: place });
  return {
    get text() {
      return view.state.doc.toString();
    },
    show(path, text) {
      showing = true;
      view.setState(EditorState.create({ doc: text, extensions: extensions(path) }));
      showing = false;
    },
    focus: () => view.focus(),
  };
}
