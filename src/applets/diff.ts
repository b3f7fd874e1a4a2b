import { Errno } from '../unix/types.ts';
import { type Applet, Failure, getopt, program, toByteText, UsageError } from './applet.ts';
import { type Edit, editScript } from './edit-script.ts';

/** diff: unified format only, as BusyBox has it. Exit: 0 same, 1 different, 2 trouble. */

async function diff(applet: Applet): Promise<number> {
  const options = getopt(applet.args, 'abdiL:NqrsS:tTU:uwB', { 'ignore-case': 'i', brief: 'q', recursive: 'r', unified: 'u', 'new-file': 'N' });
  const [first, second] = options.rest;
  if (first === undefined || second === undefined) throw new UsageError();
  const context = Number(options.get('U') ?? 3);
  let differs = 0;
  const typeOf = (path: string): 'file' | 'directory' | undefined => {
    if (path === '-') return 'file';
    try {
      return applet.fs.stat(applet.path(path)).type === 'directory' ? 'directory' : 'file';
    } catch (error) {
      if (!(error instanceof Errno)) throw error;
      if (options.has('N')) return undefined;
      throw new Failure(`can't stat '${path}': ${error.message}`, 2);
    }
  };
  const read = async (path: string): Promise<{ lines: string[]; complete: boolean }> => {
    if (typeOf(path) === undefined) return { lines: [], complete: true };
    const text = await applet.readText(applet.open(path));
    const lines = text.split('\n');
    const complete = lines.at(-1) === '';
    if (complete) lines.pop();
    return { lines, complete };
  };
  const key = (line: string): string => {
    let out = options.has('i') ? line.toLowerCase() : line;
    if (options.has('w')) out = out.replace(/\s+/g, '');
    else if (options.has('b')) out = out.replace(/\s+/g, ' ').trimEnd();
    return out;
  };
  const compare = async (left: string, right: string): Promise<void> => {
    const a = await read(left);
    const b = await read(right);
    const same = a.complete === b.complete && a.lines.length === b.lines.length && a.lines.every((line, i) => key(line) === key(b.lines[i] as string));
    if (same) {
      if (options.has('s')) await applet.put(`Files ${left} and ${right} are identical\n`);
      return;
    }
    differs = 1;
    if (options.has('q')) {
      await applet.put(`Files ${left} and ${right} differ\n`);
      return;
    }
    const mark = ({ lines, complete }: typeof a): string[] => lines.map((line, i) => key(line) + (i === lines.length - 1 && !complete ? '\n\\' : ''));
    const edits = editScript(mark(a), mark(b)).map((edit) => ({
      ...edit,
      text: edit.kind === '+' ? (b.lines[edit.right] as string) : (a.lines[edit.left] as string),
    }));
    await applet.process.cpu(edits.length / 1000);
    const labels = options.all('L');
    await applet.put(`--- ${labels[0] ?? left}\n+++ ${labels[1] ?? right}\n`);
    for (let i = 0; i < edits.length; ) {
      while (i < edits.length && edits[i]?.kind === ' ') i++;
      if (i >= edits.length) break;
      const start = Math.max(0, i - context);
      let end = i;
      for (let quiet = 0; end < edits.length && quiet <= context * 2; end++) quiet = edits[end]?.kind === ' ' ? quiet + 1 : 0;
      while (end > i && edits[end - 1]?.kind === ' ') end--;
      const stop = Math.min(edits.length, end + context);
      const hunk = edits.slice(start, stop);
      const head = hunk[0] as Edit;
      const range = (from: number, count: number): string => (count === 1 ? String(from + 1) : `${count === 0 ? from : from + 1},${count}`);
      const leftCount = hunk.filter((edit) => edit.kind !== '+').length;
      const rightCount = hunk.filter((edit) => edit.kind !== '-').length;
      await applet.put(`@@ -${range(head.left, leftCount)} +${range(head.right, rightCount)} @@\n`);
      for (const edit of hunk) {
        await applet.put(`${edit.kind}${edit.text}\n`);
        const lastLeft = edit.kind !== '+' && edit.left === a.lines.length - 1 && !a.complete;
        const lastRight = edit.kind !== '-' && edit.right === b.lines.length - 1 && !b.complete;
        if (lastLeft || lastRight) await applet.put('\\ No newline at end of file\n');
      }
      i = stop;
    }
  };
  const walk = async (left: string, right: string): Promise<void> => {
    const [a, b] = [typeOf(left), typeOf(right)];
    if (a === 'directory' && b === 'directory') {
      const names = (path: string): string[] => applet.fs.readdir(applet.path(path)).map(toByteText);
      const [mine, others] = [names(left), names(right)];
      for (const name of [...new Set([...mine, ...others])].sort()) {
        const both = mine.includes(name) && others.includes(name);
        if (!both && !options.has('N')) {
          differs = 1;
          await applet.put(`Only in ${mine.includes(name) ? left : right}: ${name}\n`);
          continue;
        }
        // Without -r directories within are passed over in silence.
        if (!both || typeOf(`${left}/${name}`) !== 'directory' || options.has('r')) await walk(`${left}/${name}`, `${right}/${name}`);
      }
    } else if (a === 'directory') await compare(`${left}/${right.split('/').pop()}`, right);
    else if (b === 'directory') await compare(left, `${right}/${left.split('/').pop()}`);
    else await compare(left, right);
  };
  await walk(first, second);
  return differs;
}

export const diffApplets = { diff: program('[-abBdiNqrTstw] [-L LABEL] [-S FILE] [-U LINES] FILE1 FILE2', diff, 2) };
