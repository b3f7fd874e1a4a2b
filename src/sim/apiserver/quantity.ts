/** The words of `resource.ParseQuantity`. */
export const QUANTITY_ERROR = "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'";
export const QUANTITY_SUFFIX_ERROR = "unable to parse quantity's suffix";

const BINARY: Record<string, number> = { Ki: 1, Mi: 2, Gi: 3, Ti: 4, Pi: 5, Ei: 6 };
const BINARY_NAMES = ['', 'Ki', 'Mi', 'Gi', 'Ti', 'Pi', 'Ei'];
const DECIMAL: Record<string, number> = { n: -9, u: -6, m: -3, '': 0, k: 3, M: 6, G: 9, T: 12, P: 15, E: 18 };
const DECIMAL_NAMES = new Map(Object.entries(DECIMAL).map(([name, exponent]) => [exponent, name]));

/** A quantity in nano-units, and the family of suffix it was written with. */
interface Parsed {
  nano: bigint;
  format: 'binary' | 'decimal' | 'exponent';
}

/** Parses as `resource.ParseQuantity`; returns the error text when it cannot. Fractions below nano round up, as upstream. */
export function parseQuantity(text: string): Parsed | string {
  const match = /^([+-]?)(\d*)(?:\.(\d*))?([A-Za-z]*)([-+]?\d*)$/.exec(text);
  if (text === '' || !match) return QUANTITY_ERROR;
  const [, sign = '', whole = '', fraction = '', letters = '', tail = ''] = match;
  if (whole === '' && fraction === '') return QUANTITY_ERROR;
  let exponent10 = 0;
  let power1024 = 0;
  let format: Parsed['format'] = 'decimal';
  if (letters in BINARY && tail === '') {
    power1024 = BINARY[letters] as number;
    format = 'binary';
  } else if ((letters === 'e' || letters === 'E') && /^[-+]?\d+$/.test(tail)) {
    exponent10 = Number(tail);
    format = 'exponent';
    if (Math.abs(exponent10) > 100) return QUANTITY_SUFFIX_ERROR;
  } else if (letters in DECIMAL && tail === '') {
    exponent10 = DECIMAL[letters] as number;
  } else {
    return /^[eEinumkKMGTP]*$/.test(letters) ? QUANTITY_SUFFIX_ERROR : QUANTITY_ERROR;
  }
  let numerator = BigInt(whole + fraction || '0');
  let scale = 9 + exponent10 - fraction.length;
  if (power1024) numerator *= 1024n ** BigInt(power1024);
  let nano: bigint;
  if (scale >= 0) nano = numerator * 10n ** BigInt(scale);
  else {
    scale = -scale;
    const divisor = 10n ** BigInt(scale);
    nano = (numerator + divisor - 1n) / divisor;
  }
  return { nano: sign === '-' ? -nano : nano, format };
}

/** The canonical spelling the server gives back: "1024Mi" → "1Gi", "0.5" → "500m", "1000m" → "1". */
export function canonicalQuantity(text: string): string | undefined {
  const parsed = parseQuantity(text);
  if (typeof parsed === 'string') return undefined;
  const { nano, format } = parsed;
  if (nano === 0n) return '0';
  const negative = nano < 0n;
  const size = negative ? -nano : nano;
  const sign = negative ? '-' : '';
  const unit = 1_000_000_000n;
  if (format === 'binary' && size % unit === 0n && size >= 1024n * unit) {
    let value = size / unit;
    let power = 0;
    while (power < 6 && value % 1024n === 0n) {
      value /= 1024n;
      power++;
    }
    return `${sign}${value}${BINARY_NAMES[power]}`;
  }
  let value = size;
  let exponent = -9;
  while (value % 1000n === 0n && exponent < 18) {
    value /= 1000n;
    exponent += 3;
  }
  if (format === 'exponent') return `${sign}${value}${exponent === 0 ? '' : `e${exponent}`}`;
  return `${sign}${value}${DECIMAL_NAMES.get(exponent)}`;
}
