import { evaluateJsonPath } from '../kubectl/jsonpath.ts';
import { type ResourceInfo, ResourceRegistry } from '../sim/apiserver/resources.ts';
import type { ApiObject, Client } from '../sim/client/types.ts';
import type { LabCheck } from './schema.ts';

/** What a check found: it holds, or what was expected and what is. */
export type CheckResult = { holds: true } | { holds: false; object: string; expected: string; actual: string };

let names: Map<string, ResourceInfo> | undefined;

/** Every name by which kubectl knows a resource: plural, singular, short. */
function resourceNames(): Map<string, ResourceInfo> {
  if (names) return names;
  names = new Map();
  for (const info of new ResourceRegistry().all()) {
    for (const name of [info.resource, info.singular, ...info.shortNames]) if (!names.has(name)) names.set(name, info);
  }
  return names;
}

/** The resource that a type name in a lab means. Throws with the author's fix. */
export function resourceByName(type: string): ResourceInfo {
  const found = resourceNames().get(type);
  if (!found) throw new Error(`unknown resource type "${type}" (use a name that kubectl knows, such as "sts" or "pods")`);
  return found;
}

/** Evaluates a check on the cluster's present state. */
export function evaluateCheck(check: LabCheck, client: Client): CheckResult {
  const [type = '', name] = check.object.split('/');
  const resource = resourceByName(type);
  const namespace = resource.namespaced ? (check.namespace ?? 'default') : '';
  const fail = (expected: string, actual: string): CheckResult => ({ holds: false, object: check.object, expected, actual });

  if (name === undefined) {
    const wanted = parseLabels(check.labels);
    const objects = client
      .resource(resource.id)
      .list(resource.namespaced ? namespace : undefined)
      .filter((object) => wanted.every(([key, value]) => object.metadata?.labels?.[key] === value));
    if (check.absent && objects.length > 0) return fail('absent', `${objects.length}`);
    if (check.path !== undefined)
      return valueCheck(
        check,
        objects.map((object) => evaluateJsonPath(check.path ?? '', object)).filter((value) => value !== ''),
        fail,
      );
    if (check.count !== undefined && objects.length !== check.count) return fail(`${check.count} ${resource.resource}`, `${objects.length}`);
    if (check.count === undefined && !check.absent && objects.length === 0) return fail('present', 'absent');
    return { holds: true };
  }

  const object: ApiObject | undefined = client.resource(resource.id).get(namespace, name);
  if (check.absent) return object ? fail('absent', 'present') : { holds: true };
  if (!object) return fail(check.path ? describe(check) : 'present', 'absent');
  if (check.youngerThan !== undefined) {
    const [otherType = '', otherName = ''] = check.youngerThan.split('/');
    const other = client.resource(resourceByName(otherType).id).get(namespace, otherName);
    // RFC 3339 in whole seconds, UTC: text compares as time does.
    const younger = other !== undefined && (object.metadata?.creationTimestamp ?? '') > (other.metadata?.creationTimestamp ?? '');
    if (!younger) return fail(`created after ${check.youngerThan}`, 'created before it');
  }
  if (check.path === undefined) return { holds: true };
  const value = evaluateJsonPath(check.path, object);
  return valueCheck(check, value === '' ? [] : value.split(' '), fail, value);
}

function valueCheck(
  check: LabCheck,
  values: readonly string[],
  fail: (expected: string, actual: string) => CheckResult,
  whole = values.join(' '),
): CheckResult {
  if (check.count !== undefined && values.length !== check.count) return fail(`${check.path}: ${check.count} values`, `${values.length}`);
  if (check.equals !== undefined && whole !== check.equals) return fail(describe(check), whole);
  if (check.matches !== undefined && !new RegExp(check.matches).test(whole)) return fail(describe(check), whole);
  if (check.count === undefined && check.equals === undefined && check.matches === undefined && whole === '') return fail(`${check.path}`, '');
  return { holds: true };
}

function describe(check: LabCheck): string {
  return check.equals !== undefined ? `${check.path} = ${check.equals}` : `${check.path} ~ ${check.matches ?? 'set'}`;
}

function parseLabels(text: string | undefined): [string, string][] {
  return (text ?? '')
    .split(',')
    .filter(Boolean)
    .map((pair) => {
      const at = pair.indexOf('=');
      return [pair.slice(0, at), pair.slice(at + 1)];
    });
}
