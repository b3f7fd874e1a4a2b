import { goSprint } from '../format/go-json.ts';
import { JsonPath, relaxedJsonPath } from '../format/jsonpath.ts';
import { makePrinter } from '../printers/print-flags.ts';
import { build, fileOptions } from '../resource/builder.ts';
import type { BuilderOptions } from '../resource/documents.ts';
import { Helper, type Info } from '../resource/info.ts';
import { groupResource } from '../rest/discovery.ts';
import type { Session } from '../session.ts';
import { CliError, errorText, isNotFound, StatusError } from '../util/errors.ts';
import { dig, goList, type Obj } from '../util/object.ts';
import { untilWithSync, WaitTimeout } from '../util/until.ts';
import { waitDeleted } from './wait-deleted.ts';

type Condition = (info: Info) => Promise<Obj>;

/** kubectl wait. */
export async function wait(session: Session, args: string[]): Promise<void> {
  const { flags } = session;
  const printer = await makePrinter(session, 'condition met');
  const conditions = flags.list('for');
  let timeoutMs = flags.number('timeout');
  if (timeoutMs < 0) timeoutMs = 168 * 3_600_000;
  const deadline = session.nowMs + timeoutMs;
  // One time limit for all of them, negative when it is over; 0 asks once.
  const left = (): number => (timeoutMs === 0 ? 0 : deadline - session.nowMs || -1);
  const functions = conditions.map((text) => conditionOf(session, text, left));
  if (functions.length === 0) throw new CliError(`unrecognized condition: ${goList(conditions)}`);
  const lower = conditions.map((text) => text.toLowerCase());
  const selection: BuilderOptions = {
    ...fileOptions(session),
    args,
    allowEmptySelector: flags.bool('all'),
    selectAll: flags.bool('all') && !args.some((argument) => argument.includes('/')),
    labelSelector: flags.text('selector'),
    fieldSelector: flags.text('field-selector'),
    allNamespaces: flags.bool('all-namespaces'),
    local: flags.bool('local'),
    latest: true,
    flatten: true,
    continueOnError: true,
  };
  if (lower.includes('create')) await waitForCreation(session, selection, deadline);
  const result = await build(session, selection);
  const forDelete = lower.includes('delete');
  if (forDelete) result.ignoreErrors(isNotFound);
  let visited = 0;
  await result.visit(async (info) => {
    visited++;
    for (const condition of functions) {
      const object = await condition(info);
      await session.out(printer.print({ apiVersion: info.mapping.apiVersion, kind: info.mapping.kind, ...object }));
    }
  });
  if (visited === 0 && !forDelete) throw new CliError('no matching resources found');
}

async function waitForCreation(session: Session, selection: BuilderOptions, deadline: number): Promise<void> {
  for (;;) {
    let found = false;
    try {
      const result = await build(session, selection);
      await result.visit(async () => {
        found = true;
      });
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
    if (found) return;
    if (session.nowMs >= deadline) throw new WaitTimeout();
    await session.process.sleep(Math.min(500, deadline - session.nowMs));
  }
}

function conditionOf(session: Session, text: string, left: () => number): Condition {
  const lower = text.toLowerCase();
  if (lower === 'delete') {
    return async (info) => {
      await waitDeleted(session, info, undefined, left());
      return info.object as Obj;
    };
  }
  if (lower === 'create') {
    return async (info) => {
      if (info.name === '' || !info.object) throw new CliError('resource name must be provided');
      return info.object;
    };
  }
  if (text.startsWith('condition=')) {
    const [name = '', ...rest] = text.slice('condition='.length).split('=');
    const wanted = rest.length > 0 ? rest.join('=') : 'true';
    return (info) => untilObject(session, info, left(), (object) => conditionMet(object, name, wanted));
  }
  if (text.startsWith('jsonpath=')) {
    const { path, value } = jsonPathInput(text.slice('jsonpath='.length));
    return (info) => untilObject(session, info, left(), (object) => jsonPathMet(object, path, value));
  }
  throw new CliError(`unrecognized condition: ${JSON.stringify(text)}`);
}

function conditionMet(object: Obj, name: string, wanted: string): boolean {
  for (const condition of (object.status?.conditions ?? []) as Obj[]) {
    if (typeof condition.type !== 'string' || condition.type.toLowerCase() !== name.toLowerCase() || typeof condition.status !== 'string') continue;
    const generation = dig(object, 'metadata', 'generation');
    const observed = condition.observedGeneration ?? dig(object, 'status', 'observedGeneration');
    if (generation !== undefined && observed !== undefined && observed < generation) return false;
    return condition.status.toLowerCase() === wanted.toLowerCase();
  }
  return false;
}

/** Splits on single equal signs; doubled ones belong to a filter. */
function jsonPathInput(input: string): { path: JsonPath; value: string | undefined } {
  const parts = input
    .replaceAll('==', '\0')
    .split('=')
    .map((part) => part.replaceAll('\0', '=='));
  if (parts.length > 2)
    throw new CliError("jsonpath wait format must be --for=jsonpath='{.status.readyReplicas}'=3 or --for=jsonpath='{.status.readyReplicas}'");
  let expression: string;
  let path: JsonPath;
  try {
    expression = relaxedJsonPath(parts[0] ?? '');
    if (expression === '') throw new Error('jsonpath expression cannot be empty');
    path = new JsonPath(expression, { allowMissingKeys: true });
  } catch (error) {
    throw new CliError(errorText(error));
  }
  if (parts.length === 1) return { path, value: undefined };
  const value = (parts[1] as string).replace(/^['"]+|['"]+$/g, '');
  if (value === '') throw new CliError("jsonpath wait has to have a value after equal sign, like --for=jsonpath='{.status.readyReplicas}'=3");
  return { path, value };
}

function jsonPathMet(object: Obj, path: JsonPath, value: string | undefined): boolean {
  let results: unknown[][];
  try {
    results = path.find(object);
  } catch (error) {
    throw new CliError(errorText(error));
  }
  const [first] = results;
  if (!first || first.length === 0) return false;
  if (results.length > 1) throw new CliError('given jsonpath expression matches more than one list');
  if (first.length > 1) throw new CliError('given jsonpath expression matches more than one value');
  if (value === undefined) return true;
  const [found] = first;
  if (typeof found === 'object' && found !== null) throw new CliError('jsonpath leads to a nested object or list which is not supported');
  return goSprint(found).trim() === value.trim();
}

/** getObjAndCheckCondition. */
async function untilObject(session: Session, info: Info, timeoutMs: number, met: (object: Obj) => boolean): Promise<Obj> {
  if (info.name === '') throw new CliError('resource name must be provided');
  const helper = new Helper(session, info.mapping);
  if (timeoutMs < 0) throw new CliError(`timed out waiting for the condition on ${info.mapping.resource}/${info.name}`);
  if (timeoutMs === 0) {
    const object = await helper.get(info.namespace, info.name);
    if (!met(object)) throw new CliError(`condition not met for ${info.objectName}`);
    return object;
  }
  try {
    const object = await untilWithSync(session, helper, info.namespace, info.name, {
      timeoutMs,
      precondition: (present) => {
        if (present) return false;
        const resource = groupResource(info.mapping.resource, info.mapping.group);
        throw new StatusError({
          kind: 'Status',
          code: 404,
          reason: 'NotFound',
          message: `${resource} "${info.name}" not found`,
          details: { name: info.name, group: info.mapping.group, kind: info.mapping.resource },
        });
      },
      done: ({ type, object: seen }) => type !== 'DELETED' && met(seen),
    });
    return object as Obj;
  } catch (error) {
    if (error instanceof WaitTimeout) throw new CliError(`timed out waiting for the condition on ${info.mapping.resource}/${info.name}`);
    throw error;
  }
}
