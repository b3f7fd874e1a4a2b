import type { Json } from '../util/object.ts';
import { compareStrings } from '../util/object.ts';

const ESCAPES: Record<string, string> = { '"': '\\"', '\\': '\\\\', '\n': '\\n', '\r': '\\r', '\t': '\\t', '\b': '\\b', '\f': '\\f' };

/** A JSON string as Go's encoding/json writes it: HTML characters and line separators escaped. */
export function goJsonString(text: string): string {
  return `"${text.replace(/["\\\u0000-\u001f<>&\u2028\u2029]/g, (char) => ESCAPES[char] ?? `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`)}"`;
}

export interface GoJsonOptions {
  /** Indentation per level; none gives the compact form. */
  indent?: string;
  /** Keep the order of keys (a typed object of upstream's); otherwise keys are sorted as in a Go map. */
  keepOrder?: boolean;
}

/** Fields that are maps in upstream's Go types: their keys are sorted even where the order of fields is kept. */
const MAP_FIELDS = new Set(['data', 'binaryData', 'labels', 'annotations', 'matchLabels', 'hard', 'selector', 'nodeSelector', 'requests', 'limits']);

/** json.Marshal / json.MarshalIndent. Members that are undefined are left out. */
export function goJson(value: Json, options: GoJsonOptions = {}, prefix = '', sorted = !options.keepOrder): string {
  if (value === null || value === undefined) return 'null';
  if (typeof value === 'string') return goJsonString(value);
  if (typeof value === 'number') return Object.is(value, -0) ? '-0' : String(value);
  if (typeof value !== 'object') return String(value);
  const indent = options.indent ?? '';
  const inner = prefix + indent;
  const [open, close, colon] = indent ? [`\n${inner}`, `\n${prefix}`, ': '] : ['', '', ':'];
  if (Array.isArray(value)) {
    if (value.length === 0) return '[]';
    return `[${open}${value.map((item) => goJson(item, options, inner)).join(`,${open}`)}${close}]`;
  }
  const keys = Object.keys(value).filter((key) => value[key] !== undefined);
  if (keys.length === 0) return '{}';
  if (sorted) keys.sort(compareStrings);
  return `{${open}${keys.map((key) => `${goJsonString(key)}${colon}${goJson(value[key], options, inner, !options.keepOrder || (MAP_FIELDS.has(key) && isScalarMap(value[key])))}`).join(`,${open}`)}${close}}`;
}

function isScalarMap(value: Json): boolean {
  return typeof value === 'object' && value !== null && Object.values(value).every((item) => typeof item !== 'object');
}

/** Sign, digits and decimal point position of a finite number's shortest form. */
function decimalParts(value: number): { negative: boolean; digits: string; point: number } {
  const [mantissa = '0', exponent = '0'] = Math.abs(value).toExponential().split('e');
  return { negative: value < 0, digits: mantissa.replace('.', ''), point: Number(exponent) + 1 };
}

/** strconv.FormatFloat(value, "g", -1, 64): what fmt.Sprint prints for a float64. */
export function goFloat(value: number, exponentFrom = 6): string {
  if (value === 0) return '0';
  const { negative, digits, point } = decimalParts(value);
  const exponent = point - 1;
  if (exponent < -4 || exponent >= exponentFrom) {
    const fraction = digits.length > 1 ? `.${digits.slice(1)}` : '';
    const sign = exponent < 0 ? '-' : '+';
    return `${negative ? '-' : ''}${digits[0]}${fraction}e${sign}${String(Math.abs(exponent)).padStart(2, '0')}`;
  }
  let text: string;
  if (point <= 0) text = `0.${'0'.repeat(-point)}${digits}`;
  else if (digits.length <= point) text = digits + '0'.repeat(point - digits.length);
  else text = `${digits.slice(0, point)}.${digits.slice(point)}`;
  return (negative ? '-' : '') + text;
}

/** fmt.Sprint of a JSON value: maps as `map[a:1 b:2]`, lists as `[a b]`, nil as `<nil>`. */
export function goSprint(value: Json): string {
  if (value === null || value === undefined) return '<nil>';
  if (typeof value === 'number') return Number.isInteger(value) ? String(value) : goFloat(value);
  if (typeof value !== 'object') return String(value);
  if (Array.isArray(value)) return `[${value.map(goSprint).join(' ')}]`;
  return `map[${Object.keys(value)
    .sort(compareStrings)
    .map((key) => `${key}:${goSprint(value[key])}`)
    .join(' ')}]`;
}

/** fmt's %#v of an unstructured value, as kubectl shows the object that a template failed on. */
export function goSyntax(value: Json): string {
  if (value === null || value === undefined) return 'interface {}(nil)';
  if (typeof value === 'string') return goStringLiteral(value);
  if (typeof value === 'number') return Number.isInteger(value) ? String(value) : goFloat(value);
  if (typeof value !== 'object') return String(value);
  if (Array.isArray(value)) return `[]interface {}{${value.map(goSyntax).join(', ')}}`;
  return `map[string]interface {}{${Object.keys(value)
    .sort(compareStrings)
    .map((key) => `${goStringLiteral(key)}:${goSyntax(value[key])}`)
    .join(', ')}}`;
}

function goStringLiteral(text: string): string {
  return `"${text.replace(/["\\\u0000-\u001f\u007f]/g, (char) => ESCAPES[char] ?? `\\x${char.charCodeAt(0).toString(16).padStart(2, '0')}`)}"`;
}
