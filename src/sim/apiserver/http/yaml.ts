// The project's one reader and writer in go-yaml's manner; a format, nothing of kubectl's behaviour.
import { parseYaml as readYaml } from '../../../kubectl/format/yaml-parse.ts';
import { YamlError } from '../../../kubectl/format/yaml-scan.ts';
import { toYaml } from '../../../kubectl/format/yaml-write.ts';
import type { ParsedJson } from './json.ts';

/** A YAML body that cannot be read; the message is go-yaml's. */
export class YamlSyntaxError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'YamlSyntaxError';
  }
}

/** Reads one YAML document. */
export function parseYaml(text: string): ParsedJson {
  try {
    return { value: readYaml(text), duplicates: new WeakMap() };
  } catch (error) {
    // The reader is recursive: nesting beyond the stack ends here.
    if (error instanceof RangeError) throw new YamlSyntaxError('yaml: exceeded max depth');
    if (!(error instanceof YamlError)) throw error;
    throw new YamlSyntaxError(error.message);
  }
}

/** YAML as `sigs.k8s.io/yaml` writes it. */
export function encodeYaml(value: unknown): string {
  return toYaml(JSON.parse(JSON.stringify(value)) as Parameters<typeof toYaml>[0]);
}
