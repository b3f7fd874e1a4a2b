import { type Disposable, type Kernel, toDisposable } from '../kernel/index.ts';
import { FileContent, ZEROS } from './file-content.ts';
import { Errno, type FileStat, type Volume, type VolumeDirectory } from './types.ts';

interface NodeBase {
  /** The volume that may change this node in place; any other one copies it first (copy on write). */
  owner: VolumeTree;
  inode: number;
  mode: number;
  uid: number;
  gid: number;
  mtimeMs: number;
  nlink: number;
}

export interface FileNode extends NodeBase {
  type: 'file';
  content: FileContent;
  /** Content made when it is read (/proc). */
  generate?: () => string;
  /** What `ls -l` shows when it is not the content's length: executables of images are stubs. */
  shownSizeBytes?: number;
}

export interface DirectoryNode extends NodeBase, VolumeDirectory {
  type: 'directory';
  entries: Map<string, Node>;
  /** Content made when it is looked at (/proc). */
  dynamic?: { get(name: string, callerPid: number): Node | undefined; names(callerPid: number): string[] };
}

export interface SymlinkNode extends NodeBase {
  type: 'symlink';
  target: string;
  /** Target that depends on who asks (/proc/self). */
  dynamicTarget?: (callerPid: number) => string;
}

export interface DeviceNode extends NodeBase {
  type: 'device';
  /** `null`, `zero`, `tty` …, or `fd:PID:N` for a descriptor in /proc. */
  device: string;
}

export type Node = FileNode | DirectoryNode | SymlinkNode | DeviceNode;

/** Bytes of real memory that the files of one kernel may take together, beyond which every disk is full. */
const REAL_MEMORY_LIMIT_BYTES = 256 << 20;
const realMemory = new WeakMap<Kernel, { bytes: number }>();

/** A tree of files: a volume, an image layer, the writable layer of a container. */
export class VolumeTree implements Volume {
  readonly id: string;
  readonly kernel: Kernel;
  readonly root: DirectoryNode;
  capacityBytes: number | undefined;
  #used = 0;
  #nextInode: number;
  #listeners = new Set<() => void>();
  #memory: { bytes: number };

  constructor(options: { id: string; kernel: Kernel; capacityBytes?: number; layers?: readonly Volume[]; mode?: number }) {
    this.id = options.id;
    this.kernel = options.kernel;
    this.capacityBytes = options.capacityBytes;
    let memory = realMemory.get(options.kernel);
    if (!memory) {
      memory = { bytes: 0 };
      realMemory.set(options.kernel, memory);
    }
    this.#memory = memory;
    const layers = (options.layers ?? []) as readonly VolumeTree[];
    this.#nextInode = Math.max(1, ...layers.map((layer) => layer.#nextInode)) + 1;
    const bottom = layers[0];
    this.root = bottom ? this.#adoptDirectory(bottom.root) : this.newDirectory(options.mode ?? 0o755);
    for (const layer of layers.slice(1)) this.#merge(this.root, layer.root);
  }

  usedBytes(): number {
    return this.#used;
  }

  onChange(listener: () => void): Disposable {
    this.#listeners.add(listener);
    return toDisposable(() => this.#listeners.delete(listener));
  }

  changed(): void {
    for (const listener of this.#listeners) listener();
  }

  #base(mode: number, uid = 0, gid = 0) {
    return { owner: this, inode: this.#nextInode++, mode, uid, gid, mtimeMs: this.kernel.now(), nlink: 1 };
  }

  newFile(mode: number, uid?: number, gid?: number): FileNode {
    return { type: 'file', ...this.#base(mode, uid, gid), content: new FileContent() };
  }

  newDirectory(mode: number, uid?: number, gid?: number): DirectoryNode {
    return { type: 'directory', ...this.#base(mode, uid, gid), entries: new Map() };
  }

  newSymlink(target: string): SymlinkNode {
    return { type: 'symlink', ...this.#base(0o777), target };
  }

  newDevice(device: string, mode = 0o666): DeviceNode {
    return { type: 'device', ...this.#base(mode), device };
  }

  /** A copy of a node of a lower layer that this volume may change. The contents stay shared until written. */
  adopt(node: Node): Node {
    if (node.type === 'directory') return this.#adoptDirectory(node);
    if (node.type === 'file') {
      this.charge(node.content.size, node.content.costBytes());
      return { ...node, owner: this, nlink: 1, content: node.content.clone() };
    }
    return { ...node, owner: this, nlink: 1 };
  }

  #adoptDirectory(node: DirectoryNode): DirectoryNode {
    return { ...node, owner: this, entries: new Map(node.entries) };
  }

  #merge(target: DirectoryNode, upper: DirectoryNode): void {
    for (const [name, node] of upper.entries) {
      const present = target.entries.get(name);
      if (node.type === 'directory' && present?.type === 'directory') {
        const own = this.#adoptDirectory(present);
        target.entries.set(name, own);
        this.#merge(own, node);
      } else target.entries.set(name, node);
    }
  }

  /** Accounts for growth (or shrinking, negative). Throws ENOSPC when it does not fit. */
  charge(bytes: number, costBytes: number): void {
    if (bytes > 0) {
      if (this.capacityBytes !== undefined && this.#used + bytes > this.capacityBytes) throw new Errno('ENOSPC');
      if (costBytes > 0 && this.#memory.bytes + costBytes > REAL_MEMORY_LIMIT_BYTES) throw new Errno('ENOSPC');
    }
    this.#used = Math.max(0, this.#used + bytes);
    this.#memory.bytes = Math.max(0, this.#memory.bytes + costBytes);
  }

  /** Writes into a file of this volume at `offset`; returns how many bytes fitted (ENOSPC when none). */
  writeInto(file: FileNode, offset: number, chunk: Uint8Array): void {
    const growth = Math.max(0, offset + chunk.length - file.content.size);
    // Zeros that were copied on the way (dd) are a hole again.
    const zeros = chunk.length <= ZEROS.length && isZeros(chunk) ? ZEROS.subarray(0, chunk.length) : chunk;
    this.charge(growth, zeros.buffer === ZEROS.buffer ? 0 : growth);
    file.content.write(offset, zeros);
    file.mtimeMs = this.kernel.now();
    this.changed();
  }

  truncate(file: FileNode, size: number): void {
    const before = file.content.costBytes();
    const growth = size - file.content.size;
    if (growth > 0) this.charge(growth, 0);
    file.content.truncate(size);
    if (growth < 0) this.charge(growth, file.content.costBytes() - before);
    file.mtimeMs = this.kernel.now();
    this.changed();
  }

  /** One name of a node of this volume is gone. */
  unlinked(node: Node): void {
    node.nlink--;
    if (node.type === 'file' && node.nlink <= 0) this.charge(-node.content.size, -node.content.costBytes());
    else if (node.type === 'directory') for (const child of node.entries.values()) if (child.owner === this) this.unlinked(child);
  }
}

/** A volume that can be mounted in several machines and outlives them. `layers`, bottom first, are shared copy-on-write. */
export function createVolume(options: { id: string; kernel: Kernel; capacityBytes?: number; layers?: readonly Volume[]; mode?: number }): Volume {
  return new VolumeTree(options);
}

export function statOf(node: Node): FileStat {
  const directories = node.type === 'directory' ? countDirectories(node) : 0;
  return {
    type: node.type,
    inode: node.inode,
    mode: node.mode,
    uid: node.uid,
    gid: node.gid,
    sizeBytes:
      node.type === 'file'
        ? (node.shownSizeBytes ?? node.content.size)
        : node.type === 'directory'
          ? node.dynamic
            ? 0
            : 4096
          : node.type === 'symlink'
            ? node.target.length
            : 0,
    mtimeMs: node.mtimeMs,
    nlink: node.type === 'directory' ? 2 + directories : node.nlink,
  };
}

function isZeros(chunk: Uint8Array): boolean {
  if (chunk.length < 512) return false;
  for (let i = 0; i < chunk.length; i++) if (chunk[i] !== 0) return false;
  return true;
}

function countDirectories(node: DirectoryNode): number {
  let count = 0;
  for (const child of node.entries.values()) if (child.type === 'directory') count++;
  return count;
}
