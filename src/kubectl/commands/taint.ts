import { makePrinter } from '../printers/print-flags.ts';
import { build } from '../resource/builder.ts';
import { Helper } from '../resource/info.ts';
import type { Session } from '../session.ts';
import { CliError, throwAggregate } from '../util/errors.ts';
import { labelValueProblems, qualifiedNameProblems } from '../util/names.ts';
import type { Obj } from '../util/object.ts';

interface Taint {
  key: string;
  value: string;
  effect: string;
}

const EFFECTS = ['NoSchedule', 'PreferNoSchedule', 'NoExecute'];

/** kubectl taint. */
export async function taint(session: Session, args: string[]): Promise<void> {
  const { flags } = session;
  const dryRun = await session.dryRun();
  const { resources, specs } = splitArguments(args);
  if (resources.length === 0) throw new CliError('one or more resources must be specified as <resource> <name>');
  if (specs.length === 0) throw new CliError('at least one taint update is required');
  const { added, removed } = parseTaints(session, specs);
  const all = flags.bool('all');
  const selector = flags.text('selector');
  const mapping = (await session.mapper()).resourceFor((resources[0] as string).toLowerCase());
  if (mapping.kind !== 'Node') throw new CliError(`invalid resource type ${resources[0]?.toLowerCase()}, only node types are supported`);
  const conflicts = added.flatMap((one) =>
    removed.filter((other) => other.key === one.key && (other.effect === '' || other.effect === one.effect)).map((other) => `${other.key}=${other.effect}`),
  );
  if (conflicts.length > 0) throw new CliError(`can not both modify and remove the following taint(s) in the same command: ${conflicts.join(', ')}`);
  if (all && selector !== '') throw new CliError("setting 'all' parameter with a non empty selector is prohibited");
  if (!all && selector === '' && resources.length < 2) throw new CliError("at least one resource name must be specified since 'all' parameter is not set");
  const result = await build(session, {
    args: all || selector !== '' ? ['nodes'] : ['nodes', ...resources.slice(1)],
    allowEmptySelector: all,
    labelSelector: selector,
    namespace: session.namespace,
    continueOnError: true,
    flatten: true,
    latest: true,
  });
  await result.visit(async (info) => {
    const before = info.object as Obj;
    const present: Taint[] = (before.spec?.taints ?? []).map((one: Obj) => ({ ...one, key: one.key, value: one.value ?? '', effect: one.effect }));
    if (!flags.bool('overwrite')) {
      const exists = added.filter((one) => present.some((other) => other.key === one.key && other.effect === one.effect)).map((one) => one.key);
      if (exists.length > 0) throw new CliError(`node ${info.name} already has ${exists.join(',')} taint(s) with same effect(s) and --overwrite is false`);
    }
    const { operation, taints } = reorganise(present, added, removed, flags.bool('overwrite'));
    const printer = await makePrinter(session, operation, false);
    const list = taints.map((one) => ({ ...one, ...(one.value === '' ? { value: undefined } : {}) }));
    if (dryRun === 'client') {
      await session.out(printer.print({ ...before, spec: { ...before.spec, taints: list } }));
      return;
    }
    const helper = new Helper(session, info.mapping, { dryRun, fieldManager: flags.text('field-manager'), fieldValidation: session.validation() });
    const object = await helper.patch(info.namespace, info.name, 'merge', { spec: { taints: list.length === 0 ? null : list } });
    await session.out(printer.print(object));
  });
}

function splitArguments(args: readonly string[]): { resources: string[]; specs: string[] } {
  const resources: string[] = [];
  const specs: string[] = [];
  for (const argument of args) {
    if (argument.includes('=') || argument.includes(':') || argument.endsWith('-')) specs.push(argument);
    else if (specs.length === 0) resources.push(argument);
    else throw new CliError(`all resources must be specified before taint changes: ${argument}`);
  }
  return { resources, specs };
}

function parseTaints(session: Session, specs: readonly string[]): { added: Taint[]; removed: Taint[] } {
  const added: Taint[] = [];
  const removed: Taint[] = [];
  try {
    for (const spec of specs) {
      if (spec.endsWith('-')) {
        removed.push({ ...parseTaint(spec.slice(0, -1)), value: '' });
        continue;
      }
      const parsed = parseTaint(spec);
      if (parsed.effect === '') throw new CliError(`invalid taint spec: ${spec}`);
      if (added.some((other) => other.key === parsed.key && other.effect === parsed.effect)) {
        throw new CliError(`duplicated taints with the same key and effect: {${parsed.key} ${parsed.value} ${parsed.effect} <nil>}`);
      }
      added.push(parsed);
    }
  } catch (error) {
    if (error instanceof CliError) throw session.usageError(error.message);
    throw error;
  }
  return { added, removed };
}

function parseTaint(spec: string): Taint {
  const parts = spec.split(':');
  if (parts.length > 2) throw new CliError(`invalid taint spec: ${spec}`);
  const [head = '', effect = ''] = parts;
  if (parts.length === 1) return checkedTaint(spec, { key: head, value: '', effect: '' });
  if (!EFFECTS.includes(effect)) throw new CliError(`invalid taint effect: ${effect}, unsupported taint effect`);
  const pair = head.split('=');
  if (pair.length > 2) throw new CliError(`invalid taint spec: ${spec}`);
  const [key = '', value = ''] = pair;
  const problems = labelValueProblems(value);
  if (problems.length > 0) throw new CliError(`invalid taint spec: ${spec}, ${problems.join('; ')}`);
  return checkedTaint(spec, { key, value, effect });
}

function checkedTaint(spec: string, parsed: Taint): Taint {
  const problems = qualifiedNameProblems(parsed.key);
  if (problems.length > 0) throw new CliError(`invalid taint spec: ${spec}, ${problems.join('; ')}`);
  return parsed;
}

/** reorganizeTaints: new ones first, then the old ones that stay. */
function reorganise(present: readonly Taint[], added: readonly Taint[], removed: readonly Taint[], overwrite: boolean): { operation: string; taints: Taint[] } {
  let taints = [...added, ...present.filter((old) => !added.some((one) => one.key === old.key && one.effect === old.effect))];
  const grew = taints.length !== present.length;
  let shrank = false;
  const missing: unknown[] = [];
  for (const gone of removed) {
    const left = taints.filter((one) => !(one.key === gone.key && (gone.effect === '' || one.effect === gone.effect)));
    shrank = left.length !== taints.length;
    if (!shrank) missing.push(new CliError(`taint ${JSON.stringify(gone.effect ? `${gone.key}:${gone.effect}` : gone.key)} not found`));
    taints = left;
  }
  throwAggregate(missing);
  return { operation: (grew && shrank) || overwrite ? 'modified' : grew ? 'tainted' : 'untainted', taints };
}
