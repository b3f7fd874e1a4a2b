import { fileStore, type Progress, progressStore } from './store.ts';

interface ProgressFile {
  kind: 'chartroom-progress';
  version: 1;
  progress: Progress;
  files: Record<string, Record<string, string>>;
}

const MOST_BYTES = 2_000_000;
const NAME = /^[a-z0-9-]{1,60}$/;

/** Reads a progress file. Throws with a word for the reader when it is not one; what is strange in it is left out. */
export function parseProgressFile(text: string): ProgressFile {
  if (text.length > MOST_BYTES) throw new Error('這個檔案太大，不像進度檔。');
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new Error('這個檔案不是進度檔，或是內容壞了。原本的進度沒有動。');
  }
  const file = value as Partial<ProgressFile> | null;
  if (typeof file !== 'object' || file === null || file.kind !== 'chartroom-progress') throw new Error('這個檔案不是進度檔。原本的進度沒有動。');
  if (file.version !== 1) throw new Error('這個進度檔來自別的版本，這裡讀不懂。原本的進度沒有動。');
  const entries = (from: unknown): [string, unknown][] =>
    typeof from === 'object' && from !== null ? Object.entries(from).filter(([lab]) => NAME.test(lab)) : [];
  return {
    kind: 'chartroom-progress',
    version: 1,
    progress: Object.fromEntries(
      entries(file.progress).flatMap(([lab, steps]) =>
        Array.isArray(steps) ? [[lab, steps.filter((step): step is string => typeof step === 'string' && NAME.test(step))]] : [],
      ),
    ),
    files: Object.fromEntries(
      entries(file.files).map(([lab, files]) => [
        lab,
        Object.fromEntries(
          Object.entries((files ?? {}) as Record<string, unknown>).filter(
            (entry): entry is [string, string] => /^[\w.-]{1,100}$/.test(entry[0]) && typeof entry[1] === 'string',
          ),
        ),
      ]),
    ),
  };
}

/** Export and import of what was reached and edited, as a file. Imported steps are added to what is here. */
export function wireProgressFile(root: HTMLElement): void {
  const status = root.querySelector<HTMLElement>('[data-progress-status]');
  const input = root.querySelector<HTMLInputElement>('[data-progress-file]');
  const say = (text: string): void => {
    if (status) status.textContent = text;
  };
  root.hidden = false;
  root.querySelector('[data-progress-export]')?.addEventListener('click', () => {
    const progress = progressStore.read();
    const labs = [...document.querySelectorAll<HTMLElement>('[data-progress-lab]')].map((link) => link.dataset.progressLab ?? '');
    const files = Object.fromEntries([...new Set(labs)].map((lab) => [lab, fileStore.read(lab)]).filter(([, kept]) => Object.keys(kept as object).length > 0));
    const file: ProgressFile = { kind: 'chartroom-progress', version: 1, progress, files };
    const link = document.createElement('a');
    link.href = URL.createObjectURL(new Blob([JSON.stringify(file, null, 2)], { type: 'application/json' }));
    link.download = 'chartroom-progress.json';
    link.click();
    URL.revokeObjectURL(link.href);
  });
  root.querySelector('[data-progress-import]')?.addEventListener('click', () => input?.click());
  input?.addEventListener('change', () => {
    const chosen = input.files?.[0];
    input.value = '';
    if (!chosen) return;
    void chosen
      .text()
      .then((text) => {
        const file = parseProgressFile(text);
        let kept = true;
        for (const [lab, steps] of Object.entries(file.progress)) kept = progressStore.reach(lab, steps) && kept;
        for (const [lab, files] of Object.entries(file.files)) kept = fileStore.write(lab, { ...files, ...fileStore.read(lab) }) && kept;
        say(kept ? '匯入好了。' : '瀏覽器不讓我存：匯入的進度沒有留下來。');
      })
      .catch((error: Error) => say(error.message));
  });
}
