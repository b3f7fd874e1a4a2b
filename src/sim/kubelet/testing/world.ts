import { nodeClock } from '../../../hosts/node/clock.ts';
import { Kernel } from '../../../kernel/index.ts';
import { loadSchema } from '../../apiserver/schema.ts';
import type { ApiObject } from '../../client/types.ts';
import { type Cluster, createCluster, podStatusText, type WriteRecord } from '../../index.ts';
import type { Event as CoreV1Event, Pod } from '../../kinds/types.ts';

await loadSchema();

const CAUSE = { cause: { actor: 'test', rule: 'test/act' } };

/** A cluster and what happens in it, for tests. */
export class World {
  readonly cluster: Cluster;
  readonly writes: WriteRecord[] = [];

  private constructor(cluster: Cluster) {
    this.cluster = cluster;
    cluster.onWrite((write) => this.writes.push(write));
  }

  static async start(seed = 'test'): Promise<World> {
    const kernel = new Kernel({ seed, host: nodeClock });
    return new World(await createCluster({ kernel, preset: 'k3d' }));
  }

  create(resource: string, object: object): void {
    this.cluster.client.resource(resource).create(object as ApiObject, CAUSE);
  }

  /** A Pod in namespace default with one busybox container `c`, unless told otherwise. */
  run(name: string, container: object, spec: object = {}): void {
    this.create('v1/pods', {
      metadata: { name, namespace: 'default' },
      spec: { terminationGracePeriodSeconds: 2, containers: [{ name: 'c', image: 'busybox', ...container }], ...spec },
    });
  }

  pod(name: string): Pod {
    const found = this.cluster.client.resource<Pod>('v1/pods').get('default', name);
    if (!found) throw new Error(`no Pod ${name}`);
    return found;
  }

  exists(name: string): boolean {
    return this.cluster.client.resource('v1/pods').get('default', name) !== undefined;
  }

  delete(name: string, options: { gracePeriodSeconds?: number } = {}): void {
    this.cluster.client.resource('v1/pods').delete('default', name, { ...CAUSE, ...options });
  }

  async pass(seconds: number): Promise<void> {
    const { kernel } = this.cluster;
    await kernel.advance({ untilMs: kernel.now() + seconds * 1000 });
  }

  /** Advances until it holds; fails after `seconds`. */
  async until(holds: () => boolean, seconds = 60): Promise<void> {
    const { kernel } = this.cluster;
    if (!(await kernel.advance({ until: holds, untilMs: kernel.now() + seconds * 1000 }))) throw new Error('did not come to pass');
  }

  /** What `kubectl get pods -w` shows of a Pod: READY STATUS RESTARTS of every write, repeats folded. */
  rows(name: string): string[] {
    const rows: string[] = [];
    for (const write of this.writes) {
      if (write.resource !== 'v1/pods' || write.name !== name || write.namespace !== 'default') continue;
      const { ready, status, restarts } = podStatusText(write.object as never);
      const row = `${ready} ${status} ${restarts}`;
      if (rows.at(-1) !== row) rows.push(row);
    }
    return rows;
  }

  /** Events about an object as `reason: message`, in order of appearance. */
  events(name: string): string[] {
    return this.cluster.client
      .resource<CoreV1Event>('v1/events')
      .list('default')
      .filter((event) => event.involvedObject?.name === name)
      .map((event) => `${event.reason}: ${event.message}`);
  }
}
