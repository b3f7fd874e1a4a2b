import { parseDocument } from 'yaml';
// The one emitter of go-yaml's style in the project; a format, nothing of kubectl's behaviour.
import { toYaml } from '../../../kubectl/format/yaml-write.ts';
import type { ParsedJson } from './json.ts';

/** A YAML body that cannot be read; the message is meant to follow "error converting YAML to JSON: ". */
export class YamlSyntaxError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'YamlSyntaxError';
  }
}

/** go-yaml's reading of plain scalars: YAML 1.1 without timestamps, sexagesimals, sets and binary. */
const OPTIONS = {
  version: '1.1',
  customTags: (tags: unknown[]) =>
    tags.filter((tag) => {
      const name = typeof tag === 'string' ? tag : ((tag as { tag: string }).tag ?? '');
      const format = typeof tag === 'string' ? undefined : (tag as { format?: string }).format;
      return !/timestamp|binary|omap|pairs|set$/.test(name) && format !== 'TIME';
    }),
  logLevel: 'silent',
  strict: false,
  uniqueKeys: true,
} as const;

/** Reads one YAML document. Aliases are limited, so that a small body cannot become a large object. */
export function parseYaml(text: string): ParsedJson {
  const document = parseDocument(text, OPTIONS as never);
  const problem = document.errors[0];
  if (problem) {
    const line = problem.linePos?.[0].line ?? 1;
    const first = problem.message.split('\n')[0]?.replace(/ at line \d+, column \d+:?$/, '') ?? '';
    if (problem.code === 'DUPLICATE_KEY') throw new YamlSyntaxError(`yaml: unmarshal errors:\n  line ${line}: mapping key already defined`);
    throw new YamlSyntaxError(`yaml: line ${line}: ${first}`);
  }
  let value: unknown;
  try {
    value = document.toJS({ maxAliasCount: 100 });
  } catch {
    throw new YamlSyntaxError('yaml: document contains excessive aliasing');
  }
  return { value, duplicates: new WeakMap() };
}

/** YAML as `sigs.k8s.io/yaml` writes it. */
export function encodeYaml(value: unknown): string {
  return toYaml(JSON.parse(JSON.stringify(value)) as Parameters<typeof toYaml>[0]);
}
