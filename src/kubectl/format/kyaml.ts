import { compareStrings, type Json } from '../util/object.ts';

/** KYAML as sigs.k8s.io/yaml/kyaml writes it, with its header; keys sorted unless their order is that of a Go type. */
export function toKyaml(value: Json, keepOrder = false): string {
  return `---\n${render(value, 0, keepOrder)}\n`;
}

const pad = (level: number): string => '  '.repeat(level);

function render(value: Json, indent: number, keepOrder: boolean): string {
  if (value === null || value === undefined) return 'null';
  if (typeof value === 'string') return renderString(value, indent + 1);
  if (typeof value !== 'object') return String(value);
  if (Array.isArray(value)) {
    if (value.length === 0) return '[]';
    if (value.every((item) => typeof item === 'object' && item !== null)) return `[${value.map((item) => render(item, indent, keepOrder)).join(', ')}]`;
    return `[\n${value.map((item) => `${pad(indent + 1)}${render(item, indent + 1, keepOrder)},\n`).join('')}${pad(indent)}]`;
  }
  const keys = Object.keys(value).filter((key) => value[key] !== undefined);
  if (!keepOrder) keys.sort(compareStrings);
  if (keys.length === 0) return '{}';
  return `{\n${keys.map((key) => `${pad(indent + 1)}${renderKey(key)}: ${render(value[key], indent + 1, keepOrder)},\n`).join('')}${pad(indent)}}`;
}

function renderKey(key: string): string {
  if (!key.includes('\n') && !needsQuotes(key)) return key;
  let out = '"';
  for (const char of key) out += char === '\n' ? '\\n' : char === '\t' ? '\\t' : escapeChar(char);
  return `${out}"`;
}

function needsQuotes(text: string): boolean {
  if (text === '' || isAmbiguous(text)) return true;
  const chars = [...text];
  return chars.some((char, index) => !(/[\p{L}\p{N}_]/u.test(char) || (index > 0 && index < chars.length - 1 && /[-./]/.test(char))));
}

function isAmbiguous(text: string): boolean {
  if (/^(null|~|true|false|t|f|y|n|yes|no|on|off|1|0)$/i.test(text)) return true;
  const plain = text.replaceAll('_', '');
  if (/^[+-]?(0[xX][0-9a-fA-F]+|0[bB][01]+|0[oO]?[0-7]+|[1-9]\d*|0)$/.test(plain)) return true;
  if (/^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/.test(plain) || /^[+-]?(inf|infinity|nan)$/i.test(plain)) return true;
  if (/^[+-]?[1-9][0-9_]*(:[0-5]?[0-9])+(\.[0-9_]*)?$/.test(text)) return true;
  return /^[-+]?\.(inf|nan)$/i.test(text) || /^\d{4}-\d{1,2}-\d{1,2}([Tt ]|$)/.test(text);
}

/** A double-quoted string; several lines are folded for reading. */
function renderString(text: string, indent: number): string {
  const multi = text.includes('\n');
  let out = multi ? '"\\\n' : '"';
  for (const char of text) {
    if (out.endsWith('\n')) {
      out += pad(indent);
      out += /\s/.test(char) && char !== '\n' ? '\\' : ' ';
    }
    out += char === '\n' ? '\\n\\\n' : char === '\t' ? '\t' : escapeChar(char);
  }
  if (multi) {
    if (!out.endsWith('\n')) out += '\\\n';
    out += pad(indent);
  }
  return `${out}"`;
}

const ESCAPES: Record<string, string> = {
  '"': '\\"',
  '\\': '\\\\',
  '\x07': '\\a',
  '\b': '\\b',
  '\f': '\\f',
  '\r': '\\r',
  '\v': '\\v',
  '\0': '\\0',
  '\x1b': '\\e',
  '\u0085': '\\N',
  '\u00a0': '\\_',
  '\u2028': '\\L',
  '\u2029': '\\P',
};

function escapeChar(char: string): string {
  const known = ESCAPES[char];
  if (known) return known;
  const code = char.codePointAt(0) ?? 0;
  if (code < 0x20 || code === 0x7f) return `\\x${code.toString(16).padStart(2, '0')}`;
  if (/[\p{L}\p{M}\p{N}\p{P}\p{S} ]/u.test(char)) return char;
  return code < 0x10000 ? `\\u${code.toString(16).padStart(4, '0')}` : `\\U${code.toString(16).padStart(8, '0')}`;
}
