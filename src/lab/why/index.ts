import type { ObjectRef } from '../../sim/cause.ts';
import type { ApiObject, Client } from '../../sim/client/types.ts';
import type { Cluster, WriteRecord } from '../../sim/cluster.ts';
import { isDeleting, nameOf, namespaceOf } from '../../sim/controllers/object.ts';
import type {
  CronJob,
  DaemonSet,
  Deployment,
  EndpointSlice,
  Job,
  Namespace,
  Node,
  PersistentVolume,
  PersistentVolumeClaim,
  Pod,
  PodDisruptionBudget,
  ReplicaSet,
  Service,
  StatefulSet,
} from '../../sim/kinds/types.ts';
import { lastCommandOf } from '../last-command.ts';
import { chainFrom } from './chain.ts';
import { claimObstacles } from './claims.ts';
import { explainName } from './dns.ts';
import { fieldObstacles, fieldPath, lastChangeOf } from './fields.ts';
import { changesSpec, WriteHistory } from './history.ts';
import { finalizerObstacles, obstacle, refOf } from './obstacles.ts';
import { budgetObstacles, conditionObstacles, namespaceObstacles, nodeObstacles, volumeObstacles } from './others.ts';
import { absentPodObstacles, podObstacles, setObstacles } from './pods.ts';
import { explainLastCommand } from './refusals.ts';
import { serviceObstacles } from './services.ts';
import type { Explanation, Obstacle } from './types.ts';
import { cronJobObstacles, daemonSetObstacles, deploymentObstacles, jobObstacles, replicaSetObstacles } from './workloads.ts';

export type { Explanation, ExplanationLink, Obstacle } from './types.ts';

type Named = Pick<ObjectRef, 'resource' | 'namespace' | 'name'>;

/** A DNS name, asked from a Pod in `namespace`. */
export interface NameQuestion {
  dns: string;
  namespace: string;
}

/** An object, there or not, or one field of it (".spec.replicas"). */
export interface ObjectQuestion extends Named {
  field?: string;
}

type Answering = Pick<Cluster, 'client' | 'writes' | 'transport'>;

/** Answers 「為什麼？」 about an object, a field, a DNS name, or (`'last'`) the reader's last command that failed; undefined: none did. */
export function explain(cluster: Answering, question: ObjectQuestion | NameQuestion): Explanation;
export function explain(cluster: Answering, question: ObjectQuestion | NameQuestion | 'last'): Explanation | undefined;
export function explain(cluster: Answering, question: ObjectQuestion | NameQuestion | 'last'): Explanation | undefined {
  if (question === 'last') {
    const last = lastCommandOf(cluster.transport);
    return last && last.exit !== 0 ? explainLastCommand(cluster, last) : undefined;
  }
  return 'dns' in question ? explainDns(cluster, question) : explainObject(cluster, question);
}

function explainObject({ client, writes }: Answering, question: ObjectQuestion): Explanation {
  const object = client.resource(question.resource).get(question.namespace, question.name);
  const history = new WriteHistory(writes);
  const subject = `${question.resource.split('/').at(-1) ?? ''}/${question.name}`;
  if (question.field !== undefined && object) {
    const path = fieldPath(question.field);
    const start = lastChangeOf(history, question, path);
    return {
      subject: `${subject} .${path.join('.')}`,
      found: true,
      chain: start ? chainFrom(history, start) : [],
      obstacles: fieldObstacles(object, start, path),
    };
  }
  const start = history.last(question, Number.POSITIVE_INFINITY, (write) => changesSpec(write) || readinessChanged(write));
  return {
    subject,
    found: object !== undefined,
    chain: start ? chainFrom(history, start) : [],
    obstacles: object ? obstaclesOf(client, question.resource, object) : absent(client, question),
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
    case 'v1/persistentvolumes':
      return volumeObstacles(client, object as PersistentVolume);
    case 'v1/namespaces':
      return namespaceObstacles(client, object as Namespace);
    case 'v1/nodes':
      return nodeObstacles(object as Node);
  }
  if (isDeleting(object)) return finalizerObstacles(object, []);
  switch (resource) {
    case 'v1/services':
      return serviceObstacles(client, object as Service);
    case 'discovery.k8s.io/v1/endpointslices':
    case 'v1/endpoints': {
      const name = (object as EndpointSlice).metadata?.labels?.['kubernetes.io/service-name'] ?? nameOf(object);
      const service = client.resource<Service>('v1/services').get(namespaceOf(object), name);
      return service ? serviceObstacles(client, service) : [];
    }
    case 'apps/v1/statefulsets':
      return setObstacles(client, object as StatefulSet);
    case 'apps/v1/deployments':
      return deploymentObstacles(client, object as Deployment);
    case 'apps/v1/replicasets':
      return replicaSetObstacles(client, object as ReplicaSet);
    case 'apps/v1/daemonsets':
      return daemonSetObstacles(client, object as DaemonSet);
    case 'batch/v1/jobs':
      return jobObstacles(client, object as Job);
    case 'batch/v1/cronjobs':
      return cronJobObstacles(object as CronJob);
    case 'policy/v1/poddisruptionbudgets':
      return budgetObstacles(object as PodDisruptionBudget);
    default:
      return conditionObstacles(object);
  }
}

function explainDns({ client, writes }: Answering, question: NameQuestion): Explanation {
  const { obstacles, slice, found } = explainName(client, question.dns, question.namespace);
  const history = new WriteHistory(writes);
  const start = slice ? history.last(refOf('discovery.k8s.io/v1/endpointslices', slice), Number.POSITIVE_INFINITY) : undefined;
  return { subject: `dns ${question.dns}`, found, chain: start ? chainFrom(history, start) : [], obstacles };
}
