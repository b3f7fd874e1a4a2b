import { compareStrings, type Json } from '../util/object.ts';
import { goFloat } from './go-json.ts';

/** No such key: printed as `<no value>`. */
export const MISSING = Symbol('missing');
export type Value = Json | typeof MISSING;

function typeName(value: Value): string {
  if (typeof value === 'string') return 'string';
  if (typeof value === 'number') return 'float64';
  if (typeof value === 'boolean') return 'bool';
  return Array.isArray(value) ? '[]interface {}' : 'interface {}';
}

export function truth(value: Value): boolean {
  if (value === MISSING || value === null || value === undefined || value === false || value === 0 || value === '') return false;
  if (Array.isArray(value)) return value.length > 0;
  return typeof value !== 'object' || Object.keys(value).length > 0;
}

export function show(value: Value): string {
  if (value === MISSING) return '<no value>';
  if (value === null || value === undefined) return '<nil>';
  if (typeof value === 'number') return goFloat(value);
  if (typeof value !== 'object') return String(value);
  if (Array.isArray(value)) return `[${value.map(show).join(' ')}]`;
  return `map[${Object.keys(value)
    .sort(compareStrings)
    .map((key) => `${key}:${show(value[key])}`)
    .join(' ')}]`;
}

export const printValue = (value: Value): string => (value === null || value === undefined ? '<no value>' : show(value));

/** fmt.Sprint: spaces between operands when neither is a string. */
function sprint(values: Value[]): string {
  return values
    .map((value, index) => (index > 0 && typeof value !== 'string' && typeof values[index - 1] !== 'string' ? ` ${show(value)}` : show(value)))
    .join('');
}

function sprintf(format: string, values: Value[]): string {
  let next = 0;
  const out = format.replace(
    /%([-+# 0]*)(\d+)?(?:\.(\d+))?([a-zA-Z%])/g,
    (_whole, flags: string, width: string | undefined, precision: string | undefined, verb: string) => {
      if (verb === '%') return '%';
      if (next >= values.length) return `%!${verb}(MISSING)`;
      const value = values[next++];
      let text: string;
      if (verb === 'v') text = show(value);
      else if (verb === 's')
        text = typeof value === 'string' ? value : typeof value === 'object' && value !== null ? show(value) : `%!s(${typeName(value)}=${show(value)})`;
      else if (verb === 'q') text = typeof value === 'string' ? JSON.stringify(value) : show(value);
      else if (verb === 'd') text = typeof value === 'number' ? `%!d(float64=${goFloat(value)})` : `%!d(${typeName(value)}=${show(value)})`;
      else if (verb === 'f')
        text = typeof value === 'number' ? value.toFixed(precision === undefined ? 6 : Number(precision)) : `%!f(${typeName(value)}=${show(value)})`;
      else if (verb === 'g') text = typeof value === 'number' ? goFloat(value) : show(value);
      else if (verb === 't') text = typeof value === 'boolean' ? String(value) : `%!t(${typeName(value)}=${show(value)})`;
      else if (verb === 'T') text = typeName(value);
      else text = `%!${verb}(${typeName(value)}=${show(value)})`;
      if (verb === 's' && precision !== undefined) text = text.slice(0, Number(precision));
      if (width !== undefined)
        text = flags.includes('-') ? text.padEnd(Number(width)) : text.padStart(Number(width), flags.includes('0') && verb !== 's' ? '0' : ' ');
      return text;
    },
  );
  const extra = values.slice(next);
  return extra.length === 0 ? out : `${out}%!(EXTRA ${extra.map((value) => `${typeName(value)}=${show(value)}`).join(', ')})`;
}

function basic(value: Value): string {
  if (value === null || value === MISSING || value === undefined) return 'nil';
  const type = typeof value;
  if (type === 'object') throw new Error('non-comparable type in comparison');
  return type;
}

function compareValues(a: Value, b: Value): number {
  if (basic(a) !== basic(b)) throw new Error('incompatible types for comparison');
  if (a === b) return 0;
  return (a as string) < (b as string) ? -1 : 1;
}

function indexValue(item: Value, key: Value): Value {
  if (item === null || item === MISSING || item === undefined) throw new Error('index of untyped nil');
  if (Array.isArray(item)) {
    if (typeof key !== 'number') throw new Error(`cannot index slice/array with type ${typeName(key)}`);
    if (key < 0 || key >= item.length) throw new Error(`index out of range: ${key}`);
    return item[key];
  }
  if (typeof item === 'string') {
    if (typeof key !== 'number') throw new Error(`cannot index slice/array with type ${typeName(key)}`);
    if (key < 0 || key >= item.length) throw new Error(`index out of range: ${key}`);
    return item.charCodeAt(key);
  }
  if (typeof item === 'object') {
    if (typeof key !== 'string') throw new Error(`value has type ${typeName(key)}; should be string`);
    return Object.hasOwn(item, key) ? item[key] : MISSING;
  }
  throw new Error(`can't index item of type ${typeName(item)}`);
}

export function callFunction(name: string, values: Value[]): Value {
  const need = (count: number): void => {
    if (values.length !== count) throw new Error(`wrong number of args for ${name}: want ${count} got ${values.length}`);
  };
  const [first, second] = values;
  switch (name) {
    case 'not':
      need(1);
      return !truth(first);
    case 'len':
      need(1);
      if (typeof first === 'string') return new TextEncoder().encode(first).length;
      if (Array.isArray(first)) return first.length;
      if (first !== null && typeof first === 'object') return Object.keys(first).length;
      throw new Error(first === null || first === MISSING ? 'reflect: call of reflect.Value.Type on zero Value' : `len of type ${typeName(first)}`);
    case 'index':
      if (values.length === 0) throw new Error('wrong number of args for index: want at least 1 got 0');
      return values.slice(1).reduce((item: Value, key) => indexValue(item, key), first);
    case 'slice': {
      if (typeof first !== 'string' && !Array.isArray(first)) throw new Error(`can't slice item of type ${typeName(first)}`);
      const beyond = values.slice(1).find((index) => typeof index === 'number' && (index < 0 || index > first.length));
      if (beyond !== undefined) throw new Error(`index out of range: ${String(beyond)}`);
      return first.slice(Number(second ?? 0), values[2] === undefined ? undefined : Number(values[2]));
    }
    case 'print':
      return sprint(values);
    case 'println':
      return `${values.map(show).join(' ')}\n`;
    case 'printf':
      return sprintf(String(first), values.slice(1));
    case 'html':
      return sprint(values).replace(/[&<>"']/g, (char) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&#34;', "'": '&#39;' })[char] as string);
    case 'js':
      return sprint(values).replace(/['"\\<>&=]/g, (char) =>
        char === "'" || char === '"' || char === '\\' ? `\\${char}` : `\\u00${char.charCodeAt(0).toString(16).toUpperCase()}`,
      );
    case 'urlquery':
      return encodeURIComponent(sprint(values)).replaceAll('%20', '+');
    case 'eq':
      if (values.length === 0) throw new Error('wrong number of args for eq: want at least 1 got 0');
      if (values.length < 2) throw new Error('missing argument for comparison');
      return values
        .slice(1)
        .some((value) => (basic(first) === 'nil' || basic(value) === 'nil' ? basic(first) === basic(value) : compareValues(first, value) === 0));
    case 'ne':
      need(2);
      return basic(first) === 'nil' || basic(second) === 'nil' ? basic(first) !== basic(second) : compareValues(first, second) !== 0;
    case 'lt':
      return compareValues(first, second) < 0;
    case 'le':
      return compareValues(first, second) <= 0;
    case 'gt':
      return compareValues(first, second) > 0;
    case 'ge':
      return compareValues(first, second) >= 0;
    case 'exists': {
      let item: Value = first;
      for (const key of values.slice(1)) {
        if (item === null || item === MISSING || item === undefined) return false;
        if (Array.isArray(item) || typeof item === 'string') {
          if (typeof key !== 'number' || key < 0 || key >= item.length) return false;
          item = item[key];
        } else if (typeof item === 'object' && typeof key === 'string') item = Object.hasOwn(item, key) ? item[key] : null;
        else return false;
      }
      return item !== null && item !== MISSING && item !== undefined;
    }
    case 'base64decode': {
      need(1);
      try {
        return new TextDecoder().decode(Uint8Array.from(atob(String(first)), (char) => char.charCodeAt(0)));
      } catch {
        throw new Error('base64 decode failed: illegal base64 data at input byte 0');
      }
    }
    default:
      throw new Error(`function ${JSON.stringify(name)} not defined`);
  }
}
