import { ShellPattern } from '../shell/glob.ts';
import { compileRegex } from '../unix/regex.ts';
import { Errno, type FileStat } from '../unix/types.ts';
import { type Applet, Failure, fromByteText, program, toByteText, UsageError } from './applet.ts';
import { modeString } from './file-list.ts';
import { groupName, lookUpId, userName } from './process-applets.ts';

/** find: tests, operators and actions as BusyBox has them. */
interface Entry {
  /** As printed. */
  name: string;
  path: string;
  stat: FileStat;
  depth: number;
}

type Test = (entry: Entry) => boolean | Promise<boolean>;

interface Plan {
  test: Test;
  maxDepth: number;
  minDepth: number;
  depthFirst: boolean;
  follow: boolean;
  pruned: WeakSet<Entry>;
  finish: (() => Promise<void>)[];
}

function numberTest(text: string): (value: number) => boolean {
  const match = /^([+-]?)(\d+)/.exec(text);
  if (!match) throw new Failure(`invalid number '${text}'`);
  const wanted = Number(match[2]);
  return (value) => (match[1] === '+' ? value > wanted : match[1] === '-' ? value < wanted : value === wanted);
}

function parsePlan(applet: Applet, words: readonly string[]): Plan {
  const now = applet.process.kernel.now();
  const plan: Plan = { test: () => true, maxDepth: Number.POSITIVE_INFINITY, minDepth: 0, depthFirst: false, follow: false, pruned: new WeakSet(), finish: [] };
  let at = 0;
  let acts = false;
  const argument = (name: string): string => {
    const word = words[at++];
    if (word === undefined) throw new Failure(`${name} requires an argument`);
    return word;
  };
  const glob = (pattern: string, ignoreCase = false): ((text: string) => boolean) => {
    const wanted = new ShellPattern(fromByteText(pattern), ignoreCase);
    return (text) => wanted.test(fromByteText(text));
  };
  const base = (name: string): string => name.replace(/\/+$/, '').split('/').pop() || '/';
  const action = (run: (entry: Entry) => Promise<boolean>): Test => {
    acts = true;
    return run;
  };
  const command = (template: readonly string[], names: readonly string[]): string[] => {
    if (!template.some((word) => word.includes('{}'))) return [...template, ...(names.length > 1 ? names : [])];
    return template.flatMap((word) => (word === '{}' ? names : [word.replaceAll('{}', names[0] ?? '')]));
  };
  const execute = async (argv: readonly string[]): Promise<boolean> => {
    await applet.flush();
    try {
      const status = await applet.process.guard(applet.process.spawn(argv.map(fromByteText)).exited);
      return status.code === 0 && !status.signal;
    } catch (error) {
      if (!(error instanceof Errno)) throw error;
      await applet.complain(`${argv[0]}: ${error.message}`);
      return false;
    }
  };
  const primary = (): Test => {
    const word = words[at++];
    if (word === undefined) throw new UsageError();
    switch (word) {
      case '(': {
        const inner = or();
        if (words[at++] !== ')') throw new Failure("unpaired '('");
        return inner;
      }
      case '!':
      case '-not': {
        const inner = primary();
        return async (entry) => !(await inner(entry));
      }
      case '-name':
      case '-iname': {
        const matches = glob(argument(word), word === '-iname');
        return (entry) => matches(base(entry.name));
      }
      case '-path':
      case '-wholename':
      case '-ipath': {
        const matches = glob(argument(word), word === '-ipath');
        return (entry) => matches(entry.name);
      }
      case '-regex': {
        const regex = compileRegex(`^\\(${argument(word)}\\)$`);
        return (entry) => regex.test(entry.name);
      }
      case '-type': {
        const wanted = argument(word).split(',');
        return ({ stat }) => wanted.includes({ file: 'f', directory: 'd', symlink: 'l', device: 'c', fifo: 'p' }[stat.type]);
      }
      case '-size': {
        const text = argument(word);
        const unit = { c: 1, w: 2, b: 512, k: 1024, M: 1 << 20, G: 1 << 30 }[/[cwbkMG]$/.exec(text)?.[0] as 'c'] ?? 512;
        const test = numberTest(text);
        // BusyBox compares bytes, and rounds only where they must be equal.
        const exact = /^\d/.test(text);
        return ({ stat }) => test(unit === 1 ? stat.sizeBytes : exact ? Math.ceil(stat.sizeBytes / unit) : stat.sizeBytes / unit);
      }
      case '-mtime':
      case '-mmin':
      case '-ctime':
      case '-cmin':
      case '-atime':
      case '-amin': {
        const test = numberTest(argument(word));
        const unit = word.endsWith('time') ? 86_400_000 : 60_000;
        return ({ stat }) => test(Math.floor((now - stat.mtimeMs) / unit));
      }
      case '-newer': {
        const reference = applet.fs.stat(applet.path(argument(word))).mtimeMs;
        return ({ stat }) => stat.mtimeMs > reference;
      }
      case '-perm': {
        const text = argument(word);
        const wanted = Number.parseInt(text.replace(/^[-/+]/, ''), 8);
        return ({ stat }) =>
          text.startsWith('-')
            ? (stat.mode & wanted) === wanted
            : /^[/+]/.test(text)
              ? (stat.mode & wanted) !== 0 || wanted === 0
              : (stat.mode & 0o7777) === wanted;
      }
      case '-user': {
        const uid = lookUpId(applet, '/etc/passwd', argument(word));
        return ({ stat }) => stat.uid === uid;
      }
      case '-group': {
        const gid = lookUpId(applet, '/etc/group', argument(word));
        return ({ stat }) => stat.gid === gid;
      }
      case '-empty':
        return ({ path, stat }) => (stat.type === 'directory' ? applet.fs.readdir(path).length === 0 : stat.type === 'file' && stat.sizeBytes === 0);
      case '-links': {
        const test = numberTest(argument(word));
        return ({ stat }) => test(stat.nlink);
      }
      case '-inum': {
        const test = numberTest(argument(word));
        return ({ stat }) => test(stat.inode);
      }
      case '-true':
      case '-xdev':
      case '-mount':
      case '-noleaf':
        return () => true;
      case '-false':
        return () => false;
      case '-maxdepth':
        plan.maxDepth = Number(argument(word));
        return () => true;
      case '-mindepth':
        plan.minDepth = Number(argument(word));
        return () => true;
      case '-depth':
      case '-d':
        plan.depthFirst = true;
        return () => true;
      case '-follow':
        plan.follow = true;
        return () => true;
      case '-prune':
        return (entry) => {
          plan.pruned.add(entry);
          return true;
        };
      case '-print':
      case '-print0':
        return action(async ({ name }) => {
          await applet.put(`${name}${word === '-print0' ? '\0' : '\n'}`);
          return true;
        });
      case '-ls':
        return action(async ({ name, stat }) => {
          await applet.put(
            `${stat.inode} ${modeString(stat)} ${stat.nlink} ${userName(applet, stat.uid)} ${groupName(applet, stat.gid)} ${stat.sizeBytes} ${name}\n`,
          );
          return true;
        });
      case '-quit':
        return action(async () => {
          throw new Quit();
        });
      case '-delete':
        plan.depthFirst = true;
        return action(async ({ name, path }) => {
          try {
            if (name !== '.') applet.fs.remove(path);
            return true;
          } catch (error) {
            if (!(error instanceof Errno)) throw error;
            await applet.complain(`${name}: ${error.message}`);
            return false;
          }
        });
      case '-exec':
      case '-ok': {
        const template: string[] = [];
        for (;;) {
          const next = words[at++];
          if (next === undefined) throw new Failure(`${word} requires an argument`);
          if (next === ';') {
            return action(({ name }) => execute(command(template, [name])));
          }
          if (next === '+' && template.at(-1) === '{}') break;
          template.push(next);
        }
        const gathered: string[] = [];
        plan.finish.push(async () => {
          if (gathered.length > 0 && !(await execute(command(template, gathered)))) applet.code = 1;
        });
        return action(async ({ name }) => {
          gathered.push(name);
          return true;
        });
      }
      default:
        throw new UsageError(`unrecognized: ${word}`);
    }
  };
  const and = (): Test => {
    let left = primary();
    while (at < words.length && ![')', '-o', '-or'].includes(words[at] as string)) {
      if (words[at] === '-a' || words[at] === '-and') at++;
      const [first, second] = [left, primary()];
      left = async (entry) => (await first(entry)) && (await second(entry));
    }
    return left;
  };
  const or = (): Test => {
    let left = and();
    while (words[at] === '-o' || words[at] === '-or') {
      at++;
      const [first, second] = [left, and()];
      left = async (entry) => (await first(entry)) || (await second(entry));
    }
    return left;
  };
  if (words.length > 0) {
    plan.test = or();
    if (at < words.length) throw new Failure("unpaired ')'");
  }
  if (!acts) {
    const { test } = plan;
    plan.test = async (entry) => {
      if (!(await test(entry))) return false;
      await applet.put(`${entry.name}\n`);
      return true;
    };
  }
  return plan;
}

class Quit extends Error {}

async function find(applet: Applet): Promise<void> {
  const args = [...applet.args];
  let follow = false;
  while (['-H', '-L', '-P'].includes(args[0] ?? '')) follow = args.shift() === '-L';
  const paths: string[] = [];
  while (args.length > 0 && !/^[-(!]/.test(args[0] as string)) paths.push(args.shift() as string);
  const plan = parsePlan(applet, args);
  const statOf = (path: string): FileStat =>
    follow || plan.follow ? (applet.fs.exists(path) ? applet.fs.stat(path) : applet.fs.lstat(path)) : applet.fs.lstat(path);
  const walk = async (name: string, path: string, depth: number): Promise<void> => {
    let stat: FileStat;
    try {
      stat = statOf(path);
    } catch (error) {
      if (!(error instanceof Errno)) throw error;
      await applet.complain(`${name}: ${error.message}`);
      return;
    }
    await applet.process.cpu(0.02);
    const entry: Entry = { name, path, stat, depth };
    const judge = async (): Promise<void> => {
      if (depth >= plan.minDepth) await plan.test(entry);
    };
    if (!plan.depthFirst) await judge();
    if (stat.type === 'directory' && depth < plan.maxDepth && !plan.pruned.has(entry)) {
      let names: string[] = [];
      try {
        names = applet.fs.readdir(path);
      } catch (error) {
        if (!(error instanceof Errno)) throw error;
        await applet.complain(`${name}: ${error.message}`);
      }
      for (const child of names) await walk(`${name.replace(/\/$/, '')}/${toByteText(child)}`, `${path === '/' ? '' : path}/${child}`, depth + 1);
    }
    if (plan.depthFirst) await judge();
  };
  try {
    for (const path of paths.length > 0 ? paths : ['.']) await walk(path, applet.path(path), 0);
  } catch (error) {
    if (!(error instanceof Quit)) throw error;
  }
  for (const finish of plan.finish) await finish();
}

export const findApplets = { find: program('[-HL] [PATH]... [OPTIONS] [ACTIONS]', find) };
