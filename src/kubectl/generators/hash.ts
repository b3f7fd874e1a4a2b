import { goJson } from '../format/go-json.ts';
import type { Obj } from '../util/object.ts';
import { sha256 } from '../util/sha256.ts';

/** kubectl's hash of a ConfigMap or Secret: ten characters of sha256 in a vowel-free alphabet (pkg/util/hash). */
export function hashName(object: Obj): string {
  const hex = sha256(goJson(object));
  const map: Record<string, string> = { '0': 'g', '1': 'h', '3': 'k', a: 'm', e: 't' };
  return [...hex.slice(0, 10)].map((char) => map[char] ?? char).join('');
}
