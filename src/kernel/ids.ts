import type { Random } from './random.ts';

/** The alphabet of `k8s.io/apimachinery/pkg/util/rand`: no vowels, no 0, 1, 3, so that no word appears. */
export const SAFE_ALPHABET = 'bcdfghjklmnpqrstvwxz2456789';

/** As `rand.String(length)`: the suffix of generated names. */
export function randomSuffix(random: Random, length = 5): string {
  let out = '';
  for (let i = 0; i < length; i++) out += SAFE_ALPHABET[random.int(SAFE_ALPHABET.length)];
  return out;
}

/** As `rand.SafeEncodeString`: maps each character of a decimal hash into the safe alphabet. */
export function safeEncode(text: string): string {
  let out = '';
  for (let i = 0; i < text.length; i++) out += SAFE_ALPHABET[text.charCodeAt(i) % SAFE_ALPHABET.length];
  return out;
}

export function randomHex(random: Random, length: number): string {
  let out = '';
  while (out.length < length) out += random.uint32().toString(16).padStart(8, '0');
  return out.slice(0, length);
}

/** A version 4 UUID. */
export function randomUid(random: Random): string {
  const h = randomHex(random, 32);
  const variant = '89ab'[random.int(4)];
  return `${h.slice(0, 8)}-${h.slice(8, 12)}-4${h.slice(13, 16)}-${variant}${h.slice(17, 20)}-${h.slice(20)}`;
}

const encoder = new TextEncoder();
const bytesOf = (input: string | Uint8Array): Uint8Array => (typeof input === 'string' ? encoder.encode(input) : input);

/** FNV-1a, 32 bits, of text as UTF-8: as Kubernetes' hash helpers use it. */
export function fnv32a(input: string | Uint8Array): number {
  let hash = 0x811c9dc5;
  for (const byte of bytesOf(input)) hash = Math.imul(hash ^ byte, 0x01000193);
  return hash >>> 0;
}

/** FNV-1, 32 bits: as above with the two steps in the other order. */
export function fnv32(input: string | Uint8Array): number {
  let hash = 0x811c9dc5;
  for (const byte of bytesOf(input)) hash = Math.imul(hash, 0x01000193) ^ byte;
  return hash >>> 0;
}
