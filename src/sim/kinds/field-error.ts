import type { FieldError } from './strategy.ts';

/**
 * Building and printing field errors (`k8s.io/apimachinery/pkg/util/validation/field`). Paths are plain strings.
 */

const GO_ESCAPES: Readonly<Record<string, string>> = {
  '\x07': '\\a',
  '\b': '\\b',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\v': '\\v',
  '"': '\\"',
  '\\': '\\\\',
};

/** A string as Go's %q prints it. */
export function quote(text: string): string {
  return `"${text.replace(/["\\\x00-\x1f\x7f]/g, (c) => GO_ESCAPES[c] ?? `\\x${c.charCodeAt(0).toString(16).padStart(2, '0')}`)}"`;
}

/** JSON as Go's encoding/json prints it: maps sorted by key when `sortKeys`, `<`, `>` and `&` escaped. */
export function goJson(value: unknown): string {
  return JSON.stringify(value ?? null).replace(/[<>&\u2028\u2029]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** A value as `field.Error` prints it: strings quoted, numbers and booleans plain, everything else as JSON. */
export function printValue(value: unknown): string {
  return typeof value === 'string' ? quote(value) : goJson(value);
}

/** A map with its keys in Go's JSON order. */
export function sortedMap<V>(map: Readonly<Record<string, V>> | undefined | null): Record<string, V> | null {
  if (!map) return null;
  return Object.fromEntries(Object.entries(map).sort(([a], [b]) => (a < b ? -1 : 1)));
}

export const required = (field: string, detail = ''): FieldError => ({ type: 'Required value', field, detail });
export const invalid = (field: string, value: unknown, detail: string): FieldError => ({ type: 'Invalid value', field, value: printValue(value), detail });
export const duplicate = (field: string, value: unknown): FieldError => ({ type: 'Duplicate value', field, value: printValue(value), detail: '' });
export const forbidden = (field: string, detail: string): FieldError => ({ type: 'Forbidden', field, detail });
export const notFound = (field: string, value: unknown): FieldError => ({ type: 'Not found', field, value: printValue(value), detail: '' });
export const tooLong = (field: string, max: number, unit = 'bytes'): FieldError => ({ type: 'Too long', field, detail: `may not be more than ${max} ${unit}` });
export const tooMany = (field: string, count: number, max: number): FieldError => ({
  type: 'Too many',
  field,
  value: String(count),
  detail: `must have at most ${max} item${max === 1 ? '' : 's'}`,
});
export const notSupported = (field: string, value: unknown, supported: readonly string[]): FieldError => ({
  type: 'Unsupported value',
  field,
  value: printValue(value),
  detail: supported.length > 0 ? `supported values: ${supported.map(quote).join(', ')}` : '',
});

/** The body of an error: `Invalid value: "x": must be …`. */
export function fieldErrorBody(error: FieldError): string {
  return error.type + (error.value === undefined ? '' : `: ${error.value}`) + (error.detail === '' ? '' : `: ${error.detail}`);
}

/** `spec.x: Invalid value: "x": must be …`. */
export function fieldErrorText(error: FieldError): string {
  return `${error.field}: ${fieldErrorBody(error)}`;
}
