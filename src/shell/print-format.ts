import { byteCharacter } from '../unix/index.ts';

/** What `printf` gives: the text, and complaints about its arguments. */
export interface Formatted {
  text: string;
  /** Arguments that were not numbers, or a bad directive. */
  problems: { kind: 'number' | 'format'; text: string }[];
  /** `\c` or a bad directive: nothing more is printed. */
  stopped: boolean;
}

const SIMPLE: Record<string, string> = { n: '\n', t: '\t', r: '\r', a: '\x07', b: '\b', f: '\f', v: '\v', e: '\x1b', '\\': '\\', '"': '"', "'": "'" };

/**
 * Backslash escapes of `echo -e` (`\0nnn` octal, in BusyBox also without the zero), `printf` formats (`\nnn`) and `%b` (both). Bytes above 127 come out as
 * `byteCharacter`s: write the text with `encodeWithBytes`.
 */
export function unescapeText(text: string, style: 'echo' | 'bash-echo' | 'format' | 'argument'): { text: string; stopped: boolean } {
  let out = '';
  for (let i = 0; i < text.length; i++) {
    const character = text[i]!;
    if (character !== '\\' || i === text.length - 1) {
      out += character;
      continue;
    }
    const rest = text.slice(i + 1);
    const octal = (style === 'format' ? /^[0-7]{1,3}/ : style === 'bash-echo' ? /^0[0-7]{0,3}/ : /^(?:0[0-7]{0,3}|[0-7]{1,3})/).exec(rest);
    const hexadecimal = /^x([0-9a-fA-F]{1,2})/.exec(rest);
    const unicode = /^(?:u([0-9a-fA-F]{1,4})|U([0-9a-fA-F]{1,8}))/.exec(rest);
    if (octal) {
      out += byteCharacter(Number.parseInt(octal[0], 8) & 255);
      i += octal[0].length;
    } else if (hexadecimal) {
      out += byteCharacter(Number.parseInt(hexadecimal[1]!, 16));
      i += hexadecimal[0].length;
    } else if (unicode) {
      out += String.fromCodePoint(Math.min(0x10ffff, Number.parseInt(unicode[1] ?? unicode[2]!, 16)));
      i += unicode[0].length;
    } else if (rest[0] === 'c' && style !== 'format') return { text: out, stopped: true };
    else if (SIMPLE[rest[0]!] !== undefined && !(style !== 'format' && (rest[0] === '"' || rest[0] === "'"))) {
      out += SIMPLE[rest[0]!];
      i++;
    } else out += character;
  }
  return { text: out, stopped: false };
}

const DIRECTIVE = /^%([-+ 0#']*)(\*|\d+)?(?:\.(\*|\d*))?([hlLjzt]*)(.?)/s;

/** printf(1). The format is used again while arguments are left. */
export function formatPrint(format: string, args: readonly string[], dialect: 'ash' | 'bash'): Formatted {
  const problems: Formatted['problems'] = [];
  let out = '';
  let used = 0;
  let stopped = false;
  const next = (): string | undefined => args[used++];
  const number = (text: string | undefined): bigint => {
    if (text === undefined || text === '') {
      // BusyBox complains of an empty number, and of one that is not there.
      if (dialect === 'ash') problems.push({ kind: 'number', text: '' });
      return 0n;
    }
    if (text.startsWith('"') || text.startsWith("'")) return BigInt(text.codePointAt(1) ?? 0);
    const match = /^\s*([-+]?)(0[xX][0-9a-fA-F]+|0[0-7]*|[1-9]\d*)/.exec(text);
    if (!match || match[0].length !== text.length) problems.push({ kind: 'number', text });
    if (!match || (dialect === 'ash' && match[0].length !== text.length)) return 0n;
    const digits = match[2]!;
    const value = BigInt(/^0[0-7]+$/.test(digits) ? `0o${digits.slice(1)}` : digits);
    return match[1] === '-' ? -value : value;
  };
  do {
    const before = used;
    for (let i = 0; i < format.length && !stopped; ) {
      const character = format[i]!;
      if (character === '\\') {
        const length = /^\\(?:[0-7]{1,3}|x[0-9a-fA-F]{1,2}|u[0-9a-fA-F]{1,4}|U[0-9a-fA-F]{1,8}|.)?/s.exec(format.slice(i))![0].length;
        if (format[i + 1] === 'c') stopped = true;
        else out += unescapeText(format.slice(i, i + length), 'format').text;
        i += length;
        continue;
      }
      if (character !== '%') {
        out += character;
        i++;
        continue;
      }
      if (format[i + 1] === '%') {
        out += '%';
        i += 2;
        continue;
      }
      const [whole, flags = '', widthText, precisionText, , kind = ''] = DIRECTIVE.exec(format.slice(i))!;
      i += whole.length;
      let width = widthText === '*' ? Number(number(next())) : Number(widthText ?? 0);
      const precision = precisionText === undefined ? undefined : precisionText === '*' ? Number(number(next())) : Number(precisionText || 0);
      let left = flags.includes('-');
      if (width < 0) {
        left = true;
        width = -width;
      }
      width = Math.min(width, 100_000);
      const pad = (text: string, zero: boolean): string => {
        if (left) return text.padEnd(width);
        if (!zero || !flags.includes('0')) return text.padStart(width);
        const sign = /^[-+ ]|^0[xX]/.exec(text)?.[0] ?? '';
        return sign + text.slice(sign.length).padStart(width - sign.length, '0');
      };
      const signed = (text: string, negative: boolean): string =>
        negative ? `-${text}` : flags.includes('+') ? `+${text}` : flags.includes(' ') ? ` ${text}` : text;
      switch (kind) {
        case 's':
        case 'b': {
          if (kind === 'b' && dialect === 'ash' && whole !== '%b') {
            problems.push({ kind: 'format', text: whole + format.slice(i) });
            return { text: out, problems, stopped: true };
          }
          let text = next() ?? '';
          if (kind === 'b') {
            const unescaped = unescapeText(text, 'argument');
            text = unescaped.text;
            stopped = unescaped.stopped;
          }
          out += pad(precision === undefined ? text : [...text].slice(0, precision).join(''), false);
          break;
        }
        case 'q':
          if (dialect === 'ash') {
            problems.push({ kind: 'format', text: whole + format.slice(i) });
            return { text: out, problems, stopped: true };
          }
          out += pad(backslashQuote(next() ?? ''), false);
          break;
        case 'c':
          out += pad([...(next() ?? '')][0] ?? '\0', false);
          break;
        case 'd':
        case 'i':
        case 'u': {
          let value = number(next());
          if (kind === 'u') value = BigInt.asUintN(64, value);
          const digits = precision === 0 && value === 0n ? '' : (value < 0n ? -value : value).toString().padStart(precision ?? 0, '0');
          out += pad(kind === 'u' ? digits : signed(digits, value < 0n), precision === undefined);
          break;
        }
        case 'o':
        case 'x':
        case 'X': {
          const value = BigInt.asUintN(64, number(next()));
          let digits = precision === 0 && value === 0n ? '' : value.toString(kind === 'o' ? 8 : 16).padStart(precision ?? 0, '0');
          if (flags.includes('#') && value !== 0n) digits = (kind === 'o' ? '0' : '0x') + digits;
          out += pad(kind === 'X' ? digits.toUpperCase() : digits, precision === undefined);
          break;
        }
        case 'e':
        case 'E':
        case 'f':
        case 'F':
        case 'g':
        case 'G': {
          const text = next() ?? '0';
          const value = /^["']./s.test(text) ? (text.codePointAt(1) ?? 0) : Number(text);
          if (Number.isNaN(value)) problems.push({ kind: 'number', text });
          const shown = formatFloat(Math.abs(value) || 0, kind.toLowerCase(), precision ?? 6, flags.includes('#'));
          out += pad(signed(kind === kind.toUpperCase() ? shown.toUpperCase() : shown, value < 0 || Object.is(value, -0)), true);
          break;
        }
        default:
          problems.push({ kind: 'format', text: dialect === 'ash' ? whole.replace(/[hlLjzt]/g, '') + format.slice(i) : whole });
          return { text: out, problems, stopped: true };
      }
    }
    if (used === before) break;
  } while (used < args.length && !stopped);
  return { text: out, problems, stopped };
}

/** As C prints a floating-point number with %e, %f or %g. */
export function formatFloat(value: number, kind: string, precision: number, keepZeros = false): string {
  if (!Number.isFinite(value)) return Number.isNaN(value) ? 'nan' : 'inf';
  const exponential = (digits: number): string => value.toExponential(Math.min(100, digits)).replace(/e([-+])(\d)$/, 'e$10$2');
  if (kind === 'e') return exponential(precision);
  if (kind === 'f') return value.toFixed(Math.min(100, precision));
  const significant = precision === 0 ? 1 : precision;
  const exponent = value === 0 ? 0 : Number(/e([-+]\d+)$/.exec(value.toExponential(Math.min(100, significant - 1)))![1]);
  if (exponent < -4 || exponent >= significant) {
    const text = exponential(significant - 1);
    return keepZeros ? text : text.replace(/\.?0+e/, 'e');
  }
  const text = value.toFixed(Math.min(100, Math.max(0, significant - 1 - exponent)));
  return keepZeros || !text.includes('.') ? text : text.replace(/\.?0+$/, '');
}

/** Bash's %q: backslashes where a shell would read something else. */
export function backslashQuote(text: string): string {
  if (text === '') return "''";
  if (/[\x00-\x1f\x7f]/.test(text))
    return `$'${text.replace(/[\\']/g, '\\$&').replace(/[\x00-\x1f\x7f]/g, (c) => ({ '\n': '\\n', '\t': '\\t', '\r': '\\r', '\x1b': '\\E' })[c] ?? `\\${c.charCodeAt(0).toString(8).padStart(3, '0')}`)}'`;
  return text.replace(/[^\w@%+=:./^-]/gu, (character) => (character.codePointAt(0)! > 127 ? character : `\\${character}`));
}
