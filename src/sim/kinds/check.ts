import { semanticEqual } from './equal.ts';
import { duplicate, forbidden, invalid, notFound, notSupported, required, tooLong, tooMany } from './field-error.ts';
import { NEGATIVE } from './meta/index.ts';
import { byteLength, isDns1123Label, isDns1123Subdomain, isPortName, isPortNumber, type NameValidator } from './meta/names.ts';
import type { FieldError } from './strategy.ts';

/** Collects field errors; one short method per common rule, so that validators read like the rules. */
export class Check {
  readonly errors: FieldError[] = [];

  add(errors: readonly FieldError[]): this {
    this.errors.push(...errors);
    return this;
  }

  required(field: string, detail = ''): void {
    this.errors.push(required(field, detail));
  }

  invalid(field: string, value: unknown, detail: string): void {
    this.errors.push(invalid(field, value, detail));
  }

  forbidden(field: string, detail: string): void {
    this.errors.push(forbidden(field, detail));
  }

  duplicate(field: string, value: unknown): void {
    this.errors.push(duplicate(field, value));
  }

  notFound(field: string, value: unknown): void {
    this.errors.push(notFound(field, value));
  }

  notSupported(field: string, value: unknown, supported: readonly string[]): void {
    this.errors.push(notSupported(field, value, supported));
  }

  /** Every complaint of a naming rule. */
  rule(field: string, value: string, rule: NameValidator): void {
    for (const message of rule(value)) this.invalid(field, value, message);
  }

  label(field: string, value: string): void {
    this.rule(field, value, isDns1123Label);
  }

  subdomain(field: string, value: string): void {
    this.rule(field, value, isDns1123Subdomain);
  }

  /** Required and empty are the same to Go; true when there is a value. */
  given<T>(field: string, value: T | undefined | null, detail = ''): value is T {
    if (value !== undefined && value !== null && value !== '') return true;
    this.required(field, detail);
    return false;
  }

  /** One of a set of words. An empty value is "required" unless `optional` says it may be left out. */
  oneOf(field: string, value: string | undefined | null, supported: readonly string[], optional = false): void {
    if (value === undefined || value === null || value === '') {
      if (!optional) this.required(field);
    } else if (!supported.includes(value)) this.notSupported(field, value, supported);
  }

  nonNegative(field: string, value: number | undefined | null): void {
    if ((value ?? 0) < 0) this.invalid(field, value, NEGATIVE);
  }

  positive(field: string, value: number | undefined): void {
    if ((value ?? 0) <= 0) this.invalid(field, value ?? 0, 'must be greater than zero');
  }

  range(field: string, value: number | undefined, low: number, high: number): void {
    if (value !== undefined && (value < low || value > high)) this.invalid(field, value, `must be between ${low} and ${high}, inclusive`);
  }

  port(field: string, value: number): void {
    for (const message of isPortNumber(value)) this.invalid(field, value, message);
  }

  portOrName(field: string, value: number | string | undefined): void {
    if (typeof value === 'string') this.rule(field, value, isPortName);
    else this.port(field, value ?? 0);
  }

  fileMode(field: string, value: number | undefined): void {
    if (value !== undefined && (value < 0 || value > 0o777)) this.invalid(field, value, 'must be a number between 0 and 0777 (octal), both inclusive');
  }

  maxBytes(field: string, value: string, max: number): void {
    if (byteLength(value) > max) this.errors.push(tooLong(field, max));
  }

  maxItems(field: string, count: number, max: number): void {
    if (count > max) this.errors.push(tooMany(field, count, max));
  }

  /** `print` gives the value as the server would print it. */
  immutable<T>(field: string, value: T, old: T, print: (value: T) => unknown = (v) => v ?? null, detail = 'field is immutable'): void {
    if (!semanticEqual(value, old)) this.invalid(field, print(value), detail);
  }
}

/** Maps in a fixed order: Go's is random, ours must not be. */
export const sortedEntries = <V>(map: Readonly<Record<string, V>> | undefined | null): [string, V][] =>
  Object.entries(map ?? {}).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
