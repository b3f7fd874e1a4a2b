import type { Json } from '../util/object.ts';
import { scanJson } from '../util/parse-json.ts';
import { parseYaml } from './yaml-parse.ts';

/** One YAML document as a JSON value. Throws with go-yaml's words. */
export function readYamlDocument(text: string): Json {
  return parseYaml(text);
}

/**
 * The documents of a file as `yaml.NewYAMLOrJSONDecoder` finds them: JSON values one after another when the text
 * begins with a brace, otherwise YAML documents between lines that begin with `---`.
 */
export function* readDocuments(text: string): Generator<Json> {
  const source = text.replace(/^\uFEFF/, '');
  if (/^\s*\{/.test(source)) yield* readJsonStream(source);
  else yield* readYamlStream(source);
}

function* readYamlStream(text: string): Generator<Json> {
  for (const chunk of splitDocuments(text)) {
    let value: Json;
    try {
      value = readYamlDocument(chunk);
    } catch (error) {
      throw new Error(`error converting YAML to JSON: ${error instanceof Error ? error.message : String(error)}`);
    }
    yield value;
  }
}

/** YAMLReader.Read: a separator is a line that begins with `---`; only a comment may follow it. */
export function splitDocuments(text: string): string[] {
  const out: string[] = [];
  let current: string[] = [];
  for (const line of text.split('\n')) {
    if (line.startsWith('---')) {
      const rest = line.slice(3).trim();
      if (rest !== '' && !rest.startsWith('#')) throw new Error(`invalid Yaml document separator: ${rest}`);
      if (current.length > 0) {
        out.push(current.join('\n'));
        current = [];
        continue;
      }
    }
    current.push(line);
  }
  out.push(current.join('\n'));
  return out;
}

/** JSON values one after another; what is no JSON is read on as YAML, and if that fails too, JSON's error counts. */
function* readJsonStream(text: string): Generator<Json> {
  let position = 0;
  for (let count = 0; /\S/.test(text.slice(position)); count++) {
    const { end, problem } = scanJson(text, position, true);
    if (problem === undefined) {
      yield JSON.parse(text.slice(position, end));
      position = end;
      continue;
    }
    const incomplete = end >= text.length;
    if (count > 1) throw new Error(incomplete ? 'unexpected EOF' : problem);
    const rest = text.slice(position).replace(/^[^\S\n]*\n?/, '');
    try {
      yield* [...readYamlStream(rest)];
    } catch {
      throw new Error(incomplete ? 'unexpected EOF' : `json: offset ${end + 1}: ${problem}`);
    }
    return;
  }
}
