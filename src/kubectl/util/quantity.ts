import { CliError } from './errors.ts';

/** A quantity as an exact number of nano-units. */
export type Quantity = bigint;

const BINARY: Record<string, bigint> = { Ki: 2n ** 10n, Mi: 2n ** 20n, Gi: 2n ** 30n, Ti: 2n ** 40n, Pi: 2n ** 50n, Ei: 2n ** 60n };
const DECIMAL: Record<string, number> = { n: -9, u: -6, m: -3, '': 0, k: 3, M: 6, G: 9, T: 12, P: 15, E: 18 };

/** resource.ParseQuantity; undefined when the text is no quantity. */
export function parseQuantity(text: string): Quantity | undefined {
  const match = /^([+-]?)(\d+)?(?:\.(\d*))?(Ki|Mi|Gi|Ti|Pi|Ei|[numkMGTPE]|[eE][+-]?\d+)?$/.exec(text);
  if (!match || (match[2] === undefined && !match[3])) return undefined;
  const fraction = (match[3] ?? '').slice(0, 30);
  const digits = BigInt((match[2] ?? '0') + fraction);
  const suffix = match[4] ?? '';
  const binary = BINARY[suffix];
  const exponent = /^[eE][+-]?\d+$/.test(suffix) ? Number(suffix.slice(1)) : (DECIMAL[suffix] ?? 0);
  const power = (binary ? 0 : exponent) + 9 - fraction.length;
  let value = digits * (binary ?? 1n);
  if (power >= 0) value *= 10n ** BigInt(power);
  else value = (value + 10n ** BigInt(-power) - 1n) / 10n ** BigInt(-power);
  return match[1] === '-' ? -value : value;
}

/** Throws as resource.ParseQuantity does. */
export function checkQuantity(text: string): void {
  if (parseQuantity(text) === undefined) throw new CliError("quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'");
}

export function compareQuantity(a: Quantity, b: Quantity): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Quantity.String() of a parsed text: the canonical form in the family of its suffix. */
export function canonicalQuantity(text: string): string | undefined {
  const value = parseQuantity(text);
  if (value === undefined) return undefined;
  if (value === 0n) return '0';
  const sign = value < 0n ? '-' : '';
  const absolute = value < 0n ? -value : value;
  if (/[KMGTPE]i$/.test(text) && absolute % 1_000_000_000n === 0n && absolute / 1_000_000_000n >= 1024n) {
    let number = absolute / 1_000_000_000n;
    let suffix = '';
    for (const next of ['Ki', 'Mi', 'Gi', 'Ti', 'Pi', 'Ei']) {
      if (number % 1024n !== 0n) break;
      number /= 1024n;
      suffix = next;
    }
    return `${sign}${number}${suffix}`;
  }
  let number = absolute;
  let exponent = -9;
  while (number % 1000n === 0n && exponent < 18) {
    number /= 1000n;
    exponent += 3;
  }
  if (/[eE][+-]?\d+$/.test(text) && exponent !== 0) return `${sign}${number}e${exponent}`;
  const suffix = Object.keys(DECIMAL).find((key) => DECIMAL[key] === exponent) ?? '';
  return `${sign}${number}${suffix}`;
}
