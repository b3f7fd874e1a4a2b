import { parseDocument, type SchemaOptions } from 'yaml';
import type { Json } from '../util/object.ts';

/** go-yaml v2's resolution: YAML 1.1 booleans, but timestamps and base-60 numbers stay strings. */
const OPTIONS: SchemaOptions & { uniqueKeys: boolean; strict: boolean; prettyErrors: boolean; merge: boolean } = {
  schema: 'yaml-1.1',
  uniqueKeys: false,
  strict: false,
  prettyErrors: false,
  merge: true,
  customTags: (tags) =>
    tags
      .filter((tag) => typeof tag === 'string' || !/timestamp|set|omap|pairs/.test(tag.tag))
      .filter((tag) => typeof tag === 'string' || !('format' in tag && tag.format === 'TIME')),
};

/** One YAML document as a JSON value. Throws with go-yaml's words. */
export function readYamlDocument(text: string): Json {
  const document = parseDocument(text, { ...OPTIONS, version: '1.1' });
  const [error] = document.errors;
  if (error) throw new Error(`yaml: ${error.message}`);
  return normalise(document.toJS({ maxAliasCount: 1000 }));
}

/** JSON has string keys only; what yaml makes of odd keys becomes text as sigs.k8s.io/yaml does. */
function normalise(value: unknown): Json {
  if (Array.isArray(value)) return value.map(normalise);
  if (value instanceof Map) return Object.fromEntries([...value].map(([key, item]) => [String(key), normalise(item)]));
  if (value !== null && typeof value === 'object') return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, normalise(item)]));
  return value;
}

/**
 * The documents of a file as `yaml.NewYAMLOrJSONDecoder` finds them: JSON values one after another when the text
 * begins with a brace, otherwise YAML documents between lines that begin with `---`.
 */
export function* readDocuments(text: string): Generator<Json> {
  const source = text.replace(/^\uFEFF/, '');
  if (/^\s*\{/.test(source)) {
    yield* readJsonStream(source);
    return;
  }
  for (const chunk of splitDocuments(source)) {
    let value: Json;
    try {
      value = readYamlDocument(chunk);
    } catch (error) {
      throw new Error(`error converting YAML to JSON: ${error instanceof Error ? error.message : String(error)}`);
    }
    yield value;
  }
}

/** splitYAMLDocument: a separator is a line that begins with `---`; the rest of that line is dropped. */
export function splitDocuments(text: string): string[] {
  const out: string[] = [];
  let current: string[] = [];
  let first = true;
  for (const line of text.split('\n')) {
    if (line.startsWith('---') && !first) {
      out.push(current.join('\n'));
      current = [];
      continue;
    }
    first = false;
    current.push(line);
  }
  out.push(current.join('\n'));
  return out;
}

function* readJsonStream(text: string): Generator<Json> {
  let position = 0;
  while (/\S/.test(text.slice(position))) {
    position += text.slice(position).search(/\S/);
    const end = jsonEnd(text, position);
    const chunk = text.slice(position, end);
    try {
      yield JSON.parse(chunk);
    } catch {
      // A brace may also open a YAML flow mapping: go on as YAML, as the decoder does.
      for (const document of splitDocuments(text.slice(position))) {
        try {
          yield readYamlDocument(document);
        } catch (error) {
          throw new Error(`error converting YAML to JSON: ${error instanceof Error ? error.message : String(error)}`);
        }
      }
      return;
    }
    position = end;
  }
}

function jsonEnd(text: string, start: number): number {
  let depth = 0;
  let inString = false;
  for (let i = start; i < text.length; i++) {
    const char = text[i];
    if (inString) {
      if (char === '\\') i++;
      else if (char === '"') inString = false;
    } else if (char === '"') inString = true;
    else if (char === '{' || char === '[') depth++;
    else if (char === '}' || char === ']') {
      depth--;
      if (depth === 0) return i + 1;
    }
  }
  return text.length;
}
