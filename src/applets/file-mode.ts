import { Errno, type FileStat } from '../unix/types.ts';
import { type Applet, Failure, getopt, program, UsageError } from './applet.ts';
import { attempt, joined } from './file-attempt.ts';
import { lookUpId } from './process-applets.ts';

/** chmod, chown, chgrp. */

/** chmod's MODE applied to old permission bits. */
export function newMode(text: string, old: number, isDirectory: boolean, umask: number): number {
  if (/^[0-7]{1,4}$/.test(text)) return Number.parseInt(text, 8);
  let mode = old & 0o7777;
  for (const clause of text.split(',')) {
    const match = /^([ugoa]*)((?:[-+=](?:[rwxXst]*|[ugo]))+)$/.exec(clause);
    if (!match) throw new Failure(`invalid mode '${text}'`);
    const who = match[1] || 'A';
    for (const [, operator = '', letters = ''] of (match[2] as string).matchAll(/([-+=])([rwxXst]*|[ugo])/g)) {
      let bits = 0;
      const copy = /^[ugo]$/.test(letters) ? (mode >> { u: 6, g: 3, o: 0 }[letters as 'u']) & 7 : undefined;
      const base =
        copy ??
        (letters.includes('r') ? 4 : 0) |
          (letters.includes('w') ? 2 : 0) |
          (letters.includes('x') || (letters.includes('X') && (isDirectory || mode & 0o111)) ? 1 : 0);
      for (const [letter, shift] of [
        ['u', 6],
        ['g', 3],
        ['o', 0],
      ] as const) {
        if (who.includes(letter) || who.includes('a') || who === 'A') bits |= base << shift;
      }
      if (who === 'A') bits &= ~umask;
      if (letters.includes('s'))
        bits |= (who.includes('u') || who === 'A' || who.includes('a') ? 0o4000 : 0) | (who.includes('g') || who === 'A' || who.includes('a') ? 0o2000 : 0);
      if (letters.includes('t')) bits |= 0o1000;
      if (operator === '+') mode |= bits;
      else if (operator === '-') mode &= ~bits;
      else {
        const mask = who === 'A' || who.includes('a') ? 0o777 : (who.includes('u') ? 0o700 : 0) | (who.includes('g') ? 0o70 : 0) | (who.includes('o') ? 7 : 0);
        mode = (mode & ~mask) | bits;
      }
    }
  }
  return mode;
}

async function walk(applet: Applet, path: string, recursive: boolean, use: (path: string, info: FileStat) => void): Promise<void> {
  const info = applet.fs.lstat(path);
  use(path, info);
  if (recursive && info.type === 'directory') for (const name of applet.fs.readdir(path)) await walk(applet, joined(path, name), true, use);
}

function mayChange(applet: Applet, info: FileStat): void {
  if (applet.process.uid !== 0 && applet.process.uid !== info.uid) throw new Errno('EPERM');
}

async function chmod(applet: Applet): Promise<void> {
  const first = applet.args.findIndex((word) => /^-[rwxXst]/.test(word));
  const args = first < 0 ? applet.args : [...applet.args.slice(0, first), '--', ...applet.args.slice(first)];
  const options = getopt(args, 'Rcvf');
  const [mode, ...operands] = options.rest;
  if (mode === undefined || operands.length === 0) throw new UsageError();
  newMode(mode, 0, false, 0);
  for (const operand of operands) {
    await attempt(
      applet,
      (why) => `${operand}: ${why}`,
      () =>
        walk(applet, applet.fs.realpath(applet.path(operand)), options.has('R'), (path, info) => {
          if (info.type === 'symlink') return;
          mayChange(applet, info);
          applet.fs.chmod(path, newMode(mode, info.mode, info.type === 'directory', applet.process.umask));
        }),
    );
  }
}

async function chown(applet: Applet): Promise<void> {
  const options = getopt(applet.args, 'RhLHPcvf');
  const [owner = '', ...operands] = options.rest;
  if (operands.length === 0) throw new UsageError();
  const [user, group] = applet.name === 'chgrp' ? ['', owner] : owner.split(/[:.]/);
  const uid = user ? lookUpId(applet, '/etc/passwd', user) : undefined;
  const gid = group ? lookUpId(applet, '/etc/group', group) : undefined;
  for (const operand of operands) {
    await attempt(
      applet,
      (why) => `${operand}: ${why}`,
      () =>
        walk(applet, applet.path(operand), options.has('R'), (path, info) => {
          if (applet.process.uid !== 0) throw new Errno('EPERM');
          applet.fs.chown(path, uid ?? info.uid, gid ?? info.gid);
        }),
    );
  }
}

export const fileModeApplets = {
  chmod: program('[-Rcvf] MODE[,MODE]... FILE...', chmod),
  chown: program('[-Rhcvf]... USER[:[GRP]] FILE...', chown),
  chgrp: program('[-Rhcvf]... GROUP FILE...', chown),
};
