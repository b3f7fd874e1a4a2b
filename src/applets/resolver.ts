import { createQuery, type DnsMessage, decodeMessage, encodeMessage, MalformedMessage, RCODE, TYPE } from '../sim/dns/message.ts';
import { parseIPv4 } from '../sim/network/address.ts';
import { Errno, type Machine, type Process } from '../unix/types.ts';

/** /etc/resolv.conf as a resolver reads it. */
export interface ResolvConf {
  servers: readonly string[];
  search: readonly string[];
  ndots: number;
  timeoutMs: number;
  attempts: number;
}

export function readResolvConf(machine: Machine): ResolvConf {
  let text = '';
  try {
    text = machine.fs.readText('/etc/resolv.conf');
  } catch (error) {
    if (!(error instanceof Errno)) throw error;
  }
  const servers: string[] = [];
  let search: string[] = [];
  let ndots = 1;
  let timeoutMs = 5000;
  let attempts = 2;
  for (const line of text.split('\n')) {
    const [keyword, ...values] = line
      .replace(/[#;].*/, '')
      .trim()
      .split(/\s+/);
    if (keyword === 'nameserver' && values[0]) servers.push(values[0]);
    else if (keyword === 'search' || keyword === 'domain') search = values.map((domain) => domain.replace(/\.$/, '')).filter(Boolean);
    else if (keyword === 'options') {
      for (const option of values) {
        const [name, value] = option.split(':');
        if (name === 'ndots') ndots = Number(value);
        else if (name === 'timeout') timeoutMs = Number(value) * 1000;
        else if (name === 'attempts') attempts = Number(value);
      }
    }
  }
  return { servers: servers.length > 0 ? servers : ['127.0.0.1'], search, ndots, timeoutMs, attempts };
}

/** One question to one server, over TCP again when the answer was cut. Undefined: no answer in time. Throws Errno ECONNREFUSED. */
export async function askServer(process: Process, server: string, message: DnsMessage, timeoutMs: number, port = 53): Promise<DnsMessage | undefined> {
  const packet = encodeMessage(message);
  try {
    const answer = decodeMessage(await process.guard(process.machine.net.datagram(server, port, packet, { timeoutMs, signal: process.signal })));
    if (!answer.truncated) return answer;
    return (await askOverTcp(process, server, packet, timeoutMs, port)) ?? answer;
  } catch (error) {
    if (error instanceof MalformedMessage || (error instanceof Errno && (error.code === 'ETIMEDOUT' || error.code === 'EHOSTUNREACH'))) return undefined;
    throw error;
  }
}

async function askOverTcp(process: Process, server: string, packet: Uint8Array, timeoutMs: number, port: number): Promise<DnsMessage | undefined> {
  const socket = await process.guard(process.machine.net.connect(server, port, { timeoutMs, signal: process.signal }));
  try {
    await process.guard(socket.write(Uint8Array.of(packet.length >> 8, packet.length & 255, ...packet)));
    let received = new Uint8Array();
    for (;;) {
      const chunk = await process.guard(socket.read());
      if (!chunk) return undefined;
      received = Uint8Array.of(...received, ...chunk);
      if (received.length >= 2 && received.length >= 2 + (received[0] as number) * 256 + (received[1] as number)) return decodeMessage(received.subarray(2));
    }
  } finally {
    socket.close();
  }
}

/** Habits in which C libraries differ. */
export type Libc = 'glibc' | 'musl';

export type Resolution = { addresses: string[]; canonicalName: string } | { failure: 'not-found' | 'try-again' };

/**
 * getaddrinfo for IPv4: numbers, /etc/hosts, then DNS with the search path. Names with fewer than `ndots` dots try the
 * search list first. glibc asks A and AAAA together and sorts the answer by nearness (RFC 3484 rule 9 within the
 * interface's own /24), which is why a client on the Pod's node prefers the Pod beside it (corpus
 * dns-clusterip-vs-headless.json: 30 of 30 to web-0). musl stops at the first name that exists and never tries the name
 * as it is after the search list failed with an error.
 */
export async function resolveHost(process: Process, name: string, libc: Libc = libcOf(process.machine)): Promise<Resolution> {
  if (parseIPv4(name) !== undefined) return { addresses: [name], canonicalName: name };
  const fromHosts = hostsAddresses(process.machine, name);
  if (fromHosts.length > 0) return { addresses: fromHosts, canonicalName: name };
  const conf = readResolvConf(process.machine);
  const dots = name.replace(/\.$/, '').split('.').length - 1;
  const searched = conf.search.map((domain) => `${name}.${domain}`);
  const candidates = name.endsWith('.') ? [name] : dots >= conf.ndots ? [name, ...(libc === 'glibc' ? searched : [])] : [...searched, name];
  let failure: 'not-found' | 'try-again' = 'not-found';
  for (const candidate of candidates) {
    const answer = await queryAddresses(process, conf, candidate);
    if (answer === undefined) return { failure: 'try-again' };
    if (answer.rcode === RCODE.SERVFAIL || answer.rcode === RCODE.REFUSED) {
      if (libc === 'musl') return { failure: 'try-again' };
      failure = 'try-again';
      continue;
    }
    const addresses = answer.answers.flatMap(({ type, data }) => (type === TYPE.A && 'address' in data ? [data.address] : []));
    if (addresses.length > 0) return { addresses: sortByNearness(addresses, process.machine.net.ip), canonicalName: candidate };
    if (libc === 'musl' && answer.rcode === RCODE.NOERROR) return { failure: 'not-found' };
  }
  return { failure };
}

/** glibc unless the image says otherwise by having musl's loader. */
export function libcOf(machine: Machine): Libc {
  return machine.fs.exists('/lib/ld-musl-x86_64.so.1') ? 'musl' : 'glibc';
}

function hostsAddresses(machine: Machine, name: string): string[] {
  let text = '';
  try {
    text = machine.fs.readText('/etc/hosts');
  } catch (error) {
    if (!(error instanceof Errno)) throw error;
  }
  const lower = name.toLowerCase();
  return text.split('\n').flatMap((line) => {
    const [ip, ...names] = line.replace(/#.*/, '').trim().split(/\s+/);
    return ip && !ip.includes(':') && names.some((one) => one.toLowerCase() === lower) ? [ip] : [];
  });
}

/** A and AAAA side by side, as both libraries ask. The A answer; undefined when no server answered. */
async function queryAddresses(process: Process, conf: ResolvConf, name: string): Promise<DnsMessage | undefined> {
  for (let attempt = 0; attempt < conf.attempts; attempt++) {
    for (const server of conf.servers) {
      const id = process.kernel.random.int(65536);
      try {
        const [answer] = await Promise.all([
          askServer(process, server, createQuery(id, name, TYPE.A), conf.timeoutMs),
          askServer(process, server, createQuery((id + 1) & 0xffff, name, TYPE.AAAA), conf.timeoutMs),
        ]);
        if (answer) return answer;
      } catch (error) {
        if (!(error instanceof Errno)) throw error;
      }
    }
  }
  return undefined;
}

/** Same /24 first, the one that shares more leading bits first; everything else keeps its order. */
export function sortByNearness(addresses: readonly string[], own: string): string[] {
  const self = parseIPv4(own) ?? 0;
  const distance = (address: string): number => {
    const difference = ((parseIPv4(address) ?? 0) ^ self) >>> 0;
    return difference < 256 ? 32 - Math.clz32(difference) : 33;
  };
  return addresses
    .map((address, index) => ({ address, index, distance: distance(address) }))
    .sort((a, b) => a.distance - b.distance || a.index - b.index)
    .map(({ address }) => address);
}
