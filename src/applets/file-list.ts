import { Errno, type FileStat } from '../unix/types.ts';
import { type Applet, Failure, getopt, program, toByteText } from './applet.ts';
import { groupName, humanSize, userName } from './process-applets.ts';

/** Applets that show files: ls, stat, du, df, find is in find.ts. */

export function modeString(stat: FileStat): string {
  const kind = { file: '-', directory: 'd', symlink: 'l', device: 'c', fifo: 'p' }[stat.type];
  const bit = (mask: number, letter: string): string => (stat.mode & mask ? letter : '-');
  const special = (mask: number, execute: number, set: string): string =>
    stat.mode & mask ? (stat.mode & execute ? set : set.toUpperCase()) : bit(execute, 'x');
  return `${kind}${bit(0o400, 'r')}${bit(0o200, 'w')}${special(0o4000, 0o100, 's')}${bit(0o40, 'r')}${bit(0o20, 'w')}${special(0o2000, 0o10, 's')}${bit(0o4, 'r')}${bit(0o2, 'w')}${special(0o1000, 0o1, 't')}`;
}

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** "Nov 23 08:00", or "Nov 23  2025" when more than half a year away. */
export function listTime(ms: number, nowMs: number): string {
  const date = new Date(ms);
  const day = `${MONTHS[date.getUTCMonth()]} ${String(date.getUTCDate()).padStart(2)}`;
  const age = nowMs - ms;
  if (age > 15_724_800_000 || age < -900_000) return `${day}  ${date.getUTCFullYear()}`;
  return `${day} ${String(date.getUTCHours()).padStart(2, '0')}:${String(date.getUTCMinutes()).padStart(2, '0')}`;
}

const isoDate = (ms: number): string => new Date(ms).toISOString();

interface Entry {
  shown: string;
  path: string;
  stat: FileStat;
}

async function ls(applet: Applet): Promise<void> {
  const { process, fs } = applet;
  const options = getopt(applet.args, '1AaCdFHLlinsprStuvXxcehgkRw:T:', { color: 'e', 'full-time': 'e', 'group-directories-first': 'n' });
  const long = options.has('l') || options.has('g') || options.has('n') || applet.args.includes('--full-time');
  const fullTime = applet.args.includes('--full-time');
  const onTty = process.stdout.kind === 'tty';
  const colour = applet.args.some((word) => /^--color(=always|=auto)?$/.test(word)) && onTty;
  const columns = !long && !options.has('1') && (options.has('C') || options.has('x') || onTty);
  const now = process.kernel.now();
  const statOf = (path: string, follow: boolean): FileStat => (follow || options.has('L') ? fs.stat(path) : fs.lstat(path));

  const suffix = (entry: Entry): string => {
    if (entry.stat.type === 'directory') return options.has('F') || options.has('p') ? '/' : '';
    if (!options.has('F')) return '';
    return { symlink: '@', fifo: '|', file: entry.stat.mode & 0o111 ? '*' : '', device: '', directory: '' }[entry.stat.type];
  };
  const painted = (entry: Entry): string => {
    if (!colour) return entry.shown;
    const code = { directory: '1;34', symlink: '1;36', fifo: '0;33', device: '1;33', file: entry.stat.mode & 0o111 ? '1;32' : '0' }[entry.stat.type];
    return `\x1b[${code}m${entry.shown}\x1b[m`;
  };
  const order = (entries: Entry[]): Entry[] => {
    if (options.has('f')) return entries;
    entries.sort((a, b) => (a.shown < b.shown ? -1 : a.shown > b.shown ? 1 : 0));
    if (options.has('S')) entries.sort((a, b) => b.stat.sizeBytes - a.stat.sizeBytes);
    if (options.has('t')) entries.sort((a, b) => b.stat.mtimeMs - a.stat.mtimeMs);
    if (options.has('X')) {
      const extension = (entry: Entry): string => /\.[^.]*$/.exec(entry.shown)?.[0] ?? '';
      entries.sort((a, b) => (extension(a) < extension(b) ? -1 : extension(a) > extension(b) ? 1 : 0));
    }
    if (applet.args.includes('--group-directories-first')) entries.sort((a, b) => Number(b.stat.type === 'directory') - Number(a.stat.type === 'directory'));
    return options.has('r') ? entries.reverse() : entries;
  };
  const blocksOf = (stat: FileStat): number => (stat.type === 'file' ? Math.ceil(stat.sizeBytes / 4096) * 4 : stat.type === 'directory' ? 4 : 0);

  const print = async (entries: Entry[]): Promise<void> => {
    const prefix = (entry: Entry): string =>
      `${options.has('i') ? `${String(entry.stat.inode).padStart(7)} ` : ''}${options.has('s') ? `${String(blocksOf(entry.stat)).padStart(6)} ` : ''}`;
    if (long) {
      for (const entry of entries) {
        const { stat } = entry;
        const numeric = options.has('n') && !applet.args.includes('--group-directories-first');
        const owner = options.has('g') ? '' : `${(numeric ? String(stat.uid) : userName(applet, stat.uid)).slice(0, 8).padEnd(8)} `;
        const group = (numeric ? String(stat.gid) : groupName(applet, stat.gid)).slice(0, 8).padEnd(8);
        const size = stat.type === 'device' ? '  1,   3' : options.has('h') ? humanSize(stat.sizeBytes).padStart(9) : String(stat.sizeBytes).padStart(9);
        const time = fullTime ? `${isoDate(stat.mtimeMs).slice(0, 19).replace('T', ' ')} +0000` : listTime(stat.mtimeMs, now);
        const target = stat.type === 'symlink' ? ` -> ${toByteText(fs.readlink(entry.path))}` : suffix(entry);
        await applet.put(`${prefix(entry)}${modeString(stat)} ${String(stat.nlink).padStart(4)} ${owner}${group} ${size} ${time} ${painted(entry)}${target}\n`);
      }
    } else if (columns && entries.length > 0) {
      const cells = entries.map((entry) => ({
        text: prefix(entry) + painted(entry) + suffix(entry),
        width: prefix(entry).length + entry.shown.length + suffix(entry).length,
      }));
      const width = Math.max(...cells.map((cell) => cell.width)) + 2;
      const total = Number(options.get('w') ?? process.stdout.tty?.columns ?? 80);
      const perRow = Math.max(1, Math.floor(total / width));
      const rows = Math.ceil(cells.length / perRow);
      for (let row = 0; row < rows; row++) {
        let line = '';
        for (let column = 0; column < perRow; column++) {
          const index = options.has('x') ? row * perRow + column : column * rows + row;
          const cell = cells[index];
          if (!cell) continue;
          const last = column + 1 >= perRow || (options.has('x') ? index + 1 >= cells.length : index + rows >= cells.length);
          line += cell.text + (last ? '' : ' '.repeat(width - cell.width));
        }
        await applet.put(`${line}\n`);
      }
    } else for (const entry of entries) await applet.put(`${prefix(entry)}${painted(entry)}${suffix(entry)}\n`);
  };

  const operands = options.rest.length > 0 ? options.rest : ['.'];
  const files: Entry[] = [];
  const directories: Entry[] = [];
  for (const operand of operands) {
    try {
      const path = applet.path(operand);
      const follow = !options.has('d') && !(long && !options.has('H')) && !options.has('F');
      let stat: FileStat;
      try {
        stat = statOf(path, follow);
      } catch (error) {
        if (!(error instanceof Errno) || !follow) throw error;
        stat = fs.lstat(path);
      }
      (stat.type === 'directory' && !options.has('d') ? directories : files).push({ shown: operand, path, stat });
    } catch (error) {
      if (!(error instanceof Errno)) throw error;
      await applet.complain(`${operand}: ${error.message}`);
    }
  }
  await print(order(files));
  let first = files.length === 0;
  const titled = operands.length > 1 || options.has('R');
  const showDirectory = async (directory: Entry): Promise<void> => {
    let names: string[];
    try {
      const handle = process.open(directory.path, 'r');
      handle.close();
      names = fs.readdir(directory.path);
    } catch (error) {
      if (!(error instanceof Errno)) throw error;
      await applet.complain(`can't open '${directory.shown}': ${error.message}`);
      return;
    }
    if (titled) await applet.put(`${first ? '' : '\n'}${directory.shown}:\n`);
    first = false;
    const all = options.has('a') || options.has('f');
    const visible = names.filter((name) => all || options.has('A') || !name.startsWith('.'));
    const listed = all ? ['.', '..', ...visible] : visible;
    const entries = order(
      listed.flatMap((name) => {
        const path =
          name === '.'
            ? directory.path
            : name === '..'
              ? directory.path.replace(/\/[^/]*\/?$/, '') || '/'
              : `${directory.path === '/' ? '' : directory.path}/${name}`;
        try {
          return [{ shown: toByteText(name), path, stat: statOf(path, false) }];
        } catch (error) {
          if (!(error instanceof Errno)) throw error;
          return [];
        }
      }),
    );
    if (long || options.has('s'))
      await applet.put(
        `total ${entries.reduce((sum, entry) => sum + blocksOf(entry.stat), 0)}\n`.replace(
          /^total (\d+)/,
          (_, kb: string) => `total ${options.has('h') ? humanSize(Number(kb) * 1024) : kb}`,
        ),
      );
    await print(entries);
    if (options.has('R')) {
      for (const entry of entries) {
        if (entry.stat.type !== 'directory' || entry.shown === '.' || entry.shown === '..') continue;
        await showDirectory({ ...entry, shown: `${directory.shown.replace(/\/$/, '')}/${entry.shown}` });
      }
    }
  };
  for (const directory of order(directories)) await showDirectory(directory);
}

async function stat(applet: Applet): Promise<void> {
  const options = getopt(applet.args, 'Lfc:t', { format: 'c' });
  for (const path of options.rest) {
    let info: FileStat;
    try {
      info = options.has('L') ? applet.fs.stat(applet.path(path)) : applet.fs.lstat(applet.path(path));
    } catch (error) {
      if (!(error instanceof Errno)) throw error;
      await applet.complain(`can't stat '${path}': ${error.message}`);
      continue;
    }
    const kind = {
      file: info.sizeBytes === 0 ? 'regular empty file' : 'regular file',
      directory: 'directory',
      symlink: 'symbolic link',
      device: 'character special file',
      fifo: 'fifo',
    }[info.type];
    const blocks = info.type === 'file' ? Math.ceil(info.sizeBytes / 4096) * 8 : info.type === 'directory' ? 8 : 0;
    const mode = (info.mode & 0o7777).toString(8);
    const time = `${isoDate(info.mtimeMs).replace('T', ' ').replace('Z', '000000')} +0000`;
    const seconds = String(Math.floor(info.mtimeMs / 1000));
    const named = info.type === 'symlink' ? `'${path}' -> '${toByteText(applet.fs.readlink(applet.path(path)))}'` : path;
    const format = options.get('c');
    if (format !== undefined) {
      const values: Record<string, string> = {
        a: mode,
        A: modeString(info),
        b: String(blocks),
        B: '512',
        d: '64',
        D: '40',
        f: ((info.type === 'directory' ? 0o040000 : info.type === 'symlink' ? 0o120000 : info.type === 'device' ? 0o020000 : 0o100000) | info.mode).toString(
          16,
        ),
        F: kind,
        g: String(info.gid),
        G: groupName(applet, info.gid),
        h: String(info.nlink),
        i: String(info.inode),
        m: '/',
        n: path,
        N: `'${path}'${info.type === 'symlink' ? ` -> '${toByteText(applet.fs.readlink(applet.path(path)))}'` : ''}`,
        o: '4096',
        s: String(info.sizeBytes),
        t: '0',
        T: '0',
        u: String(info.uid),
        U: userName(applet, info.uid),
        x: time,
        X: seconds,
        y: time,
        Y: seconds,
        z: time,
        Z: seconds,
        '%': '%',
      };
      await applet.put(
        `${format.replace(/%([-#0 +]*)(\d*)(.)/g, (_, flags: string, width: string, letter: string) => (values[letter] ?? '?')[flags.includes('-') ? 'padEnd' : 'padStart'](Number(width || 0)))}\n`,
      );
      continue;
    }
    await applet.put(
      `  File: ${named}\n  Size: ${String(info.sizeBytes).padEnd(10)}\tBlocks: ${String(blocks).padEnd(10)} IO Block: 4096   ${kind}\nDevice: 40h/64d\tInode: ${String(info.inode).padEnd(10)}  Links: ${String(info.nlink).padEnd(5)}\nAccess: (${mode.padStart(4, '0')}/${modeString(info)})  Uid: (${String(info.uid).padStart(5)}/${userName(applet, info.uid).padStart(8)})   Gid: (${String(info.gid).padStart(5)}/${groupName(applet, info.gid).padStart(8)})\nAccess: ${time}\nModify: ${time}\nChange: ${time}\n`,
    );
  }
}

async function du(applet: Applet): Promise<void> {
  const options = getopt(applet.args, 'aHLd:clsxhmkb', { 'max-depth': 'd' });
  const depthLimit = options.has('s') ? 0 : Number(options.get('d') ?? Number.POSITIVE_INFINITY);
  const show = (kb: number): string =>
    options.has('h') ? humanSize(kb * 1024) : options.has('m') ? String(Math.ceil(kb / 1024)) : options.has('b') ? String(kb * 1024) : String(kb);
  let total = 0;
  const walk = async (path: string, name: string, depth: number): Promise<number> => {
    const info = applet.fs.lstat(path);
    let size = info.type === 'directory' ? 4 : info.type === 'file' ? Math.ceil(info.sizeBytes / 4096) * 4 : 0;
    await applet.process.cpu(0.02);
    if (info.type === 'directory') {
      for (const child of applet.fs.readdir(path))
        size += await walk(`${path === '/' ? '' : path}/${child}`, `${name.replace(/\/$/, '')}/${toByteText(child)}`, depth + 1);
    }
    if ((info.type === 'directory' || options.has('a') || depth === 0) && depth <= depthLimit) await applet.put(`${show(size)}\t${name}\n`);
    return size;
  };
  for (const operand of options.rest.length > 0 ? options.rest : ['.']) {
    try {
      total += await walk(applet.path(operand), operand, 0);
    } catch (error) {
      if (!(error instanceof Errno)) throw error;
      await applet.complain(`${operand}: ${error.message}`);
    }
  }
  if (options.has('c')) await applet.put(`${show(total)}\ttotal\n`);
}

/** What a node's disk has when a volume says nothing of its own. */
const DISK_BYTES = 100 * 2 ** 30;

async function df(applet: Applet): Promise<void> {
  const options = getopt(applet.args, 'PkmhTait:B:');
  const unit = options.has('m') ? 1 << 20 : 1024;
  const size = (bytes: number): string => (options.has('h') ? humanSize(bytes) : String(Math.ceil(bytes / unit)));
  let mounts = [...applet.fs.mounts()];
  if (options.rest.length > 0) {
    const wanted: typeof mounts = [];
    for (const operand of options.rest) {
      let path: string;
      try {
        path = applet.fs.realpath(applet.path(operand));
      } catch (error) {
        if (!(error instanceof Errno)) throw error;
        await applet.complain(`${operand}: can't find mount point`.replace(/: can't find mount point$/, `: ${error.message}`));
        continue;
      }
      const inside = mounts.filter((mount) => path === mount.path || mount.path === '/' || path.startsWith(`${mount.path}/`));
      const best = inside.sort((a, b) => b.path.length - a.path.length)[0];
      if (best) wanted.push(best);
    }
    mounts = wanted;
    if (mounts.length === 0) return;
  } else mounts = mounts.filter((mount) => options.has('a') || !['proc', 'sysfs', 'devpts', 'mqueue', 'cgroup2'].includes(mount.type));
  const heading = options.has('h') ? '      Size' : options.has('P') ? `${unit}-blocks` : unit === 1024 ? ' 1K-blocks' : ' 1M-blocks';
  await applet.put(
    `Filesystem           ${options.has('T') ? 'Type       ' : ''}${heading}${options.has('P') ? '      Used Available Capacity Mounted on' : options.has('h') ? '      Used Available Use% Mounted on' : '      Used Available Use% Mounted on'}\n`,
  );
  for (const mount of mounts) {
    const total = mount.volume.capacityBytes ?? (mount.type === 'tmpfs' ? 65_536 * 1024 : DISK_BYTES);
    const used = mount.volume.usedBytes() + (mount.volume.capacityBytes === undefined && mount.type !== 'tmpfs' ? Math.round(DISK_BYTES * 0.31) : 0);
    const free = Math.max(0, total - used);
    const percent = total === 0 ? 0 : Math.ceil((used * 100) / total);
    const source = mount.source.length > 20 && !options.has('P') ? `${mount.source}\n${' '.repeat(20)}` : mount.source.padEnd(20);
    const type = options.has('T') ? ` ${mount.type.padEnd(10)}` : '';
    const cells = options.has('h')
      ? [size(total).padStart(9), size(used).padStart(9), size(free).padStart(9)]
      : [size(total).padStart(9), size(used).padStart(9), size(free).padStart(9)];
    await applet.put(`${toByteText(source)}${type} ${cells.join(' ')} ${String(percent).padStart(3)}% ${toByteText(mount.path)}\n`);
  }
}

async function mount(applet: Applet): Promise<void> {
  const options = getopt(applet.args, '+afrwo:t:');
  if (options.rest.length > 0) throw new Failure(`permission denied (are you root?)`);
  for (const one of applet.fs.mounts()) {
    if (options.get('t') !== undefined && one.type !== options.get('t')) continue;
    await applet.put(`${toByteText(one.source)} on ${toByteText(one.path)} type ${one.type} (${one.readOnly ? 'ro' : 'rw'},relatime)\n`);
  }
}

async function umount(applet: Applet): Promise<void> {
  const options = getopt(applet.args, 'rlfant:d');
  for (const path of options.rest) await applet.complain(`can't unmount ${path}: Operation not permitted`);
}

export const fileListApplets = {
  ls: program('[-1AaCdFHLlinsprStuvXxceh] [-w WIDTH] [FILE]...', ls),
  stat: program('[-ltf] [-c FMT] FILE...', stat),
  du: program('[-aHLdclsxhmk] [FILE]...', du),
  df: program('[-PkmhTai] [-B SIZE] [-t TYPE] [FILESYSTEM]...', df),
  mount: program('[OPTIONS] [-o OPT] DEVICE NODE', mount),
  umount: program('[OPTIONS] FILESYSTEM|DIRECTORY', umount),
};
