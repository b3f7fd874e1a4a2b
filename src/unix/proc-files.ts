import type { UnixMachine } from './machine.ts';
import type { UnixProcess } from './process.ts';
import { Errno, type OpenFile } from './types.ts';
import { type DirectoryNode, type Node, VolumeTree } from './volume.ts';

/** Some of the kernel's settings, as they stand when nobody has changed them. */
const SYSCTLS: Readonly<Record<string, string>> = {
  'kernel.ostype': 'Linux',
  'kernel.pid_max': '4194304',
  'kernel.shm_rmid_forced': '0',
  'net.core.somaxconn': '4096',
  'net.ipv4.ip_forward': '1',
  'net.ipv4.ip_local_port_range': '32768\t60999',
  'net.ipv4.ip_unprivileged_port_start': '1024',
  'net.ipv4.ping_group_range': '0\t2147483647',
  'net.ipv4.tcp_syncookies': '1',
  'vm.max_map_count': '1048576',
};

/** /proc: what ps, top, free, uptime, mount and shells read. Nothing is made before it is looked at. */
export function procVolume(machine: UnixMachine): VolumeTree {
  const volume = new VolumeTree({ id: 'proc', kernel: machine.kernel, mode: 0o555 });
  const file = (generate: () => string, mode = 0o444): Node => ({ ...volume.newFile(mode), generate });
  const link = (target: string): Node => volume.newSymlink(target);
  const directory = (names: () => string[], get: (name: string) => Node | undefined): DirectoryNode => ({
    ...volume.newDirectory(0o555),
    dynamic: { names, get },
  });

  const files: Record<string, () => string> = {
    uptime: () => {
      const seconds = ((machine.kernel.now() - machine.facts.bootMs) / 1000).toFixed(2);
      return `${seconds} ${seconds}\n`;
    },
    loadavg: () => `0.00 0.00 0.00 1/${machine.processes.size} ${machine.lastPid}\n`,
    meminfo: () => meminfo(machine),
    cpuinfo: () => Array.from({ length: machine.facts.cpus }, (_, index) => `processor\t: ${index}\nmodel name\t: chartroom\n\n`).join(''),
    version: () => `Linux version ${machine.facts.kernelRelease} (chartroom) #1 SMP\n`,
    filesystems: () => 'nodev\tproc\nnodev\ttmpfs\nnodev\toverlay\n\text4\n',
    mounts: () => mountsText(machine),
    stat: () => `cpu  0 0 0 0 0 0 0 0 0 0\nbtime ${Math.floor(machine.facts.bootMs / 1000)}\nprocesses ${machine.lastPid}\n`,
  };

  const processDirectory = (process: UnixProcess): DirectoryNode => {
    const content: Record<string, () => Node> = {
      cmdline: () => file(() => process.argv.map((argument) => `${argument}\0`).join('')),
      comm: () => file(() => `${commandName(process)}\n`),
      environ: () => file(() => [...process.env].map(([name, value]) => `${name}=${value}\0`).join(''), 0o400),
      stat: () => file(() => statLine(process)),
      status: () => file(() => statusText(process)),
      mounts: () => file(() => mountsText(machine)),
      cwd: () => link(process.cwd),
      exe: () => link(machine.fs.exists(process.argv[0] ?? '') ? (process.argv[0] ?? '') : '/'),
      root: () => link('/'),
      fd: () =>
        directory(
          () => [...process.fds.keys()].map(String),
          (name) => {
            const open = process.fds.get(Number(name));
            return open && descriptorNode(volume, process, Number(name), open);
          },
        ),
    };
    return directory(
      () => Object.keys(content),
      (name) => (Object.hasOwn(content, name) ? content[name]!() : undefined),
    );
  };

  const sysctls = { ...SYSCTLS, ...machine.facts.sysctls };
  const sysDirectory = (prefix: string): DirectoryNode => {
    const below = Object.keys(sysctls).filter((name) => name.startsWith(prefix));
    return directory(
      () => [...new Set(below.map((name) => name.slice(prefix.length).split('.')[0] as string))],
      (name) => {
        const value = Object.hasOwn(sysctls, prefix + name) ? sysctls[prefix + name] : undefined;
        if (value !== undefined) return file(() => `${value}\n`, 0o644);
        return below.some((known) => known.startsWith(`${prefix}${name}.`)) ? sysDirectory(`${prefix}${name}.`) : undefined;
      },
    );
  };

  (volume.root as DirectoryNode).dynamic = {
    names: () => [...Object.keys(files), 'self', 'sys', ...[...machine.processes.keys()].map(String)],
    get(name, callerPid) {
      if (name === 'sys') return sysDirectory('');
      if (name === 'self') return { ...volume.newSymlink(''), dynamicTarget: () => String(callerPid) };
      const process = machine.processes.get(Number(name)) as UnixProcess | undefined;
      if (process && /^\d+$/.test(name)) return processDirectory(process);
      return Object.hasOwn(files, name) ? file(files[name]!) : undefined;
    },
  };
  return volume;
}

/** /proc/N/fd/M shows as a symlink in life; following it leads to the open file itself, which a device node does here. */
function descriptorNode(volume: VolumeTree, process: UnixProcess, number: number, open: OpenFile): Node {
  if (open.kind === 'directory') throw new Errno('EACCES');
  return { ...volume.newDevice(`fd:${process.pid}:${number}`, 0o700), uid: process.uid, gid: process.gid };
}

/** Short name as in `ps -o comm`. */
export function commandName(process: { argv: readonly string[] }): string {
  return (process.argv[0] ?? '').replace(/^-/, '').split('/').pop()!.slice(0, 15);
}

function stateLetter(process: UnixProcess): string {
  return process.stopped ? 'T' : 'S';
}

function statLine(process: UnixProcess): string {
  const ticks = Math.floor(process.cpuMs / 10);
  const start = Math.floor((process.startMs - process.machine.facts.bootMs) / 10);
  const foreground = process.terminal?.foreground ?? -1;
  return `${process.pid} (${commandName(process)}) ${stateLetter(process)} ${process.ppid} ${process.pgid} ${process.pgid} ${process.terminal ? 34816 : 0} ${foreground} 4194560 0 0 0 0 ${ticks} 0 0 0 20 0 1 0 ${start} ${process.memoryBytes} ${Math.floor(process.memoryBytes / 4096)}\n`;
}

function statusText(process: UnixProcess): string {
  const state = process.stopped ? 'T (stopped)' : 'S (sleeping)';
  const kilobytes = Math.floor(process.memoryBytes / 1024);
  return `Name:\t${commandName(process)}\nUmask:\t${process.umask.toString(8).padStart(4, '0')}\nState:\t${state}\nTgid:\t${process.pid}\nPid:\t${process.pid}\nPPid:\t${process.ppid}\nUid:\t${Array(4).fill(process.uid).join('\t')}\nGid:\t${Array(4).fill(process.gid).join('\t')}\nVmSize:\t${kilobytes} kB\nVmRSS:\t${kilobytes} kB\nThreads:\t1\n`;
}

function meminfo(machine: UnixMachine): string {
  const total = Math.floor(machine.facts.memoryBytes / 1024);
  const free = total - Math.floor(machine.memoryBytes() / 1024);
  const line = (name: string, value: number): string => `${`${name}:`.padEnd(16)}${String(value).padStart(8)} kB\n`;
  return (
    line('MemTotal', total) +
    line('MemFree', free) +
    line('MemAvailable', free) +
    line('Buffers', 0) +
    line('Cached', 0) +
    line('SwapTotal', 0) +
    line('SwapFree', 0)
  );
}

function mountsText(machine: UnixMachine): string {
  return machine.fs
    .mounts()
    .map((mount) => `${mount.source} ${mount.path} ${mount.type} ${mount.readOnly ? 'ro' : 'rw'},relatime 0 0\n`)
    .join('');
}
