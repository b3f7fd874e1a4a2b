import type { Terminal } from '../shell/reader-machine.ts';

/** Of a command that prints without end, this much of the end is kept. */
const MOST_CHARACTERS = 400_000;

/** Hears what each command entered at a terminal printed, as plain text, once its prompt is back. */
export function listenToCommands(terminal: Terminal, onOutput: (output: string) => void): void {
  let output: string | undefined;
  terminal.onCommand(() => {
    output = '';
  });
  terminal.onOutput((text) => {
    if (output === undefined) return;
    output += text;
    if (output.length > 2 * MOST_CHARACTERS) output = output.slice(-MOST_CHARACTERS);
  });
  terminal.onPrompt(() => {
    if (output) onOutput(plain(output));
    output = undefined;
  });
}

/** Terminal output as text: line ends of a file, no escape sequences, no key echoes. */
export function plain(output: string): string {
  return output
    .replace(/\u001b\[[0-9;?]*[ -/]*[@-~]/g, '')
    .replaceAll('\r\n', '\n')
    .replaceAll('\r', '');
}
