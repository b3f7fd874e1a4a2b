import { cloneJson, setKey } from '../decode.ts';
import { equalJson } from '../json-equal.ts';

/** An operation that does not fit the object. */
export class JsonPatchError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'JsonPatchError';
  }
}

export interface JsonPatchOperation {
  op?: unknown;
  path?: unknown;
  from?: unknown;
  value?: unknown;
}

type Json = Record<string, unknown>;

/** Copies made by "copy" may not let the object grow beyond this (evanphx/json-patch's limit as the server sets it). */
const MAX_COPIED_BYTES = 3 * 1024 * 1024;

function parsePointer(path: unknown): string[] {
  if (typeof path !== 'string') throw new JsonPatchError('missing path');
  if (path === '') return [];
  if (!path.startsWith('/')) throw new JsonPatchError(`invalid path: ${path}`);
  return path
    .slice(1)
    .split('/')
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'));
}

function index(list: readonly unknown[], key: string, limit: number): number {
  if (!/^-?\d+$/.test(key)) throw new JsonPatchError(`value was not a proper array index: '${key}'`);
  let at = Number(key);
  if (at < 0) at += list.length;
  if (at < 0 || at >= limit) throw new JsonPatchError(`Unable to access invalid index: ${key}`);
  return at;
}

/** RFC 6902 on a private copy. */
class Document {
  root: unknown;
  #copied = 0;

  constructor(target: unknown) {
    this.root = cloneJson(target);
  }

  #container(path: readonly string[]): unknown {
    let at = this.root;
    for (const key of path.slice(0, -1)) at = this.#child(at, key);
    return at;
  }

  #child(holder: unknown, key: string): unknown {
    if (Array.isArray(holder)) return holder[index(holder, key, holder.length)];
    if (typeof holder === 'object' && holder !== null && Object.hasOwn(holder, key)) return (holder as Json)[key];
    throw new JsonPatchError(`missing value: ${key}`);
  }

  get(path: readonly string[]): unknown {
    let at = this.root;
    for (const key of path) at = this.#child(at, key);
    return at;
  }

  add(path: readonly string[], value: unknown): void {
    const key = path[path.length - 1];
    if (key === undefined) {
      this.root = value;
      return;
    }
    const holder = this.#container(path);
    if (Array.isArray(holder)) holder.splice(key === '-' ? holder.length : index(holder, key, holder.length + 1), 0, value);
    else if (typeof holder === 'object' && holder !== null) setKey(holder as Json, key, value);
    else throw new JsonPatchError(`add operation does not apply: doc is missing path: ${path.join('/')}`);
  }

  remove(path: readonly string[]): unknown {
    const key = path[path.length - 1];
    if (key === undefined) throw new JsonPatchError('cannot remove the whole document');
    const holder = this.#container(path);
    const value = this.#child(holder, key);
    if (Array.isArray(holder)) holder.splice(index(holder, key, holder.length), 1);
    else delete (holder as Json)[key];
    return value;
  }

  replace(path: readonly string[], value: unknown): void {
    const key = path[path.length - 1];
    if (key === undefined) {
      this.root = value;
      return;
    }
    const holder = this.#container(path);
    this.#child(holder, key);
    if (Array.isArray(holder)) holder[index(holder, key, holder.length)] = value;
    else setKey(holder as Json, key, value);
  }

  copy(from: readonly string[], path: readonly string[]): void {
    const value = this.get(from);
    this.#copied += JSON.stringify(value)?.length ?? 0;
    if (this.#copied > MAX_COPIED_BYTES)
      throw new JsonPatchError(
        `Unable to complete the copy, the accumulated size increase of copy is ${this.#copied}, exceeding the limit ${MAX_COPIED_BYTES}`,
      );
    this.add(path, cloneJson(value));
  }
}

/** Applies RFC 6902 operations to a copy of `target`. Throws `JsonPatchError`. */
export function applyJsonPatch(target: unknown, operations: readonly JsonPatchOperation[]): unknown {
  const document = new Document(target);
  for (const operation of operations) {
    const path = parsePointer(operation.path);
    switch (operation.op) {
      case 'add':
        document.add(path, cloneJson(operation.value));
        break;
      case 'remove':
        document.remove(path);
        break;
      case 'replace':
        document.replace(path, cloneJson(operation.value));
        break;
      case 'move': {
        const from = parsePointer(operation.from);
        document.add(path, document.remove(from));
        break;
      }
      case 'copy':
        document.copy(parsePointer(operation.from), path);
        break;
      case 'test':
        if (!equalJson(testValue(document, path), operation.value)) throw new JsonPatchError(`testing value ${operation.path} failed: test failed`);
        break;
      default:
        throw new JsonPatchError(`Unexpected kind: ${String(operation.op)}`);
    }
  }
  return document.root;
}

/** A missing value equals null, as in evanphx/json-patch. */
function testValue(document: Document, path: readonly string[]): unknown {
  try {
    return document.get(path);
  } catch {
    return null;
  }
}
