import type { Kernel } from '../../kernel/index.ts';
import { createVolume, type FileSystem, type Volume, volumeFileSystem } from '../../unix/index.ts';

/** Where data lives that outlasts Pods: one disk per machine, and volumes that belong to no machine. */
export class VolumeStore {
  readonly #kernel: Kernel;
  readonly #disks = new Map<string, { volume: Volume; fs: FileSystem }>();
  readonly #shared = new Map<string, Volume>();

  constructor(kernel: Kernel) {
    this.#kernel = kernel;
  }

  /** The disk of a node: hostPath and local volumes are directories on it. */
  disk(node: string): { volume: Volume; fs: FileSystem } {
    let disk = this.#disks.get(node);
    if (!disk) {
      const volume = createVolume({ id: `disk:${node}`, kernel: this.#kernel });
      const fs = volumeFileSystem(volume);
      for (const path of ['/tmp', '/var/lib', '/var/log', '/etc', '/opt', '/mnt', '/home', '/root', '/run', '/dev']) fs.mkdir(path, { recursive: true });
      fs.chmod('/tmp', 0o1777);
      fs.writeFile('/etc/hosts', `127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n`);
      disk = { volume, fs };
      this.#disks.set(node, disk);
    }
    return disk;
  }

  /** A volume of a network storage (NFS, CSI), by PersistentVolume. */
  shared(key: string): Volume {
    let volume = this.#shared.get(key);
    if (!volume) {
      volume = createVolume({ id: key, kernel: this.#kernel, mode: 0o777 });
      this.#shared.set(key, volume);
    }
    return volume;
  }
}
