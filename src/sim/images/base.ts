import { applets } from '../../applets/index.ts';
import { type FileSystem, installPrograms } from '../../unix/index.ts';
import type { Program } from '../../unix/types.ts';
import { shellPrograms } from './shell-programs.ts';
import type { ImageDefinition } from './types.ts';

/** PATH of every image that sets none of its own. */
export const DEFAULT_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** Applets and shells under /bin. */
export const busyboxPrograms: Readonly<Record<string, Program>> = Object.fromEntries([
  ...Object.entries(applets).map(([name, program]) => [`/bin/${name}`, program] as const),
  ...Object.entries(shellPrograms).map(([name, program]) => [`/bin/${name}`, program] as const),
]);

/** Size that `ls -l` shows for a program: BusyBox is one file with many names. */
const BUSYBOX_BYTES = 1_131_168;

/** Directories and account files of a small root filesystem. */
export function buildRoot(fs: FileSystem, accounts: readonly Account[] = []): void {
  for (const path of ['bin', 'dev', 'etc', 'home', 'proc', 'sys', 'usr/bin', 'usr/sbin', 'usr/share', 'usr/lib', 'var/log', 'var/run', 'var/lib', 'var/www']) {
    fs.mkdir(`/${path}`, { recursive: true });
  }
  fs.mkdir('/root', { mode: 0o700 });
  for (const path of ['/tmp', '/var/tmp']) {
    fs.mkdir(path, { recursive: true });
    fs.chmod(path, 0o1777);
  }
  const all: readonly Account[] = [{ name: 'root', uid: 0, gid: 0, home: '/root', shell: '/bin/sh' }, ...SYSTEM_ACCOUNTS, ...accounts];
  fs.writeFile('/etc/passwd', all.map((one) => `${one.name}:x:${one.uid}:${one.gid}:${one.name}:${one.home}:${one.shell ?? '/bin/false'}\n`).join(''));
  fs.writeFile('/etc/group', all.map((one) => `${one.name}:x:${one.gid}:\n`).join(''));
  fs.writeFile('/etc/nsswitch.conf', 'hosts: files dns\n');
}

export interface Account {
  name: string;
  uid: number;
  gid: number;
  home: string;
  shell?: string;
}

const SYSTEM_ACCOUNTS: readonly Account[] = [
  { name: 'daemon', uid: 1, gid: 1, home: '/usr/sbin' },
  { name: 'bin', uid: 2, gid: 2, home: '/bin' },
  { name: 'sys', uid: 3, gid: 3, home: '/dev' },
  { name: 'www-data', uid: 33, gid: 33, home: '/var/www' },
  { name: 'nobody', uid: 65534, gid: 65534, home: '/home' },
];

/** Fields that differ from a plain image with BusyBox inside. */
export interface BusyboxImage extends Omit<ImageDefinition, 'build' | 'programs'> {
  programs?: Readonly<Record<string, Program>>;
  accounts?: readonly Account[];
  build?(fs: FileSystem): void;
  /** Programs of BusyBox that this image has; default all. */
  include?(name: string): boolean;
}

/** An image whose userland is BusyBox, with further programs and files on top. */
export function busyboxImage({ programs = {}, accounts, build, include, ...rest }: BusyboxImage): ImageDefinition {
  const userland = Object.fromEntries(Object.entries(busyboxPrograms).filter(([path]) => include?.(path.slice('/bin/'.length)) ?? true));
  const all = { ...userland, ...programs };
  return {
    ...rest,
    env: { PATH: DEFAULT_PATH, ...rest.env },
    programs: all,
    build(fs) {
      buildRoot(fs, accounts);
      installPrograms(fs, Object.keys(userland), BUSYBOX_BYTES);
      installPrograms(
        fs,
        Object.keys(programs).filter((path) => !(path in userland)),
      );
      build?.(fs);
    },
  };
}
