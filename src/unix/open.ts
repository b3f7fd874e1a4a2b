import { ZEROS } from './file-content.ts';
import type { UnixProcess } from './process.ts';
import { encodeText } from './text.ts';
import { Errno, type OpenFile } from './types.ts';
import type { DeviceNode, FileNode, Node, VolumeTree } from './volume.ts';

type Flags = 'r' | 'w' | 'a' | 'r+' | 'wx';

/** How much one read of a file gives at most. */
const READ_BYTES = 65_536;

/** open(2): checks permissions, makes or empties the file, and gives a descriptor of the process. */
export function openPath(process: UnixProcess, path: string, flags: Flags, mode: number): OpenFile {
  const fs = process.fileSystem();
  const absolute = process.resolve(path);
  if (path === '') throw new Errno('ENOENT');
  if (absolute === '/dev/tty') {
    if (!process.terminal) throw new Errno('ENXIO', 'No such device or address');
    return process.attach(process.terminal.openSlave());
  }
  const location = fs.locate(absolute);
  if (location.node) {
    const reading = flags === 'r' || flags === 'r+';
    if (!allowed(process, location.node, reading ? 4 : 2) || (flags === 'r+' && !allowed(process, location.node, 2))) throw new Errno('EACCES');
  } else {
    const parent = location.steps[location.steps.length - 1]!.node;
    if (flags !== 'r' && flags !== 'r+' && !allowed(process, parent, 2)) throw new Errno('EACCES');
  }
  if (flags === 'r') {
    if (!location.node) throw new Errno('ENOENT');
    const { node } = location;
    if (node.type === 'device') return openDevice(process, node, location.path);
    if (node.type === 'directory') return process.attach(directoryFile(location.path));
    if (node.type !== 'file') throw new Errno('ELOOP');
    if (node.generate) return process.attach(generatedFile(node.generate(), location.path));
    return process.attach(new RegularFile(node, location.mount.volume, location.path, true, false, false));
  }
  const opened = fs.openForWriting(absolute, {
    create: flags !== 'r+',
    exclusive: flags === 'wx',
    truncate: flags === 'w',
    mode,
    uid: process.uid,
    gid: process.gid,
  });
  if (opened.node.type === 'device') return openDevice(process, opened.node, opened.path);
  return process.attach(new RegularFile(opened.node as FileNode, opened.volume, opened.path, flags === 'r+', true, flags === 'a'));
}

/** Whether a process may read (4), write (2) or execute (1) a node. Root may everything but execute what nobody may. */
export function allowed(process: { uid: number; gid: number; machine: { facts: { groups?: readonly number[] } } }, node: Node, bit: 1 | 2 | 4): boolean {
  if (process.uid === 0) return bit !== 1 || node.type === 'directory' || (node.mode & 0o111) !== 0;
  const isMember = process.gid === node.gid || process.machine.facts.groups?.includes(node.gid);
  const shift = process.uid === node.uid ? 6 : isMember ? 3 : 0;
  return ((node.mode >> shift) & bit) !== 0;
}

class RegularFile implements OpenFile {
  readonly kind = 'file';
  readonly name: string;
  #node: FileNode;
  #volume: VolumeTree;
  #offset = 0;
  #readable: boolean;
  #writable: boolean;
  #append: boolean;

  constructor(node: FileNode, volume: VolumeTree, name: string, readable: boolean, writable: boolean, append: boolean) {
    this.#node = node;
    this.#volume = volume;
    this.name = name;
    this.#readable = readable;
    this.#writable = writable;
    this.#append = append;
  }

  async read(): Promise<Uint8Array | null> {
    if (!this.#readable) throw new Errno('EBADF');
    const chunk = this.#node.content.read(this.#offset, READ_BYTES);
    if (chunk.length === 0) return null;
    this.#offset += chunk.length;
    return chunk;
  }

  async write(chunk: Uint8Array): Promise<void> {
    if (!this.#writable) throw new Errno('EBADF');
    const offset = this.#append ? this.#node.content.size : this.#offset;
    this.#volume.writeInto(this.#node, offset, chunk);
    this.#offset = offset + chunk.length;
  }

  seek(offset: number, whence: 'start' | 'current' | 'end'): number {
    const base = whence === 'start' ? 0 : whence === 'current' ? this.#offset : this.#node.content.size;
    if (base + offset < 0) throw new Errno('EINVAL');
    this.#offset = base + offset;
    return this.#offset;
  }

  close(): void {}
}

function generatedFile(text: string, name: string): OpenFile {
  let rest: Uint8Array | null = encodeText(text);
  return {
    kind: 'file',
    name,
    read: async () => {
      const chunk = rest;
      rest = null;
      return chunk && chunk.length > 0 ? chunk : null;
    },
    write: async () => {
      throw new Errno('EBADF');
    },
    close: () => undefined,
  };
}

function directoryFile(name: string): OpenFile {
  return {
    kind: 'directory',
    name,
    read: async () => {
      throw new Errno('EISDIR');
    },
    write: async () => {
      throw new Errno('EBADF');
    },
    close: () => undefined,
  };
}

function openDevice(process: UnixProcess, node: DeviceNode, name: string): OpenFile {
  const { device } = node;
  const descriptor = /^fd:(\d+):(\d+)$/.exec(device);
  if (descriptor) {
    const file = process.machine.processes.get(Number(descriptor[1]))?.fds.get(Number(descriptor[2]));
    if (!file) throw new Errno('ENOENT');
    return process.attach(file);
  }
  if (device === 'tty') {
    if (!process.terminal) throw new Errno('ENXIO', 'No such device or address');
    return process.attach(process.terminal.openSlave());
  }
  const random = process.kernel.random;
  const reads: Record<string, () => Uint8Array | null> = {
    null: () => null,
    zero: () => ZEROS,
    full: () => ZEROS,
    random: () => Uint8Array.from({ length: 4096 }, () => random.int(256)),
  };
  const read = reads[device];
  if (!read) throw new Errno('ENXIO', 'No such device or address');
  return process.attach({
    kind: 'null',
    name,
    read: async () => read(),
    write: async () => {
      if (device === 'full') throw new Errno('ENOSPC');
    },
    close: () => undefined,
  });
}
