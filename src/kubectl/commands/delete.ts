import { build, fileOptions, type ResourceResult } from '../resource/builder.ts';
import type { BuilderOptions } from '../resource/documents.ts';
import { Helper, type Info, kindName } from '../resource/info.ts';
import type { DryRun, Session } from '../session.ts';
import { addSource, CliError, isNotFound, isStatus } from '../util/errors.ts';
import type { Obj } from '../util/object.ts';
import { rawBody } from './create.ts';
import { waitDeleted } from './wait-deleted.ts';

export interface DeleteOptions {
  ignoreNotFound: boolean;
  gracePeriod: number;
  propagation: 'Background' | 'Foreground' | 'Orphan';
  wait: boolean;
  timeoutMs: number;
  dryRun: DryRun;
  output: string;
  quiet: boolean;
  warnClusterScope: boolean;
  /** Only these (resource/namespace/name), when the reader was asked. */
  chosen?: Set<string>;
}

const WEEK_MS = 168 * 3_600_000;

/** --cascade as cmdutil.GetCascadingStrategy. */
export async function propagationOf(session: Session): Promise<DeleteOptions['propagation']> {
  const value = session.flags.text('cascade');
  switch (value) {
    case 'orphan':
      return 'Orphan';
    case 'foreground':
      return 'Foreground';
    case 'background':
      return 'Background';
  }
  if (/^(1|t|T|TRUE|true|True)$/.test(value)) {
    await session.err(`warning: --cascade=${value} is deprecated (boolean value) and can be replaced with --cascade=background.\n`);
    return 'Background';
  }
  if (/^(0|f|F|FALSE|false|False)$/.test(value)) {
    await session.err(`warning: --cascade=${value} is deprecated (boolean value) and can be replaced with --cascade=orphan.\n`);
    return 'Orphan';
  }
  throw new CliError(`invalid cascade value (${value}). Must be "background", "foreground", or "orphan"`);
}

/** kubectl delete. */
export async function del(session: Session, args: string[]): Promise<void> {
  const { flags } = session;
  const propagation = await propagationOf(session);
  const all = flags.bool('all');
  const selector = flags.text('selector');
  const fieldSelector = flags.text('field-selector');
  const force = flags.bool('force');
  let gracePeriod = flags.number('grace-period');
  const ignoreNotFound = flags.changed('ignore-not-found') ? flags.bool('ignore-not-found') : all || selector !== '' || fieldSelector !== '';
  if (flags.bool('now')) {
    if (gracePeriod !== -1) throw new CliError('--now and --grace-period cannot be specified together');
    gracePeriod = 1;
  }
  if (gracePeriod === 0 && !force) gracePeriod = 1;
  if (force && gracePeriod < 0) gracePeriod = 0;
  const dryRun = await session.dryRun();
  const selection: BuilderOptions = {
    ...fileOptions(session),
    args,
    continueOnError: true,
    labelSelector: selector,
    fieldSelector,
    selectAll: all,
    allNamespaces: flags.bool('all-namespaces'),
    requireObject: false,
    flatten: true,
  };
  const raw = flags.text('raw') !== '';
  const result = raw ? undefined : await build(session, selection);
  const output = flags.text('output');
  if (output !== '' && output !== 'name') throw new CliError(`unexpected -o output mode: ${output}. We only support '-o name'`);
  if (all && selector !== '') throw new CliError('cannot set --all and --selector at the same time');
  if (all && fieldSelector !== '') throw new CliError('cannot set --all and --field-selector at the same time');
  if (gracePeriod === 0 && force) {
    await session.warn(
      'Immediate deletion does not wait for confirmation that the running resource has been terminated. The resource may continue to run on the cluster indefinitely.',
    );
  } else if (gracePeriod > 0 && force) throw new CliError('--force and --grace-period greater than 0 cannot be specified together');
  if (!result) {
    if (flags.bool('interactive')) throw new CliError('--interactive can not be used with --raw');
    return rawBody(session, 'DELETE');
  }
  const options: DeleteOptions = {
    ignoreNotFound,
    gracePeriod,
    propagation,
    wait: flags.bool('wait'),
    timeoutMs: flags.number('timeout'),
    dryRun,
    output,
    quiet: false,
    warnClusterScope: session.enforceNamespace && !flags.bool('all-namespaces'),
  };
  if (flags.bool('interactive')) {
    const chosen = await confirm(session, selection, ignoreNotFound);
    if (!chosen) return;
    options.chosen = chosen;
  }
  await deleteResult(session, result, options);
}

const locationOf = (info: Info): string => `${info.mapping.resource}.${info.mapping.group}/${info.namespace}/${info.name}`;

async function confirm(session: Session, selection: BuilderOptions, ignoreNotFound: boolean): Promise<Set<string> | undefined> {
  const preview = await build(session, selection);
  if (ignoreNotFound) preview.ignoreErrors(isNotFound);
  const infos = await preview.infos();
  if (infos.length === 0) {
    await session.out('No resources found\n');
    return undefined;
  }
  await session.out(`You are about to delete the following ${infos.length} resource(s):\n`);
  for (const info of infos) await session.out(`${kindName(info.mapping)}/${info.name}\n`);
  await session.out('Do you want to continue? (y/N): ');
  const answer = await readLine(session);
  if (answer.trim().toLowerCase() !== 'y') {
    await session.out('deletion is cancelled\n');
    return undefined;
  }
  return new Set(infos.map(locationOf));
}

/** One line of standard input. */
export async function readLine(session: Session): Promise<string> {
  const decoder = new TextDecoder();
  let text = '';
  while (!text.includes('\n')) {
    const chunk = await session.process.stdin.read();
    if (chunk === null) break;
    text += decoder.decode(chunk, { stream: true });
  }
  return text.split('\n')[0] ?? '';
}

/** DeleteOptions.DeleteResult: deletes everything the result visits, then waits for it to be gone. */
export async function deleteResult(session: Session, result: ResourceResult, options: DeleteOptions): Promise<void> {
  if (options.ignoreNotFound) result.ignoreErrors(isNotFound);
  const deleted: { info: Info; uid: string | undefined }[] = [];
  let warnClusterScope = options.warnClusterScope;
  let found = 0;
  await result.visit(async (info) => {
    if (options.chosen && !options.chosen.has(locationOf(info))) return;
    found++;
    const entry: { info: Info; uid: string | undefined } = { info, uid: undefined };
    deleted.push(entry);
    if (warnClusterScope && !info.namespaced) {
      await session.warn('deleting cluster-scoped resources, not scoped to the provided namespace');
      warnClusterScope = false;
    }
    if (options.dryRun === 'client') {
      if (!options.quiet) await printDeleted(session, info, options);
      return;
    }
    const body: Obj = { propagationPolicy: options.propagation };
    if (options.gracePeriod >= 0) body.gracePeriodSeconds = options.gracePeriod;
    let response: Obj;
    try {
      response = await new Helper(session, info.mapping, { dryRun: options.dryRun }).delete(info.namespace, info.name, body);
    } catch (error) {
      throw addSource('deleting', info.source, error);
    }
    if (!options.quiet) await printDeleted(session, info, options);
    entry.uid = response.kind === 'Status' ? response.details?.uid : response.metadata?.uid;
  });
  if (found === 0) {
    await session.out('No resources found\n');
    return;
  }
  if (!options.wait || options.dryRun !== 'none') return;
  try {
    for (const { info, uid } of deleted) await waitDeleted(session, info, uid, options.timeoutMs || WEEK_MS);
  } catch (error) {
    if (isStatus(error, 'Forbidden') || isStatus(error, 'MethodNotAllowed')) return;
    throw error;
  }
}

async function printDeleted(session: Session, info: Info, options: DeleteOptions): Promise<void> {
  const kind = kindName(info.mapping);
  if (options.output === 'name') {
    await session.out(`${kind}/${info.name}\n`);
    return;
  }
  let operation = options.gracePeriod === 0 ? 'force deleted' : 'deleted';
  if (info.namespaced) operation += ` from ${info.namespace} namespace`;
  if (options.dryRun === 'client') operation += ' (dry run)';
  if (options.dryRun === 'server') operation += ' (server dry run)';
  await session.out(`${kind} "${info.name}" ${operation}\n`);
}
