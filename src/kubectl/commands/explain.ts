import type { Mapping } from '../rest/discovery.ts';
import type { Session } from '../session.ts';
import { CliError } from '../util/errors.ts';
import type { Obj } from '../util/object.ts';

type Schema = Obj;
/** An OpenAPI v3 document of one group version. */
interface Document {
  components?: { schemas?: Record<string, Schema> };
}

const API_RESOURCES = 'Use "kubectl api-resources" for a complete list of supported resources.';

/** kubectl explain (models kubectl's plaintext template over OpenAPI v3). */
export async function explain(session: Session, args: string[]): Promise<void> {
  if (args.length === 0) throw new CliError(`You must specify the type of resource to explain. ${API_RESOURCES}`);
  if (args.length > 1) throw new CliError('We accept only this format: explain RESOURCE');
  const { mapping, path } = await splitRequest(session, args[0] as string);
  const format = session.flags.text('output');
  if (format === 'plaintext-openapiv2') throw new CliError('explain from OpenAPI v2 is not simulated yet');
  const version = session.flags.text('api-version') || mapping.apiVersion;
  if (version.split('/').length > 2) throw new CliError(`unexpected GroupVersion string: ${version}`);
  const [group, apiVersion] = version.includes('/') ? (version.split('/') as [string, string]) : ['', version];
  const documentPath = group === '' ? `api/${version}` : `apis/${version}`;
  const { paths } = await session.client.request('GET', '/openapi/v3');
  if (!paths?.[documentPath]) throw new CliError(`couldn't find resource for "${version}, Resource=${mapping.resource}"`);
  const document = (await session.client.request('GET', `/openapi/v3/${documentPath}`)) as Document;
  if (format !== 'plaintext') throw new CliError(`unrecognized format: ${format}`);
  const schema = Object.values(document.components?.schemas ?? {}).find((candidate) =>
    (candidate['x-kubernetes-group-version-kind'] ?? []).some((gvk: Obj) => gvk.group === group && gvk.version === apiVersion && gvk.kind === mapping.kind),
  );
  if (!schema) throw new CliError(`GVR (${group}/${apiVersion}, Resource=${mapping.resource}) not found in OpenAPI schema`);
  await session.out(`${group ? `GROUP:      ${group}\n` : ''}KIND:       ${mapping.kind}\nVERSION:    ${apiVersion}\n\n`);
  const text = new Explainer(document, session.flags.bool('recursive')).output(schema, path);
  if (text === undefined) throw new CliError(`field "${path.at(-1)}" does not exist`);
  await session.out(`${text}\n`);
}

/** `sts.spec.template` or `statefulsets.apps.spec`: the resource and the fields after it. */
async function splitRequest(session: Session, request: string): Promise<{ mapping: Mapping; path: string[] }> {
  if (request.startsWith('.') || request === '') throw new CliError('invalid jsonpath syntax, first node must be field node');
  const [first = '', ...rest] = request.split('.').filter(Boolean);
  const mapper = await session.mapper();
  const mapping = mapper.resourceFor(first);
  const groupWords = mapping.group === '' ? [] : mapping.group.split('.');
  // The group counts as such only after the full plural name, as upstream matches prefixes of `resource.group`.
  const named = first === mapping.resource && groupWords.length > 0 && groupWords.every((word, i) => rest[i] === word);
  return { mapping, path: named ? rest.slice(groupWords.length) : rest };
}

class Explainer {
  #document: Document;
  #recursive: boolean;

  constructor(document: Document, recursive: boolean) {
    this.#document = document;
    this.#recursive = recursive;
  }

  #resolve(schema: Schema): Schema {
    const reference = refOf(schema);
    return (reference && this.#document.components?.schemas?.[reference.replace('#/components/schemas/', '')]) || schema;
  }

  /** Undefined when the path leads nowhere. */
  output(schema: Schema, path: readonly string[], seen: ReadonlySet<string> = new Set()): string | undefined {
    const reference = refOf(schema) ?? '';
    const resolved = this.#resolve(schema);
    const [field, ...rest] = path;
    if (field === undefined) {
      const fields = this.#fieldList(resolved, 1, new Set());
      return `DESCRIPTION:\n${indent(4, wrap(76, this.#description(resolved) || '<empty>'))}\n${fields === '' ? '' : `FIELDS:\n${fields}`}`;
    }
    if (reference !== '' && seen.has(reference)) return undefined;
    const next = new Set([...seen, reference]);
    const property = resolved.properties?.[field];
    if (property) {
      const head = rest.length === 0 ? `FIELD: ${field} <${this.#type(property)}>\n${longEnum(property)}\n\n` : '';
      const below = this.output(property, rest);
      return below === undefined ? undefined : head + below;
    }
    if (resolved.items) return this.output(resolved.items, path, next);
    if (resolved.additionalProperties && resolved.additionalProperties !== true) return this.output(resolved.additionalProperties, path, next);
    for (const part of resolved.allOf ?? []) {
      const text = this.output(part, path, next);
      if (text !== undefined) return text;
    }
    return undefined;
  }

  #description(schema: Schema): string {
    const resolved = this.#resolve(schema);
    let out = resolved.description ? `${resolved.description}\n` : '';
    for (const part of resolved.allOf ?? []) out += this.#description(part);
    if (resolved.items) out += this.#description(resolved.items);
    if (resolved.additionalProperties && resolved.additionalProperties !== true) out += this.#description(resolved.additionalProperties);
    return out;
  }

  #fieldList(schema: Schema, level: number, seen: ReadonlySet<string>): string {
    const reference = refOf(schema) ?? '';
    if (reference !== '' && seen.has(reference)) return '';
    const next = reference === '' ? seen : new Set([...seen, reference]);
    const resolved = this.#resolve(schema);
    let out = '';
    for (const name of Object.keys(resolved.properties ?? {}).sort()) {
      const property = resolved.properties[name];
      out += this.#field(resolved, name, property, level);
      if (this.#recursive) out += this.#fieldList(property, level + 1, next);
    }
    for (const part of resolved.allOf ?? []) out += this.#fieldList(part, level, next);
    if (resolved.items) out += this.#fieldList(resolved.items, level, next);
    if (resolved.additionalProperties && resolved.additionalProperties !== true) out += this.#fieldList(resolved.additionalProperties, level, next);
    return out;
  }

  #field(owner: Schema, name: string, schema: Schema, level: number): string {
    const amount = level * 2;
    const required = (owner.required ?? []).includes(name) ? ' -required-' : '';
    const head = `${indent(amount, name)}\t<${this.#type(schema)}>${required}${shortEnum(schema, amount)}\n`;
    if (this.#recursive) return head;
    return `${head}${indent(amount + 2, wrap(78 - amount, schema.description || '<no description>'))}\n\n`;
  }

  #type(schema: Schema): string {
    if (schema.items) return `[]${this.#type(schema.items)}`;
    if (schema.additionalProperties && schema.additionalProperties !== true) return `map[string]${this.#type(schema.additionalProperties)}`;
    if (schema.allOf?.length === 1 && !schema.properties) return this.#type(schema.allOf[0]);
    if (schema.$ref) {
      const target = this.#resolve(schema);
      if (target !== schema && target.type && target.type !== 'object') return target.type;
      return schema.$ref.split('/').at(-1).split('.').at(-1) || 'Object';
    }
    return schema.type === 'object' || !schema.type ? 'Object' : schema.type;
  }
}

function refOf(schema: Schema): string | undefined {
  return schema.$ref ?? (schema.allOf?.length === 1 ? schema.allOf[0].$ref : undefined);
}

function enumWord(value: unknown): string {
  return value === '' ? '""' : String(value);
}

function longEnum(schema: Schema): string {
  return schema.enum ? `ENUM:${schema.enum.map((value: unknown) => `\n    ${enumWord(value)}`).join('')}` : '';
}

/** At most four values, then dots. */
function shortEnum(schema: Schema, amount: number): string {
  if (!schema.enum) return '';
  const words = schema.enum.slice(0, 4).map(enumWord).join(', ');
  return `\n${' '.repeat(amount)}enum: ${words}${schema.enum.length > 4 ? ', ....' : ''}`;
}

function indent(amount: number, text: string): string {
  const pad = ' '.repeat(amount);
  return pad + text.replaceAll('\n', `\n${pad}`);
}

function wrap(width: number, text: string): string {
  return text
    .split('\n')
    .map((line) => {
      let out = '';
      let column = 0;
      for (const word of line.split(' ')) {
        if (column > 0 && column + 1 + word.length > width) {
          out += `\n${word}`;
          column = word.length;
        } else {
          out += column > 0 ? ` ${word}` : word;
          column += (column > 0 ? 1 : 0) + word.length;
        }
      }
      return out;
    })
    .join('\n');
}
