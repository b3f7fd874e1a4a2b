import { Errno, type FileStat } from '../unix/types.ts';
import { type Applet, Failure, fromByteText, getopt, program, toByteText, UsageError } from './applet.ts';
import { attempt, baseName, joined } from './file-attempt.ts';
import { newMode } from './file-mode.ts';

/** Applets that change files: mkdir, rm, cp, mv, ln, touch, chmod, chown, mktemp, truncate, dd … */

/** Whether this process may change the directory that holds `path`. Throws EACCES. The filesystem itself asks nobody. */
function checkParent(applet: Applet, path: string): void {
  const { uid, gid } = applet.process;
  if (uid === 0) return;
  const parent = applet.fs.stat(path.replace(/\/+$/, '').replace(/\/[^/]*$/, '') || '/');
  const shift = parent.uid === uid ? 6 : parent.gid === gid ? 3 : 0;
  if (!((parent.mode >> shift) & 2)) throw new Errno('EACCES');
}

/** Gives what was just made to this process' user. */
function own(applet: Applet, path: string): void {
  const { uid, gid } = applet.process;
  if (uid !== 0 || gid !== 0) applet.fs.chown(path, uid, gid);
}

async function mkdir(applet: Applet): Promise<void> {
  const options = getopt(applet.args, 'pm:v', { parents: 'p', mode: 'm' });
  if (options.rest.length === 0) throw new UsageError();
  for (const operand of options.rest) {
    await attempt(
      applet,
      (why) => `can't create directory '${operand}': ${why}`,
      () => {
        const path = applet.path(operand);
        const parents = options.has('p');
        if (parents) {
          let at = '';
          for (const part of path.split('/').filter(Boolean)) {
            at += `/${part}`;
            if (applet.fs.exists(at)) {
              if (applet.fs.stat(at).type !== 'directory') throw new Errno(at === path ? 'EEXIST' : 'ENOTDIR');
              continue;
            }
            checkParent(applet, at);
            applet.fs.mkdir(at, { mode: 0o777 & ~applet.process.umask });
            own(applet, at);
          }
        } else {
          checkParent(applet, path);
          applet.fs.mkdir(path, { mode: 0o777 & ~applet.process.umask });
          own(applet, path);
        }
        const mode = options.get('m');
        if (mode !== undefined) applet.fs.chmod(path, newMode(mode, 0o777, true, applet.process.umask));
      },
    );
  }
}

async function rmdir(applet: Applet): Promise<void> {
  const options = getopt(applet.args, 'p', { parents: 'p', 'ignore-fail-on-non-empty': 'p' });
  for (const operand of options.rest) {
    await attempt(
      applet,
      (why) => `'${operand}': ${why}`,
      () => {
        const path = applet.path(operand);
        if (applet.fs.lstat(path).type !== 'directory') throw new Errno('ENOTDIR');
        checkParent(applet, path);
        applet.fs.remove(path);
        if (options.has('p'))
          for (let up = operand; up.includes('/'); ) {
            up = up.replace(/\/+[^/]*\/*$/, '');
            if (up) applet.fs.remove(applet.path(up));
          }
      },
    );
  }
}

async function ask(applet: Applet, question: string): Promise<boolean> {
  await applet.err(`${applet.name}: ${question} `);
  for await (const { text } of applet.lines(applet.process.stdin)) return /^[yY]/.test(text);
  return false;
}

async function rm(applet: Applet): Promise<void> {
  const options = getopt(applet.args, 'irRf');
  const recursive = options.has('r') || options.has('R');
  const force = options.has('f');
  if (options.rest.length === 0 && !force) throw new UsageError();
  const remove = async (path: string, shown: string): Promise<void> => {
    const info = applet.fs.lstat(path);
    if (info.type === 'directory') {
      if (!recursive) {
        await applet.complain(`'${shown}' is a directory`);
        return;
      }
      if (options.has('i') && !(await ask(applet, `descend into directory '${shown}'?`))) return;
      for (const name of applet.fs.readdir(path)) {
        await attempt(
          applet,
          (why) => `can't remove '${joined(shown, toByteText(name))}': ${why}`,
          () => remove(joined(path, name), joined(shown, toByteText(name))),
        );
      }
      if (options.has('i') && !(await ask(applet, `remove directory '${shown}'?`))) return;
    } else if (options.has('i') && !(await ask(applet, `remove '${shown}'?`))) return;
    await applet.process.cpu(0.02);
    checkParent(applet, path);
    applet.fs.remove(path);
  };
  for (const operand of options.rest) {
    if (['.', '..'].includes(baseName(operand)) && operand !== '/') {
      await applet.complain(`can't remove '.' or '..'`.replace("'.' or '..'", `'${operand}'`));
      continue;
    }
    try {
      await remove(applet.path(operand), operand);
    } catch (error) {
      if (!(error instanceof Errno)) throw error;
      if (!(force && error.code === 'ENOENT')) await applet.complain(`can't remove '${operand}': ${error.message}`);
    }
  }
}

async function copyTree(applet: Applet, from: string, to: string, shown: string, options: ReturnType<typeof getopt>, shownTo = toByteText(to)): Promise<void> {
  const recursive = options.has('r') || options.has('R') || options.has('a');
  const keepLinks = options.has('a') || options.has('d') || options.has('P') || (recursive && !options.has('L') && !options.has('H'));
  const info = keepLinks ? applet.fs.lstat(from) : applet.fs.stat(from);
  if (info.type === 'directory') {
    if (!recursive) {
      await applet.complain(`omitting directory '${shown}'`);
      return;
    }
    if (!applet.fs.exists(to)) {
      applet.fs.mkdir(to, { mode: info.mode & ~applet.process.umask & 0o777 });
      own(applet, to);
    }
    for (const name of applet.fs.readdir(from))
      await copyTree(applet, joined(from, name), joined(to, name), joined(shown, toByteText(name)), options, joined(shownTo, toByteText(name)));
  } else if (info.type === 'symlink') {
    if (applet.fs.exists(to)) applet.fs.remove(to);
    applet.fs.symlink(applet.fs.readlink(from), to);
  } else {
    if (applet.fs.exists(to) && options.has('i') && !(await ask(applet, `overwrite '${shownTo}'?`))) return;
    if (applet.fs.exists(to) && options.has('u') && applet.fs.stat(to).mtimeMs >= info.mtimeMs) return;
    if (options.has('f') && applet.fs.exists(to)) applet.fs.remove(to);
    let source: ReturnType<Applet['open']>;
    try {
      source = applet.process.open(from, 'r');
    } catch (error) {
      if (!(error instanceof Errno)) throw error;
      await applet.complain(`can't open '${shown}': ${error.message}`);
      return;
    }
    const existed = applet.fs.exists(to);
    let target: ReturnType<Applet['open']>;
    try {
      target = applet.process.open(to, 'w', info.mode & 0o777);
    } catch (error) {
      source.close();
      if (!(error instanceof Errno)) throw error;
      await applet.complain(`can't create '${shownTo}': ${error.message}`);
      return;
    }
    try {
      for await (const chunk of applet.chunks(source)) await target.write(chunk);
    } finally {
      target.close();
    }
    if (!existed) own(applet, to);
  }
  if (options.has('p') || options.has('a')) preserve(applet, to, info);
}

function preserve(applet: Applet, path: string, info: FileStat): void {
  if (info.type === 'symlink') return;
  applet.fs.chmod(path, info.mode);
  if (applet.process.uid === 0) applet.fs.chown(path, info.uid, info.gid);
  applet.fs.utimes(path, info.mtimeMs);
}

/** Sources and, for each, where it goes: into a directory, or to a name. */
function targets(applet: Applet, operands: readonly string[], into: string | undefined, never: boolean): { from: string; to: string }[] {
  if (operands.length < (into === undefined ? 2 : 1)) throw new UsageError();
  const last = into ?? (operands.at(-1) as string);
  const sources = into === undefined ? operands.slice(0, -1) : operands;
  const isDirectory = !never && applet.fs.exists(applet.path(last)) && applet.fs.stat(applet.path(last)).type === 'directory';
  return sources.map((from) => ({ from, to: isDirectory || sources.length > 1 ? joined(last, baseName(from)) : last }));
}

async function cp(applet: Applet): Promise<void> {
  const options = getopt(applet.args, 'pdRfiarPLHvTt:ulsn', { archive: 'a', recursive: 'R', force: 'f' });
  for (const { from, to } of targets(applet, options.rest, options.get('t'), options.has('T'))) {
    let source: string;
    try {
      source = applet.path(from);
      applet.fs.lstat(source);
    } catch (error) {
      if (!(error instanceof Errno)) throw error;
      await applet.complain(`can't stat '${from}': ${error.message}`);
      continue;
    }
    const target = applet.path(to);
    if (applet.fs.exists(target) && applet.fs.exists(source) && applet.fs.realpath(target) === applet.fs.realpath(source)) {
      await applet.complain(`'${from}' and '${to}' are the same file`);
      continue;
    }
    if (options.has('n') && applet.fs.exists(target)) continue;
    if (options.has('v')) await applet.put(`'${from}' -> '${to}'\n`);
    await attempt(
      applet,
      (why) => (why === 'No such file or directory' && applet.fs.exists(source) ? `can't create '${to}': ${why}` : `can't stat '${from}': ${why}`),
      () => {
        if (options.has('s')) return applet.fs.symlink(fromByteText(from), target);
        if (options.has('l')) return applet.fs.link(source, target);
        return copyTree(applet, source, target, from, options, to);
      },
    );
  }
}

async function mv(applet: Applet): Promise<void> {
  const options = getopt(applet.args, 'finvTt:');
  for (const { from, to } of targets(applet, options.rest, options.get('t'), options.has('T'))) {
    const target = applet.path(to);
    if (applet.fs.exists(target)) {
      if (options.has('n')) continue;
      if (options.has('i') && !options.has('f') && !(await ask(applet, `overwrite '${to}'?`))) continue;
    }
    await attempt(
      applet,
      (why) => `can't rename '${from}': ${why}`,
      async () => {
        const source = applet.path(from);
        const info = applet.fs.lstat(source);
        checkParent(applet, source);
        checkParent(applet, target);
        try {
          applet.fs.rename(source, target);
        } catch (error) {
          if (!(error instanceof Errno) || error.code !== 'EXDEV') throw error;
          await copyTree(applet, source, target, from, getopt(['-a'], 'a'));
          applet.fs.remove(source, { recursive: info.type === 'directory' });
        }
        if (options.has('v')) await applet.put(`'${from}' -> '${to}'\n`);
      },
    );
  }
}

async function ln(applet: Applet): Promise<void> {
  const options = getopt(applet.args, 'sfnbS:vTt:');
  const operands = options.rest.length === 1 ? [...options.rest, '.'] : options.rest;
  for (const { from, to } of targets(applet, operands, options.get('t'), options.has('T') || options.has('n'))) {
    const target = applet.path(to);
    await attempt(
      applet,
      (why) => `${to}: ${why}`,
      () => {
        if (options.has('f')) {
          try {
            applet.fs.lstat(target);
            applet.fs.remove(target);
          } catch (error) {
            if (!(error instanceof Errno) || error.code !== 'ENOENT') throw error;
          }
        }
        if (options.has('s')) applet.fs.symlink(fromByteText(from), target);
        else applet.fs.link(applet.path(from), target);
      },
    );
  }
}

async function touch(applet: Applet): Promise<void> {
  const options = getopt(applet.args, 'cahmd:r:t:', { 'no-create': 'c', date: 'd', reference: 'r' });
  if (options.rest.length === 0) throw new UsageError();
  const reference = options.get('r');
  const text = options.get('d') ?? options.get('t');
  const time =
    reference !== undefined
      ? applet.fs.stat(applet.path(reference)).mtimeMs
      : text !== undefined
        ? parseDate(text, applet.process.kernel.now())
        : applet.process.kernel.now();
  for (const operand of options.rest) {
    await attempt(
      applet,
      (why) => `${operand}: ${why}`,
      () => {
        const path = applet.path(operand);
        if (!applet.fs.exists(path)) {
          if (options.has('c')) return;
          applet.process.open(path, 'a').close();
        }
        applet.fs.utimes(path, time);
      },
    );
  }
}

/** "2026-11-23 08:00[:00]", "@seconds", "08:00", "[[CC]YY]MMDDhhmm[.ss]" as UTC; fails as BusyBox does. */
export function parseDate(text: string, nowMs: number): number {
  const trimmed = text.trim();
  if (/^@\d+$/.test(trimmed)) return Number(trimmed.slice(1)) * 1000;
  const full = /^(\d{4})-(\d\d?)-(\d\d?)(?:[ T](\d\d?):(\d\d)(?::(\d\d))?)?$/.exec(trimmed);
  if (full) return Date.UTC(Number(full[1]), Number(full[2]) - 1, Number(full[3]), Number(full[4] ?? 0), Number(full[5] ?? 0), Number(full[6] ?? 0));
  const clock = /^(\d\d?):(\d\d)(?::(\d\d))?$/.exec(trimmed);
  const today = new Date(nowMs);
  if (clock) return Date.UTC(today.getUTCFullYear(), today.getUTCMonth(), today.getUTCDate(), Number(clock[1]), Number(clock[2]), Number(clock[3] ?? 0));
  const digits = /^(?:(\d\d)?(\d\d))?(\d\d)(\d\d)(\d\d)(\d\d)(?:\.(\d\d))?$/.exec(trimmed);
  if (digits) {
    const year = digits[2] === undefined ? today.getUTCFullYear() : Number(digits[1] ?? 20) * 100 + Number(digits[2]);
    return Date.UTC(year, Number(digits[3]) - 1, Number(digits[4]), Number(digits[5]), Number(digits[6]), Number(digits[7] ?? 0));
  }
  throw new Failure(`invalid date '${text}'`);
}

async function mktemp(applet: Applet): Promise<void> {
  const options = getopt(applet.args, 'dqtp:u');
  const template = options.rest[0] ?? 'tmp.XXXXXX';
  const prefix = options.get('p') ?? (options.rest.length === 0 || options.has('t') ? (applet.process.env.get('TMPDIR') ?? '/tmp') : undefined);
  const full = prefix === undefined ? template : joined(prefix, template);
  if (!full.endsWith('XXXXXX')) throw new Failure(`${full}: Invalid argument`);
  const letters = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789';
  const path = full.replace(/XXXXXX$/, () => Array.from({ length: 6 }, () => letters[applet.process.kernel.random.int(letters.length)]).join(''));
  try {
    if (options.has('d')) {
      applet.fs.mkdir(applet.path(path), { mode: 0o700 });
      own(applet, applet.path(path));
    } else if (!options.has('u')) applet.process.open(applet.path(path), 'wx', 0o600).close();
  } catch (error) {
    if (!(error instanceof Errno)) throw error;
    throw new Failure(`(null): ${error.message}`.replace('(null)', path));
  }
  await applet.put(`${path}\n`);
}

async function readlink(applet: Applet): Promise<void> {
  const options = getopt(applet.args, 'fnvsq');
  const [operand] = options.rest;
  if (operand === undefined) throw new UsageError();
  try {
    const path = applet.path(operand);
    let target: string;
    if (options.has('f')) {
      // The last part need not exist.
      const parent = applet.fs.realpath(path.replace(/\/[^/]*\/?$/, '') || '/');
      target = applet.fs.exists(path) ? applet.fs.realpath(path) : joined(parent === '/' ? '' : parent, baseName(path));
    } else target = applet.fs.readlink(path);
    await applet.put(`${toByteText(target)}${options.has('n') ? '' : '\n'}`);
  } catch (error) {
    if (!(error instanceof Errno)) throw error;
    if (options.has('v')) await applet.complain(`${operand}: ${error.message}`);
    applet.code = 1;
  }
}

async function realpath(applet: Applet): Promise<void> {
  for (const operand of getopt(applet.args, '').rest) {
    await attempt(
      applet,
      (why) => `${operand}: ${why}`,
      async () => {
        const path = applet.path(operand);
        const parent = applet.fs.realpath(path.replace(/\/[^/]*\/?$/, '') || '/');
        await applet.put(`${toByteText(applet.fs.exists(path) ? applet.fs.realpath(path) : joined(parent === '/' ? '' : parent, baseName(path)))}\n`);
      },
    );
  }
}

async function sync(): Promise<void> {}

export const fileChangeApplets = {
  mkdir: program('[-m MODE] [-p] DIRECTORY...', mkdir),
  rmdir: program('[-p] DIRECTORY...', rmdir),
  rm: program('[-irf] FILE...', rm),
  unlink: program('FILE', rm),
  cp: program('[-arPLHpfinlsTu] SOURCE DEST\nor: cp [-arPLHpfinlsu] SOURCE... { -t DIRECTORY | DIRECTORY }', cp),
  mv: program('[-finT] SOURCE DEST\nor: mv [-fin] SOURCE... { -t DIRECTORY | DIRECTORY }', mv),
  ln: program('[-sfnbtv] [-S SUF] TARGET... LINK|DIR', ln),
  touch: program('[-cham] [-d DATE] [-t DATE] [-r FILE] FILE...', touch),
  mktemp: program('[-dt] [-p DIR] [TEMPLATE]', mktemp),
  readlink: program('[-fnv] FILE', readlink),
  realpath: program('FILE...', realpath),
  sync: program('', sync),
};
