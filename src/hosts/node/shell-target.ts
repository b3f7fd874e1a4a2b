import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Output } from '../../lab/compare.ts';
import { kubeconfig } from '../../lab/kubeconfig.ts';
import type { ReplayTarget } from '../../lab/replay.ts';
import type { ClusterHost } from './cluster-host.ts';

export interface ShellTarget extends ReplayTarget {
  readonly directory: string;
  dispose(): void;
}

/** Longest a single command may run, in wall time, before it is killed. */
const COMMAND_LIMIT_MS = 300_000;

/**
 * Plays in a real bash with a real kubectl against a cluster host. Virtual time runs at ×1 while a command runs, and
 * as fast as it can while the scenario only waits.
 */
export function shellTarget(options: { host: ClusterHost; kubectl: string }): ShellTarget {
  const { host } = options;
  const { kernel } = host.cluster;
  const directory = mkdtempSync(join(tmpdir(), 'chartroom-replay-'));
  mkdirSync(join(directory, '.kube'));
  writeFileSync(join(directory, '.kube/config'), kubeconfig(host.url));
  const env = {
    ...process.env,
    HOME: directory,
    KUBECONFIG: join(directory, '.kube/config'),
    PATH: `${dirname(options.kubectl)}:${process.env.PATH ?? ''}`,
    LC_ALL: 'C.UTF-8',
  };
  const stopped: string[] = [];

  return {
    directory,
    nowMs: () => kernel.now(),
    execute(command, stdin) {
      return new Promise<Required<Output>>((resolve, reject) => {
        const child = spawn('bash', ['-c', command], { cwd: directory, env, stdio: ['pipe', 'pipe', 'pipe'], detached: true });
        const out: Buffer[] = [];
        const err: Buffer[] = [];
        child.stdout.on('data', (chunk: Buffer) => out.push(chunk));
        child.stderr.on('data', (chunk: Buffer) => err.push(chunk));
        child.stdin.on('error', () => undefined);
        child.stdin.end(stdin ?? '');
        // A command that waits for the cluster (rollout status, delete) need not cost wall time.
        const hurry = setTimeout(() => {
          host.player.speed = 8;
        }, 1500);
        const limit = setTimeout(() => child.pid && process.kill(-child.pid, 'SIGKILL'), COMMAND_LIMIT_MS);
        child.on('error', reject);
        child.on('close', (code, signal) => {
          clearTimeout(hurry);
          clearTimeout(limit);
          host.player.speed = 1;
          resolve({
            stdout: Buffer.concat(out).toString('utf8'),
            stderr: Buffer.concat(err).toString('utf8'),
            exit: code ?? (signal === 'SIGINT' ? 130 : 137),
          });
        });
      });
    },
    background(command, onLine) {
      // `exec` so that the signal reaches kubectl itself.
      const child = spawn('bash', ['-c', `exec ${command}`], { cwd: directory, env, stdio: ['ignore', 'pipe', 'inherit'] });
      createInterface({ input: child.stdout }).on('line', onLine);
      const ended = new Promise<void>((resolve) => child.on('close', () => resolve()));
      return {
        async stop() {
          child.kill('SIGINT');
          await ended;
        },
      };
    },
    writeFile: (name, text) => writeFileSync(join(directory, name), text),
    async sleep(ms) {
      const until = kernel.now() + ms;
      host.player.speed = 20;
      while (kernel.now() < until) await new Promise((resolve) => setTimeout(resolve, 5));
      host.player.speed = 1;
    },
    async nodeAction(action, pod) {
      if (action === 'stop-kubelet') {
        const object = host.cluster.client.resource('v1/pods').get('default', pod) as { spec?: { nodeName?: string } } | undefined;
        const node = object?.spec?.nodeName;
        if (!node) throw new Error(`Pod ${pod} is on no node`);
        stopped.push(node);
        kernel.input(() => host.cluster.nodes.stopKubelet(node));
      } else {
        for (const node of stopped.splice(0)) kernel.input(() => host.cluster.nodes.startKubelet(node));
      }
    },
    dispose: () => rmSync(directory, { recursive: true, force: true }),
  };
}
