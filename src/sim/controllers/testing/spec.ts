import assert from 'node:assert/strict';
import { testKernel } from '../../../kernel/testing/index.ts';
import { loadSchema } from '../../apiserver/schema.ts';
import type { ApiObject } from '../../client/types.ts';
import type { Cluster } from '../../cluster.ts';
import { createCluster } from '../../index.ts';
import type { PersistentVolumeClaim, Pod, StatefulSet } from '../../kinds/types.ts';

await loadSchema();

/** A whole cluster for playing upstream's end-to-end specs in process. */
export class Spec {
  readonly cluster: Cluster;
  readonly #options = { cause: { actor: 'e2e.test', rule: 'request/test' } };

  private constructor(cluster: Cluster) {
    this.cluster = cluster;
  }

  static async start(name: string): Promise<Spec> {
    const kernel = testKernel(name);
    const spec = new Spec(await createCluster({ kernel, preset: 'k3d' }));
    spec.create('v1/services', {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'test' },
      spec: { clusterIP: 'None', selector: { foo: 'bar' }, ports: [{ port: 80 }] },
    });
    return spec;
  }

  create<T extends ApiObject>(resource: string, object: object): T {
    const whole = object as T;
    return this.cluster.client.resource<T>(resource).create({ ...whole, metadata: { namespace: 'default', ...whole.metadata } }, this.#options);
  }

  get<T extends ApiObject>(resource: string, name: string, namespace = 'default'): T | undefined {
    return this.cluster.client.resource<T>(resource).get(namespace, name);
  }

  update<T extends ApiObject>(resource: string, name: string, change: (object: T) => void, namespace = 'default'): void {
    const copy = structuredClone(this.get<T>(resource, name, namespace) as T);
    change(copy);
    this.cluster.client.resource<T>(resource).update(copy, this.#options);
  }

  scale(replicas: number): void {
    this.update<StatefulSet>('apps/v1/statefulsets', 'ss', (set) => {
      set.spec = { ...set.spec, replicas };
    });
  }

  delete(resource: string, name: string, more: { gracePeriodSeconds?: number; propagationPolicy?: 'Orphan' | 'Foreground' } = {}): void {
    this.cluster.client.resource(resource).delete('default', name, { ...this.#options, ...more });
  }

  pod(name: string): Pod | undefined {
    return this.get<Pod>('v1/pods', name);
  }

  claims(): string[] {
    return this.cluster.client
      .resource<PersistentVolumeClaim>('v1/persistentvolumeclaims')
      .list('default')
      .map((claim) => claim.metadata?.name ?? '');
  }

  ready(): number {
    return this.get<StatefulSet>('apps/v1/statefulsets', 'ss')?.status?.readyReplicas ?? 0;
  }

  async until(what: string, holds: () => boolean, limitMs = 600_000): Promise<void> {
    const { kernel } = this.cluster;
    await kernel.advance({ until: holds, untilMs: kernel.now() + limitMs });
    assert.ok(
      holds(),
      `not seen: ${what}; Pods: ${JSON.stringify(
        this.cluster.client
          .resource<Pod>('v1/pods')
          .list('default')
          .map((pod) => [pod.metadata?.name, pod.status]),
      )}`,
    );
  }

  async seconds(count: number): Promise<void> {
    await this.cluster.kernel.advance({ untilMs: this.cluster.kernel.now() + count * 1000 });
  }
}
