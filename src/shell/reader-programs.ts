import { decodeText, Errno, encodeText, joinPath, type Process, type Program } from '../unix/index.ts';

/** Programs that only the reader's laptop has. */
export function readerPrograms(hooks: { edit(path: string): boolean; date(ms: number): string }): Record<string, Program> {
  const edit = editProgram(hooks.edit);
  return { clear, reset: clear, watch: watchProgram(hooks.date), edit, vi: edit, vim: edit, nano: edit, sudo };
}

const clear: Program = async (process) => {
  await process.out('\x1b[H\x1b[2J\x1b[3J');
  return 0;
};

const sudo: Program = async (process) => {
  const args = process.argv.slice(1).filter((word, index, all) => !(word.startsWith('-') && all.slice(0, index).every((before) => before.startsWith('-'))));
  if (args.length === 0) return 0;
  try {
    return await process.exec(args);
  } catch (error) {
    if (!(error instanceof Errno)) throw error;
    await process.err(`sudo: ${args[0]}: command not found\n`);
    return 1;
  }
};

/** watch(1): runs a command again and again, showing one screen of what it prints. */
function watchProgram(date: (ms: number) => string): Program {
  return async (process) => {
    let seconds = 2;
    let title = true;
    const args = process.argv.slice(1);
    while (args[0]?.startsWith('-')) {
      const option = args.shift()!;
      if (option === '-t' || option === '--no-title') title = false;
      else if (option === '-n' || option === '--interval') seconds = Number(args.shift());
      else if (/^-n/.test(option)) seconds = Number(option.slice(2));
      else if (/^--interval=/.test(option)) seconds = Number(option.slice(11));
    }
    if (args.length === 0 || !(seconds >= 0)) {
      await process.err('Usage:\n watch [-n <secs>] [-t] command\n');
      return 1;
    }
    const command = args.join(' ');
    const tty = process.stdout.tty;
    for (;;) {
      const output = await capture(process, ['/bin/sh', '-c', command]);
      const columns = tty?.columns ?? 80;
      const rows = tty?.rows ?? 24;
      const left = `Every ${seconds.toFixed(1)}s: ${command}`;
      const right = `${process.machine.hostname}: ${date(process.kernel.now())}`;
      const head = title ? [`${left.slice(0, Math.max(0, columns - right.length - 1)).padEnd(columns - right.length)}${right}`, ''] : [];
      const lines = output.replace(/\n$/, '').split('\n');
      await process.out(`\x1b[H\x1b[2J${[...head, ...lines].slice(0, rows).join('\n')}`);
      await process.sleep(Math.max(0.1, seconds) * 1000);
    }
  };
}

/** Standard output and error of a command together. */
async function capture(process: Process, argv: readonly string[]): Promise<string> {
  const [reader, writer] = process.pipe();
  const child = process.spawn(argv, { fds: new Map([[1, writer], [2, writer]]) }); // biome-ignore format: a pair per line adds nothing
  writer.close();
  let text = '';
  for (let chunk = await reader.read(); chunk; chunk = await reader.read()) if (text.length < 1 << 20) text += decodeText(chunk);
  reader.close();
  await process.guard(child.exited);
  return text;
}

/**
 * Opens a file in the page's editor. A file below /tmp is one that another program (kubectl edit) waits for: it stays
 * until the file was saved or Ctrl-C.
 */
function editProgram(open: (path: string) => boolean): Program {
  return async (process) => {
    const name = process.argv.slice(1).findLast((word) => !word.startsWith('-') && !word.startsWith('+'));
    const self = process.argv[0]!.split('/').pop()!;
    if (name === undefined) {
      await process.err(`用法：${self} 檔名\n`);
      return 1;
    }
    const path = joinPath(process.cwd, name);
    const { fs } = process.machine;
    if (fs.exists(path) && fs.stat(path).type === 'directory') {
      await process.err(`${self}: ${name}: 這是目錄\n`);
      return 1;
    }
    if (!fs.exists(path)) fs.writeFile(path, '', { uid: process.uid, gid: process.gid });
    if (!open(path)) {
      await process.err(`${self}: 這裡沒有編輯器可用\n`);
      return 1;
    }
    if (!path.startsWith('/tmp/')) {
      await process.stdout.write(encodeText(`已在編輯器中打開 ${name}\n`));
      return 0;
    }
    await process.err('請在編輯器中修改並儲存；按 Ctrl-C 放棄。\n');
    const before = fs.stat(path).mtimeMs;
    const text = fs.readText(path);
    while (fs.stat(path).mtimeMs === before && fs.readText(path) === text) await process.sleep(200);
    return 0;
  };
}
