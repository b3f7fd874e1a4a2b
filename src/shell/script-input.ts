import { StreamDecoder } from '../unix/index.ts';
import { ShellFailure } from './control.ts';
import { Parser } from './parser.ts';
import type { Shell } from './shell.ts';
import { ShellSyntaxError } from './syntax.ts';
import { syntaxMessage } from './syntax-message.ts';

const ASH_BUFFER_BYTES = 1023;

/** Runs what comes on standard input, command by command: what a command reads from it is not read by the shell. */
export async function readScript(shell: Shell): Promise<void> {
  const input = shell.process.stdin;
  const decoder = new StreamDecoder();
  let pending = '';
  let line = 0;
  let ended = false;
  /** Up to and including the next newline; the bytes behind it are left for others. */
  const readLine = async (): Promise<string> => {
    let text = '';
    for (;;) {
      const chunk = await input.read();
      if (chunk === null) {
        ended = true;
        return text + decoder.flush();
      }
      if (shell.dialect === 'ash') {
        // BusyBox reads ahead into a buffer: what commands find on standard input is what did not fit.
        input.unread?.(chunk.subarray(ASH_BUFFER_BYTES));
        return text + decoder.decode(chunk.subarray(0, ASH_BUFFER_BYTES));
      }
      const newline = chunk.indexOf(10);
      if (newline < 0) {
        text += decoder.decode(chunk);
        continue;
      }
      input.unread?.(chunk.subarray(newline + 1));
      return text + decoder.decode(chunk.subarray(0, newline + 1));
    }
  };
  for (;;) {
    if (!pending.includes('\n') && !ended) pending += await readLine();
    if (pending === '' && ended) return;
    const parser = new Parser(pending, { dialect: shell.dialect, aliases: shell.aliases });
    try {
      const sequence = parser.next();
      const rest = parser.source.slice(parser.position);
      // The last line is whole only when its newline has come.
      if ((parser.unterminatedHereDocument || (rest === '' && !parser.source.endsWith('\n'))) && !ended) {
        pending += await readLine();
        continue;
      }
      shell.lineOffset = line;
      line += parser.lineAt(parser.position) - 1;
      pending = rest;
      if (sequence) await shell.run(sequence);
    } catch (error) {
      if (!(error instanceof ShellSyntaxError)) throw error;
      if (error.incomplete && !ended) {
        pending += await readLine();
        continue;
      }
      throw new ShellFailure(syntaxMessage(shell, error, pending, ''), 2);
    }
  }
}
