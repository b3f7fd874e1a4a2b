import { DIGESTS } from '../../../applets/sums.ts';

/** How passwords are kept and proved, without either side showing them. */

type Plugin = 'caching_sha2_password' | 'mysql_native_password';

const fromHex = (hex: string): Uint8Array => Uint8Array.from(hex.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
const xor = (a: Uint8Array, b: Uint8Array): Uint8Array => a.map((byte, i) => byte ^ (b[i] ?? 0));

function digest(plugin: Plugin, ...parts: Uint8Array[]): Uint8Array {
  const sum = DIGESTS[plugin === 'caching_sha2_password' ? 'sha256sum' : 'sha1sum']();
  for (const part of parts) sum.update(part);
  return fromHex(sum.finish());
}

const toHex = (bytes: Uint8Array): string => [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('');

/** What the server keeps: the hash of the hash; '' for no password. */
export function passwordHash(plugin: Plugin, password: string): string {
  return password === '' ? '' : toHex(digest(plugin, digest(plugin, new TextEncoder().encode(password))));
}

/** What a client sends for a password and the server's 20 random bytes. */
export function scramble(plugin: Plugin, password: string, nonce: Uint8Array): Uint8Array {
  if (password === '') return new Uint8Array();
  const once = digest(plugin, new TextEncoder().encode(password));
  const twice = digest(plugin, once);
  return xor(once, plugin === 'caching_sha2_password' ? digest(plugin, twice, nonce) : digest(plugin, nonce, twice));
}

export function isProof(plugin: Plugin, hash: string, nonce: Uint8Array, answer: Uint8Array): boolean {
  if (hash === '' || answer.length === 0) return hash === '' && answer.length === 0;
  const twice = fromHex(hash);
  const once = xor(answer, plugin === 'caching_sha2_password' ? digest(plugin, twice, nonce) : digest(plugin, nonce, twice));
  return toHex(digest(plugin, once)) === hash;
}
