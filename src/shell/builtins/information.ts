import { Errno, joinPath } from '../../unix/index.ts';
import { expandPathname } from '../glob.ts';
import type { Shell } from '../shell.ts';
import type { Builtin } from './index.ts';
import { complain, fail, print, takeOptions } from './support.ts';

const KEYWORDS = new Set(['if', 'then', 'else', 'elif', 'fi', 'case', 'esac', 'for', 'while', 'until', 'do', 'done', '{', '}', '!', 'in', 'function']);
const BASH_KEYWORDS = new Set(['[[', ']]', 'time', 'select', 'coproc']);

async function cd(shell: Shell, words: readonly string[]): Promise<number> {
  const { letters, rest } = takeOptions(words, 'LP');
  if (rest.length > 1 && shell.dialect === 'bash') return complain(shell, 'cd', 'too many arguments');
  let target = rest[0];
  let shows = false;
  if (target === undefined) {
    target = shell.get('HOME');
    if (target === undefined) return shell.dialect === 'ash' ? 0 : complain(shell, 'cd', 'HOME not set');
  } else if (target === '-') {
    target = shell.get('OLDPWD');
    if (target === undefined) return shell.dialect === 'ash' ? fail(shell, 'cd', 'OLDPWD not set', 2) : complain(shell, 'cd', 'OLDPWD not set');
    shows = true;
  } else if (!/^\.{0,2}\//.test(target) && shell.get('CDPATH')) {
    for (const base of shell.get('CDPATH')!.split(':')) {
      const candidate = joinPath(joinPath(shell.process.cwd, base || '.'), target);
      if (shell.process.machine.fs.exists(candidate)) {
        shows = base !== '' && base !== '.';
        target = candidate;
        break;
      }
    }
  }
  const before = shell.process.cwd;
  try {
    // An empty name stays where it is.
    const after = shell.changeDirectory(target === '' ? '.' : target, letters.has('P'));
    shell.variables.declare('OLDPWD').exported ||= shell.dialect === 'ash' || shell.variables.find('PWD')?.exported === true;
    shell.set('OLDPWD', before);
    shell.set('PWD', after);
    if (shows) await print(shell, `${after}\n`);
    return 0;
  } catch (error) {
    if (!(error instanceof Errno)) throw error;
    if (shell.dialect === 'bash') return complain(shell, 'cd', `${target}: ${error.message}`);
    return complain(shell, 'cd', `can't cd to ${target}: ${error.message}`, 2);
  }
}

async function pwd(shell: Shell, words: readonly string[]): Promise<number> {
  const { cwd, machine } = shell.process;
  await print(shell, `${words[1] === '-P' && machine.fs.exists(cwd) ? machine.fs.realpath(cwd) : cwd}\n`);
  return 0;
}

/** What a name is, as `type` says it; undefined for nothing. */
function describeCommand(shell: Shell, name: string): { text: string; kind: string; path: string } | undefined {
  const { dialect } = shell;
  const alias = shell.aliases.get(name);
  if (alias !== undefined && (dialect === 'ash' || shell.interactive))
    return {
      text: dialect === 'ash' ? `${name} is an alias for ${alias}` : `${name} is aliased to \`${alias}'`,
      kind: 'alias',
      path: dialect === 'ash' ? `alias ${name}='${alias}'` : `alias ${name}='${alias}'`,
    };
  if (KEYWORDS.has(name) || (dialect === 'bash' && BASH_KEYWORDS.has(name))) return { text: `${name} is a shell keyword`, kind: 'keyword', path: name };
  const definition = shell.functions.get(name);
  if (definition) {
    const source = dialect === 'bash' ? `\n${name} () \n${indented(definition.source)}` : '';
    return { text: `${name} is a function${source}`, kind: 'function', path: name };
  }
  const builtin = shell.execution.builtins.get(name);
  if (builtin && (!builtin.dialect || builtin.dialect === dialect)) return { text: `${name} is a shell builtin`, kind: 'builtin', path: name };
  const path = shell.process.which(name);
  return path === undefined ? undefined : { text: `${name} is ${path}`, kind: 'file', path };
}

/** A function's body as bash shows it: one command per line. */
function indented(source: string): string {
  const body = source.replace(/^\{\s*/, '').replace(/;?\s*\}$/, '');
  const lines = body.includes('\n') ? body.split('\n').map((line) => line.trim()) : body.split(/;\s*/);
  return `{ \n${lines
    .filter(Boolean)
    .map((line) => `    ${line}`)
    .join(';\n')
    .replace(/;;\n/g, ';\n')}\n}`;
}

async function type(shell: Shell, words: readonly string[]): Promise<number> {
  let status = 0;
  const { letters, rest } = takeOptions(words, 'aftpP');
  for (const name of rest) {
    const found = describeCommand(shell, name);
    if (!found) {
      status = shell.dialect === 'ash' ? 127 : 1;
      if (letters.has('t') || letters.has('p')) continue;
      if (shell.dialect === 'ash') await print(shell, `${name}: not found\n`);
      else await complain(shell, 'type', `${name}: not found`);
    } else if (letters.has('t') && shell.dialect === 'bash') await print(shell, `${found.kind}\n`);
    else if (letters.has('p')) await print(shell, found.kind === 'file' ? `${found.path}\n` : '');
    else await print(shell, `${found.text}\n`);
  }
  return status;
}

async function command(shell: Shell, words: readonly string[]): Promise<number> {
  const { letters, rest } = takeOptions(words, 'pvV');
  const name = rest[0];
  if (letters.has('v') || letters.has('V')) {
    let status = rest.length === 0 ? 0 : shell.dialect === 'ash' ? 127 : 1;
    for (const each of shell.dialect === 'ash' ? rest.slice(0, 1) : rest) {
      const found = describeCommand(shell, each);
      if (found) {
        status = 0;
        await print(shell, `${letters.has('V') ? found.text : found.path}\n`);
      } else if (letters.has('V')) {
        if (shell.dialect === 'ash') await print(shell, `${each}: not found\n`);
        else await complain(shell, 'command', `${each}: not found`);
      }
    }
    return status;
  }
  if (name === undefined) return 0;
  const builtin = shell.execution.builtins.get(name);
  if (builtin && (!builtin.dialect || builtin.dialect === shell.dialect)) return builtin.run(shell, rest);
  const child = await shell.execution.startExternal(shell, rest, shell.variables.environment());
  return child ? shell.execution.foreground([child], rest.join(' ')) : shell.status;
}

async function builtinCommand(shell: Shell, words: readonly string[]): Promise<number> {
  const name = words[1];
  if (name === undefined) return 0;
  const builtin = shell.execution.builtins.get(name);
  if (!builtin) return complain(shell, 'builtin', `${name}: not a shell builtin`);
  return builtin.run(shell, words.slice(1));
}

async function umask(shell: Shell, words: readonly string[]): Promise<number> {
  const { process } = shell;
  const text = words.findLast((word, index) => index > 0 && !word.startsWith('-'));
  if (text !== undefined) {
    if (!/^[0-7]{1,4}$/.test(text))
      return shell.dialect === 'ash' ? fail(shell, 'umask', `illegal mode: ${text}`, 2) : complain(shell, 'umask', `${text}: octal number out of range`);
    process.umask = Number.parseInt(text, 8) & 0o777;
    return 0;
  }
  if (words.includes('-S')) {
    const allowed = ~process.umask;
    const letters = (shift: number): string => ['r', 'w', 'x'].filter((_, index) => (allowed >> (shift + 2 - index)) & 1).join('');
    await print(shell, `u=${letters(6)},g=${letters(3)},o=${letters(0)}\n`);
  } else await print(shell, `${process.umask.toString(8).padStart(4, '0')}\n`);
  return 0;
}

async function history(shell: Shell, words: readonly string[]): Promise<number> {
  if (words[1] === '-c') {
    shell.history.length = 0;
    return 0;
  }
  const count = /^\d+$/.test(words[1] ?? '') ? Number(words[1]) : shell.history.length;
  const first = Math.max(0, shell.history.length - count);
  const lines = shell.history
    .slice(first)
    .map(
      (line, index) =>
        `${String(first + index + (shell.dialect === 'bash' ? 1 : 0)).padStart(shell.dialect === 'bash' ? 5 : 4)}${shell.dialect === 'bash' ? '  ' : ' '}${line}\n`,
    );
  await print(shell, lines.join(''));
  return 0;
}

async function help(shell: Shell): Promise<number> {
  if (shell.dialect === 'ash') {
    await print(shell, ASH_HELP);
    return 0;
  }
  await print(shell, READER_HELP);
  return 0;
}

const ASH_HELP = `Built-in commands:
------------------
	. : [ [[ alias bg break cd chdir command continue echo eval exec
	exit export false fg getopts hash help history jobs kill let
	local printf pwd read readonly return set shift source test times
	trap true type ulimit umask unalias unset wait
`;

const READER_HELP = `這是海圖室的終端機，裡面的 kubectl 連到頁面中模擬的 Kubernetes 叢集。

  kubectl get pods          看看叢集裡有哪些 Pod（k 是 kubectl 的縮寫）
  kubectl apply -f FILE     套用目前目錄裡的 YAML 檔
  ls、cat、grep、sort …      一般的 Unix 指令
  edit FILE                 用頁面上的編輯器打開檔案
  watch -n 2 指令           每隔幾秒重複執行
  clear                     清空畫面
  history                   列出輸入過的指令

Tab 補完指令、檔名與資源名稱；↑ ↓ 找前面的指令；Ctrl-R 搜尋；Ctrl-C 中斷正在執行的指令。
`;

async function shopt(shell: Shell, words: readonly string[]): Promise<number> {
  const { letters, rest } = takeOptions(words, 'supqo');
  for (const name of rest) {
    if (letters.has('s')) shell.options.add(name);
    else if (letters.has('u')) shell.options.delete(name);
    else {
      if (!letters.has('q')) await print(shell, `${name.padEnd(15)}\t${shell.options.has(name) ? 'on' : 'off'}\n`);
      if (!shell.options.has(name)) return 1;
    }
  }
  return 0;
}

async function ulimit(shell: Shell, words: readonly string[]): Promise<number> {
  const letter = words[1]?.[1];
  const values: Record<string, string> = { n: '1048576', c: '0', s: '8192', u: 'unlimited', l: '8192' };
  await print(shell, `${(letter && values[letter]) ?? 'unlimited'}\n`);
  return 0;
}

async function compgen(shell: Shell, words: readonly string[]): Promise<number> {
  const prefix = words.at(-1) ?? '';
  const found = expandPathname(shell.process.machine.fs, shell.process.cwd, `${prefix.replace(/[\\*?[]/g, '\\$&')}*`);
  await print(shell, found.map((name) => `${name}\n`).join(''));
  return found.length > 0 ? 0 : 1;
}

export const informationBuiltins: readonly (readonly [string, Builtin])[] = [
  ['cd', { run: cd }],
  ['chdir', { run: cd, dialect: 'ash' }],
  ['pwd', { run: pwd }],
  ['type', { run: type }],
  ['command', { run: command }],
  ['builtin', { run: builtinCommand, dialect: 'bash' }],
  ['umask', { run: umask }],
  ['ulimit', { run: ulimit }],
  ['hash', { run: async () => 0 }],
  ['history', { run: history }],
  ['help', { run: help }],
  ['shopt', { run: shopt, dialect: 'bash' }],
  ['compgen', { run: compgen, dialect: 'bash' }],
  ['complete', { run: async () => 0, dialect: 'bash' }],
];
