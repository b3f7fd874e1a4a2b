import { goJson } from '../format/go-json.ts';
import { jsonMerge, threeWayJsonMergePatch } from '../patch/json-merge.ts';
import { patchTypeOf } from '../patch/patch-meta.ts';
import { strategicMerge, threeWayMergePatch } from '../patch/strategic.ts';
import { makePrinter } from '../printers/print-flags.ts';
import { build, fileOptions } from '../resource/builder.ts';
import { Helper, type Info } from '../resource/info.ts';
import type { DryRun, Session } from '../session.ts';
import { addSource, CliError, errorText, isConflict, isNotFound, isStatus, StatusError, throwAggregate } from '../util/errors.ts';
import { goList, isObject, type Json, type Obj } from '../util/object.ts';
import { requireFilename } from './create.ts';
import { propagationOf } from './delete.ts';
import { configurationOf, LAST_APPLIED, setLastApplied } from './last-applied.ts';
import { untilGone } from './wait-deleted.ts';

interface ApplyOptions {
  dryRun: DryRun;
  serverSide: boolean;
  forceConflicts: boolean;
  fieldManager: string;
  validation: string;
  force: boolean;
}

/** What pruning has to know of an apply. */
export interface ApplyRecord {
  infos: Info[];
  uids: Set<string>;
  namespaces: Set<string>;
}

/** kubectl apply. */
export async function apply(session: Session, args: string[]): Promise<void> {
  const { flags } = session;
  if (args.length > 0) throw session.usageError(`Unexpected args: ${goList(args)}`);
  const serverSide = flags.bool('server-side');
  const dryRun = await session.dryRun();
  await propagationOf(session);
  requireFilename(session);
  const validation = session.validation();
  const options: ApplyOptions = {
    dryRun,
    serverSide,
    forceConflicts: flags.bool('force-conflicts'),
    fieldManager: flags.changed('field-manager') ? flags.text('field-manager') : serverSide ? 'kubectl' : 'kubectl-client-side-apply',
    validation,
    force: flags.bool('force'),
  };
  checkFlags(session, options);
  const result = await build(session, {
    ...fileOptions(session),
    validate: validation !== 'Ignore',
    continueOnError: true,
    labelSelector: flags.text('selector'),
    flatten: true,
  });
  const { infos, errors } = await result.infosAndErrors();
  if (infos.length === 0 && errors.length === 0) throw new CliError('no objects passed to apply');
  const record: ApplyRecord = { infos, uids: new Set(), namespaces: new Set(session.enforceNamespace ? [session.namespace] : []) };
  const failures: unknown[] = [...errors];
  for (const info of infos) {
    try {
      if (info.namespaced) record.namespaces.add(info.namespace);
      await applyOne(session, info, options, record);
    } catch (error) {
      if (error instanceof Error && (error.name === 'Killed' || error.name === 'Errno')) throw error;
      failures.push(error);
    }
  }
  throwAggregate(failures);
  if (printsObjects(session)) await printObjects(session, infos);
  if (flags.bool('prune')) {
    const { prune } = await session.process.kernel.external(import('./prune.ts'));
    await prune(session, record, dryRun);
  }
}

function checkFlags(session: Session, options: ApplyOptions): void {
  const { flags } = session;
  if (options.forceConflicts && !options.serverSide) throw new CliError('--force-conflicts only works with --server-side');
  if (options.dryRun === 'client' && options.serverSide) {
    throw new CliError("--dry-run=client doesn't work with --server-side (did you mean --dry-run=server instead?)");
  }
  if (options.serverSide && options.force) throw new CliError('--force cannot be used with --server-side');
  if (options.dryRun === 'server' && options.force) throw new CliError('--dry-run=server cannot be used with --force');
  if (flags.bool('all') && flags.text('selector') !== '') throw new CliError('cannot set --all and --selector at the same time');
  if (flags.bool('prune')) {
    if (options.force) throw new CliError('--force cannot be used with --prune');
    if (!flags.bool('all') && flags.text('selector') === '') {
      throw new CliError(
        'all resources selected for prune without explicitly passing --all. To prune all resources, pass the --all flag. If you did not mean to prune all resources, specify a label selector',
      );
    }
    if (options.serverSide) throw new CliError("--prune is in alpha and doesn't currently work on objects created by server-side apply");
  }
  if (flags.text('subresource') !== '' && !options.serverSide) throw new CliError('--subresource can only be specified for --server-side');
}

function printsObjects(session: Session): boolean {
  const output = session.flags.text('output');
  return output !== '' && output !== 'name';
}

async function printObjects(session: Session, infos: readonly Info[]): Promise<void> {
  const printer = await makePrinter(session, '');
  const objects = infos.map((info) => info.object as Obj);
  await session.out(
    printer.print(objects.length === 1 ? (objects[0] as Obj) : { kind: 'List', apiVersion: 'v1', metadata: {}, items: objects }, { typed: objects.length > 1 }),
  );
}

async function report(session: Session, info: Info, operation: string): Promise<void> {
  if (printsObjects(session)) return;
  const printer = await makePrinter(session, operation);
  await session.out(printer.print(info.object as Obj));
}

async function applyOne(session: Session, info: Info, options: ApplyOptions, record: ApplyRecord): Promise<void> {
  const given = info.object as Obj;
  if (info.name === '' && given.metadata?.generateName) throw new CliError(`from ${given.metadata.generateName}: cannot use generate name with apply`);
  const helper = new Helper(session, info.mapping, { dryRun: options.dryRun, fieldManager: options.fieldManager, fieldValidation: options.validation });
  if (options.serverSide) return serverSideApply(session, info, options, helper, record);

  const configuration = configurationOf(given);
  const modified: Obj = { ...given, metadata: { ...given.metadata, annotations: { ...given.metadata?.annotations, [LAST_APPLIED]: configuration } } };
  try {
    await info.get();
  } catch (error) {
    if (!isNotFound(error)) throw addSource(`retrieving current configuration of:\n${info}\nfrom server for:`, info.source, error);
    info.object = given;
    setLastApplied(given);
    pruneNulls(given);
    if (options.dryRun !== 'client') {
      try {
        const { resourceVersion: _, ...metadata } = given.metadata;
        info.refresh(await helper.create(info.namespace, { ...given, metadata }));
      } catch (failure) {
        throw addSource('creating', info.source, failure);
      }
    }
    markVisited(info, record);
    return report(session, info, 'created');
  }
  markVisited(info, record);
  const current = info.object as Obj;
  if (current.metadata?.annotations?.[LAST_APPLIED] === undefined) {
    await session.err(
      `Warning: resource ${info.objectName} is missing the ${LAST_APPLIED} annotation which is required by kubectl apply. kubectl apply should only be used on resources created declaratively by either kubectl create --save-config or kubectl apply. The missing annotation will be patched automatically.\n`,
    );
  }
  const { text, object } = await patchObject(session, info, modified, options, helper);
  info.refresh(object);
  await warnIfDeleting(session, object);
  await report(session, info, text === '{}' ? 'unchanged' : 'configured');
}

function markVisited(info: Info, record: ApplyRecord): void {
  const uid = info.object?.metadata?.uid;
  if (uid) record.uids.add(uid);
}

async function warnIfDeleting(session: Session, object: Obj): Promise<void> {
  if (object.metadata?.deletionTimestamp) {
    await session.err(`Warning: Detected changes to resource ${object.metadata.name} which is currently being deleted.\n`);
  }
}

function pruneNulls(value: Json): void {
  if (Array.isArray(value)) for (const item of value) pruneNulls(item);
  else if (isObject(value)) {
    for (const [key, item] of Object.entries(value)) {
      if (item === null) delete value[key];
      else pruneNulls(item);
    }
  }
}

/** The three-way patch that client-side apply sends. */
export function applyPatch(info: Info, current: Obj, modified: Obj): { patch: Obj; strategic: boolean } {
  const annotation = current.metadata?.annotations?.[LAST_APPLIED] as string | undefined;
  const original: Obj = annotation ? JSON.parse(annotation) : {};
  const type = patchTypeOf(info.mapping.group, info.mapping.kind);
  if (type === undefined) return { patch: threeWayJsonMergePatch(original, modified, current), strategic: false };
  return { patch: threeWayMergePatch(original, modified, current, type), strategic: true };
}

/** Patcher.Patch: retries conflicts, replaces by force when asked. */
async function patchObject(session: Session, info: Info, modified: Obj, options: ApplyOptions, helper: Helper): Promise<{ text: string; object: Obj }> {
  let current = info.object as Obj;
  let text = '';
  const attempt = async (): Promise<Obj> => {
    const { patch, strategic } = applyPatch(info, current, modified);
    text = goJson(patch);
    if (text === '{}') return current;
    if (options.dryRun === 'client') {
      return strategic ? strategicMerge(current, patch, patchTypeOf(info.mapping.group, info.mapping.kind)) : jsonMerge(current, patch);
    }
    return helper.patch(info.namespace, info.name, strategic ? 'strategic' : 'merge', text);
  };
  let failure: unknown;
  for (let i = 0; i <= 5; i++) {
    try {
      const object = await attempt();
      return { text, object };
    } catch (error) {
      failure = error;
      if (!isConflict(error)) break;
      if (i > 0) await session.process.sleep(1000);
      current = await helper.get(info.namespace, info.name);
    }
  }
  if (options.force && (isConflict(failure) || isStatus(failure, 'Invalid'))) {
    return { text: goJson(modified), object: await deleteAndCreate(session, info, current, modified, helper) };
  }
  const patched = addSource('patching', info.source, failure);
  throw addSource(`applying patch:\n${text}\nto:\n${info}\nfor:`, info.source, patched);
}

async function deleteAndCreate(session: Session, info: Info, original: Obj, modified: Obj, helper: Helper): Promise<Obj> {
  const { flags } = session;
  const grace = flags.number('grace-period');
  await helper.delete(info.namespace, info.name, { propagationPolicy: await propagationOf(session), ...(grace >= 0 ? { gracePeriodSeconds: grace } : {}) });
  const deadline = flags.number('timeout') > 0 ? session.nowMs + flags.number('timeout') : Number.POSITIVE_INFINITY;
  await untilGone(session, helper, info, deadline, 1000);
  try {
    return await helper.create(info.namespace, modified);
  } catch (error) {
    const { resourceVersion: _, uid: __, ...metadata } = original.metadata;
    try {
      return await helper.create(info.namespace, { ...original, metadata });
    } catch (second) {
      throw new CliError(
        `An error occurred force-replacing the existing object with the newly provided one:\n\n${errorText(error)}.\n\nAdditionally, an error occurred attempting to restore the original object:\n\n${errorText(second)}`,
      );
    }
  }
}

const CONFLICT_ADVICE = `Please review the fields above--they currently have other managers. Here
are the ways you can resolve this warning:
* If you intend to manage all of these fields, please re-run the apply
  command with the \`--force-conflicts\` flag.
* If you do not intend to manage all of the fields, please edit your
  manifest to remove references to the fields that should keep their
  current managers.
* You may co-own fields by updating your manifest to match the existing
  value; in this case, you'll become the manager if the other manager(s)
  stop managing the field (remove it from their configuration).
See https://kubernetes.io/docs/reference/using-api/server-side-apply/#conflicts`;

async function serverSideApply(session: Session, info: Info, options: ApplyOptions, helper: Helper, record: ApplyRecord): Promise<void> {
  const subresource = session.flags.text('subresource');
  const target = subresource ? new Helper(session, info.mapping, { ...helper.options, subresource }) : helper;
  const body = `${goJson(info.object)}\n`;
  let object: Obj;
  try {
    object = await target.patch(info.namespace, info.name, 'apply', body, { force: options.forceConflicts });
  } catch (error) {
    if (error instanceof StatusError && error.code === 415) throw new CliError(`Server-side apply not available on the server: (${error.message})`);
    if (isConflict(error)) throw new CliError(`${error.message}\n${CONFLICT_ADVICE}`);
    throw error;
  }
  info.refresh(object);
  const { migrateToServerSide } = await session.process.kernel.external(import('./ssa-migration.ts'));
  const migrated = await migrateToServerSide(session, info, helper, options.fieldManager);
  if (migrated) info.refresh(await helper.patch(info.namespace, info.name, 'apply', body, { force: options.forceConflicts }));
  await warnIfDeleting(session, info.object as Obj);
  markVisited(info, record);
  await report(session, info, 'serverside-applied');
}
