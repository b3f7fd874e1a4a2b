import { makePrinter } from '../printers/print-flags.ts';
import { build } from '../resource/builder.ts';
import { Helper, type Info } from '../resource/info.ts';
import type { DryRun, Session } from '../session.ts';
import { AggregateFailure, CliError, errorText, isNotFound, StatusError, throwAggregate } from '../util/errors.ts';
import { parseSelector } from '../util/labels.ts';
import type { Obj } from '../util/object.ts';

const EVICTION_RETRY_MS = 5_000;
const POLL_MS = 1_000;
const DAEMON_SET_WARNING = 'ignoring DaemonSet-managed Pods';
const UNMANAGED_WARNING = 'deleting Pods that declare no controller';
const DAEMON_SET_FATAL = 'DaemonSet-managed Pods (use --ignore-daemonsets to ignore)';
const LOCAL_STORAGE_FATAL = 'Pods with local storage (use --delete-emptydir-data to override)';
const UNMANAGED_FATAL = 'Pods that declare no controller (use --force to override)';

/** kubectl cordon. */
export async function cordon(session: Session, args: string[]): Promise<void> {
  await setSchedulable(session, await nodesNamed(session, args, 'cordon NODE'), true, await session.dryRun());
}

/** kubectl uncordon. */
export async function uncordon(session: Session, args: string[]): Promise<void> {
  await setSchedulable(session, await nodesNamed(session, args, 'uncordon NODE'), false, await session.dryRun());
}

/** kubectl drain: cordons, then evicts every Pod that may be evicted and waits until they are gone. */
export async function drain(session: Session, args: string[]): Promise<void> {
  const dryRun = await session.dryRun();
  try {
    parseSelector(session.flags.text('pod-selector'));
  } catch {
    throw new CliError('--pod-selector=<pod_selector> must be a valid label selector');
  }
  const nodes = await nodesNamed(session, args, 'drain NODE');
  await setSchedulable(session, nodes, true, dryRun);
  const failed: { name: string; error: unknown }[] = [];
  for (const info of nodes) {
    try {
      await empty(session, info.name, dryRun);
      await session.out((await makePrinter(session, 'drained')).print(info.object as Obj));
    } catch (error) {
      if (error instanceof Error && error.name === 'Killed') throw error;
      await session.err(`error: unable to drain node "${info.name}" due to error: ${errorText(error)}, continuing command...\n`);
      failed.push({ name: info.name, error });
    }
  }
  if (failed.length > 0) await session.err(`There are pending nodes to be drained:\n${failed.map(({ name }) => ` ${name}\n`).join('')}`);
  if (failed.length > 0) throw new AggregateFailure(failed.map(({ error }) => error));
}

async function nodesNamed(session: Session, args: readonly string[], usage: string): Promise<Info[]> {
  const selector = session.flags.text('selector');
  if (args.length === 0 && selector === '') throw session.usageError(`USAGE: ${usage} [flags]`);
  if (args.length > 0 && selector !== '') throw session.usageError('error: cannot specify both a node name and a --selector option');
  const result = await build(session, {
    ...(selector === '' ? { args, defaultType: 'nodes' } : { args: ['nodes'] }),
    labelSelector: selector,
    namespace: session.namespace,
    singleResourceType: true,
    flatten: true,
  });
  const infos = await result.infos();
  const stranger = infos.find((info) => info.mapping.resource !== 'nodes' || info.mapping.group !== '');
  if (stranger)
    throw new CliError(
      `error: expected resource of type node, got "${stranger.mapping.group}/${stranger.mapping.version}, Resource=${stranger.mapping.resource}"`,
    );
  return infos;
}

async function setSchedulable(session: Session, nodes: readonly Info[], unschedulable: boolean, dryRun: DryRun): Promise<void> {
  const word = unschedulable ? 'cordoned' : 'uncordoned';
  for (const info of nodes) {
    const node = info.object as Obj;
    if ((node.spec?.unschedulable ?? false) === unschedulable) {
      await session.out((await makePrinter(session, `already ${word}`)).print(node));
      continue;
    }
    if (dryRun !== 'client') {
      const helper = new Helper(session, info.mapping, { dryRun });
      await helper.patch('', info.name, 'strategic', { spec: { unschedulable: unschedulable ? true : null } });
    }
    await session.out((await makePrinter(session, word)).print(node));
  }
}

interface Candidates {
  pods: Obj[];
  warnings: string;
  errors: string[];
}

/** GetPodsForDeletion: upstream's filters, the last one that objects decides. */
async function candidates(session: Session, node: string): Promise<Candidates> {
  const { flags } = session;
  const list = await session.client.request('GET', '/api/v1/pods', {
    query: { fieldSelector: `spec.nodeName=${node}`, labelSelector: flags.text('pod-selector') || undefined },
  });
  const warned = new Map<string, string[]>();
  const refused = new Map<string, string[]>();
  const pods: Obj[] = [];
  const note = (map: Map<string, string[]>, message: string, pod: Obj): void => {
    map.set(message, [...(map.get(message) ?? []), `${pod.metadata.namespace}/${pod.metadata.name}`]);
  };
  for (const item of list.items ?? []) {
    const pod: Obj = { apiVersion: 'v1', kind: 'Pod', ...item };
    const verdict = await judge(session, pod);
    if (verdict.error) note(refused, verdict.error, pod);
    else if (verdict.warning) note(warned, verdict.warning, pod);
    if (verdict.remove && !verdict.error) pods.push(pod);
  }
  return {
    pods,
    warnings: [...warned].map(([message, names]) => `${message}: ${names.join(', ')}`).join('; '),
    errors: [...refused].map(([message, names]) => `cannot delete ${message}: ${names.join(', ')}`),
  };
}

async function judge(session: Session, pod: Obj): Promise<{ remove: boolean; warning?: string; error?: string }> {
  const { flags } = session;
  const skipAfter = flags.number('skip-wait-for-delete-timeout');
  const deleted = pod.metadata?.deletionTimestamp;
  if (skipAfter > 0 && deleted && (session.nowMs - Date.parse(deleted)) / 1000 > skipAfter) return { remove: false };
  const finished = pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed';
  const owner = (pod.metadata?.ownerReferences ?? []).find((reference: Obj) => reference.controller);
  if (owner?.kind === 'DaemonSet' && owner.apiVersion === 'apps/v1' && !finished) {
    try {
      await session.client.request('GET', `/apis/apps/v1/namespaces/${pod.metadata.namespace}/daemonsets/${owner.name}`);
    } catch (error) {
      if (!(error instanceof StatusError)) throw error;
      return isNotFound(error) && flags.bool('force') ? { remove: true, warning: error.message } : { remove: false, error: error.message };
    }
    return flags.bool('ignore-daemonsets') ? { remove: false, warning: DAEMON_SET_WARNING } : { remove: false, error: DAEMON_SET_FATAL };
  }
  if (pod.metadata?.annotations?.['kubernetes.io/config.mirror'] !== undefined) return { remove: false };
  if ((pod.spec?.volumes ?? []).some((volume: Obj) => volume.emptyDir) && !finished) {
    // With the flag there is no word of it: the verdict of the last filter is the one that counts.
    if (!flags.bool('delete-emptydir-data')) return { remove: false, error: LOCAL_STORAGE_FATAL };
  }
  if (!finished && !owner) return flags.bool('force') ? { remove: true, warning: UNMANAGED_WARNING } : { remove: false, error: UNMANAGED_FATAL };
  return { remove: true };
}

async function empty(session: Session, node: string, dryRun: DryRun): Promise<void> {
  const { pods, warnings, errors } = await candidates(session, node);
  if (errors.length > 0) throw new AggregateFailure(errors.map((text) => new CliError(text)));
  if (warnings !== '') await session.warn(warnings);
  if (dryRun === 'client') {
    for (const pod of pods) await session.out(`evicting pod ${pod.metadata.namespace}/${pod.metadata.name} (dry run)\n`);
    return;
  }
  const timeoutMs = session.flags.number('timeout');
  const deadline = timeoutMs > 0 ? session.nowMs + timeoutMs : Number.POSITIVE_INFINITY;
  const results = await Promise.allSettled(pods.map((pod) => removePod(session, pod, dryRun, deadline, timeoutMs)));
  const failures = results.flatMap((result) => (result.status === 'rejected' ? [result.reason as unknown] : []));
  if (failures.length === 0) return;
  const pending = (await candidates(session, node)).pods;
  if (pending.length > 0) {
    const text = failures.map(errorText).join(', ');
    await session.err(
      `There are pending pods in node "${node}" when an error occurred: ${failures.length > 1 ? `[${text}]` : text}\n${pending.map((pod) => `pod/${pod.metadata.name}\n`).join('')}`,
    );
  }
  throwAggregate(failures);
}

/** Evicts (or deletes) one Pod, again while a PodDisruptionBudget forbids it, and waits until it is gone. */
async function removePod(session: Session, pod: Obj, dryRun: DryRun, deadline: number, timeoutMs: number): Promise<void> {
  const { namespace, name, uid } = pod.metadata;
  const path = `/api/v1/namespaces/${namespace}/pods/${name}`;
  const grace = session.flags.number('grace-period');
  const options = { ...(grace >= 0 ? { gracePeriodSeconds: grace } : {}), ...(dryRun === 'server' ? { dryRun: ['All'] } : {}) };
  const disabled = session.flags.bool('disable-eviction');
  const quoted = `pods/"${name}" -n "${namespace}"`;
  if (disabled) await session.client.request('DELETE', path, { body: { kind: 'DeleteOptions', apiVersion: 'v1', ...options } });
  else {
    for (;;) {
      await session.out(`evicting pod ${namespace}/${name}${dryRun === 'server' ? ' (server dry run)' : ''}\n`);
      if (session.nowMs >= deadline) throw new CliError(`error when evicting ${quoted}: global timeout reached: ${timeoutMs / 1000}s`);
      try {
        await session.client.request('POST', `${path}/eviction`, {
          body: { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name, namespace }, deleteOptions: options },
        });
        break;
      } catch (error) {
        if (isNotFound(error)) return;
        if (!(error instanceof StatusError) || error.code !== 429)
          throw error instanceof StatusError ? new CliError(`error when evicting ${quoted}: ${error.message}`) : error;
        await session.err(`error when evicting ${quoted} (will retry after ${EVICTION_RETRY_MS / 1000}s): ${error.message}\n`);
        await session.process.sleep(EVICTION_RETRY_MS);
      }
    }
  }
  if (dryRun === 'server') return;
  for (;;) {
    try {
      const present = await session.client.request('GET', path);
      if (present.metadata?.uid !== uid) break;
    } catch (error) {
      if (isNotFound(error)) break;
      throw error;
    }
    if (session.nowMs >= deadline)
      throw new CliError(`error when waiting for pod "${name}" in namespace "${namespace}" to terminate: global timeout reached: ${timeoutMs / 1000}s`);
    await session.process.sleep(POLL_MS);
  }
  await session.out((await makePrinter(session, disabled ? 'deleted' : 'evicted')).print(pod));
}
