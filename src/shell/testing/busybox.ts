import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { applets } from '../../applets/index.ts';
import { testKernel } from '../../kernel/testing/index.ts';
import {
  bytesSource,
  callbackSink,
  concatBytes,
  createMachine,
  createVolume,
  encodeText,
  installPrograms,
  type Program,
  volumeFileSystem,
} from '../../unix/index.ts';
import { createShell, echoProgram, killProgram, printfProgram, pwdProgram, testProgram } from '../index.ts';

export interface Outcome {
  stdout: string;
  stderr: string;
  exit: number;
}

/** A program of this machine, or why there is none. */
export function findProgram(name: string): { path: string } | { missing: string } {
  try {
    return { path: execFileSync('which', [name], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim() };
  } catch {
    return { missing: `no ${name} on this machine` };
  }
}

/** The files that both shells find in their working directory. */
const FILES: Readonly<Record<string, string>> = { 'a.txt': 'one\ntwo\nthree\n', 'b.txt': 'b\na\nc\na\n', 'n.txt': '10\n9\n2\n', '.hidden': 'h\n' };
const APPLETS = [
  'cat',
  'sort',
  'uniq',
  'wc',
  'head',
  'tail',
  'cut',
  'tr',
  'grep',
  'sed',
  'seq',
  'env',
  'ls',
  'mkdir',
  'rm',
  'touch',
  'basename',
  'dirname',
  'sleep',
  'expr',
  'tee',
  'rev',
  'xargs',
];

/** Runs command lines in the real shell, each in a fresh directory. */
export class RealShell {
  readonly #bin: string;
  readonly #bash: string | undefined;

  /** `bash`: a path of GNU bash, with BusyBox for everything else. */
  constructor(busybox: string, bash?: string) {
    this.#bash = bash;
    this.#bin = mkdtempSync(join(tmpdir(), 'busybox-bin-'));
    for (const name of [...APPLETS, 'sh', 'true', 'false', 'echo', 'printf', 'test', '[', 'pwd', 'kill'])
      execFileSync('ln', ['-s', busybox, join(this.#bin, name)]);
  }

  run(command: string, stdin = ''): Outcome {
    const directory = mkdtempSync(join(tmpdir(), 'busybox-run-'));
    for (const [name, text] of Object.entries(FILES)) writeFileSync(join(directory, name), text);
    const result = spawnSync(this.#bash ?? join(this.#bin, 'sh'), [...(this.#bash ? ['--norc'] : []), '-c', command], {
      cwd: directory,
      input: stdin,
      env: { PATH: this.#bin, HOME: '/root', [this.#bash ? 'LC_ALL' : 'LANG']: 'C.UTF-8' },
      argv0: this.#bash ? 'bash' : '/bin/sh',
      timeout: 10_000,
    });
    rmSync(directory, { recursive: true });
    // The directories have other names there.
    const text = (buffer: Buffer): string => buffer.toString('utf8').replaceAll(directory, '/work').replaceAll(this.#bin, '/bin');
    return { stdout: text(result.stdout), stderr: text(result.stderr), exit: result.status ?? 128 };
  }

  dispose(): void {
    rmSync(this.#bin, { recursive: true });
  }
}

/** Runs a command line in the simulated shell. */
export async function runSimulated(command: string, stdin = '', dialect: 'ash' | 'bash' = 'ash'): Promise<Outcome> {
  const kernel = testKernel();
  const programs: Record<string, Program> = { '/bin/sh': createShell(dialect) };
  for (const name of APPLETS) if (applets[name]) programs[`/bin/${name}`] = applets[name];
  Object.assign(programs, {
    '/bin/true': async () => 0,
    '/bin/false': async () => 1,
    '/bin/echo': echoProgram,
    '/bin/printf': printfProgram,
    '/bin/test': testProgram,
    '/bin/[': testProgram,
    '/bin/pwd': pwdProgram,
    '/bin/kill': killProgram,
  });
  const image = createVolume({ id: 'image', kernel });
  const fs = volumeFileSystem(image);
  fs.mkdir('/work');
  fs.mkdir('/etc');
  fs.mkdir('/root');
  fs.mkdir('/tmp');
  fs.writeFile('/etc/passwd', 'root:x:0:0:root:/root:/bin/sh\n');
  fs.writeFile('/etc/hosts', '127.0.0.1 localhost\n');
  for (const [name, text] of Object.entries(FILES)) fs.writeFile(`/work/${name}`, text);
  installPrograms(fs, Object.keys(programs));
  const machine = createMachine({ kernel, hostname: 'box', layers: [image], programs });
  const out: Uint8Array[] = [];
  const err: Uint8Array[] = [];
  machine.start(['/bin/sh', '-c', 'exec sleep 100000'], {
    env: new Map([['PATH', '/bin']]),
    cwd: '/',
    stdin: bytesSource(new Uint8Array(0)),
    stdout: callbackSink(() => undefined),
    stderr: callbackSink(() => undefined),
  });
  const process = machine.start(['/bin/sh', '-c', command], {
    env: new Map([
      ['PATH', '/bin'],
      ['HOME', '/root'],
      ['LANG', 'C.UTF-8'],
    ]),
    cwd: '/work',
    stdin: bytesSource(encodeText(stdin)),
    stdout: callbackSink((chunk) => void out.push(chunk)),
    stderr: callbackSink((chunk) => void err.push(chunk)),
  });
  await kernel.advance({ until: () => process.status !== undefined, untilMs: kernel.now() + 60_000 });
  const text = (chunks: Uint8Array[]): string => Buffer.from(concatBytes(chunks.length > 0 ? chunks : [new Uint8Array(0)])).toString('utf8');
  return { stdout: text(out), stderr: text(err), exit: process.status?.code ?? -1 };
}
