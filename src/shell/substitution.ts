import { Aborted } from '../kernel/index.ts';
import { StreamDecoder } from '../unix/index.ts';
import { ShellFailure } from './control.ts';
import { finishChild } from './jobs.ts';
import type { Shell } from './shell.ts';
import type { Sequence } from './syntax.ts';

/** Output of commands, without the newlines at its end. */
export async function substitute(shell: Shell, body: Sequence): Promise<string> {
  const { process } = shell;
  const [reader, writer] = process.pipe();
  const child = process.fork(
    async (own) => {
      const inner = shell.subshell(own);
      inner.rootPid = shell.rootPid;
      if (shell.dialect === 'bash') inner.options.delete('errexit');
      return inner.toExit(() => inner.run(body));
    },
    process.argv,
    { fds: shell.descriptors([[1, writer]]) },
  );
  writer.close();
  const decoder = new StreamDecoder();
  let text = '';
  try {
    for (;;) {
      const chunk = await shell.waitFor((signal) => reader.read(signal));
      if (!chunk) break;
      text += decoder.decode(chunk);
      if (text.length > 64 << 20) throw new ShellFailure(`${shell.errorPrefix()}out of memory`, 2);
    }
  } catch (error) {
    if (!(error instanceof Aborted)) throw error;
    child.kill('SIGINT');
    if (shell.interrupted) await shell.checkSignals();
  } finally {
    reader.close();
  }
  shell.status = await finishChild(shell, child, '', true);
  shell.lastSubstitution = shell.status;
  return (text + decoder.flush()).replaceAll('\0', '').replace(/\n+$/, '');
}

/** `<(…)`: a path that reads what the commands print (or writes to them). */
export async function processSubstitution(shell: Shell, direction: '<' | '>', body: Sequence): Promise<string> {
  const { process } = shell;
  const [reader, writer] = process.pipe();
  const mine = direction === '<' ? reader : writer;
  const theirs = direction === '<' ? writer : reader;
  process.fork(
    async (own) => {
      const inner = shell.subshell(own);
      return inner.toExit(() => inner.run(body));
    },
    process.argv,
    { fds: shell.descriptors([[direction === '<' ? 1 : 0, theirs]]) },
  );
  theirs.close();
  let number = 63;
  while (process.fds.has(number)) number--;
  process.fds.set(number, mine);
  shell.execution.temporaryDescriptors.push(number);
  return `/dev/fd/${number}`;
}
