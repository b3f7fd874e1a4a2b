import { sortedMap } from './field-error.ts';
import { internalTypes } from './internal-types.ts';
import { printSelector } from './meta/index.ts';
import type { LabelSelector, PodSpec, PodTemplateSpec } from './types.ts';

/**
 * Values as the server's internal types print: `field.Invalid` and "may not change fields" diffs show those, not the API's JSON.
 */

type Plain = Record<string, unknown>;

interface Field {
  go: string;
  json: string;
  kind: string;
  /** Struct types name one. */
  type: string;
  embedded: boolean;
}

const parsed = new Map<string, readonly Field[]>();

/** "HTTPGet" → "httpGet", "TTY" → "tty": how API names follow from Go names. */
function apiName(go: string): string {
  const run = /^[A-Z]+/.exec(go)?.[0] ?? '';
  if (run.length === go.length) return go.toLowerCase();
  const lower = Math.max(1, run.length - 1);
  return go.slice(0, lower).toLowerCase() + go.slice(lower);
}

function fieldsOf(type: string): readonly Field[] {
  let fields = parsed.get(type);
  if (!fields) {
    fields = (internalTypes[type] ?? '').split(' ').map((text) => {
      if (text.startsWith('^')) return { go: '', json: '', kind: '@', type: text.slice(1), embedded: true };
      const [names = '', kind = ''] = text.split(':');
      const [go = '', json = apiName(go)] = names.split('=');
      return { go, json, kind: kind.charAt(0), type: kind.slice(1), embedded: false };
    });
    parsed.set(type, fields);
  }
  return fields;
}

const META_ORDER =
  'name generateName namespace selfLink uid resourceVersion generation creationTimestamp deletionTimestamp labels annotations ownerReferences finalizers'.split(
    ' ',
  );

function print(value: unknown, field: Field): unknown {
  const missing = value === undefined || value === null;
  switch (field.kind) {
    case 's':
      return value ?? '';
    case 'i':
      return value ?? 0;
    case 'b':
      return value ?? false;
    case 'q':
      return value ?? '0';
    case 'm':
      return sortedMap(value as Plain | undefined);
    case '@':
      return internalValue(field.type, value);
    case '*':
      return missing ? null : internalValue(field.type, value);
    case '#':
      return missing ? null : (value as unknown[]).map((item) => internalValue(field.type, item));
    default:
      if (missing) return field.kind === 'j' ? {} : null;
      // Maps print by key; selectors are the only ones inside values that print as the API writes them.
      return typeof value === 'object' && 'matchLabels' in value ? printSelector(value as LabelSelector) : value;
  }
}

/** An API value as an object whose JSON is what the internal type's would be. */
export function internalValue(type: string, value: unknown): Plain {
  const source = (type === 'PodSpec' ? internalPodSpec((value ?? {}) as PodSpec) : (value ?? {})) as Plain;
  const out: Plain = {};
  for (const field of fieldsOf(type)) {
    if (!field.embedded) out[field.go] = print(source[field.json], field);
    else if (field.type === 'meta') {
      const meta = (source.metadata ?? {}) as Plain;
      for (const key of META_ORDER) {
        const part = meta[key];
        if (part !== undefined && part !== null) out[key] = key === 'labels' || key === 'annotations' ? sortedMap(part as Plain) : part;
      }
    } else Object.assign(out, internalValue(field.type, source));
  }
  return out;
}

/** Some of a PodSpec lives in the internal security context. */
function internalPodSpec(spec: PodSpec): Plain {
  const { hostNetwork, hostPID, hostIPC, shareProcessNamespace, hostUsers, securityContext } = spec;
  return { ...spec, securityContext: { ...securityContext, hostNetwork, hostPID, hostIPC, shareProcessNamespace, hostUsers } };
}

export const internalTemplate = (template: PodTemplateSpec | undefined): Plain => internalValue('PodTemplateSpec', template ?? {});

/** JSON with an indent of one space, as `diff.Diff` compares it. */
function pretty(value: unknown): string[] {
  const text = JSON.stringify(value, null, 1).replace(/[<>&\u2028\u2029]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`);
  return text.split('\n').map((line) => `${line}\n`);
}

type Opcode = { tag: 'equal' | 'replace' | 'delete' | 'insert'; i1: number; i2: number; j1: number; j2: number };

/** The longest matching block, then what lies on either side (Ratcliff and Obershelp, as difflib). */
function matchingBlocks(a: readonly string[], b: readonly string[]): [number, number, number][] {
  const places = new Map<string, number[]>();
  b.forEach((line, j) => {
    const list = places.get(line);
    if (list) list.push(j);
    else places.set(line, [j]);
  });
  // difflib leaves out lines that make up more than a hundredth of a long text.
  if (b.length >= 200) for (const [line, list] of places) if (list.length > Math.floor(b.length / 100) + 1) places.delete(line);
  const longest = (alo: number, ahi: number, blo: number, bhi: number): [number, number, number] => {
    let [bestI, bestJ, size] = [alo, blo, 0];
    let lengths = new Map<number, number>();
    for (let i = alo; i < ahi; i++) {
      const next = new Map<number, number>();
      for (const j of places.get(a[i] as string) ?? []) {
        if (j < blo) continue;
        if (j >= bhi) break;
        const k = (lengths.get(j - 1) ?? 0) + 1;
        next.set(j, k);
        if (k > size) [bestI, bestJ, size] = [i - k + 1, j - k + 1, k];
      }
      lengths = next;
    }
    while (bestI > alo && bestJ > blo && a[bestI - 1] === b[bestJ - 1]) [bestI, bestJ, size] = [bestI - 1, bestJ - 1, size + 1];
    while (bestI + size < ahi && bestJ + size < bhi && a[bestI + size] === b[bestJ + size]) size++;
    return [bestI, bestJ, size];
  };
  const blocks: [number, number, number][] = [];
  const walk = (alo: number, ahi: number, blo: number, bhi: number): void => {
    const [i, j, size] = longest(alo, ahi, blo, bhi);
    if (size === 0) return;
    if (alo < i && blo < j) walk(alo, i, blo, j);
    blocks.push([i, j, size]);
    if (i + size < ahi && j + size < bhi) walk(i + size, ahi, j + size, bhi);
  };
  walk(0, a.length, 0, b.length);
  blocks.push([a.length, b.length, 0]);
  return blocks;
}

function opcodes(a: readonly string[], b: readonly string[]): Opcode[] {
  const out: Opcode[] = [];
  let i = 0;
  let j = 0;
  const push = (code: Opcode): void => {
    const last = out.at(-1);
    // Adjacent equal blocks are one.
    if (last?.tag === 'equal' && code.tag === 'equal') [last.i2, last.j2] = [code.i2, code.j2];
    else out.push(code);
  };
  for (const [ai, bj, size] of matchingBlocks(a, b)) {
    if (i < ai || j < bj) push({ tag: i < ai && j < bj ? 'replace' : i < ai ? 'delete' : 'insert', i1: i, i2: ai, j1: j, j2: bj });
    [i, j] = [ai + size, bj + size];
    if (size > 0) push({ tag: 'equal', i1: ai, i2: i, j1: bj, j2: j });
  }
  return out;
}

const CONTEXT = 3;

/** A unified diff of two values without file headers, as `k8s.io/apimachinery/pkg/util/diff.Diff` gives it. */
export function diff(a: unknown, b: unknown): string {
  const [x, y] = [pretty(a), pretty(b)];
  const codes = opcodes(x, y);
  const first = codes[0];
  if (first?.tag === 'equal') [first.i1, first.j1] = [Math.max(first.i1, first.i2 - CONTEXT), Math.max(first.j1, first.j2 - CONTEXT)];
  const last = codes.at(-1);
  if (last?.tag === 'equal') [last.i2, last.j2] = [Math.min(last.i2, last.i1 + CONTEXT), Math.min(last.j2, last.j1 + CONTEXT)];
  const groups: Opcode[][] = [[]];
  for (const code of codes) {
    if (code.tag === 'equal' && code.i2 - code.i1 > 2 * CONTEXT) {
      groups.at(-1)?.push({ ...code, i2: code.i1 + CONTEXT, j2: code.j1 + CONTEXT });
      groups.push([{ ...code, i1: code.i2 - CONTEXT, j1: code.j2 - CONTEXT }]);
    } else groups.at(-1)?.push(code);
  }
  const range = (start: number, stop: number): string => {
    const length = stop - start;
    if (length === 1) return String(start + 1);
    return `${length === 0 ? start : start + 1},${length}`;
  };
  let out = '';
  for (const group of groups) {
    const [head, tail] = [group[0], group.at(-1)];
    if (!head || !tail || (group.length === 1 && head.tag === 'equal')) continue;
    out += `@@ -${range(head.i1, tail.i2)} +${range(head.j1, tail.j2)} @@\n`;
    for (const { tag, i1, i2, j1, j2 } of group) {
      if (tag === 'equal') for (const line of x.slice(i1, i2)) out += ` ${line}`;
      else {
        for (const line of x.slice(i1, i2)) out += `-${line}`;
        for (const line of y.slice(j1, j2)) out += `+${line}`;
      }
    }
  }
  return out;
}
