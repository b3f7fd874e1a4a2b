/** Addresses, as far as the simulated network needs them. The cluster is single-stack IPv4, as the reference is. */

/** "10.42.0.5" → 0x0a2a0005; undefined when it is no dotted quad. */
export function parseIPv4(text: string): number | undefined {
  const parts = text.split('.');
  if (parts.length !== 4) return undefined;
  let value = 0;
  for (const part of parts) {
    if (!/^\d{1,3}$/.test(part) || Number(part) > 255) return undefined;
    value = value * 256 + Number(part);
  }
  return value;
}

export function formatIPv4(value: number): string {
  return `${Math.floor(value / 0x1000000) % 256}.${Math.floor(value / 0x10000) % 256}.${Math.floor(value / 256) % 256}.${value % 256}`;
}

export interface Cidr {
  /** First address. */
  base: number;
  /** Number of addresses. */
  size: number;
}

/** Throws on malformed text: CIDRs come from validated objects or from our own presets. */
export function parseCidr(text: string): Cidr {
  const [address, bits] = text.split('/');
  const value = parseIPv4(address ?? '');
  const prefix = Number(bits);
  if (value === undefined || !(prefix >= 0 && prefix <= 32)) throw new Error(`not an IPv4 CIDR: ${text}`);
  const size = 2 ** (32 - prefix);
  return { base: Math.floor(value / size) * size, size };
}

export function cidrContains(cidr: Cidr, ip: string): boolean {
  const value = parseIPv4(ip);
  return value !== undefined && value >= cidr.base && value < cidr.base + cidr.size;
}

export function isLoopback(ip: string): boolean {
  return ip.startsWith('127.') || ip === '::1';
}

/** 16 bytes as RFC 5952 writes them. */
export function formatIPv6(bytes: Uint8Array): string {
  const groups: string[] = [];
  for (let i = 0; i < 16; i += 2) groups.push((((bytes[i] as number) << 8) | (bytes[i + 1] as number)).toString(16));
  const text = groups.join(':');
  // The longest run of zero groups becomes "::" (RFC 5952).
  const runs = [...text.matchAll(/(?:^|:)0(?::0)+(?=:|$)/g)].sort((a, b) => b[0].length - a[0].length);
  const run = runs[0];
  if (!run) return text;
  return `${text.slice(0, run.index)}::${text.slice(run.index + run[0].length).replace(/^:/, '')}`;
}

/** Any form with at most one "::". */
export function parseIPv6(text: string): Uint8Array {
  const [head = '', tail] = text.split('::');
  const groups = (part: string): number[] => (part === '' ? [] : part.split(':').map((group) => Number.parseInt(group, 16)));
  const front = groups(head);
  const back = tail === undefined ? [] : groups(tail);
  const all = [...front, ...new Array(Math.max(0, 8 - front.length - back.length)).fill(0), ...back];
  return Uint8Array.from(all.slice(0, 8).flatMap((group) => [(group >>> 8) & 0xff, group & 0xff]));
}
