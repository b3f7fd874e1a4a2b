import { fnv32, fnv32a, safeEncode } from '../../kernel/index.ts';
import type { PodTemplateSpec } from '../kinds/types.ts';
import { dumpPodTemplate } from './go-dump.ts';

/** controller.ComputeHash: the `pod-template-hash`, of Go's dump of the template. Corpus deploy-rollout.json shows its values. */
export function podTemplateHash(template: PodTemplateSpec | undefined, collisionCount: number | undefined): string {
  const text = dumpPodTemplate(template);
  if (collisionCount === undefined) return safeEncode(String(fnv32a(text)));
  const dump = new TextEncoder().encode(text);
  const bytes = new Uint8Array(dump.length + 8);
  bytes.set(dump);
  new DataView(bytes.buffer).setUint32(dump.length, collisionCount, true);
  return safeEncode(String(fnv32a(bytes)));
}

/** history.HashControllerRevision: of the revision's data as JSON, with the collision count behind it. */
export function revisionHash(json: string, collisionCount: number): string {
  // Go's encoder makes text safe to stand in a web page.
  const escaped = json.replace(/[<>&\u2028\u2029]/g, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
  return safeEncode(String(fnv32(escaped + String(collisionCount))));
}
