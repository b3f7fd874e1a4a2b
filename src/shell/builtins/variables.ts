import { shellQuote } from '../expand.ts';
import type { Shell } from '../shell.ts';
import type { Builtin } from './index.ts';
import { complain, fail, print, takeOptions } from './support.ts';

const NAME = /^[A-Za-z_]\w*$/;

/** `export`, `readonly`, `local`, `declare`: `name` or `name=value` words. */
async function declare(shell: Shell, words: readonly string[]): Promise<number> {
  const name = words[0]!;
  const isLocal = name === 'local' || ((name === 'declare' || name === 'typeset') && shell.variables.inFunction && !words.some((word) => /^-\w*g/.test(word)));
  if (name === 'local' && !shell.variables.inFunction)
    return shell.dialect === 'ash' ? fail(shell, name, 'not in a function', 1) : complain(shell, name, 'can only be used in a function');
  const flags = new Set<string>();
  let index = 1;
  for (; index < words.length && /^[-+]\w+$/.test(words[index]!); index++) for (const letter of words[index]!.slice(1)) flags.add(words[index]![0] + letter);
  if (words[index] === '--') index++;
  const rest = words.slice(index);
  const exporting = name === 'export' || flags.has('-x');
  const freezing = name === 'readonly' || flags.has('-r');
  if (rest.length === 0) {
    if (name === 'local') return 0;
    if (flags.has('-f') || flags.has('-F')) {
      for (const [fn, definition] of shell.functions) await print(shell, flags.has('-F') ? `declare -f ${fn}\n` : `${fn} () \n${definition.source}\n`);
      return 0;
    }
    return list(shell, name, exporting, freezing);
  }
  let status = 0;
  for (const word of rest) {
    const match = /^([^=+]*)(\+?)(?:=(.*))?$/s.exec(word)!;
    const [, target = '', plus, value] = match;
    if (flags.has('-f') && name !== 'export') {
      if (!shell.functions.has(target)) status = 1;
      else await print(shell, `${target} () \n${shell.functions.get(target)!.source}\n`);
      continue;
    }
    if (flags.has('-p')) {
      const line = describeVariable(shell, target);
      if (line === undefined) status = await complain(shell, name, `${target}: not found`);
      else await print(shell, line);
      continue;
    }
    if (!NAME.test(target.replace(/\[.*\]$/, ''))) {
      if (shell.dialect === 'ash') return fail(shell, name, `${word.split('=')[0]}: bad variable name`, 2);
      status = await complain(shell, name, `\`${word}': not a valid identifier`);
      continue;
    }
    if (isLocal) shell.variables.makeLocal(target, shell.dialect === 'ash' && value === undefined);
    const variable = shell.variables.declare(target.replace(/\[.*\]$/, ''));
    if (flags.has('-a') || flags.has('-A')) variable.array ??= new Map();
    if (flags.has('-A')) variable.associative = true;
    if (flags.has('-i')) variable.integer = true;
    if (value !== undefined) shell.setElement(target, plus ? (shell.getElement(target) ?? '') + value : value);
    if (exporting) variable.exported = true;
    if (flags.has('+x') || (name === 'export' && flags.has('-n'))) variable.exported = false;
    if (freezing) variable.readonly = true;
  }
  return status;
}

async function list(shell: Shell, name: string, exporting: boolean, freezing: boolean): Promise<number> {
  for (const variable of shell.variables.names()) {
    const found = shell.variables.find(variable)!;
    if ((exporting && !found.exported) || (freezing && !found.readonly)) continue;
    if (shell.dialect === 'ash') await print(shell, `${name} ${variable}${found.value === undefined ? '' : `=${shellQuote(found.value, 'ash')}`}\n`);
    else await print(shell, describeVariable(shell, variable) ?? '');
  }
  return 0;
}

/** A line of bash's `declare -p`. */
function describeVariable(shell: Shell, name: string): string | undefined {
  const variable = shell.variables.find(name);
  if (!variable) return undefined;
  const flags = `${variable.associative ? 'A' : variable.array ? 'a' : ''}${variable.integer ? 'i' : ''}${variable.readonly ? 'r' : ''}${variable.exported ? 'x' : ''}`;
  const quote = (text: string): string => `"${text.replace(/[\\"$`]/g, '\\$&')}"`;
  const value = variable.array
    ? `=(${[...variable.array].map(([key, text]) => `[${key}]=${quote(text)}`).join(' ')})`
    : variable.value === undefined
      ? ''
      : `=${quote(variable.value)}`;
  return `declare -${flags || '-'} ${name}${value}\n`;
}

async function unset(shell: Shell, words: readonly string[]): Promise<number> {
  const { letters, rest } = takeOptions(words, 'vfn');
  let status = 0;
  for (const name of rest) {
    if (letters.has('f')) {
      shell.functions.delete(name);
      continue;
    }
    const element = /^(\w+)\[(.*)\]$/.exec(name);
    if (element) {
      shell.variables.find(element[1]!)?.array?.delete(element[2]!);
      continue;
    }
    if (!NAME.test(name)) {
      if (shell.dialect === 'ash') return fail(shell, 'unset', `${name}: bad variable name`, 2);
      continue;
    }
    const variable = shell.variables.find(name);
    if (variable?.readonly) {
      if (shell.dialect === 'ash') return fail(shell, 'unset', `${name}: is read only`, 2);
      status = await complain(shell, 'unset', `${name}: cannot unset: readonly variable`);
    } else if (variable) shell.variables.put(name, undefined);
    else if (!letters.has('v')) shell.functions.delete(name);
  }
  return status;
}

async function getopts(shell: Shell, words: readonly string[]): Promise<number> {
  const [, optstring, variable, ...given] = words;
  if (optstring === undefined || variable === undefined) {
    if (shell.dialect === 'ash') return fail(shell, 'getopts', 'usage: getopts optstring var [arg]', 2);
    await shell.complain('getopts: usage: getopts optstring name [arg ...]');
    return 2;
  }
  const args = words.length > 3 ? given : shell.positional;
  let index = Number(shell.get('OPTIND') ?? 1) || 1;
  let offset = shell.getoptsOffset;
  const silent = optstring.startsWith(':');
  const finish = (value: string, argument: string | undefined, status: number): number => {
    shell.set('OPTIND', String(index));
    shell.getoptsOffset = offset;
    shell.set(variable, value);
    if (argument === undefined) {
      if (shell.variables.find('OPTARG')) shell.variables.put('OPTARG', undefined);
    } else shell.set('OPTARG', argument);
    return status;
  };
  let word = args[index - 1];
  if (offset === 0) {
    if (word === undefined || !/^-./.test(word)) return finish('?', undefined, 1);
    if (word === '--') {
      index++;
      return finish('?', undefined, 1);
    }
    offset = 1;
  }
  word ??= '';
  const letter = word[offset++] ?? '';
  const position = letter === ':' ? -1 : optstring.indexOf(letter, silent ? 1 : 0);
  const atEnd = offset >= word.length;
  const messageName = shell.dialect === 'bash' ? `${shell.messageName}: ` : '';
  if (position < 0) {
    if (atEnd) {
      index++;
      offset = 0;
    }
    if (silent) return finish('?', letter, 0);
    await shell.complain(shell.dialect === 'ash' ? `Illegal option -${letter}` : `${messageName}illegal option -- ${letter}`);
    return finish('?', undefined, 0);
  }
  if (optstring[position + 1] !== ':') {
    if (atEnd) {
      index++;
      offset = 0;
    }
    return finish(letter, undefined, 0);
  }
  let argument: string | undefined = atEnd ? args[index] : word.slice(offset);
  index += atEnd ? 2 : 1;
  offset = 0;
  if (argument === undefined) {
    index = args.length + 1;
    if (silent) return finish(':', letter, 0);
    await shell.complain(shell.dialect === 'ash' ? `No arg for -${letter} option` : `${messageName}option requires an argument -- ${letter}`);
    argument = undefined;
    return finish('?', undefined, 0);
  }
  return finish(letter, argument, 0);
}

async function alias(shell: Shell, words: readonly string[]): Promise<number> {
  const shown = ([name, value]: [string, string]): string => `${shell.dialect === 'bash' ? 'alias ' : ''}${name}=${shellQuote(value, shell.dialect)}\n`;
  if (words.length === 1 || (words.length === 2 && words[1] === '-p')) {
    for (const entry of [...shell.aliases].sort(([a], [b]) => (a < b ? -1 : 1))) await print(shell, shown(entry));
    return 0;
  }
  let status = 0;
  for (const word of words.slice(1)) {
    const equals = word.indexOf('=', 1);
    if (equals > 0) shell.aliases.set(word.slice(0, equals), word.slice(equals + 1));
    else {
      const value = shell.aliases.get(word);
      if (value !== undefined) await print(shell, shown([word, value]));
      else {
        await shell.complain(shell.dialect === 'ash' ? `alias: ${word} not found` : `${shell.errorPrefix('alias')}${word}: not found`);
        status = 1;
      }
    }
  }
  return status;
}

async function unalias(shell: Shell, words: readonly string[]): Promise<number> {
  if (words[1] === '-a') {
    shell.aliases.clear();
    return 0;
  }
  let status = 0;
  for (const name of words.slice(1)) {
    if (shell.aliases.delete(name)) continue;
    await shell.complain(shell.dialect === 'ash' ? `unalias: ${name} not found` : `${shell.errorPrefix('unalias')}${name}: not found`);
    status = 1;
  }
  return status;
}

export const variableBuiltins: readonly (readonly [string, Builtin])[] = [
  ['export', { run: declare }],
  ['readonly', { run: declare }],
  ['local', { run: declare }],
  ['declare', { run: declare, dialect: 'bash' }],
  ['typeset', { run: declare, dialect: 'bash' }],
  ['unset', { run: unset }],
  ['getopts', { run: getopts }],
  ['alias', { run: alias }],
  ['unalias', { run: unalias }],
];
