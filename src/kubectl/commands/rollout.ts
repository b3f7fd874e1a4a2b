import { goJson } from '../format/go-json.ts';
import { patchTypeOf } from '../patch/patch-meta.ts';
import { strategicMerge, twoWayMergePatch } from '../patch/strategic.ts';
import { makePrinter } from '../printers/print-flags.ts';
import { TabWriter } from '../printers/tab-writer.ts';
import { build, fileOptions, type ResourceResult } from '../resource/builder.ts';
import { Helper, type Info } from '../resource/info.ts';
import { groupResource } from '../rest/discovery.ts';
import type { Session } from '../session.ts';
import { CliError, errorText, throwAggregate } from '../util/errors.ts';
import { labelSelectorText } from '../util/labels.ts';
import { deepEqual, type Obj } from '../util/object.ts';
import { untilWithSync } from '../util/until.ts';
import { LAST_APPLIED } from './last-applied.ts';
import { goGroupKind, isApps, REVISION, statusViewer } from './rollout-status.ts';

const CHANGE_CAUSE = 'kubernetes.io/change-cause';

function select(session: Session, args: string[]): Promise<ResourceResult> {
  const { flags } = session;
  if (args.length === 0 && flags.list('filename').length === 0 && flags.text('kustomize') === '') throw new CliError('required resource not specified');
  return build(session, {
    ...fileOptions(session),
    args,
    allowEmptySelector: true,
    labelSelector: flags.text('selector'),
    continueOnError: true,
    latest: true,
    flatten: true,
  });
}

/** What upstream answers for kinds without a viewer or rollbacker. */
function unsupported(info: Info, what: 'history' | 'rollbacker', known: string): CliError {
  const { group, kind } = info.mapping;
  const visited =
    isApps(info, 'DaemonSet', 'Deployment', 'ReplicaSet', 'StatefulSet') ||
    (group === 'batch' && (kind === 'Job' || kind === 'CronJob')) ||
    (group === '' && (kind === 'Pod' || kind === 'ReplicationController'));
  const name = JSON.stringify(goGroupKind(info));
  return new CliError(visited ? `${known} ${name}` : `error retrieving ${what} for ${name}, no visitor method exists for {${group} ${kind}}`);
}

// ---- status ----

/** kubectl rollout status. */
export async function rolloutStatus(session: Session, args: string[]): Promise<void> {
  const { flags } = session;
  const revision = flags.number('revision');
  const result = await select(session, args);
  if (revision < 0) throw new CliError(`revision must be a positive integer: ${revision}`);
  let found = false;
  await result.visit(async (info) => {
    found = true;
    const view = statusViewer(info);
    await untilWithSync(session, new Helper(session, info.mapping), info.namespace, info.name, {
      timeoutMs: flags.number('timeout'),
      done: async ({ type, object }) => {
        if (type === 'DELETED') throw new CliError('object has been deleted');
        const { text, done } = view(object, revision);
        await session.out(text);
        return done || !flags.bool('watch');
      },
    });
  });
  if (!found) await session.err(`No resources found in ${session.namespace} namespace.\n`);
}

/** One revision of a workload. */
interface Revision {
  number: number;
  changeCause: string;
  template: Obj;
  /** The ReplicaSet or ControllerRevision. */
  source: Obj;
  /** The workload with this revision's data applied (ControllerRevisions). */
  applied?: Obj;
}

async function revisionsOf(session: Session, info: Info): Promise<Revision[]> {
  const workload = info.object as Obj;
  const selector = labelSelectorText(workload.spec?.selector);
  const base = `/apis/apps/v1/namespaces/${info.namespace}`;
  const owned = (object: Obj): boolean =>
    ((object.metadata.ownerReferences ?? []) as Obj[]).some((owner) => owner.controller === true && owner.uid === workload.metadata.uid);
  if (isApps(info, 'Deployment')) {
    const list = await session.client.request('GET', `${base}/replicasets`, { query: { labelSelector: selector } });
    return ((list.items ?? []) as Obj[]).filter(owned).flatMap((set) => {
      const number = Number(set.metadata.annotations?.[REVISION]);
      if (Number.isNaN(number)) return [];
      const changeCause = set.metadata.annotations?.[CHANGE_CAUSE] ?? '';
      const template = structuredClone(set.spec.template) as Obj;
      if (changeCause) template.metadata = { ...template.metadata, annotations: { ...template.metadata?.annotations, [CHANGE_CAUSE]: changeCause } };
      return [{ number, changeCause: template.metadata?.annotations?.[CHANGE_CAUSE] ?? '', template, source: set }];
    });
  }
  const list = await session.client.request('GET', `${base}/controllerrevisions`, { query: { labelSelector: selector } });
  return ((list.items ?? []) as Obj[]).filter(owned).map((revision) => {
    const applied = strategicMerge(workload, revision.data ?? {}, patchTypeOf('apps', info.mapping.kind));
    return {
      number: revision.revision,
      changeCause: revision.metadata.annotations?.[CHANGE_CAUSE] ?? '',
      template: applied.spec?.template ?? {},
      source: revision,
      applied,
    };
  });
}

/** kubectl rollout history. */
export async function rolloutHistory(session: Session, args: string[]): Promise<void> {
  const { flags } = session;
  const wanted = flags.number('revision');
  if (wanted < 0) throw new CliError(`revision must be a positive integer: ${wanted}`);
  const output = flags.text('output');
  const result = await select(session, args);
  await result.visit(async (info) => {
    if (!isApps(info, 'Deployment', 'StatefulSet', 'DaemonSet')) throw unsupported(info, 'history', 'no history viewer has been implemented for');
    const revisions = (await revisionsOf(session, info)).sort((a, b) => a.number - b.number);
    if (output !== '') {
      const printer = await makePrinter(session, '');
      const shown = wanted > 0 ? revisions.filter((revision) => revision.number === wanted) : revisions;
      if (wanted > 0 && shown.length === 0) throw new CliError('unable to find the specified revision');
      for (const revision of shown) {
        const object = revision.applied ?? { kind: 'ReplicaSet', apiVersion: 'apps/v1', ...revision.source };
        await session.out(printer.print(object, { typed: true }));
      }
      return;
    }
    const text = await historyText(session, revisions, wanted);
    const withRevision = wanted > 0 ? ` with revision #${wanted}` : '';
    const name = `${groupResource(info.mapping.kind.toLowerCase(), info.mapping.group)}/${info.name}`;
    await session.out(`${name} ${withRevision.trimStart()}\n${text}\n`);
  });
}

async function historyText(session: Session, revisions: readonly Revision[], wanted: number): Promise<string> {
  if (revisions.length === 0) return 'No rollout history found.';
  if (wanted > 0) {
    const found = revisions.findLast((revision) => revision.number === wanted);
    if (!found) throw new CliError('unable to find the specified revision');
    return templateText(session, found.template);
  }
  const writer = new TabWriter({ minWidth: 0, padding: 2, remember: false });
  writer.write('REVISION\tCHANGE-CAUSE\n');
  for (const revision of revisions) writer.write(`${revision.number}\t${revision.changeCause || '<none>'}\n`);
  return writer.flush();
}

/** The template's page without alignment: upstream writes it through no tabwriter here. */
async function templateText(session: Session, template: Obj): Promise<string> {
  const { podTemplateText } = await session.process.kernel.external(import('./rollout-template.ts'));
  return podTemplateText(template);
}

// ---- undo ----

const KEPT_ANNOTATIONS = [
  LAST_APPLIED,
  REVISION,
  'deployment.kubernetes.io/revision-history',
  'deployment.kubernetes.io/desired-replicas',
  'deployment.kubernetes.io/max-replicas',
  'deprecated.deployment.rollback.to',
];

/** kubectl rollout undo. */
export async function rolloutUndo(session: Session, args: string[]): Promise<void> {
  const { flags } = session;
  const dryRun = await session.dryRun();
  const toRevision = flags.number('to-revision');
  const result = await select(session, args);
  await result.visit(async (info) => {
    const object = info.object as Obj;
    if (object.metadata?.annotations?.[LAST_APPLIED] !== undefined) {
      await session.err(
        `Warning: resource ${info.objectName} was previously managed with 'kubectl apply'. Rolling back will not update the ${LAST_APPLIED} annotation, which may cause unexpected behavior on future 'kubectl apply' operations. Consider using 'kubectl apply' with your previous configuration file instead.\n`,
      );
    }
    if (!isApps(info, 'Deployment', 'StatefulSet', 'DaemonSet')) throw unsupported(info, 'rollbacker', 'no rollbacker has been implemented for');
    const outcome = isApps(info, 'Deployment')
      ? await undoDeployment(session, info, toRevision, dryRun)
      : await undoRevision(session, info, toRevision, dryRun);
    const printer = await makePrinter(session, outcome);
    await session.out(printer.print(object));
  });
}

const notFound = (revision: number): CliError => new CliError(`unable to find specified revision ${revision} in history`);

async function undoDeployment(session: Session, info: Info, toRevision: number, dryRun: string): Promise<string> {
  if (toRevision < 0) throw notFound(toRevision);
  const deployment = info.object as Obj;
  const revisions = (await revisionsOf(session, info)).sort((a, b) => b.number - a.number);
  const target = toRevision > 0 ? revisions.find((revision) => revision.number === toRevision) : revisions[1];
  if (!target) throw toRevision > 0 ? notFound(toRevision) : new CliError(`no rollout history found for deployment "${info.name}"`);
  if (dryRun === 'client') return templateText(session, target.source.spec.template);
  if (deployment.spec?.paused) {
    throw new CliError("you cannot rollback a paused deployment; resume it first with 'kubectl rollout resume' and try again");
  }
  const bare = (template: Obj): Obj => {
    const { 'pod-template-hash': _, ...labels } = template.metadata?.labels ?? {};
    return { ...template, metadata: { ...template.metadata, labels } };
  };
  const template = bare(target.source.spec.template);
  if (deepEqual(template, bare(deployment.spec.template))) return `skipped rollback (current template already matches revision ${toRevision})`;
  const annotations: Record<string, string> = {};
  for (const key of KEPT_ANNOTATIONS) if (deployment.metadata.annotations?.[key] !== undefined) annotations[key] = deployment.metadata.annotations[key];
  for (const [key, value] of Object.entries(target.source.metadata.annotations ?? {})) if (!KEPT_ANNOTATIONS.includes(key)) annotations[key] = value as string;
  const patch = goJson([
    { op: 'replace', path: '/spec/template', value: template },
    { op: 'replace', path: '/metadata/annotations', value: annotations },
  ]);
  return sendUndo(session, info, 'json', patch, toRevision, dryRun);
}

async function undoRevision(session: Session, info: Info, toRevision: number, dryRun: string): Promise<string> {
  if (toRevision < 0) throw notFound(toRevision);
  const revisions = (await revisionsOf(session, info)).sort((a, b) => a.number - b.number);
  if (toRevision === 0 && revisions.length <= 1) throw new CliError('no last revision to roll back to');
  const target = toRevision === 0 ? revisions.at(-2) : revisions.find((revision) => revision.number === toRevision);
  if (!target) throw notFound(toRevision);
  if (dryRun === 'client') return `will roll back to ${templateText(session, target.template)}`;
  const present = (info.object as Obj).spec?.template;
  const { $patch: _, ...template } = target.source.data?.spec?.template ?? {};
  if (deepEqual(present, template)) return `skipped rollback (current template already matches revision ${toRevision})`;
  return sendUndo(session, info, 'strategic', goJson(target.source.data), toRevision, dryRun);
}

async function sendUndo(session: Session, info: Info, type: 'json' | 'strategic', patch: string, toRevision: number, dryRun: string): Promise<string> {
  try {
    await new Helper(session, info.mapping, { dryRun: dryRun === 'server' ? 'server' : 'none' }).patch(info.namespace, info.name, type, patch);
  } catch (error) {
    throw new CliError(`failed restoring revision ${toRevision}: ${errorText(error)}`);
  }
  return 'rolled back';
}

// ---- restart, pause, resume ----

interface Change {
  done: string;
  /** Changes a copy of the object; throws what upstream's pauser, resumer or restarter answers. */
  mutate: (object: Obj, info: Info) => void;
  emptyPatch: (info: Info) => CliError;
  failure: (error: unknown) => CliError;
}

async function change(session: Session, args: string[], how: Change): Promise<void> {
  const result = await select(session, args);
  const { infos, errors } = await result.infosAndErrors();
  const failures: unknown[] = [...errors];
  if (infos.length === 0 && failures.length === 0) {
    await session.err(`No resources found in ${session.namespace} namespace.\n`);
    return;
  }
  for (const info of infos) {
    const before = info.object as Obj;
    const after = structuredClone(before);
    try {
      how.mutate(after, info);
    } catch (error) {
      failures.push(new CliError(`error: ${groupResource(info.mapping.resource, info.mapping.group)} "${info.name}" ${errorText(error)}`));
      continue;
    }
    const patch = goJson(twoWayMergePatch(before, after, patchTypeOf(info.mapping.group, info.mapping.kind)));
    if (patch === '{}') {
      failures.push(how.emptyPatch(info));
      continue;
    }
    try {
      info.refresh(
        await new Helper(session, info.mapping, { fieldManager: session.flags.text('field-manager') }).patch(info.namespace, info.name, 'strategic', patch),
      );
    } catch (error) {
      if (error instanceof Error && (error.name === 'Killed' || error.name === 'Errno')) throw error;
      failures.push(how.failure(error));
      continue;
    }
    const printer = await makePrinter(session, how.done);
    await session.out(printer.print(info.object as Obj));
  }
  throwAggregate(failures);
}

/** kubectl rollout restart. */
export function rolloutRestart(session: Session, args: string[]): Promise<void> {
  return change(session, args, {
    done: 'restarted',
    mutate: (object, info) => {
      if (!isApps(info, 'Deployment', 'StatefulSet', 'DaemonSet')) throw new CliError('restarting is not supported');
      if (info.mapping.kind === 'Deployment' && object.spec?.paused) throw new CliError("can't restart paused deployment (run rollout resume first)");
      const { template } = object.spec;
      const stamp = `${new Date(Math.floor(session.nowMs / 1000) * 1000).toISOString().slice(0, 19)}Z`;
      template.metadata = { ...template.metadata, annotations: { ...template.metadata?.annotations, 'kubectl.kubernetes.io/restartedAt': stamp } };
    },
    emptyPatch: (info) =>
      new CliError(
        `failed to create patch for ${info.name}: if restart has already been triggered within the past second, please wait before attempting to trigger another`,
      ),
    failure: (error) => new CliError(`failed to patch: ${errorText(error)}`),
  });
}

/** kubectl rollout pause. */
export function rolloutPause(session: Session, args: string[]): Promise<void> {
  return change(session, args, {
    done: 'paused',
    mutate: (object, info) => {
      if (!isApps(info, 'Deployment')) throw new CliError('pausing is not supported');
      if (object.spec?.paused) throw new CliError('is already paused');
      object.spec.paused = true;
    },
    emptyPatch: (info) => new CliError(`error: ${info.mapping.resource} "${info.name}" is already paused`),
    failure: (error) => new CliError(`failed to patch: ${errorText(error)}`),
  });
}

/** kubectl rollout resume. */
export function rolloutResume(session: Session, args: string[]): Promise<void> {
  return change(session, args, {
    done: 'resumed',
    mutate: (object, info) => {
      if (!isApps(info, 'Deployment')) throw new CliError('resuming is not supported');
      if (!object.spec?.paused) throw new CliError('is not paused');
      delete object.spec.paused;
    },
    emptyPatch: (info) => new CliError(`error: ${info.mapping.resource} "${info.name}" is not paused`),
    failure: (error) => new CliError(`failed to patch: ${errorText(error)}`),
  });
}
