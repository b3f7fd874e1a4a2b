import type { HostClock } from '../kernel/index.ts';
import { Kernel } from '../kernel/index.ts';
import { createKubectl } from '../kubectl/index.ts';
import { createReaderMachine, type ReaderMachine } from '../shell/reader-machine.ts';
import type { Cluster, PresetName } from '../sim/cluster.ts';
import { createCluster } from '../sim/index.ts';

/** One reader's world: a cluster and the laptop beside it, on one virtual clock. */
export interface Environment {
  readonly kernel: Kernel;
  readonly cluster: Cluster;
  readonly reader: ReaderMachine;
  dispose(): void;
}

export interface EnvironmentOptions {
  host: HostClock;
  seed: string;
  preset: PresetName;
  /** Files in the reader's home: relative path → text. */
  files: Readonly<Record<string, string>>;
}

/** The server's address in the reader's kubeconfig. Nothing listens there: inside the program it names the simulated API server. */
export const CLUSTER_ADDRESS = 'https://172.18.0.2:6443';

export async function createEnvironment(options: EnvironmentOptions): Promise<Environment> {
  const kernel = new Kernel({ seed: options.seed, host: options.host });
  const cluster = await createCluster({ kernel, preset: options.preset });
  const reader = createReaderMachine({
    kernel,
    kubectl: createKubectl({ transport: () => cluster.transport }),
    files: { ...options.files, '.kube/config': kubeconfig(CLUSTER_ADDRESS) },
  });
  return {
    kernel,
    cluster,
    reader,
    dispose() {
      reader.dispose();
      cluster.dispose();
    },
  };
}

/** A kubeconfig as k3d writes one, for context k3d-demo. */
export function kubeconfig(server: string): string {
  return `apiVersion: v1
clusters:
- cluster:
    server: ${server}
  name: k3d-demo
contexts:
- context:
    cluster: k3d-demo
    user: admin@k3d-demo
  name: k3d-demo
current-context: k3d-demo
kind: Config
users:
- name: admin@k3d-demo
  user: {}
`;
}

/** Runs `work` and moves virtual time as fast as possible until it has settled. */
export async function driveUntilSettled<T>(kernel: Kernel, work: Promise<T>, limitMs = 3_600_000): Promise<T> {
  let settled = false;
  const watched = work.finally(() => {
    settled = true;
  });
  // Errors surface where `watched` is awaited below.
  watched.catch(() => undefined);
  const reached = await kernel.advance({ until: () => settled, untilMs: kernel.now() + limitMs });
  if (!reached && !settled) throw new Error(`not finished after ${limitMs / 1000} virtual seconds`);
  return watched;
}
