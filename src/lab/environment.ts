import type { HostClock } from '../kernel/index.ts';
import { Kernel } from '../kernel/index.ts';
import { createReaderMachine, type ReaderMachine } from '../shell/reader-machine.ts';
import type { Cluster, PresetName } from '../sim/cluster.ts';
import { createCluster, loadCurl } from '../sim/index.ts';
import type { Program } from '../unix/types.ts';
import { CLUSTER_ADDRESS, kubeconfig } from './kubeconfig.ts';

/** One reader's world: a cluster and the laptop beside it, on one virtual clock. */
export interface Environment {
  readonly kernel: Kernel;
  readonly cluster: Cluster;
  readonly reader: ReaderMachine;
  dispose(): void;
}

interface ClusterChoice {
  host: HostClock;
  seed: string;
  preset: PresetName;
}

export interface EnvironmentOptions extends ClusterChoice {
  /** Files in the reader's home: relative path → text. */
  files: Readonly<Record<string, string>>;
  /** A cluster of just this seed and preset that was begun before. */
  cluster?: Promise<Cluster>;
}

/** A cluster on a clock of its own, as an environment has it. */
export function bootCluster({ host, seed, preset }: ClusterChoice): Promise<Cluster> {
  return createCluster({ kernel: new Kernel({ seed, host }), preset });
}

export async function createEnvironment(options: EnvironmentOptions): Promise<Environment> {
  const cluster = await (options.cluster ?? bootCluster(options));
  const { kernel } = cluster;
  const reader = createReaderMachine({
    kernel,
    kubectl: lazy(async () => (await import('./reader-kubectl.ts')).readerKubectl(cluster.transport)),
    files: { ...options.files, '.kube/config': kubeconfig(CLUSTER_ADDRESS) },
    extraPrograms: {
      curl: lazy(loadCurl),
      why: lazy(async () => (await import('./why/program.ts')).createWhy(cluster)),
      k3d: lazy(async () => (await import('./k3d.ts')).createK3d(cluster.nodes, cluster.client)),
      docker: lazy(async () => (await import('./docker.ts')).createDocker(cluster.nodes)),
    },
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

/** A program whose code is loaded when it is first run: the prompt must not wait for it. */
function lazy(load: () => Promise<Program>): Program {
  let loaded: Program | undefined;
  return async (process) => {
    loaded ??= await process.kernel.external(load());
    return loaded(process);
  };
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
