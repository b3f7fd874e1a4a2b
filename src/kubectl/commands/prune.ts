import { makePrinter } from '../printers/print-flags.ts';
import type { Mapping } from '../rest/discovery.ts';
import { Helper } from '../resource/info.ts';
import type { DryRun, Session } from '../session.ts';
import { CliError, isNotFound } from '../util/errors.ts';
import type { Obj } from '../util/object.ts';
import type { ApplyRecord } from './apply.ts';
import { propagationOf } from './delete.ts';
import { LAST_APPLIED } from './last-applied.ts';

/** Kinds that `apply --prune` looks at when no allow list is given, as `group/version/Kind` (the core group is "core"). */
const NAMESPACED = [
  'core/v1/ConfigMap',
  'core/v1/Endpoints',
  'core/v1/PersistentVolumeClaim',
  'core/v1/Pod',
  'core/v1/ReplicationController',
  'core/v1/Secret',
  'core/v1/Service',
  'batch/v1/Job',
  'batch/v1/CronJob',
  'networking.k8s.io/v1/Ingress',
  'apps/v1/DaemonSet',
  'apps/v1/Deployment',
  'apps/v1/ReplicaSet',
  'apps/v1/StatefulSet',
];
const CLUSTER_SCOPED = ['core/v1/Namespace', 'core/v1/PersistentVolume'];

/** apply --prune: deletes what an earlier apply created and this one no longer names. */
export async function prune(session: Session, record: ApplyRecord, dryRun: DryRun): Promise<void> {
  const { flags } = session;
  const mapper = await session.mapper();
  const allowed = flags.list('prune-allowlist');
  const kinds = allowed.length > 0 ? allowed : [...NAMESPACED, ...CLUSTER_SCOPED];
  const mappings = kinds.map((spec): Mapping => {
    const parts = spec.split('/');
    if (parts.length !== 3) throw new CliError(`invalid GroupVersionKind format: ${spec}, please follow <group/version/kind>`);
    const [group = '', version = '', kind = ''] = parts;
    return mapper.forKind(kind, group === 'core' ? '' : group, version);
  });
  const printer = await makePrinter(session, 'pruned');
  const propagationPolicy = await propagationOf(session);
  const grace = flags.number('grace-period');
  const namespaces = record.namespaces.size > 0 ? [...record.namespaces] : [session.namespace];
  for (const mapping of mappings) {
    for (const namespace of mapping.namespaced ? namespaces : ['']) {
      const helper = new Helper(session, mapping, { dryRun });
      const list = await helper.list(namespace, { query: { labelSelector: flags.text('selector') || undefined } });
      for (const item of list.items ?? []) {
        const object: Obj = { apiVersion: mapping.apiVersion, kind: mapping.kind, ...item };
        if (object.metadata?.annotations?.[LAST_APPLIED] === undefined || record.uids.has(object.metadata.uid)) continue;
        if (dryRun !== 'client') {
          try {
            await helper.delete(namespace, object.metadata.name, { propagationPolicy, ...(grace >= 0 ? { gracePeriodSeconds: grace } : {}) });
          } catch (error) {
            if (!isNotFound(error)) throw error;
          }
        }
        await session.out(printer.print(object));
      }
    }
  }
}
