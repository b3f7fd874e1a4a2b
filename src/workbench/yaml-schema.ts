import { isMap, isScalar, isSeq, type Node, parseAllDocuments } from 'yaml';

/** A type of the schema facts. */
interface Schema {
  type?: string;
  format?: string;
  $ref?: string;
  properties?: Record<string, Schema>;
  additionalProperties?: Schema | boolean;
  items?: Schema;
  required?: readonly string[];
  enum?: readonly string[];
  default?: unknown;
  'x-kubernetes-group-version-kind'?: readonly { group: string; version: string; kind: string }[];
}
export type Schemas = Readonly<Record<string, Schema>>;

/** A field as the editor offers or explains it. */
export interface Field {
  name: string;
  /** "integer (int32)", "array", "StatefulSetSpec". */
  type: string;
  required: boolean;
  values: readonly string[];
  fallback?: string;
  /** Holds fields of its own, or a list. */
  nested: 'map' | 'list' | undefined;
}

export interface Mistake {
  from: number;
  to: number;
  message: string;
}

function resolved(schemas: Schemas, schema: Schema | undefined): Schema | undefined {
  return schema?.$ref ? { ...schemas[schema.$ref], ...(schema.default === undefined ? {} : { default: schema.default }) } : schema;
}

/** The type of an object of that apiVersion and kind, or undefined. */
export function schemaFor(schemas: Schemas, apiVersion: string | undefined, kind: string | undefined): Schema | undefined {
  if (!apiVersion || !kind) return undefined;
  const [group, version] = apiVersion.includes('/') ? apiVersion.split('/') : ['', apiVersion];
  return Object.values(schemas).find((schema) =>
    schema['x-kubernetes-group-version-kind']?.some(
      (gvk) => gvk.group === group && gvk.version === version && gvk.kind === kind && schema.properties?.metadata,
    ),
  );
}

/** Follows a path of keys; "[]" goes into a list. */
function schemaAt(schemas: Schemas, root: Schema, path: readonly string[]): Schema | undefined {
  let schema: Schema | undefined = root;
  for (const key of path) {
    schema = resolved(schemas, schema);
    if (key === '[]') schema = schema?.items;
    else schema = schema?.properties?.[key] ?? (typeof schema?.additionalProperties === 'object' ? schema.additionalProperties : undefined);
    if (!schema) return undefined;
  }
  return resolved(schemas, schema);
}

const LINE = /^(\s*)((?:- +)*)(?:([\w./-]+)\s*:(?:\s|$))?/;

/** The keys around a column of a line, from the document's root; works on text that is not yet YAML. */
export function pathAt(lines: readonly string[], line: number, column: number): string[] {
  const path: string[] = [];
  const here = LINE.exec(lines[line] ?? '') ?? ['', '', ''];
  let at = Math.min(column, (here[1] ?? '').length + (here[2] ?? '').length);
  let afterDash = false;
  const dashes = (text: string, indent: number): void => {
    for (let i = text.lastIndexOf('-'); i >= 0; i = i === 0 ? -1 : text.lastIndexOf('-', i - 1)) {
      if (indent + i >= at) continue;
      path.unshift('[]');
      at = indent + i;
      afterDash = true;
    }
  };
  dashes(here[2] ?? '', (here[1] ?? '').length);
  for (let i = line - 1; i >= 0; i--) {
    const text = lines[i] ?? '';
    if (text.startsWith('---')) break;
    if (/^\s*(#|$)/.test(text)) continue;
    const [, indent = '', marks = '', key] = LINE.exec(text) ?? [];
    const keyAt = indent.length + marks.length;
    if (key !== undefined && (keyAt < at || (keyAt === at && afterDash))) {
      path.unshift(key);
      at = keyAt;
      afterDash = false;
      dashes(marks, indent.length);
    } else if (keyAt === at && marks !== '') dashes(marks, indent.length);
  }
  return path;
}

/** apiVersion and kind of the document that a line stands in. */
export function documentHead(lines: readonly string[], line: number): { apiVersion?: string; kind?: string } {
  let from = line;
  while (from > 0 && !(lines[from] ?? '').startsWith('---')) from--;
  const head: { apiVersion?: string; kind?: string } = {};
  for (let i = from; i < lines.length && (i === from || !(lines[i] ?? '').startsWith('---')); i++) {
    const found = /^(apiVersion|kind):\s*["']?([\w./-]+)/.exec(lines[i] ?? '');
    if (found?.[1] === 'apiVersion') head.apiVersion ??= found[2];
    if (found?.[1] === 'kind') head.kind ??= found[2];
  }
  return head;
}

function fieldOf(schemas: Schemas, name: string, raw: Schema, required: boolean): Field {
  const schema = resolved(schemas, raw) ?? {};
  const short = raw.$ref?.split('.').at(-1);
  const nested = schema.type === 'array' ? 'list' : schema.properties || schema.additionalProperties ? 'map' : undefined;
  return {
    name,
    type: short ?? `${schema.type ?? ''}${schema.format ? ` (${schema.format})` : ''}`,
    required,
    values: schema.type === 'boolean' ? ['true', 'false'] : (schema.enum ?? []),
    fallback: raw.default === undefined || typeof raw.default === 'object' || raw.default === '' ? undefined : String(raw.default),
    nested,
  };
}

/** The fields that may stand at a path. */
export function fieldsAt(schemas: Schemas, root: Schema, path: readonly string[]): Field[] {
  const schema = schemaAt(schemas, root, path);
  const required = new Set(schema?.required);
  return Object.entries(schema?.properties ?? {})
    .filter(([name]) => !(path.length === 0 && name === 'status') && !(name === 'managedFields'))
    .map(([name, raw]) => fieldOf(schemas, name, raw, required.has(name)))
    .sort((a, b) => Number(b.required) - Number(a.required) || a.name.localeCompare(b.name));
}

/** What the API server would refuse about the fields, with its own words beside. */
export function schemaMistakes(schemas: Schemas, text: string): Mistake[] {
  const found: Mistake[] = [];
  for (const document of parseAllDocuments(text)) {
    if (!('errors' in document) || document.errors.length > 0 || !isMap(document.contents)) continue;
    const root = schemaFor(schemas, String(document.get('apiVersion') ?? ''), String(document.get('kind') ?? ''));
    if (root) check(schemas, root, document.contents, '', found);
  }
  return found;
}

const WORDS: Record<string, string> = { integer: '整數', boolean: 'true 或 false', array: '清單', object: '有欄位的區塊', string: '文字', number: '數字' };

function check(schemas: Schemas, raw: Schema, node: Node, path: string, found: Mistake[]): void {
  const schema = resolved(schemas, raw);
  if (!schema || found.length > 50) return;
  const [from = 0, to = 0] = node.range ?? [];
  const wrong = (): void => {
    found.push({ from, to, message: `${path} 要放${WORDS[schema.type ?? ''] ?? schema.type}。` });
  };
  if (isScalar(node)) {
    if (node.value === null || schema.format === 'int-or-string' || raw.$ref?.endsWith('.Quantity')) return;
    if (schema.type === 'integer' && typeof node.value !== 'number') wrong();
    else if (schema.type === 'boolean' && typeof node.value !== 'boolean') wrong();
    else if (schema.type === 'array' || schema.properties) wrong();
    else if (schema.type === 'string' && typeof node.value !== 'string')
      found.push({ from, to, message: `${path} 要放文字，請加上引號："${String(node.value)}"。` });
    else if (schema.enum && typeof node.value === 'string' && !schema.enum.includes(node.value))
      found.push({ from, to, message: `${path} 只能是 ${schema.enum.join('、')}（Unsupported value: "${node.value}"）。` });
    return;
  }
  if (isSeq(node)) {
    if (schema.type !== 'array') {
      if (schema.properties || schema.type) wrong();
      return;
    }
    node.items.forEach((item, index) => {
      if (schema.items) check(schemas, schema.items, item as Node, `${path}[${index}]`, found);
    });
    return;
  }
  if (!isMap(node)) return;
  if (schema.type === 'array') {
    wrong();
    return;
  }
  for (const pair of node.items) {
    if (!isScalar(pair.key)) continue;
    const name = String(pair.key.value);
    const inside = path === '' ? name : `${path}.${name}`;
    const next = schema.properties?.[name] ?? (typeof schema.additionalProperties === 'object' ? schema.additionalProperties : undefined);
    if (next) {
      if (pair.value) check(schemas, next, pair.value as Node, inside, found);
    } else if (schema.properties) {
      const [keyFrom = 0, keyTo = 0] = pair.key.range ?? [];
      const near = Object.keys(schema.properties).find((known) => known.toLowerCase() === name.toLowerCase());
      found.push({
        from: keyFrom,
        to: keyTo,
        message: `這裡沒有 ${name} 這個欄位${near ? `，是不是 ${near}？` : '，看看是不是縮排到別層了。'}（unknown field "${inside}"）`,
      });
    }
  }
}
