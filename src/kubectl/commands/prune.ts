import { makePrinter } from '../printers/print-flags.ts';
import { Helper } from '../resource/info.ts';
import type { Mapping } from '../rest/discovery.ts';
import type { DryRun, Session } from '../session.ts';
import { CliError, errorText } from '../util/errors.ts';
import type { Obj } from '../util/object.ts';
import type { ApplyRecord } from './apply.ts';
import { propagationOf } from './delete.ts';
import { LAST_APPLIED } from './last-applied.ts';

const NAMESPACED = [
  ...'ConfigMap Endpoints PersistentVolumeClaim Pod ReplicationController Secret Service'.split(' ').map((kind) => `core/v1/${kind}`),
  ...['batch/v1/Job', 'batch/v1/CronJob', 'networking.k8s.io/v1/Ingress'],
  ...['apps/v1/DaemonSet', 'apps/v1/Deployment', 'apps/v1/ReplicaSet', 'apps/v1/StatefulSet'],
];
const CLUSTER_WIDE = ['core/v1/Namespace', 'core/v1/PersistentVolume'];

/** apply --prune: deletes what an earlier apply made and this one did not name. */
export async function prune(session: Session, record: ApplyRecord, dryRun: DryRun): Promise<void> {
  const { flags } = session;
  let allowed = flags.list('prune-allowlist');
  if (allowed.length === 0) {
    allowed = [...NAMESPACED, ...CLUSTER_WIDE];
    // Upstream means to say this only with --namespace, but the namespace is never empty.
    await session.klog(
      'W',
      'prune.go:71',
      'Deprecated: kubectl apply will no longer prune non-namespaced resources by default when used with the --namespace flag in a future release. To preserve the current behaviour, list the resources you want to target explicitly in the --prune-allowlist flag.',
    );
  }
  const mapper = await session.mapper();
  const mappings = allowed.map((text): Mapping => {
    const [group, version, kind, ...more] = text.split('/');
    if (group === undefined || version === undefined || kind === undefined || more.length > 0) {
      throw new CliError(`invalid GroupVersionKind format: ${text}, please follow <group/version/kind>`);
    }
    return mapper.forKind(kind, group === 'core' ? '' : group, version);
  });
  const printer = await makePrinter(session, 'pruned');
  const propagationPolicy = await propagationOf(session);
  const grace = flags.number('grace-period');
  const pruneKind = async (namespace: string, mapping: Mapping): Promise<void> => {
    const helper = new Helper(session, mapping, { dryRun });
    const list = await helper.list(namespace, { query: { labelSelector: flags.text('selector') || undefined } });
    for (const item of (list.items ?? []) as Obj[]) {
      const object: Obj = { apiVersion: mapping.apiVersion, kind: mapping.kind, ...item };
      if (object.metadata?.annotations?.[LAST_APPLIED] === undefined || record.uids.has(object.metadata.uid)) continue;
      if (dryRun !== 'client') {
        await helper.delete(namespace, object.metadata.name, { propagationPolicy, ...(grace >= 0 ? { gracePeriodSeconds: grace } : {}) });
      }
      await session.out(printer.print(object));
    }
  };
  const guarded = async (what: string, namespace: string, mapping: Mapping): Promise<void> => {
    try {
      await pruneKind(namespace, mapping);
    } catch (error) {
      if (error instanceof Error && (error.name === 'Killed' || error.name === 'Errno')) throw error;
      throw new CliError(`error pruning ${what} object ${mapping.apiVersion}, Kind=${mapping.kind}: ${errorText(error)}`);
    }
  };
  for (const namespace of record.namespaces) {
    for (const mapping of mappings.filter((each) => each.namespaced)) await guarded('namespaced', namespace, mapping);
  }
  for (const mapping of mappings.filter((each) => !each.namespaced)) await guarded('nonNamespaced', '', mapping);
}
