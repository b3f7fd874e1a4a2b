import type { HostClock } from '../kernel/index.ts';
import type { Cluster, PresetName } from '../sim/cluster.ts';
import { bootCluster } from './environment.ts';

/** A cluster that is booted before somebody asks for it. It serves once. */
export class PreparedCluster {
  readonly #host: HostClock;
  #found: { seed: string; preset: PresetName; cluster: Promise<Cluster> } | undefined;

  constructor(host: HostClock) {
    this.#host = host;
  }

  /** Begins to boot one, unless one is there. */
  prepare(seed: string, preset: PresetName): void {
    if (this.#found) return;
    const cluster = bootCluster({ host: this.#host, seed, preset });
    // Who takes it hears of the failure.
    cluster.catch(() => undefined);
    this.#found = { seed, preset, cluster };
  }

  /** The cluster when it is the right one; another is of no use any more. */
  take(seed: string, preset: PresetName): Promise<Cluster> | undefined {
    const found = this.#found;
    if (found?.seed !== seed || found.preset !== preset) {
      this.dispose();
      return undefined;
    }
    this.#found = undefined;
    return found.cluster;
  }

  dispose(): void {
    void this.#found?.cluster.then((cluster) => cluster.dispose());
    this.#found = undefined;
  }
}
