import type { ObjectRef } from '../../sim/cause.ts';
import type { ApiObject } from '../../sim/client/types.ts';
import type { WriteRecord } from '../../sim/cluster.ts';

/** Who writes without having been moved by another object: people and their tools. */
export function isReader(write: WriteRecord): boolean {
  return write.cause.rule.startsWith('request/');
}

function keyOf(resource: string, namespace: string, name: string): string {
  return `${resource} ${namespace}/${name}`;
}

interface WithSpec extends ApiObject {
  spec?: unknown;
}

/** The writes so far, by object. Built anew for each question: a session has some thousands of them. */
export class WriteHistory {
  readonly #byObject = new Map<string, WriteRecord[]>();

  constructor(writes: readonly WriteRecord[]) {
    for (const write of writes) {
      const key = keyOf(write.resource, write.namespace, write.name);
      const list = this.#byObject.get(key);
      if (list) list.push(write);
      else this.#byObject.set(key, [write]);
    }
  }

  of(resource: string, namespace: string, name: string): readonly WriteRecord[] {
    return this.#byObject.get(keyOf(resource, namespace, name)) ?? [];
  }

  /** The last write to an object before `revision` (or at all) for which `wanted` holds. */
  last(
    ref: Pick<ObjectRef, 'resource' | 'namespace' | 'name'>,
    revision: number,
    wanted: (write: WriteRecord) => boolean = () => true,
  ): WriteRecord | undefined {
    const list = this.of(ref.resource, ref.namespace, ref.name);
    for (let i = list.length - 1; i >= 0; i--) {
      const write = list[i] as WriteRecord;
      if (write.revision < revision && wanted(write)) return write;
    }
    return undefined;
  }
}

/** The write changed what somebody wants of the object, not only what was found. */
export function changesSpec(write: WriteRecord): boolean {
  if (write.type !== 'MODIFIED') return true;
  const before = write.old?.metadata;
  const after = write.object.metadata;
  if (before?.deletionTimestamp !== after?.deletionTimestamp) return true;
  if (after?.generation !== undefined) return before?.generation !== after.generation;
  return JSON.stringify((write.old as WithSpec | undefined)?.spec) !== JSON.stringify((write.object as WithSpec).spec);
}
