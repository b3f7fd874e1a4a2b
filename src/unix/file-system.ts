import type { Kernel } from '../kernel/index.ts';
import { parentPath, splitPath } from './paths.ts';
import { decodeText, encodeText } from './text.ts';
import { Errno, type FileStat, type FileSystem, type MountInfo, type Volume } from './types.ts';
import { type DirectoryNode, type FileNode, type Node, statOf, type VolumeTree } from './volume.ts';

interface Mount extends MountInfo {
  volume: VolumeTree;
  root: Node;
}

/** A place on the way from / to a file. */
interface Step {
  path: string;
  name: string;
  node: Node;
  mount: Mount;
}

/** What a path leads to. `node` is undefined when only the last name does not exist. */
export interface Location {
  steps: Step[];
  name: string;
  path: string;
  node: Node | undefined;
  mount: Mount;
}

const SYMLINK_LIMIT = 40;
const NAME_LIMIT = 255;

/** The names a machine sees: a root volume and what is mounted over it. */
export class TreeFileSystem implements FileSystem {
  readonly kernel: Kernel;
  #mounts = new Map<string, Mount>();
  /** Whose /proc/self is meant: set by a process right before a call. */
  callerPid = 1;

  constructor(kernel: Kernel, root: VolumeTree, options: { readOnly?: boolean; source?: string; type?: string } = {}) {
    this.kernel = kernel;
    this.#mounts.set('/', {
      path: '/',
      source: options.source ?? 'overlay',
      type: options.type ?? 'overlay',
      readOnly: options.readOnly ?? false,
      volume: root,
      root: root.root,
    });
  }

  // ---- looking ----

  /** Follows a path. Throws ENOENT for a missing directory on the way, ENOTDIR, ELOOP. */
  locate(path: string, followLast = true): Location {
    const found = this.#walk(path, followLast);
    if (typeof found === 'string') throw new Errno(found);
    return found;
  }

  /** Follows a path as `locate` does; gives the error's name instead of throwing it, which is dear. */
  #walk(path: string, followLast: boolean): Location | string {
    const rootMount = this.#mounts.get('/')!;
    const root: Step = { path: '/', name: '', node: rootMount.root, mount: rootMount };
    const steps: Step[] = [root];
    const names = splitPath(path);
    let links = 0;
    const mustBeDirectory = path.length > 1 && path.endsWith('/');
    for (let i = 0; i < names.length; i++) {
      const name = names[i]!;
      const here = steps[steps.length - 1]!;
      if (here.node.type !== 'directory') return 'ENOTDIR';
      if (name === '..') {
        if (steps.length > 1) steps.pop();
        continue;
      }
      if (name.length > NAME_LIMIT) return 'ENAMETOOLONG';
      const childPath = here.path === '/' ? `/${name}` : `${here.path}/${name}`;
      const mounted = this.#mounts.get(childPath);
      const node = mounted ? mounted.root : this.#child(here.node, name);
      const last = i === names.length - 1;
      if (!node) {
        if (!last) return 'ENOENT';
        return { steps, name, path: childPath, node: undefined, mount: here.mount };
      }
      if (node.type === 'symlink' && (!last || followLast || mustBeDirectory)) {
        if (++links > SYMLINK_LIMIT) return 'ELOOP';
        const target = node.dynamicTarget ? node.dynamicTarget(this.callerPid) : node.target;
        const targetNames = splitPath(target);
        if (target.startsWith('/')) steps.length = 1;
        names.splice(i + 1, 0, ...targetNames);
        continue;
      }
      steps.push({ path: childPath, name, node, mount: mounted ?? here.mount });
    }
    const end = steps[steps.length - 1]!;
    if (mustBeDirectory && end.node.type !== 'directory') return 'ENOTDIR';
    return { steps, name: end.name, path: end.path, node: end.node, mount: end.mount };
  }

  #child(directory: DirectoryNode, name: string): Node | undefined {
    return directory.dynamic ? directory.dynamic.get(name, this.callerPid) : directory.entries.get(name);
  }

  #existing(path: string, followLast = true): Location & { node: Node } {
    const location = this.locate(path, followLast);
    if (!location.node) throw new Errno('ENOENT');
    return location as Location & { node: Node };
  }

  /** Makes every node on the way belong to the volume that is mounted there, so that it may be changed. */
  #own(steps: Step[]): void {
    for (let i = 1; i < steps.length; i++) {
      const step = steps[i]!;
      const volume = step.mount.volume;
      if (step.node.owner === volume || step.node === step.mount.root) continue;
      const parent = steps[i - 1]!.node as DirectoryNode;
      const copy = volume.adopt(step.node);
      parent.entries.set(step.name, copy);
      step.node = copy;
    }
  }

  #checkWritable(mount: Mount): void {
    if (mount.readOnly) throw new Errno('EROFS');
  }

  /** The directory that a new name goes into, ready to be changed. */
  #parentForChange(location: Location): { directory: DirectoryNode; volume: VolumeTree } {
    const steps = location.node ? location.steps.slice(0, -1) : location.steps;
    const parent = steps[steps.length - 1];
    if (!parent) throw new Errno('EBUSY');
    this.#checkWritable(parent.mount);
    if (parent.node.type !== 'directory') throw new Errno('ENOTDIR');
    if (parent.node.dynamic) throw new Errno('EACCES');
    this.#own(steps);
    const directory = parent.node as DirectoryNode;
    directory.mtimeMs = this.kernel.now();
    return { directory, volume: parent.mount.volume };
  }

  /** The node behind a path, ready to be changed. */
  nodeForChange(path: string, followLast = true): { node: Node; volume: VolumeTree } {
    const location = this.#existing(path, followLast);
    this.#checkWritable(location.mount);
    this.#own(location.steps);
    const step = location.steps[location.steps.length - 1]!;
    return { node: step.node, volume: step.mount.volume };
  }

  readFile(path: string): Uint8Array {
    const { node } = this.#existing(path);
    if (node.type === 'directory') throw new Errno('EISDIR');
    if (node.type === 'device') return new Uint8Array(0);
    if (node.type !== 'file') throw new Errno('EINVAL');
    return node.generate ? encodeText(node.generate()) : node.content.bytes();
  }

  readText(path: string): string {
    return decodeText(this.readFile(path));
  }

  writeFile(path: string, data: Uint8Array | string, options: { append?: boolean; mode?: number; uid?: number; gid?: number } = {}): void {
    const bytes = typeof data === 'string' ? encodeText(data) : data.slice();
    const opened = this.openForWriting(path, {
      create: true,
      exclusive: false,
      truncate: !options.append,
      mode: options.mode ?? 0o644,
      uid: options.uid ?? 0,
      gid: options.gid ?? 0,
    });
    if (opened.node.type === 'device') return;
    const file = opened.node as FileNode;
    if (options.mode !== undefined) file.mode = options.mode;
    opened.volume.writeInto(file, file.content.size, bytes);
  }

  /** open(2) for writing: the file (created or emptied as asked) or the device. */
  openForWriting(
    path: string,
    options: { create: boolean; exclusive: boolean; truncate: boolean; mode: number; uid: number; gid: number },
  ): { node: Node; volume: VolumeTree; path: string } {
    const location = this.locate(path);
    if (!location.node) {
      if (!options.create) throw new Errno('ENOENT');
      if (path.endsWith('/')) throw new Errno('EISDIR');
      const { directory, volume } = this.#parentForChange(location);
      const file = volume.newFile(options.mode, options.uid, options.gid);
      directory.entries.set(location.name, file);
      volume.changed();
      return { node: file, volume, path: location.path };
    }
    if (options.exclusive) throw new Errno('EEXIST');
    if (location.node.type === 'directory') throw new Errno('EISDIR');
    if (location.node.type === 'device') return { node: location.node, volume: location.mount.volume, path: location.path };
    if (location.node.type === 'file' && location.node.generate) throw new Errno('EACCES');
    this.#checkWritable(location.mount);
    this.#own(location.steps);
    const step = location.steps[location.steps.length - 1]!;
    const volume = step.mount.volume;
    if (options.truncate && (step.node as FileNode).content.size > 0) volume.truncate(step.node as FileNode, 0);
    return { node: step.node, volume, path: location.path };
  }

  stat(path: string): FileStat {
    return statOf(this.#existing(path).node);
  }

  lstat(path: string): FileStat {
    return statOf(this.#existing(path, false).node);
  }

  exists(path: string): boolean {
    const found = this.#walk(path, true);
    return typeof found !== 'string' && found.node !== undefined;
  }

  readdir(path: string): string[] {
    const { node } = this.#existing(path);
    if (node.type !== 'directory') throw new Errno('ENOTDIR');
    const names = node.dynamic ? node.dynamic.names(this.callerPid) : [...node.entries.keys()];
    return names.sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
  }

  readlink(path: string): string {
    const { node } = this.#existing(path, false);
    if (node.type !== 'symlink') throw new Errno('EINVAL');
    return node.dynamicTarget ? node.dynamicTarget(this.callerPid) : node.target;
  }

  realpath(path: string): string {
    return this.#existing(path).path;
  }

  // ---- changing ----

  mkdir(path: string, options: { recursive?: boolean; mode?: number } = {}): void {
    const location = this.#locateForCreation(path, options.recursive ?? false, options.mode);
    if (!location) return;
    if (location.node) {
      if (options.recursive && location.node.type === 'directory') return;
      throw new Errno('EEXIST');
    }
    const { directory, volume } = this.#parentForChange(location);
    directory.entries.set(location.name, volume.newDirectory(options.mode ?? 0o755));
    volume.changed();
  }

  #locateForCreation(path: string, recursive: boolean, mode: number | undefined): Location | undefined {
    const found = this.#walk(path, true);
    if (typeof found !== 'string') return found;
    const parent = parentPath(path);
    if (!recursive || found !== 'ENOENT' || parent === path) throw new Errno(found);
    this.mkdir(parent, { recursive: true, mode });
    return this.locate(path);
  }

  remove(path: string, options: { recursive?: boolean } = {}): void {
    const location = this.#existing(path, false);
    if (this.#mounts.has(location.path)) throw new Errno('EBUSY');
    for (const mountPath of this.#mounts.keys()) if (mountPath.startsWith(`${location.path}/`)) throw new Errno('EBUSY');
    const { node } = location;
    if (node.type === 'directory' && !options.recursive && (node.dynamic || node.entries.size > 0)) throw new Errno('ENOTEMPTY');
    const { directory, volume } = this.#parentForChange(location);
    const owned = directory.entries.get(location.name);
    directory.entries.delete(location.name);
    if (owned && owned.owner === volume) volume.unlinked(owned);
    volume.changed();
  }

  rename(from: string, to: string): void {
    const source = this.#existing(from, false);
    if (this.#mounts.has(source.path)) throw new Errno('EBUSY');
    let target = this.locate(to, false);
    const sourceParent = source.steps[source.steps.length - 2];
    const targetParent = target.steps[target.steps.length - (target.node ? 2 : 1)];
    if (!sourceParent || !targetParent) throw new Errno('EBUSY');
    if (sourceParent.mount !== targetParent.mount) throw new Errno('EXDEV');
    if (source.node === target.node) return;
    if (source.node.type === 'directory' && `${target.path}/`.startsWith(`${source.path}/`)) throw new Errno('EINVAL');
    if (target.node) {
      if (target.node.type === 'directory' && source.node.type !== 'directory') throw new Errno('EISDIR');
      if (target.node.type !== 'directory' && source.node.type === 'directory') throw new Errno('ENOTDIR');
      this.remove(to);
      target = this.locate(to, false);
    }
    const fresh = this.#existing(from, false);
    const { directory: fromDirectory, volume } = this.#parentForChange(fresh);
    const moved = fromDirectory.entries.get(fresh.name)!;
    const { directory: toDirectory } = this.#parentForChange(this.locate(to, false));
    fromDirectory.entries.delete(fresh.name);
    toDirectory.entries.set(target.name, moved);
    volume.changed();
  }

  symlink(targetText: string, path: string): void {
    const location = this.locate(path, false);
    if (location.node) throw new Errno('EEXIST');
    const { directory, volume } = this.#parentForChange(location);
    directory.entries.set(location.name, volume.newSymlink(targetText));
    volume.changed();
  }

  link(existing: string, path: string): void {
    const source = this.#existing(existing, false);
    if (source.node.type === 'directory') throw new Errno('EPERM');
    const location = this.locate(path, false);
    if (location.node) throw new Errno('EEXIST');
    const parent = location.steps[location.steps.length - 1]!;
    if (parent.mount !== source.mount) throw new Errno('EXDEV');
    const { directory, volume } = this.#parentForChange(location);
    const { directory: sourceDirectory } = this.#parentForChange(this.#existing(existing, false));
    let node = sourceDirectory.entries.get(source.name)!;
    if (node.owner !== volume) {
      node = volume.adopt(node);
      sourceDirectory.entries.set(source.name, node);
    }
    node.nlink++;
    directory.entries.set(location.name, node);
    volume.changed();
  }

  chmod(path: string, mode: number): void {
    this.nodeForChange(path).node.mode = mode & 0o7777;
  }

  chown(path: string, uid: number, gid: number): void {
    const { node } = this.nodeForChange(path);
    node.uid = uid;
    node.gid = gid;
  }

  utimes(path: string, mtimeMs: number): void {
    this.nodeForChange(path).node.mtimeMs = mtimeMs;
  }

  /** Sets a file's length, cutting or filling with zeros. */
  truncate(path: string, sizeBytes: number): void {
    const { node, volume } = this.nodeForChange(path);
    if (node.type !== 'file') throw new Errno(node.type === 'directory' ? 'EISDIR' : 'EINVAL');
    volume.truncate(node, sizeBytes);
  }

  // ---- mounts ----

  mounts(): readonly MountInfo[] {
    return [...this.#mounts.values()];
  }

  mount(path: string, volume: Volume, options: { readOnly?: boolean; subPath?: string; source?: string; type?: string } = {}): void {
    const tree = volume as VolumeTree;
    let root: Node = tree.root;
    if (options.subPath) {
      root = new TreeFileSystem(this.kernel, tree).nodeForChange(`/${options.subPath}`).node;
    }
    const canonical = this.#makeMountPoint(path, root.type === 'directory');
    this.#mounts.set(canonical, {
      path: canonical,
      source: options.source ?? '/dev/vda1',
      type: options.type ?? 'ext4',
      readOnly: options.readOnly ?? false,
      volume: tree,
      root,
    });
  }

  unmount(path: string): void {
    const canonical = this.realpath(path);
    if (canonical === '/' || !this.#mounts.delete(canonical)) throw new Errno('EINVAL');
  }

  /** The container runtime makes mount points even on a read-only root. */
  #makeMountPoint(path: string, isDirectory: boolean): string {
    const root = this.#mounts.get('/')!;
    const readOnly = root.readOnly;
    root.readOnly = false;
    try {
      if (isDirectory) this.mkdir(path, { recursive: true });
      else if (!this.exists(path)) {
        this.mkdir(parentPath(path), { recursive: true });
        this.writeFile(path, '');
      }
      return this.realpath(path);
    } finally {
      root.readOnly = readOnly;
    }
  }
}

/** A filesystem over one volume, for filling it or looking inside. */
export function volumeFileSystem(volume: Volume): TreeFileSystem {
  const tree = volume as VolumeTree;
  return new TreeFileSystem(tree.kernel, tree, { source: tree.id, type: 'ext4' });
}
