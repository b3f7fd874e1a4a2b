import { goJson } from '../format/go-json.ts';
import { createMergePatch } from '../patch/json-merge.ts';
import { makePrinter } from '../printers/print-flags.ts';
import { build, fileOptions } from '../resource/builder.ts';
import { Helper } from '../resource/info.ts';
import type { Session } from '../session.ts';
import { CliError, throwAggregate } from '../util/errors.ts';
import { labelValueProblems } from '../util/names.ts';
import { compareStrings, type Obj, quote } from '../util/object.ts';
import { parsePairs, resourcesAndPairs } from '../util/pairs.ts';

type Field = 'labels' | 'annotations';

/** kubectl label. */
export function label(session: Session, args: string[]): Promise<void> {
  return update(session, args, 'labels');
}

/** kubectl annotate. */
export function annotate(session: Session, args: string[]): Promise<void> {
  return update(session, args, 'annotations');
}

interface Changes {
  set: Record<string, string>;
  removed: string[];
}

/** parseLabels of kubectl label. */
function parseLabelChanges(specs: readonly string[]): Changes {
  const changes: Changes = { set: {}, removed: [] };
  for (const spec of specs) {
    if (spec.includes('=')) {
      const parts = spec.split('=');
      if (parts.length !== 2) throw new CliError(`invalid label spec: ${spec}`);
      const [key = '', value = ''] = parts;
      const problems = labelValueProblems(value);
      if (problems.length > 0) throw new CliError(`invalid label value: ${quote(spec)}: ${problems.join(';')}`);
      changes.set[key] = value;
    } else if (spec.endsWith('-')) changes.removed.push(spec.slice(0, -1));
    else throw new CliError(`unknown label spec: ${spec}`);
  }
  if (changes.removed.some((key) => key in changes.set)) throw new CliError('can not both modify and remove a label in the same command');
  return changes;
}

function parseAnnotationChanges(specs: readonly string[]): Changes {
  const { pairs, removed } = parsePairs(specs, 'annotation', true);
  return { set: pairs, removed };
}

function checkFlags(session: Session, field: Field, resources: readonly string[], changes: Changes, dryRun: string): void {
  const { flags } = session;
  const noun = field === 'labels' ? 'label' : 'annotation';
  const file = field === 'labels' ? 'pod' : 'rsrc';
  if (flags.bool('list') && flags.text('output') !== '') throw new CliError('--list and --output may not be specified together');
  if (flags.bool('all') && flags.text('selector') !== '') throw new CliError('cannot set --all and --selector at the same time');
  if (flags.bool('all') && flags.text('field-selector') !== '') throw new CliError('cannot set --all and --field-selector at the same time');
  const noFiles = flags.list('filename').length === 0 && flags.text('kustomize') === '';
  if (flags.bool('local')) {
    if (dryRun === 'server') throw new CliError('cannot specify --local and --dry-run=server - did you mean --dry-run=client?');
    if (resources.length > 0) throw new CliError(`can only use local files by -f ${file}.yaml or --filename=${file}.json when --local=true is set`);
    if (noFiles) throw new CliError(`one or more files must be specified as -f ${file}.yaml or --filename=${file}.json`);
  } else if (resources.length === 0 && noFiles) {
    throw new CliError('one or more resources must be specified as <resource> <name> or <resource>/<name>');
  }
  if (Object.keys(changes.set).length === 0 && changes.removed.length === 0 && !flags.bool('list')) {
    throw new CliError(`at least one ${noun} update is required`);
  }
  if (field === 'annotations') {
    const both = changes.removed.filter((key) => key in changes.set);
    if (both.length > 0) throw new CliError(`can not both modify and remove the following annotation(s) in the same command: ${both.join(', ')}`);
  }
}

function checkOverwrites(field: Field, present: Record<string, string>, changes: Changes): void {
  const clash = Object.keys(changes.set).filter((key) => key in present && present[key] !== changes.set[key]);
  if (field === 'labels') {
    const errors = clash.map((key) => new CliError(`'${key}' already has a value (${present[key]}), and --overwrite is false`));
    throwAggregate(errors);
    return;
  }
  const messages = clash.filter((key) => key !== 'kubernetes.io/change-cause').map((key) => `'${key}' already has a value (${present[key]})`);
  if (messages.length > 0) throw new CliError(`--overwrite is false but found the following declared annotation(s): ${messages.join('; ')}`);
}

async function update(session: Session, args: string[], field: Field): Promise<void> {
  const { flags } = session;
  const dryRun = await session.dryRun();
  const { resources, pairs } = resourcesAndPairs(args, field === 'labels' ? 'label' : 'annotation');
  const changes = field === 'labels' ? parseLabelChanges(pairs) : parseAnnotationChanges(pairs);
  checkFlags(session, field, resources, changes, dryRun);
  const local = flags.bool('local');
  const list = flags.bool('list');
  const allNamespaces = flags.bool('all-namespaces');
  const result = await build(session, {
    ...fileOptions(session),
    continueOnError: true,
    enforceNamespace: session.enforceNamespace && !allNamespaces,
    flatten: true,
    ...(local
      ? { local: true }
      : {
          args: resources,
          allowEmptySelector: flags.bool('all'),
          labelSelector: flags.text('selector'),
          fieldSelector: flags.text('field-selector'),
          allNamespaces,
          latest: true,
        }),
  });
  const version = flags.text('resource-version');
  if (version !== '' && !result.singleItemImplied) throw new CliError('--resource-version may only be used with a single resource');
  await result.visit(async (info) => {
    const before = info.object as Obj;
    const present: Record<string, string> = before.metadata?.[field] ?? {};
    const dry = dryRun === 'client' || local || list;
    if (field === 'labels' && !dry) {
      for (const key of changes.removed) if (!(key in present)) await session.out(`label ${quote(key)} not found.\n`);
    }
    if (!flags.bool('overwrite')) checkOverwrites(field, present, changes);
    const next = { ...present, ...changes.set };
    for (const key of changes.removed) delete next[key];
    const added = Object.keys(changes.set).some((key) => present[key] !== changes.set[key]);
    const removed = changes.removed.some((key) => key in present);
    let object: Obj = { ...before, metadata: { ...before.metadata, [field]: next, ...(version === '' ? {} : { resourceVersion: version }) } };
    if (!dry && (field === 'annotations' || added || removed)) {
      const base = version === '' ? before : { ...before, metadata: { ...before.metadata, resourceVersion: '' } };
      const helper = new Helper(session, info.mapping, { dryRun, fieldManager: flags.text('field-manager') });
      object = await helper.patch(info.namespace, info.name, 'merge', goJson(createMergePatch(base, object)));
    }
    if (list) {
      const single = result.singleItemImplied;
      if (!single) await session.out(`Listing ${field} for ${info.mapping.kind}.${info.mapping.group}/${info.name}:\n`);
      for (const key of Object.keys(next).sort(compareStrings)) await session.out(`${single ? '' : ' '}${key}=${next[key]}\n`);
      return;
    }
    const labelled = added && removed ? 'modified' : added ? 'labeled' : removed ? 'unlabeled' : 'not labeled';
    const printer = await makePrinter(session, field === 'annotations' ? 'annotated' : labelled);
    await session.out(printer.print(object));
  });
}
