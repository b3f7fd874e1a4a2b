import { createQuery, type DnsMessage, decodeMessage, encodeMessage, MalformedMessage, RCODE, type ResourceRecord, TYPE } from '../sim/dns/message.ts';
import { parseIPv4 } from '../sim/network/address.ts';
import { Errno } from '../unix/types.ts';
import { type Applet, Failure, fromByteText, program, UsageError } from './applet.ts';
import { readResolvConf, resolveHost } from './resolver.ts';

/**
 * BusyBox nslookup: asks every name for every type at once from one socket and prints the answers as they come. A name
 * without dots is asked with every search domain and never alone; one with dots is never searched. Corpus
 * dns-headless-article.json.
 */
const QUERY_TYPES = {
  soa: TYPE.SOA,
  ns: TYPE.NS,
  a: TYPE.A,
  aaaa: TYPE.AAAA,
  cname: TYPE.CNAME,
  mx: TYPE.MX,
  txt: TYPE.TXT,
  ptr: TYPE.PTR,
  srv: TYPE.SRV,
  any: TYPE.ANY,
};
const RCODE_NAMES = ['NOERROR', 'FORMERR', 'SERVFAIL', 'NXDOMAIN', 'NOTIMP', 'REFUSED', 'YXDOMAIN', 'YXRRSET', 'NXRRSET', 'NOTAUTH', 'NOTZONE'];
const OPTIONS = ['type', 'querytype', 'port', 'retry', 'debug', 't', 'timeout'];

interface Query {
  name: string;
  type: number;
  id: number;
  answered: boolean;
}

async function nslookup(applet: Applet): Promise<number> {
  const { process } = applet;
  const args = [...applet.args];
  const types: number[] = [];
  let port = 53;
  let retry = 2;
  let timeoutMs = 5000;
  let debug = false;
  while (args[0]?.startsWith('-')) {
    const [word = '', value = ''] = splitAtEquals((args.shift() as string).slice(1));
    const option = OPTIONS.find((one) => one === word) ?? OPTIONS.find((one) => one.startsWith(word));
    if (option === undefined || word === '') throw new UsageError();
    if (option === 'type' || option === 'querytype') {
      const type = QUERY_TYPES[value.toLowerCase() as keyof typeof QUERY_TYPES];
      if (type === undefined) throw new Failure(`invalid query type "${value}"`);
      types.push(type);
    } else if (option === 'debug') debug = true;
    else {
      const number = Number(value);
      if (!/^\d+$/.test(value)) throw new Failure(`invalid number '${value}'`);
      if (option === 'port') port = number;
      else if (option === 'retry') retry = Math.max(1, number);
      else timeoutMs = number * 1000;
    }
  }
  const [host, serverArgument, more] = args;
  if (host === undefined || more !== undefined) throw new UsageError();
  const conf = readResolvConf(process.machine);
  const names = (type: number): string[] =>
    type === TYPE.PTR || conf.search.length === 0 || host.includes('.') ? [host] : conf.search.map((domain) => `${host}.${domain}`);
  const queries: Query[] = [];
  const add = (name: string, type: number): unknown => queries.push({ name, type, id: process.kernel.random.int(65536), answered: false });
  const reversed = types.length === 0 ? reverseName(host) : undefined;
  if (reversed) add(reversed, TYPE.PTR);
  else {
    // The order of the table, not of the command line.
    const chosen = types.length === 0 ? [TYPE.A, TYPE.AAAA] : Object.values(QUERY_TYPES).filter((type) => types.includes(type));
    for (const type of chosen) for (const name of names(type)) add(name, type);
  }
  const servers = serverArgument === undefined ? conf.servers : [serverArgument];
  for (const server of servers) {
    const address = await serverAddress(applet, server);
    const replies = await sendQueries(applet, server, address, port, queries, timeoutMs, retry, debug);
    if (replies > 0) {
      const missing = queries.filter((query) => !query.answered);
      for (const query of missing) await applet.put(`*** Can't find ${query.name}: No answer\n`);
      if (missing.length > 0) await applet.put('\n');
      return applet.code;
    }
  }
  await applet.put(';; connection timed out; no servers could be reached\n\n');
  return 1;
}

function splitAtEquals(text: string): [string, string] {
  const at = text.indexOf('=');
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)];
}

async function serverAddress(applet: Applet, server: string): Promise<string> {
  const found = await resolveHost(applet.process, fromByteText(server));
  if ('failure' in found) throw new Failure(`bad address '${server}'`);
  return found.addresses[0] as string;
}

function reverseName(host: string): string | undefined {
  return parseIPv4(host) === undefined ? undefined : `${host.split('.').reverse().join('.')}.in-addr.arpa`;
}

/** Sends what is unanswered, again after half the time-out; prints each answer on arrival. How many came, or -1 for a refusing server. */
async function sendQueries(
  applet: Applet,
  server: string,
  address: string,
  port: number,
  queries: readonly Query[],
  timeoutMs: number,
  retry: number,
  debug: boolean,
): Promise<number> {
  const { process } = applet;
  const started = process.kernel.now();
  const intervalMs = Math.floor(timeoutMs / retry);
  let replies = 0;
  let headed = false;
  let refused: Errno | undefined;
  for (let round = 0; round < retry && queries.some((query) => !query.answered); round++) {
    let servfailRetries = 2 * queries.length;
    const arrivals: (() => Promise<void>)[] = [];
    let wake: (() => void) | undefined;
    let open = 0;
    const send = (query: Query, index: number): void => {
      open++;
      const packet = encodeMessage(createQuery(query.id, fromByteText(query.name), query.type));
      const left = Math.max(1, started + (round + 1) * intervalMs - process.kernel.now());
      process.machine.net.datagram(address, port, packet, { timeoutMs: left, signal: process.signal }).then(
        (bytes) => {
          arrivals.push(async () => {
            open--;
            if (query.answered) return;
            if (!headed) await applet.put(`Server:\t\t${server}\nAddress:\t${address}:${port}\n\n`);
            headed = true;
            const rcode = (bytes[3] ?? 0) & 15;
            if (rcode === RCODE.SERVFAIL && servfailRetries > 0) {
              servfailRetries--;
              send(query, index);
              return;
            }
            query.answered = true;
            replies++;
            if (debug) await applet.put(`Query #${index} completed in ${process.kernel.now() - started}ms:\n`);
            await printReply(applet, query, bytes, rcode);
          });
          wake?.();
        },
        (error) => {
          open--;
          if (error instanceof Errno && error.code === 'ECONNREFUSED') refused = error;
          wake?.();
        },
      );
    };
    for (const [index, query] of queries.entries()) if (!query.answered) send(query, index);
    while (open > 0 && !refused) {
      const arrival = arrivals.shift();
      if (arrival) {
        await arrival();
        await applet.flush();
        continue;
      }
      await process.guard(
        new Promise<void>((resolve) => {
          wake = resolve;
        }),
      );
    }
    if (refused && replies === 0) {
      await applet.err(`${applet.name}: write to '${server}': ${refused.message}\n`);
      return -1;
    }
  }
  return replies;
}

async function printReply(applet: Applet, query: Query, bytes: Uint8Array, rcode: number): Promise<void> {
  if (rcode !== 0) {
    await applet.put(`** server can't find ${query.name}: ${RCODE_NAMES[rcode] ?? rcode}\n\n`);
    applet.code = 1;
    return;
  }
  let message: DnsMessage;
  try {
    message = decodeMessage(bytes);
  } catch (error) {
    if (!(error instanceof MalformedMessage)) throw error;
    await applet.put(`*** Can't find ${query.name}: Parse error\n\n`);
    applet.code = 1;
    return;
  }
  if (!message.authoritative) await applet.put('Non-authoritative answer:\n');
  for (const record of message.answers) await applet.put(formatRecord(record));
  await applet.put('\n');
}

const plain = (name: string): string => (name === '.' ? '' : name.replace(/\.$/, ''));

function formatRecord({ name: owner, type, data }: ResourceRecord): string {
  const name = plain(owner);
  if ('address' in data) return `Name:\t${name}\nAddress: ${data.address}\n`;
  if ('weight' in data) return `${name}\tservice = ${data.priority} ${data.weight} ${data.port} ${plain(data.target)}\n`;
  if ('preference' in data) return `${name}\tmail exchanger = ${data.preference} ${plain(data.target)}\n`;
  if ('target' in data) {
    const kind = type === TYPE.NS ? 'nameserver' : type === TYPE.CNAME ? 'canonical name' : 'name';
    return `${name}\t${kind} = ${plain(data.target)}\n`;
  }
  if ('texts' in data) return data.texts[0] ? `${name}\ttext = "${data.texts[0]}"\n` : '';
  if ('primary' in data) {
    return `${name}\n\torigin = ${plain(data.primary)}\n\tmail addr = ${plain(data.mailbox)}\n\tserial = ${data.serial}\n\trefresh = ${data.refresh}\n\tretry = ${data.retry}\n\texpire = ${data.expire}\n\tminimum = ${data.minimum}\n`;
  }
  return '';
}

export const nslookupApplet = program('[-type=QUERY_TYPE] [-debug] HOST [DNS_SERVER]', nslookup);
