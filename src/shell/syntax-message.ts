import type { Shell } from './shell.ts';
import type { ShellSyntaxError } from './syntax.ts';

/** A syntax error as the shell tells it; `name`: what was being read (`-c`, `eval`). */
export function syntaxMessage(shell: Shell, error: ShellSyntaxError, text: string, name: string): string {
  if (shell.dialect === 'ash') {
    if (shell.messageFile !== undefined) shell.line = error.line;
    return `${shell.errorPrefix(name === 'eval' ? name : undefined)}${error.message}`;
  }
  if (shell.interactive && name !== 'eval') return `${shell.messageName}: ${error.message}`;
  const prefix = `${shell.messageName}: ${name ? `${name}: ` : ''}line ${error.line}: `;
  if (error.message === 'bad substitution') return `${shell.messageName}: line ${error.line}: ${(/\$\{[^}]*\}?/.exec(text) ?? [''])[0]}: bad substitution`;
  const shown = error.message.includes('unexpected token') ? `\n${prefix}\`${text.split('\n')[error.line - 1] ?? ''}'` : '';
  return `${prefix}${error.message}${shown}`;
}
