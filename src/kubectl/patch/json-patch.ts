import { CliError } from '../util/errors.ts';
import { deepEqual, isObject, type Json, type Obj } from '../util/object.ts';

/** RFC 6902 with the words of evanphx/json-patch. */
export function applyJsonPatch(document: Obj, operations: readonly Obj[]): Obj {
  if (!Array.isArray(operations)) throw new CliError('json: cannot unmarshal object into Go value of type jsonpatch.Patch');
  let result: Json = structuredClone(document);
  for (const operation of operations) result = applyOne(result, operation);
  return result;
}

function keys(pointer: string): string[] {
  return pointer
    .split('/')
    .slice(1)
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'));
}

function parentOf(document: Json, path: string, operation: string): { parent: Json; key: string } {
  const parts = keys(path);
  const key = parts.pop() ?? '';
  let parent = document;
  for (const part of parts) {
    parent = Array.isArray(parent) ? parent[Number(part)] : isObject(parent) ? parent[part] : undefined;
    if (parent === undefined || parent === null) throw new CliError(`${operation} operation does not apply: doc is missing path: "${path}": missing value`);
  }
  return { parent, key };
}

function get(parent: Json, key: string): Json {
  return Array.isArray(parent) ? parent[Number(key)] : parent?.[key];
}

function applyOne(document: Json, operation: Obj): Json {
  const { op, path = '', value } = operation;
  if (!['add', 'remove', 'replace', 'move', 'copy', 'test'].includes(op)) throw new CliError(`Unexpected kind: ${op}`);
  if (path === '' && (op === 'add' || op === 'replace')) return value;
  const { parent, key } = parentOf(document, path, op);
  const has = Array.isArray(parent) ? /^\d+$/.test(key) && Number(key) < parent.length : Object.hasOwn(parent, key);
  switch (op) {
    case 'add':
      if (Array.isArray(parent)) {
        const index = key === '-' ? parent.length : Number(key);
        if (!(index >= 0 && index <= parent.length))
          throw new CliError(`error in add for path: '${path}': Unable to access invalid index: ${key}: invalid index referenced`);
        parent.splice(index, 0, value);
      } else parent[key] = value;
      return document;
    case 'remove':
      if (!has) throw new CliError(`error in remove for path: '${path}': Unable to remove nonexistent key: ${key}: missing value`);
      if (Array.isArray(parent)) parent.splice(Number(key), 1);
      else delete parent[key];
      return document;
    case 'replace':
      if (!has) throw new CliError(`replace operation does not apply: doc is missing key: ${path}: missing value`);
      parent[Array.isArray(parent) ? Number(key) : key] = value;
      return document;
    case 'test':
      if (!deepEqual(get(parent, key) ?? null, value ?? null)) throw new CliError(`testing value ${path} failed: test failed`);
      return document;
    default: {
      const source = parentOf(document, operation.from ?? '', op);
      const moved = structuredClone(get(source.parent, source.key));
      const next = op === 'move' ? applyOne(document, { op: 'remove', path: operation.from }) : document;
      return applyOne(next, { op: 'add', path, value: moved });
    }
  }
}
