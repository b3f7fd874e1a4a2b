import { JsonPath, relaxedJsonPath } from './format/jsonpath.ts';
import type { Json } from './util/object.ts';

/** Evaluates a JSONPath in kubectl's dialect, with or without braces, to the text that kubectl would print. Throws kubectl's words. */
export function evaluateJsonPath(template: string, object: unknown): string {
  const expression = template.includes('{') ? template : relaxedJsonPath(template);
  return new JsonPath(expression, { allowMissingKeys: true }).execute(object as Json);
}
