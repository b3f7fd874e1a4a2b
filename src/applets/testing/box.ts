import type { Kernel } from '../../kernel/index.ts';
import { testKernel } from '../../kernel/testing/index.ts';
import { busyboxPrograms } from '../../sim/images/base.ts';
import { busybox } from '../../sim/images/busybox.ts';
import {
  bytesSource,
  callbackSink,
  createMachine,
  createVolume,
  decodeText,
  encodeText,
  type Machine,
  type NetworkStack,
  nullFile,
  volumeFileSystem,
} from '../../unix/index.ts';

export interface BoxResult {
  stdout: string;
  stderr: string;
  code: number;
}

export interface Box {
  kernel: Kernel;
  machine: Machine;
  /** Runs a command line in sh, in /work, on virtual time; it is killed after `limitMs` of it. */
  sh(line: string, options?: { stdin?: string; limitMs?: number; env?: Record<string, string> }): Promise<BoxResult>;
}

/** A container of the busybox image, for tests. */
export function createBox(options: { kernel?: Kernel; net?: NetworkStack; files?: Readonly<Record<string, string>>; hostname?: string } = {}): Box {
  const kernel = options.kernel ?? testKernel('box');
  const layer = createVolume({ id: 'image', kernel });
  busybox.build(volumeFileSystem(layer));
  const machine = createMachine({
    kernel,
    hostname: options.hostname ?? 'box',
    layers: [layer],
    programs: busyboxPrograms,
    ...(options.net ? { net: options.net } : {}),
  });
  machine.fs.mkdir('/work');
  for (const [path, text] of Object.entries(options.files ?? {})) machine.fs.writeFile(path.startsWith('/') ? path : `/work/${path}`, text);
  return {
    kernel,
    machine,
    async sh(line, { stdin, limitMs = 600_000, env = {} } = {}) {
      const chunks: { stdout: Uint8Array[]; stderr: Uint8Array[] } = { stdout: [], stderr: [] };
      const process = machine.start(['/bin/sh', '-c', line], {
        env: new Map(Object.entries({ PATH: '/bin', HOME: '/root', ...env })),
        cwd: '/work',
        stdin: stdin === undefined ? nullFile() : bytesSource(encodeText(stdin)),
        stdout: callbackSink((chunk) => void chunks.stdout.push(chunk.slice())),
        stderr: callbackSink((chunk) => void chunks.stderr.push(chunk.slice())),
      });
      const text = (parts: Uint8Array[]): string => decodeText(Uint8Array.from(parts.flatMap((part) => [...part])));
      const done = (): boolean => process.status !== undefined;
      await kernel.advance({ untilMs: kernel.now() + limitMs, until: done });
      if (!process.status) machine.killAll();
      await kernel.settle();
      return { stdout: text(chunks.stdout), stderr: text(chunks.stderr), code: process.status?.code ?? -1 };
    },
  };
}
