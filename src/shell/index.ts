export { echoProgram, printfProgram, pwdProgram, testProgram } from './builtins/input-output.ts';
export { killProgram } from './builtins/jobs.ts';
export type { Completer } from './completion.ts';
export { createShell, type ShellOptions } from './create-shell.ts';
export { formatFloat, formatPrint, unescapeText } from './print-format.ts';
