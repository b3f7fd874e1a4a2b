import type { SessionRequest } from '../lab/protocol.ts';
import { debounce, find } from './dom.ts';
import type { YamlEditor } from './editor.ts';
import { fileStore } from './store.ts';

export interface FilesPane {
  /** Reads the list anew; the open file too, unless it has unsaved changes. */
  refresh(): Promise<void>;
  /** Shows a file (kubectl edit, vi). */
  open(path: string): Promise<void>;
  /** The tab became visible: the editor is loaded now. */
  shown(): Promise<void>;
}

/** The files of the reader's home: a list and a YAML editor that saves by itself. */
export function createFiles(
  panel: HTMLElement,
  options: { lab: string; originals: Readonly<Record<string, string>>; request: <T>(request: SessionRequest) => Promise<T>; apply: (path: string) => void },
): FilesPane {
  const list = find<HTMLSelectElement>(panel, '[data-file-list]');
  const state = find(panel, '[data-file-state]');
  const place = find(panel, '[data-editor]');
  const applyButton = find<HTMLButtonElement>(panel, '[data-file-apply]');
  const problem = find(panel, '[data-file-problem]');
  const compareButton = find<HTMLButtonElement>(panel, '[data-file-compare]');
  const restoreButton = find<HTMLButtonElement>(panel, '[data-file-restore]');
  let editor: YamlEditor | undefined;
  let path: string | undefined;
  let unsaved = false;
  let saving: Promise<void> = Promise.resolve();

  // The lab's own files first, in the order of its lab.yaml.
  const order = Object.keys(options.originals);
  const rank = (name: string): number => (order.includes(name) ? order.indexOf(name) : order.length);

  const say = (text: string): void => {
    state.textContent = text;
  };
  const keep = (name: string, text: string): void => {
    const kept = fileStore.read(options.lab);
    if (options.originals[name] === text) delete kept[name];
    else kept[name] = text;
    if (!fileStore.write(options.lab, kept)) say('瀏覽器不讓我存檔：重新整理後，這次的修改會不見');
  };
  const save = (): Promise<void> => {
    const name = path;
    if (!unsaved || !editor || name === undefined) return saving;
    unsaved = false;
    const text = editor.text;
    keep(name, text);
    saving = saving
      .then(() => options.request({ type: 'write-file', path: name, text }))
      .then(
        () => say('已存檔'),
        (error: Error) => {
          unsaved = true;
          say(`沒有存到：${error.message}`);
        },
      );
    return saving;
  };
  const saveSoon = debounce(() => void save(), 350);

  const load = async (name: string): Promise<void> => {
    await save();
    path = name;
    list.value = name;
    const text = await options.request<string>({ type: 'read-file', path: name });
    if (path !== name || !editor) return;
    editor.show(name, text);
    compareButton.setAttribute('aria-pressed', 'false');
    compareButton.disabled = options.originals[name] === undefined;
    restoreButton.disabled = options.originals[name] === undefined || options.originals[name] === text;
    say('');
  };

  const ensureEditor = async (): Promise<void> => {
    if (editor) return;
    say('正在打開編輯器……');
    const { createEditor } = await import('./editor.ts');
    editor ??= createEditor(place, {
      changed(text) {
        unsaved = true;
        restoreButton.disabled = path === undefined || options.originals[path] === undefined || options.originals[path] === text;
        say('');
        saveSoon();
      },
      check: (name, text) => options.request<string[]>({ type: 'check-manifest', name, text }),
      problems(problems) {
        const [first] = problems;
        problem.hidden = first === undefined;
        if (!first) return;
        const more = problems.length > 1 ? `（還有 ${problems.length - 1} 個）` : '';
        problem.replaceChildren(`第 ${first.line} 行：${first.means}${more}`);
        if (first.words) problem.append(Object.assign(document.createElement('code'), { textContent: first.words }));
      },
    });
  };

  const refresh = async (): Promise<void> => {
    const names = (await options.request<readonly { path: string }[]>({ type: 'list-files' }))
      .map((file) => file.path)
      .sort((a, b) => rank(a) - rank(b) || a.localeCompare(b));
    // Before any file was opened, the list may have been set to one.
    const wanted = [path, list.value].find((name) => name !== undefined && names.includes(name)) ?? names[0];
    list.replaceChildren(...names.map((name) => new Option(name, name, false, name === wanted)));
    if (editor && wanted !== undefined && !unsaved) {
      if (wanted !== path) await load(wanted);
      else {
        const text = await options.request<string>({ type: 'read-file', path: wanted });
        if (!unsaved && text !== editor.text) editor.show(wanted, text);
      }
    }
  };

  list.addEventListener('change', () => void load(list.value).catch((error: Error) => say(error.message)));
  applyButton.addEventListener('click', () => void save().then(() => path !== undefined && options.apply(path)));
  restoreButton.addEventListener('click', () => {
    const original = path === undefined ? undefined : options.originals[path];
    if (path === undefined || original === undefined || !editor) return;
    editor.show(path, original);
    unsaved = true;
    void save();
    restoreButton.disabled = true;
  });
  compareButton.addEventListener('click', () => {
    const on = compareButton.getAttribute('aria-pressed') !== 'true';
    compareButton.setAttribute('aria-pressed', String(on));
    editor?.compare(on && path !== undefined ? options.originals[path] : undefined);
  });
  find(panel, '[data-file-format]').addEventListener('click', () => {
    if (editor && !editor.format()) say('YAML 讀不懂，先修好標出來的地方再整理');
  });
  find(panel, '[data-file-new]').addEventListener('click', () => {
    const name = prompt('新檔案的名字', 'new.yaml')?.trim();
    if (!name) return;
    if (!/^[\w.-]+$/.test(name)) return say('檔名請用英文字母、數字、「.」「-」「_」');
    void options
      .request({ type: 'write-file', path: name, text: '' })
      .then(refresh)
      .then(() => load(name))
      .catch((error: Error) => say(error.message));
  });

  return {
    refresh,
    async open(name) {
      await ensureEditor();
      await refresh();
      await load(name);
      editor?.focus();
    },
    async shown() {
      await ensureEditor();
      await refresh();
    },
  };
}
