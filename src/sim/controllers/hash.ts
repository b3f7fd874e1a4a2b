import { fnv32a, safeEncode } from '../../kernel/index.ts';
import type { PodTemplateSpec } from '../kinds/types.ts';
import { stableStringify } from './object.ts';

/**
 * controller.ComputeHash: the `pod-template-hash`. Upstream hashes Go's dump of the struct, which has no meaning
 * outside Go; here the canonical JSON is hashed, so that equal templates have equal hashes.
 */
export function podTemplateHash(template: PodTemplateSpec | undefined, collisionCount: number | undefined): string {
  return encodeHash(stableStringify(template ?? {}), collisionCount);
}

/** Hash in the safe alphabet, with the collision count mixed in when there is one. */
export function encodeHash(text: string, collisionCount: number | undefined): string {
  // As Sprint(Sum32()) in upstream: seven to ten digits; short ones are lengthened so that names look as usual.
  let sum = fnv32a(collisionCount === undefined ? text : text + String(collisionCount));
  if (sum < 10_000_000) sum += 1_000_000_000;
  return safeEncode(String(sum));
}
