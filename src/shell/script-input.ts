import { StreamDecoder } from '../unix/index.ts';
import { ShellFailure } from './control.ts';
import { Parser } from './parser.ts';
import type { Shell } from './shell.ts';
import { ShellSyntaxError } from './syntax.ts';

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
      const newline = chunk.indexOf(10);
      if (newline < 0) {
        text += decoder.decode(chunk);
        continue;
      }
      input.unread?.(chunk.subarray(newline + 1));
      return text + decoder.decode(chunk.subarray(0, newline + 1));
    }
  };
  while (!ended) {
    pending += await readLine();
    const parser = new Parser(pending, { dialect: shell.dialect, aliases: shell.aliases });
    try {
      const sequence = parser.next();
      if (parser.unterminatedHereDocument && !ended) continue;
      const lines = pending.split('\n').length - 1;
      pending = '';
      const first = line;
      line += lines;
      if (sequence) {
        shell.lineOffset = first;
        await shell.run(sequence);
      }
    } catch (error) {
      if (!(error instanceof ShellSyntaxError)) throw error;
      if (error.incomplete && !ended) continue;
      throw new ShellFailure(shell.syntaxMessage(error, pending, ''), 2);
    }
  }
}
