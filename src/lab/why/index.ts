import type { ObjectRef } from '../../sim/cause.ts';
import type { ApiObject, Client } from '../../sim/client/types.ts';
import type { Cluster, WriteRecord } from '../../sim/cluster.ts';
import { isDeleting } from '../../sim/controllers/object.ts';
import type { PersistentVolumeClaim, Pod, Service, StatefulSet } from '../../sim/kinds/types.ts';
import { chainFrom } from './chain.ts';
import { claimObstacles } from './claims.ts';
import { explainName } from './dns.ts';
import { changesSpec, WriteHistory } from './history.ts';
import { finalizerObstacles, obstacle, refOf } from './obstacles.ts';
import { absentPodObstacles, podObstacles, setObstacles } from './pods.ts';
import { serviceObstacles } from './services.ts';
import type { Explanation, Obstacle } from './types.ts';

export type { Explanation, ExplanationLink, Obstacle } from './types.ts';

type Named = Pick<ObjectRef, 'resource' | 'namespace' | 'name'>;

/** A DNS name, asked from a Pod in `namespace`. */
export interface NameQuestion {
  dns: string;
  namespace: string;
}

/** Answers 「為什麼？」 about an object (there or not) or a DNS name. */
export function explain(cluster: Pick<Cluster, 'client' | 'writes'>, question: Named | NameQuestion): Explanation {
  return 'dns' in question ? explainDns(cluster, question) : explainObject(cluster, question);
}

function explainObject({ client, writes }: Pick<Cluster, 'client' | 'writes'>, ref: Named): Explanation {
  const object = client.resource(ref.resource).get(ref.namespace, ref.name);
  const history = new WriteHistory(writes);
  const start = history.last(ref, Number.POSITIVE_INFINITY, (write) => changesSpec(write) || readinessChanged(write));
  return {
    subject: `${ref.resource.split('/').at(-1) ?? ''}/${ref.name}`,
    found: object !== undefined,
    chain: start ? chainFrom(history, start) : [],
    obstacles: object ? obstaclesOf(client, ref.resource, object) : absent(client, ref),
  };
}

/** A node's readiness is not in its spec, yet it is what one asks about. */
function readinessChanged(write: WriteRecord): boolean {
  return write.resource === 'v1/nodes' && (write.cause.rule === 'node/unknown' || write.cause.rule === 'node/taint');
}

function absent(client: Client, ref: Named): Obstacle[] {
  const found = [obstacle('not/no-object', {}, `${ref.resource.split('/').at(-1) ?? ''} "${ref.name}" not found`)];
  if (ref.resource === 'v1/pods') found.push(...absentPodObstacles(client, ref.namespace, ref.name));
  return found;
}

function obstaclesOf(client: Client, resource: string, object: ApiObject): Obstacle[] {
  switch (resource) {
    case 'v1/pods':
      return podObstacles(client, object as Pod);
    case 'v1/persistentvolumeclaims':
      return claimObstacles(client, object as PersistentVolumeClaim);
    case 'v1/services':
      return serviceObstacles(client, object as Service);
    case 'apps/v1/statefulsets':
      return isDeleting(object) ? finalizerObstacles(object, []) : setObstacles(client, object as StatefulSet);
    default:
      return isDeleting(object) ? finalizerObstacles(object, []) : [];
  }
}

function explainDns({ client, writes }: Pick<Cluster, 'client' | 'writes'>, question: NameQuestion): Explanation {
  const { obstacles, slice, found } = explainName(client, question.dns, question.namespace);
  const history = new WriteHistory(writes);
  const start = slice ? history.last(refOf('discovery.k8s.io/v1/endpointslices', slice), Number.POSITIVE_INFINITY) : undefined;
  return { subject: `dns ${question.dns}`, found, chain: start ? chainFrom(history, start) : [], obstacles };
}
