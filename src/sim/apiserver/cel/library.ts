import type { Environment } from '@marcbachmann/cel-js';
import { ipFamily, isCidr } from '../../kinds/meta/names.ts';
import { compareQuantities, quantityMilliValue, tryParseQuantity } from '../../kinds/quantity.ts';

/** The functions Kubernetes adds to CEL (`k8s.io/apiserver/pkg/cel/library`) and those of cel-go's extensions that the engine lacks. */

class Quantity {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}
class Ip {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}
interface UrlParts {
  scheme: string;
  host: string;
  path: string;
}

/** An absolute URL or an absolute path; undefined for anything else. */
function urlParts(text: string): UrlParts | undefined {
  const match = /^(?:([a-zA-Z][a-zA-Z0-9+.-]*):\/\/(?:[^/?#@]*@)?([^/?#]*))?(\/[^?#]*)?(\?[^#]*)?(#.*)?$/.exec(text);
  if (!match || (match[1] === undefined && match[3] === undefined)) return undefined;
  return { scheme: match[1] ?? '', host: match[2] ?? '', path: match[3] ?? '' };
}

class Url {
  readonly parts: UrlParts;
  constructor(text: string) {
    const parts = urlParts(text);
    if (!parts) throw new Error(`URL parse error during conversion from string: parse ${JSON.stringify(text)}: invalid URI for request`);
    this.parts = parts;
  }
}

type Ordered = bigint | number | string;

const extreme = (items: readonly Ordered[], better: (a: Ordered, b: Ordered) => boolean, name: string): Ordered => {
  if (items.length === 0) throw new Error(`${name} called on empty list`);
  return items.reduce((best, item) => (better(item, best) ? item : best));
};

/** `%s`, `%d`, `%f`, `%e`, `%b`, `%x`, `%X`, `%o` of cel-go's string.format. */
function format(pattern: string, values: readonly unknown[]): string {
  let next = 0;
  return pattern.replace(/%(?:\.(\d+))?([sdfebxXo%])/g, (_whole, precision: string | undefined, verb: string) => {
    if (verb === '%') return '%';
    const value = values[next++];
    switch (verb) {
      case 'f':
        return Number(value).toFixed(precision === undefined ? 6 : Number(precision));
      case 'e':
        return Number(value).toExponential(precision === undefined ? 6 : Number(precision));
      case 'b':
        return BigInt(value as bigint).toString(2);
      case 'o':
        return BigInt(value as bigint).toString(8);
      case 'x':
        return BigInt(value as bigint).toString(16);
      case 'X':
        return BigInt(value as bigint)
          .toString(16)
          .toUpperCase();
      default:
        return shown(value);
    }
  });
}

function shown(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(shown).join(', ')}]`;
  if (value === null || value === undefined) return 'null';
  if (value instanceof Quantity) return value.text;
  if (value instanceof Date) return value.toISOString().replace('.000Z', 'Z');
  if (typeof value === 'object')
    return `{${Object.entries(value)
      .map(([key, inner]) => `${key}: ${shown(inner)}`)
      .sort()
      .join(', ')}}`;
  return String(value);
}

export function registerLibrary(env: Environment): void {
  const add = (signature: string, handler: (...values: never[]) => unknown): void =>
    void env.registerFunction(signature, handler as (...values: unknown[]) => unknown);
  // Lists.
  add('list<dyn>.sum(): dyn', (items: (bigint & number)[]) => (items.length === 0 ? 0n : items.reduce((a, b) => (a + b) as bigint & number)));
  add('list<dyn>.min(): dyn', (items: Ordered[]) => extreme(items, (a, b) => a < b, 'min'));
  add('list<dyn>.max(): dyn', (items: Ordered[]) => extreme(items, (a, b) => a > b, 'max'));
  add('list<dyn>.isSorted(): bool', (items: Ordered[]) => items.every((item, i) => i === 0 || (items[i - 1] as Ordered) <= item));
  add('list<dyn>.indexOf(dyn): int', (items: unknown[], item: unknown) => BigInt(items.indexOf(item)));
  add('list<dyn>.lastIndexOf(dyn): int', (items: unknown[], item: unknown) => BigInt(items.lastIndexOf(item)));
  add('list<dyn>.distinct(): list<dyn>', (items: unknown[]) => [...new Set(items)]);
  add('list<dyn>.reverse(): list<dyn>', (items: unknown[]) => items.toReversed());
  add('list<dyn>.slice(int, int): list<dyn>', (items: unknown[], from: bigint, to: bigint) => items.slice(Number(from), Number(to)));
  // Strings and regular expressions.
  add('string.find(string): string', (text: string, pattern: string) => new RegExp(pattern).exec(text)?.[0] ?? '');
  add('string.findAll(string): list<string>', (text: string, pattern: string) => text.match(new RegExp(pattern, 'g')) ?? []);
  add('string.findAll(string, int): list<string>', (text: string, pattern: string, count: bigint) =>
    (text.match(new RegExp(pattern, 'g')) ?? []).slice(0, count < 0n ? undefined : Number(count)),
  );
  add('string.charAt(int): string', (text: string, at: bigint) => [...text][Number(at)] ?? '');
  add('string.replace(string, string): string', (text: string, from: string, to: string) => text.replaceAll(from, () => to));
  add('string.replace(string, string, int): string', (text: string, from: string, to: string, count: bigint) => {
    let left = count < 0n ? Number.POSITIVE_INFINITY : Number(count);
    return text.replaceAll(from, (found) => (left-- > 0 ? to : found));
  });
  add('string.reverse(): string', (text: string) => [...text].reverse().join(''));
  add('string.format(list<dyn>): string', format);
  // Quantities.
  env.registerType('kubernetes.Quantity', Quantity);
  add('isQuantity(string): bool', (text: string) => tryParseQuantity(text) !== undefined);
  add('quantity(string): kubernetes.Quantity', (text: string) => {
    if (!tryParseQuantity(text)) throw new Error("quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'");
    return new Quantity(text);
  });
  const Q = 'kubernetes.Quantity';
  const compare = (a: Quantity, b: Quantity): number => compareQuantities(a.text, b.text);
  add(`${Q}.isGreaterThan(${Q}): bool`, (a: Quantity, b: Quantity) => compare(a, b) > 0);
  add(`${Q}.isLessThan(${Q}): bool`, (a: Quantity, b: Quantity) => compare(a, b) < 0);
  add(`${Q}.compareTo(${Q}): int`, (a: Quantity, b: Quantity) => BigInt(Math.sign(compare(a, b))));
  add(`${Q}.sign(): int`, (a: Quantity) => BigInt(Math.sign(quantityMilliValue(a.text))));
  add(`${Q}.isInteger(): bool`, (a: Quantity) => quantityMilliValue(a.text) % 1000 === 0);
  add(`${Q}.asInteger(): int`, (a: Quantity) => BigInt(Math.trunc(quantityMilliValue(a.text) / 1000)));
  add(`${Q}.asApproximateFloat(): double`, (a: Quantity) => quantityMilliValue(a.text) / 1000);
  // Addresses.
  env.registerType('net.IP', Ip);
  add('isIP(string): bool', (text: string) => ipFamily(text) !== undefined);
  add('ip(string): net.IP', (text: string) => {
    if (ipFamily(text) === undefined) throw new Error(`IP Address ${JSON.stringify(text)} parse error during conversion from string`);
    return new Ip(text);
  });
  add('net.IP.family(): int', (ip: Ip) => (ipFamily(ip.text) === 'IPv6' ? 6n : 4n));
  add('net.IP.isLoopback(): bool', (ip: Ip) => ip.text.startsWith('127.') || ip.text === '::1');
  add('isCIDR(string): bool', (text: string) => isCidr(text).length === 0);
  // URLs.
  env.registerType('kubernetes.URL', Url);
  add('isURL(string): bool', (text: string) => urlParts(text) !== undefined);
  add('url(string): kubernetes.URL', (text: string) => new Url(text));
  add('kubernetes.URL.getScheme(): string', (url: Url) => url.parts.scheme);
  add('kubernetes.URL.getHost(): string', (url: Url) => url.parts.host);
  add('kubernetes.URL.getHostname(): string', (url: Url) => url.parts.host.replace(/:\d*$/, ''));
  add('kubernetes.URL.getPort(): string', (url: Url) => /:(\d*)$/.exec(url.parts.host)?.[1] ?? '');
  add('kubernetes.URL.getEscapedPath(): string', (url: Url) => url.parts.path);
}
