import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import type { Server } from 'node:http';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { nodeClock } from '../../../src/hosts/node/clock.ts';
import { createHttpServer } from '../../../src/hosts/node/http-server.ts';
import type { Player } from '../../../src/kernel/index.ts';
import { createEnvironment, type Environment } from '../../../src/lab/environment.ts';
import { CLUSTER_ADDRESS, kubeconfig } from '../../../src/lab/kubeconfig.ts';

export interface Outcome {
  stdout: string;
  stderr: string;
  exit: number;
}

const HOME = '/home/reader';
/** Longest a command may run, in wall time. */
const LIMIT_MS = 60_000;

/** One simulated cluster, a simulated laptop and a directory of the real machine beside it, with the same files in both. */
export class World {
  readonly environment: Environment;
  readonly directory: string;
  /** Where the real kubectl finds the cluster; the built-in one's is `CLUSTER_ADDRESS`. */
  address = '';
  readonly #server: Server;
  readonly #player: Player;
  readonly #env: NodeJS.ProcessEnv;

  private constructor(environment: Environment, server: Server, player: Player, directory: string, kubectl: string) {
    this.environment = environment;
    this.#server = server;
    this.#player = player;
    this.directory = directory;
    this.#env = {
      HOME: directory,
      PATH: `${dirname(kubectl)}:${process.env.PATH ?? ''}`,
      LC_ALL: 'C.UTF-8',
    };
  }

  static async start(options: { seed: string; kubectl: string; files: Readonly<Record<string, string>> }): Promise<World> {
    const environment = await createEnvironment({ host: nodeClock, seed: options.seed, preset: 'k3d', files: {} });
    const { kernel, cluster } = environment;
    const server = createHttpServer({ kernel, transport: cluster.transport });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    if (typeof address !== 'object' || !address) throw new Error('no address');
    const world = new World(environment, server, kernel.play(0), mkdtempSync(join(tmpdir(), 'chartroom-differential-')), options.kubectl);
    world.write(options.files);
    world.address = `127.0.0.1:${address.port}`;
    mkdirSync(join(world.directory, '.kube'));
    writeFileSync(join(world.directory, '.kube/config'), kubeconfig(`http://${world.address}`));
    return world;
  }

  write(files: Readonly<Record<string, string>>): void {
    for (const [name, text] of Object.entries(files)) {
      mkdirSync(dirname(join(this.directory, name)), { recursive: true });
      writeFileSync(join(this.directory, name), text);
      const { fs } = this.environment.reader.machine;
      fs.mkdir(dirname(`${HOME}/${name}`), { recursive: true });
      fs.writeFile(`${HOME}/${name}`, text);
    }
  }

  /** Lets virtual time pass, as fast as the machine can. */
  async pass(ms: number): Promise<void> {
    await this.#player.fastForward({ untilMs: this.environment.kernel.now() + ms });
  }

  /** What the real kubectl prints, with the names that the built-in one knows things by. */
  translate(text: string): string {
    return text.replaceAll(`http://${this.address}`, CLUSTER_ADDRESS).replaceAll(this.address, new URL(CLUSTER_ADDRESS).host).replaceAll(this.directory, HOME);
  }

  /** The built-in kubectl on the simulated laptop. */
  async builtin(command: string, stdin?: string): Promise<Outcome> {
    const { kernel, reader } = this.environment;
    let done = false;
    const result = new Promise<Outcome>((resolve, reject) => {
      kernel.input(() => {
        reader
          .execute(command, stdin === undefined ? {} : { stdin })
          .finally(() => {
            done = true;
          })
          .then(resolve, reject);
      });
    });
    await this.#player.fastForward({ untilMs: kernel.now() + 3_600_000, until: () => done });
    return result;
  }

  /** The real kubectl in a real shell; virtual time goes `speed` times as fast as the wall's (0: it stands still). */
  async real(command: string, speed: number, stdin?: string): Promise<Outcome> {
    this.#player.speed = speed;
    const result = await new Promise<Outcome>((resolve, reject) => {
      const child = spawn('bash', ['-c', command], { cwd: this.directory, env: this.#env, stdio: ['pipe', 'pipe', 'pipe'], detached: true });
      const out: Buffer[] = [];
      const err: Buffer[] = [];
      child.stdout.on('data', (chunk: Buffer) => out.push(chunk));
      child.stderr.on('data', (chunk: Buffer) => err.push(chunk));
      child.stdin.on('error', () => undefined);
      child.stdin.end(stdin ?? '');
      const limit = setTimeout(() => child.pid && process.kill(-child.pid, 'SIGKILL'), LIMIT_MS);
      child.on('error', reject);
      child.on('close', (code) => {
        clearTimeout(limit);
        resolve({ stdout: Buffer.concat(out).toString('utf8'), stderr: Buffer.concat(err).toString('utf8'), exit: code ?? 137 });
      });
    });
    this.#player.speed = 0;
    return result;
  }

  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.#server.closeAllConnections();
    await closed;
    this.#player.dispose();
    await this.#player.finished;
    this.environment.dispose();
    rmSync(this.directory, { recursive: true, force: true });
  }
}

export const fixture = (name: string): string => readFileSync(new URL(name, import.meta.url), 'utf8');
