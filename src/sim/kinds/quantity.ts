/**
 * Resource quantities, as `k8s.io/apimachinery/pkg/api/resource.Quantity`: "100m", "1Gi", "1e3".
 * Amounts are kept in billionths (nano), the smallest unit Kubernetes knows, so that arithmetic is exact.
 */

export type QuantityFormat = 'DecimalSI' | 'BinarySI' | 'DecimalExponent';

/** A parsed quantity. `nano` is the amount in billionths of the base unit. */
export interface Quantity {
  nano: bigint;
  format: QuantityFormat;
}

/** Thrown by `parseQuantity`; `message` is the text the API server prints. */
export class QuantityError extends Error {}

const NANO = 1_000_000_000n;
export const QUANTITY_FORMAT_ERROR = "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'";
const MAX = (2n ** 63n - 1n) * NANO;
const DECIMAL_SUFFIXES = ['n', 'u', 'm', '', 'k', 'M', 'G', 'T', 'P', 'E'];
const BINARY_SUFFIXES = ['', 'Ki', 'Mi', 'Gi', 'Ti', 'Pi', 'Ei'];

function divideUp(value: bigint, divisor: bigint): bigint {
  const quotient = value / divisor;
  if (value % divisor === 0n) return quotient;
  return value < 0n ? quotient - 1n : quotient + 1n;
}

/**
 * Parses a quantity; numbers are taken as JSON numbers are (`cpu: 1`). Amounts below a billionth round away from zero.
 * Throws `QuantityError`.
 */
export function parseQuantity(input: string | number): Quantity {
  const text = String(input);
  const match = /^([+-]?)([0-9]*)(?:\.([0-9]*))?([eEinumkKMGTP]*[-+]?[0-9]*)$/.exec(text);
  if (!match || text === '') throw new QuantityError(QUANTITY_FORMAT_ERROR);
  const [, sign, whole = '', fraction = '', suffix = ''] = match;
  let format: QuantityFormat = 'DecimalSI';
  let base = 10n;
  let exponent = 0;
  const decimal = DECIMAL_SUFFIXES.indexOf(suffix);
  const binary = BINARY_SUFFIXES.indexOf(suffix);
  if (decimal >= 0) {
    exponent = (decimal - 3) * 3;
  } else if (binary > 0) {
    format = 'BinarySI';
    base = 2n;
    exponent = binary * 10;
  } else if (/^[eE][-+]?[0-9]+$/.test(suffix)) {
    format = 'DecimalExponent';
    exponent = Number(suffix.slice(1));
    if (Math.abs(exponent) > 1000) throw new QuantityError("unable to parse quantity's suffix");
  } else {
    throw new QuantityError("unable to parse quantity's suffix");
  }
  if (whole === '' && fraction === '') {
    if (sign !== '' && suffix === '') throw new QuantityError(QUANTITY_FORMAT_ERROR);
    throw new QuantityError('unable to parse numeric part of quantity');
  }
  if (whole.length + fraction.length > 1000) throw new QuantityError('unable to parse numeric part of quantity');
  let numerator = BigInt(whole + fraction) * NANO;
  let denominator = 10n ** BigInt(fraction.length);
  if (exponent >= 0) numerator *= base ** BigInt(exponent);
  else denominator *= base ** BigInt(-exponent);
  let nano = divideUp(numerator, denominator);
  if (format === 'BinarySI') {
    if (nano > MAX) nano = MAX;
    if (nano < NANO && nano > 0n) format = 'DecimalSI';
  }
  return { nano: sign === '-' ? -nano : nano, format };
}

/** As `parseQuantity`, but undefined for missing or malformed text. */
export function tryParseQuantity(input: string | number | undefined): Quantity | undefined {
  if (input === undefined) return undefined;
  try {
    return parseQuantity(input);
  } catch {
    return undefined;
  }
}

/** The canonical text (`Quantity.String()`): no fraction, the largest suffix that keeps the number whole. */
export function formatQuantity(quantity: Quantity): string {
  const { nano } = quantity;
  if (nano === 0n) return '0';
  if (quantity.format === 'BinarySI' && (nano <= -1024n * NANO || nano >= 1024n * NANO) && nano % NANO === 0n) {
    let number = nano / NANO;
    let power = 0;
    while (number % 1024n === 0n && power < BINARY_SUFFIXES.length - 1) {
      number /= 1024n;
      power++;
    }
    return `${number}${BINARY_SUFFIXES[power]}`;
  }
  let number = nano;
  let exponent = -9;
  while (number % 10n === 0n) {
    number /= 10n;
    exponent++;
  }
  while (exponent % 3 !== 0 || exponent > 18) {
    number *= 10n;
    exponent--;
  }
  if (quantity.format === 'DecimalExponent') return exponent === 0 ? `${number}` : `${number}e${exponent}`;
  return `${number}${DECIMAL_SUFFIXES[exponent / 3 + 3]}`;
}

/** What the server stores and prints for this text: "1000m" is "1", "1024Mi" is "1Gi", "0.5" is "500m". Throws `QuantityError`. */
export function canonicalQuantity(input: string | number): string {
  const text = String(input);
  let canonical = canonicalTexts.get(text);
  if (canonical === undefined) {
    canonical = formatQuantity(parseQuantity(text));
    if (canonicalTexts.size >= REMEMBERED) canonicalTexts.clear();
    canonicalTexts.set(text, canonical);
  }
  return canonical;
}

/** The same few texts are written again and again. */
const canonicalTexts = new Map<string, string>();
const REMEMBERED = 1_000;

/** Missing counts as zero, malformed too (the server has refused it long before). */
function nanoOf(input: string | number | Quantity | undefined): bigint {
  if (typeof input === 'object') return input.nano;
  return tryParseQuantity(input)?.nano ?? 0n;
}

/** Negative, zero or positive, as `Quantity.Cmp`. Missing counts as zero. */
export function compareQuantities(a: string | number | Quantity | undefined, b: string | number | Quantity | undefined): number {
  const x = nanoOf(a);
  const y = nanoOf(b);
  return x < y ? -1 : x > y ? 1 : 0;
}

/** Sum in canonical form; the format is that of the first operand unless it is zero (as `Quantity.Add`). */
export function addQuantities(a: string | undefined, b: string | undefined): string {
  return combine(a, b, 1n);
}

/** Difference in canonical form (as `Quantity.Sub`). */
export function subtractQuantities(a: string | undefined, b: string | undefined): string {
  return combine(a, b, -1n);
}

function combine(a: string | undefined, b: string | undefined, sign: bigint): string {
  const x = tryParseQuantity(a) ?? { nano: 0n, format: 'DecimalSI' };
  const y = tryParseQuantity(b) ?? { nano: 0n, format: 'DecimalSI' };
  return formatQuantity({ nano: x.nano + sign * y.nano, format: x.nano === 0n ? y.format : x.format });
}

/** Whole units, rounded up (`Quantity.Value()`): bytes of memory, counts. */
export function quantityValue(input: string | number | Quantity | undefined): number {
  return Number(divideUp(nanoOf(input), NANO));
}

/** Thousandths, rounded up (`Quantity.MilliValue()`): CPU. */
export function quantityMilliValue(input: string | number | Quantity | undefined): number {
  return Number(divideUp(nanoOf(input), 1_000_000n));
}
