import type { ApiObject } from '../../sim/client/types.ts';
import type { WriteRecord } from '../../sim/cluster.ts';
import type { WriteHistory } from './history.ts';
import { obstacle } from './obstacles.ts';
import type { Obstacle } from './types.ts';

type Named = Pick<WriteRecord, 'resource' | 'namespace' | 'name'>;

/** ".spec.template.spec.containers[0].image" → its steps; a leading "{" and "." may be left out. */
export function fieldPath(text: string): string[] {
  const path = text.replace(/^\{?\.?/, '').replace(/\}$/, '');
  return [...path.matchAll(/\[['"]?([^\]'"]+)['"]?\]|((?:\\.|[^.[\]])+)/g)].map((match) => (match[1] ?? match[2] ?? '').replace(/\\(.)/g, '$1'));
}

function valueAt(object: unknown, path: readonly string[]): unknown {
  let value = object;
  for (const step of path) {
    if (typeof value !== 'object' || value === null) return undefined;
    value = (value as Record<string, unknown>)[step];
  }
  return value;
}

const said = (value: unknown): string => (value === undefined ? '<none>' : typeof value === 'string' ? value : JSON.stringify(value));

/** The last write that changed a field of an object, from which the chain of causes begins. */
export function lastChangeOf(history: WriteHistory, ref: Named, path: readonly string[]): WriteRecord | undefined {
  return history.last(
    ref,
    Number.POSITIVE_INFINITY,
    (write) => write.type !== 'DELETED' && said(valueAt(write.old, path)) !== said(valueAt(write.object, path)),
  );
}

/** What a field is, what it was before, and who owns it (metadata.managedFields); nobody owns what was filled in by default. */
export function fieldObstacles(object: ApiObject, write: WriteRecord | undefined, path: readonly string[]): Obstacle[] {
  const value = valueAt(object, path);
  const field = path.join('.');
  if (value === undefined) return [obstacle('field/unset', { field }, `.${field}: <none>`)];
  const managers = ownersOf(object, path);
  const detail = { field, managers: managers.join('、') };
  const before = write?.type === 'MODIFIED' ? `${said(valueAt(write.old, path))} → ` : '';
  const rule = managers.length > 0 ? 'field/owned' : path[0] === 'metadata' || path[0] === 'status' ? 'field/server' : 'field/default';
  return [obstacle(rule, detail, `.${field}: ${before}${said(value)}`)];
}

/** Who wrote the field (or something in it), by the entries of managedFields. */
function ownersOf(object: ApiObject, path: readonly string[]): string[] {
  const managers = new Set<string>();
  for (const entry of object.metadata?.managedFields ?? []) {
    let at: unknown = entry.fieldsV1;
    let value: unknown = object;
    for (const step of path) {
      if (typeof at !== 'object' || at === null) break;
      const fields = at as Record<string, unknown>;
      value = Array.isArray(value) ? value[Number(step)] : valueAt(value, [step]);
      const item = Object.keys(fields).find((key) => key.startsWith('k:') && holds(value, key.slice(2)));
      // A list that is replaced whole is owned as one.
      at = fields[`f:${step}`] ?? (item === undefined ? (Object.keys(fields).length === 0 ? fields : undefined) : fields[item]);
    }
    if (at !== undefined && entry.manager) managers.add(entry.manager);
  }
  return [...managers];
}

/** Whether a list's item is the one that `k:{"name":"nginx"}` means. */
function holds(item: unknown, keys: string): boolean {
  if (typeof item !== 'object' || item === null) return false;
  return Object.entries(JSON.parse(keys) as Record<string, unknown>).every(([key, value]) => (item as Record<string, unknown>)[key] === value);
}
