/** Any JSON object from the API. kubectl treats objects as unstructured, as upstream's `unstructured.Unstructured` does. */
// biome-ignore lint/suspicious/noExplicitAny: the one place where the shape of API objects is left open
export type Obj = Record<string, any>;

/** Any JSON value. */
// biome-ignore lint/suspicious/noExplicitAny: see Obj
export type Json = any;

export function isObject(value: unknown): value is Obj {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Group and version of an apiVersion: "apps/v1" → ["apps", "v1"], "v1" → ["", "v1"]. */
export function splitApiVersion(apiVersion: string | undefined): [group: string, version: string] {
  const text = apiVersion ?? '';
  const slash = text.indexOf('/');
  return slash < 0 ? ['', text] : [text.slice(0, slash), text.slice(slash + 1)];
}

export function joinApiVersion(group: string, version: string): string {
  return group === '' ? version : `${group}/${version}`;
}

/** The value at a path of keys, or undefined as soon as something on the way is missing. */
export function dig(object: Json, ...path: (string | number)[]): Json {
  let current = object;
  for (const key of path) {
    if (current === null || typeof current !== 'object') return undefined;
    current = current[key];
  }
  return current;
}

/** meta.IsListType for unstructured objects: an `items` array makes a list. */
export function isList(object: Obj): boolean {
  return Array.isArray(object.items);
}

export function deepEqual(a: Json, b: Json): boolean {
  if (a === b) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  if (Array.isArray(a) !== Array.isArray(b)) return false;
  if (Array.isArray(a)) return a.length === b.length && a.every((item, index) => deepEqual(item, b[index]));
  const keys = Object.keys(a);
  return keys.length === Object.keys(b).length && keys.every((key) => Object.hasOwn(b, key) && deepEqual(a[key], b[key]));
}

/** Compares strings by code point as Go compares bytes of UTF-8 (surrogate pairs sort after the rest of the BMP). */
export function compareStrings(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    let x = a.charCodeAt(i);
    let y = b.charCodeAt(i);
    if (x !== y) {
      if (x >= 0xd800 && y >= 0xd800) {
        if (x >= 0xe000) x -= 0x800;
        else x += 0x2000;
        if (y >= 0xe000) y -= 0x800;
        else y += 0x2000;
      }
      return x - y;
    }
  }
  return a.length - b.length;
}

/** Go's %q for a string. */
export function quote(text: string): string {
  let out = '"';
  for (const char of text) {
    const code = char.codePointAt(0) ?? 0;
    if (char === '"') out += '\\"';
    else if (char === '\\') out += '\\\\';
    else if (char === '\n') out += '\\n';
    else if (char === '\t') out += '\\t';
    else if (char === '\r') out += '\\r';
    else if (char === '\v') out += '\\v';
    else if (char === '\f') out += '\\f';
    else if (char === '\b') out += '\\b';
    else if (code === 7) out += '\\a';
    else if (code < 0x20 || code === 0x7f) out += `\\x${code.toString(16).padStart(2, '0')}`;
    else if (code === 0xfeff || (code >= 0xe000 && code <= 0xf8ff) || (code >= 0x80 && code < 0xa0)) out += `\\u${code.toString(16).padStart(4, '0')}`;
    else out += char;
  }
  return `${out}"`;
}

/** Go's %v of []string. */
export function goList(items: readonly string[]): string {
  return `[${items.join(' ')}]`;
}
