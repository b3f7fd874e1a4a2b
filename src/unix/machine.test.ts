import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Kernel } from '../kernel/index.ts';
import { testKernel } from '../kernel/testing/index.ts';
import {
  bytesSource,
  callbackSink,
  createMachine,
  createVolume,
  decodeText,
  Errno,
  type ExitStatus,
  encodeText,
  installPrograms,
  type Machine,
  nullFile,
  type Process,
  type Program,
  volumeFileSystem,
} from './index.ts';

function machineWith(kernel: Kernel, programs: Record<string, Program>, limits: { memoryLimitBytes?: number } = {}): Machine {
  const layer = createVolume({ id: 'image', kernel });
  installPrograms(
    volumeFileSystem(layer),
    Object.keys(programs).map((name) => `/bin/${name}`),
  );
  const table = Object.fromEntries(Object.entries(programs).map(([name, program]) => [`/bin/${name}`, program]));
  return createMachine({ kernel, hostname: 'box', layers: [layer], programs: table, facts: { cpus: 1, ...limits } });
}

function start(machine: Machine, argv: string[], input?: string): { process: Process; output: () => string } {
  const chunks: Uint8Array[] = [];
  const sink = callbackSink((chunk) => void chunks.push(chunk));
  const process = machine.start(argv, {
    env: new Map([['PATH', '/bin']]),
    cwd: '/',
    stdin: input === undefined ? nullFile() : bytesSource(encodeText(input)),
    stdout: sink,
    stderr: sink,
  });
  return { process, output: () => chunks.map(decodeText).join('') };
}

async function ended(kernel: Kernel, process: Process, limitMs = 60_000): Promise<ExitStatus> {
  await kernel.advance({ untilMs: kernel.now() + limitMs, until: () => process.status !== undefined });
  assert.ok(process.status, 'still running');
  return process.status;
}

const yes: Program = async (process) => {
  const chunk = encodeText('y\n'.repeat(4096));
  for (;;) await process.stdout.write(chunk);
};
const headOne: Program = async (process) => {
  const chunk = await process.stdin.read();
  await process.out(decodeText(chunk!).split('\n')[0]! + '\n');
  return 0;
};

test('a writer whose reader has gone dies of SIGPIPE', async () => {
  const kernel = testKernel();
  const seen: (ExitStatus | undefined)[] = [];
  const machine = machineWith(kernel, {
    yes,
    head: headOne,
    main: async (process) => {
      const [reader, writer] = process.pipe();
      const left = process.spawn(['yes'], { fds: new Map([[1, writer]]) });
      const right = process.spawn(['head'], { fds: new Map([[0, reader]]) });
      reader.close();
      writer.close();
      seen.push(await process.guard(left.exited), await process.guard(right.exited));
      return 0;
    },
  });
  const { process, output } = start(machine, ['main']);
  assert.equal((await ended(kernel, process)).code, 0);
  assert.equal(output(), 'y\n');
  assert.deepEqual(seen, [{ code: 141, signal: 'SIGPIPE' }, { code: 0 }]);
});

test('init ignores SIGTERM without a handler, takes SIGKILL from outside only, and takes all others with it', async () => {
  const kernel = testKernel();
  const machine = machineWith(kernel, {
    sleep: async (process) => {
      await process.sleep(1e9);
      return 0;
    },
    main: async (process) => {
      process.spawn(['sleep']);
      process.sendSignal(1, 'SIGKILL');
      await process.sleep(1e9);
      return 0;
    },
  });
  const { process } = start(machine, ['main']);
  await kernel.advance({ untilMs: kernel.now() + 1000 });
  process.kill('SIGTERM');
  await kernel.advance({ untilMs: kernel.now() + 1000 });
  assert.equal(process.status, undefined);
  const child = machine.processes.get(2)!;
  process.kill('SIGKILL');
  assert.deepEqual(process.status, { code: 137, signal: 'SIGKILL' });
  assert.deepEqual(child.status, { code: 137, signal: 'SIGKILL' });
  assert.equal(machine.processes.size, 0);
});

test('a program that never waits lets time move, can be killed, and costs little host time for a long virtual time', async () => {
  const kernel = testKernel();
  let rounds = 0;
  const machine = machineWith(kernel, {
    spin: async (process) => {
      for (;;) {
        rounds++;
        await process.cpu(0.005);
      }
    },
  });
  const { process } = start(machine, ['spin']);
  await kernel.advance({ untilMs: kernel.now() + 600_000 });
  assert.ok(rounds < 2_000_000, `${rounds} rounds`);
  assert.ok(process.cpuMs > 500_000);
  process.kill('SIGKILL');
  assert.equal(process.status?.code, 137);
});

test('a fork bomb meets the process limit', async () => {
  const kernel = testKernel();
  let refused = 0;
  const bomb: Program = async (process) => {
    for (;;) {
      try {
        process.fork(bomb, ['bomb']);
      } catch (error) {
        if (!(error instanceof Errno)) throw error;
        refused++;
      }
      await process.cpu(1);
    }
  };
  const machine = machineWith(kernel, { bomb });
  const { process } = start(machine, ['bomb']);
  await kernel.advance({ untilMs: kernel.now() + 2000 });
  assert.ok(refused > 0);
  assert.ok(machine.processes.size <= 256);
  process.kill('SIGKILL');
  assert.equal(machine.processes.size, 0);
});

test('memory beyond the limit is an OOM kill', async () => {
  const kernel = testKernel();
  const machine = machineWith(
    kernel,
    {
      grow: async (process) => {
        process.useMemory(200 << 20);
        await process.sleep(1);
        return 0;
      },
    },
    { memoryLimitBytes: 100 << 20 },
  );
  const { process } = start(machine, ['grow']);
  assert.equal((await ended(kernel, process)).code, 137);
  assert.equal(machine.oomKilled, true);
});

test('scripts run through their #! line, stubs survive cp and ln, and refusals have the right errno', async () => {
  const kernel = testKernel();
  const machine = machineWith(kernel, {
    show: async (process) => {
      await process.out(`${process.argv.join(' ')}\n`);
      return 0;
    },
  });
  const { fs } = machine;
  fs.writeFile('/script', '#!/bin/show -x\nrest', { mode: 0o755 });
  fs.writeFile('/plain', 'text', { mode: 0o644 });
  fs.writeFile('/copy', fs.readFile('/bin/show'), { mode: 0o755 });
  fs.symlink('/bin/show', '/link');
  for (const [argv, expected] of [
    [['/script', 'a'], '/bin/show -x /script a\n'],
    [['/copy', 'b'], '/copy b\n'],
    [['/link'], '/link\n'],
  ] as const) {
    const { process, output } = start(machine, [...argv]);
    await ended(kernel, process);
    assert.equal(output(), expected);
  }
  assert.throws(() => start(machine, ['nope']), { code: 'ENOENT' });
  assert.throws(() => start(machine, ['/plain']), { code: 'EACCES' });
  assert.throws(() => start(machine, ['/bin']), { code: 'EACCES' });
});

test('writing a gigabyte of zeros takes no memory, and a full volume says so', async () => {
  const kernel = testKernel();
  let written = 0;
  let code = '';
  const machine = machineWith(kernel, {
    dd: async (process) => {
      const zero = process.open('/dev/zero', 'r');
      const file = process.open('/data/big', 'w');
      try {
        for (let i = 0; i < 16_384; i++) {
          const chunk = (await zero.read())!;
          await file.write(chunk);
          written += chunk.length;
        }
      } catch (error) {
        code = (error as Errno).code;
      }
      return 0;
    },
  });
  const volume = createVolume({ id: 'pv', kernel, capacityBytes: 900 << 20 });
  machine.fs.mount('/data', volume);
  const before = process.memoryUsage().rss;
  const { process: dd } = start(machine, ['dd']);
  await ended(kernel, dd);
  assert.equal(code, 'ENOSPC');
  assert.equal(written, 900 << 20);
  assert.ok(process.memoryUsage().rss - before < 200 << 20);
  machine.fs.remove('/data/big');
  assert.equal(volume.usedBytes(), 0);
});
