import type { Info } from '../resource/info.ts';
import { groupResource } from '../rest/discovery.ts';
import { CliError } from '../util/errors.ts';
import type { Obj } from '../util/object.ts';

export const isApps = (info: Info, ...kinds: string[]): boolean =>
  (info.mapping.group === 'apps' || info.mapping.group === 'extensions') && kinds.includes(info.mapping.kind);
export const goGroupKind = (info: Info): string => groupResource(info.mapping.kind, info.mapping.group);
export const REVISION = 'deployment.kubernetes.io/revision';

type StatusViewer = (object: Obj, revision: number) => { text: string; done: boolean };

export function statusViewer(info: Info): StatusViewer {
  if (isApps(info, 'Deployment')) return deploymentStatus;
  if (isApps(info, 'DaemonSet')) return daemonSetStatus;
  if (isApps(info, 'StatefulSet')) return statefulSetStatus;
  throw new CliError(`no status viewer has been implemented for ${goGroupKind(info)}`);
}

const waiting = (text: string): { text: string; done: boolean } => ({ text: `${text}\n`, done: false });

function deploymentStatus(deployment: Obj, revision: number): { text: string; done: boolean } {
  const { name, generation = 0 } = deployment.metadata;
  const status: Obj = deployment.status ?? {};
  if (revision > 0) {
    const running = Number(deployment.metadata.annotations?.[REVISION] ?? 0);
    if (revision !== running) throw new CliError(`desired revision (${revision}) is different from the running revision (${running})`);
  }
  if (generation > (status.observedGeneration ?? 0)) return waiting('Waiting for deployment spec update to be observed...');
  const progressing = ((status.conditions ?? []) as Obj[]).find((condition) => condition.type === 'Progressing');
  if (progressing?.reason === 'ProgressDeadlineExceeded') throw new CliError(`deployment "${name}" exceeded its progress deadline`);
  const { updatedReplicas = 0, replicas = 0, availableReplicas = 0 } = status;
  const wanted: number | undefined = deployment.spec?.replicas;
  const lead = `Waiting for deployment "${name}" rollout to finish:`;
  if (wanted !== undefined && updatedReplicas < wanted) return waiting(`${lead} ${updatedReplicas} out of ${wanted} new replicas have been updated...`);
  if (replicas > updatedReplicas) return waiting(`${lead} ${replicas - updatedReplicas} old replicas are pending termination...`);
  if (availableReplicas < updatedReplicas) return waiting(`${lead} ${availableReplicas} of ${updatedReplicas} updated replicas are available...`);
  return { text: `deployment "${name}" successfully rolled out\n`, done: true };
}

function daemonSetStatus(daemon: Obj): { text: string; done: boolean } {
  const { name, generation = 0 } = daemon.metadata;
  if (daemon.spec?.updateStrategy?.type !== 'RollingUpdate') throw new CliError('rollout status is only available for RollingUpdate strategy type');
  const { observedGeneration = 0, updatedNumberScheduled = 0, desiredNumberScheduled = 0, numberAvailable = 0 } = (daemon.status ?? {}) as Obj;
  if (generation > observedGeneration) return waiting('Waiting for daemon set spec update to be observed...');
  const lead = `Waiting for daemon set "${name}" rollout to finish:`;
  if (updatedNumberScheduled < desiredNumberScheduled)
    return waiting(`${lead} ${updatedNumberScheduled} out of ${desiredNumberScheduled} new pods have been updated...`);
  if (numberAvailable < desiredNumberScheduled) return waiting(`${lead} ${numberAvailable} of ${desiredNumberScheduled} updated pods are available...`);
  return { text: `daemon set "${name}" successfully rolled out\n`, done: true };
}

function statefulSetStatus(set: Obj): { text: string; done: boolean } {
  const strategy: Obj = set.spec?.updateStrategy ?? {};
  if (strategy.type !== 'RollingUpdate') throw new CliError('rollout status is only available for RollingUpdate strategy type');
  const {
    observedGeneration = 0,
    readyReplicas = 0,
    updatedReplicas = 0,
    currentReplicas = 0,
    updateRevision = '',
    currentRevision = '',
  } = (set.status ?? {}) as Obj;
  if (observedGeneration === 0 || (set.metadata.generation ?? 0) > observedGeneration) return waiting('Waiting for statefulset spec update to be observed...');
  const wanted: number | undefined = set.spec?.replicas;
  if (wanted !== undefined && readyReplicas < wanted) return waiting(`Waiting for ${wanted - readyReplicas} pods to be ready...`);
  if (strategy.rollingUpdate) {
    const { partition } = strategy.rollingUpdate;
    if (wanted !== undefined && partition !== undefined && updatedReplicas < wanted - partition) {
      return waiting(`Waiting for partitioned roll out to finish: ${updatedReplicas} out of ${wanted - partition} new pods have been updated...`);
    }
    return { text: `partitioned roll out complete: ${updatedReplicas} new pods have been updated...\n`, done: true };
  }
  if (updateRevision !== currentRevision)
    return waiting(`waiting for statefulset rolling update to complete ${updatedReplicas} pods at revision ${updateRevision}...`);
  return { text: `statefulset rolling update complete ${currentReplicas} pods at revision ${currentRevision}...\n`, done: true };
}

// ---- history ----
