import { type Applet, Failure, fromByteText, program, UsageError } from '../../applets/applet.ts';
import { formatTime } from '../../applets/dates.ts';
import { hostAddress } from '../../applets/net-clients.ts';
import { askServer, readResolvConf } from '../../applets/resolver.ts';
import { Errno } from '../../unix/types.ts';
import { rcodeName, typeName } from '../dns/dns-server.ts';
import { createQuery, type DnsMessage, encodeMessage, RCODE, type ResourceRecord, TYPE } from '../dns/message.ts';
import { parseIPv4 } from '../network/address.ts';

/** dig, host and nslookup of BIND 9.18, printing as they print (corpus dns.json has what dig shows between its header and footer). */

/** BIND's columns: at least one blank, tabs where a tab stop lies between. */
function indent(line: string, column: number): string {
  const width = [...line].reduce((at, char) => (char === '\t' ? (Math.floor(at / 8) + 1) * 8 : at + 1), 0);
  const target = Math.max(column, width + 1);
  const tabs = Math.floor(target / 8) - Math.floor(width / 8);
  return line + '\t'.repeat(tabs) + ' '.repeat(tabs > 0 ? target % 8 : target - width);
}

function rdata({ data }: ResourceRecord): string {
  if ('address' in data) return data.address;
  if ('weight' in data) return `${data.priority} ${data.weight} ${data.port} ${data.target}`;
  if ('preference' in data) return `${data.preference} ${data.target}`;
  if ('target' in data) return data.target;
  if ('texts' in data) return data.texts.map((text) => `"${text}"`).join(' ');
  if ('primary' in data) return `${data.primary} ${data.mailbox} ${data.serial} ${data.refresh} ${data.retry} ${data.expire} ${data.minimum}`;
  return `\\# ${data.raw.length}`;
}

const recordLine = (record: ResourceRecord): string =>
  `${indent(`${indent(`${indent(`${indent(record.name, 24)}${record.ttl}`, 32)}IN`, 40)}${typeName(record.type)}`, 48)}${rdata(record)}\n`;

interface DigOptions {
  server: string | undefined;
  names: { name: string; type: number }[];
  flags: Map<string, boolean>;
  port: number;
  timeoutMs: number;
  tries: number;
}

function parseDig(args: readonly string[]): DigOptions {
  const options: DigOptions = { server: undefined, names: [], flags: new Map(), port: 53, timeoutMs: 5000, tries: 3 };
  let type: number | undefined;
  let name: string | undefined;
  for (let i = 0; i < args.length; i++) {
    const word = args[i] as string;
    if (word.startsWith('@')) options.server = word.slice(1);
    else if (word.startsWith('+')) {
      const [flag = '', value] = word.slice(1).split('=');
      if (flag === 'time' || flag === 'timeout') options.timeoutMs = Number(value) * 1000;
      else if (flag === 'tries') options.tries = Number(value);
      else if (flag === 'retry') options.tries = Number(value) + 1;
      else if (flag === 'all' || flag === 'noall')
        for (const part of ['comments', 'question', 'answer', 'authority', 'additional', 'stats', 'cmd']) options.flags.set(part, flag === 'all');
      else options.flags.set(flag.replace(/^no/, ''), !flag.startsWith('no'));
    } else if (word === '-x') {
      name = `${(args[++i] ?? '').split('.').reverse().join('.')}.in-addr.arpa`;
      type = TYPE.PTR;
    } else if (word === '-p') options.port = Number(args[++i]);
    else if (word === '-t') type = TYPE[(args[++i] ?? '').toUpperCase() as 'A'];
    else if (word === '-q') name = args[++i];
    else if (/^-[46]$/.test(word) || word === '-c') i += word === '-c' ? 1 : 0;
    else if (word.startsWith('-')) throw new Failure(`Invalid option: ${word}`);
    else if (word.toUpperCase() in TYPE && name !== undefined) type = TYPE[word.toUpperCase() as 'A'];
    else if (word.toUpperCase() in TYPE && i + 1 < args.length && type === undefined && !/[.]/.test(word)) type = TYPE[word.toUpperCase() as 'A'];
    else if (word.toUpperCase() !== 'IN') name = word;
  }
  options.names.push({ name: fromByteText(name ?? '.'), type: type ?? (name === undefined ? TYPE.NS : TYPE.A) });
  return options;
}

async function dig(applet: Applet): Promise<number> {
  const { process } = applet;
  const options = parseDig(applet.args);
  const conf = readResolvConf(process.machine);
  const show = (part: string): boolean => options.flags.get(part) ?? true;
  const short = options.flags.get('short') ?? false;
  for (const { name, type } of options.names) {
    const server = options.server ?? (conf.servers[0] as string);
    const address = await addressOf(applet, server);
    const searched = options.flags.get('search') && !name.endsWith('.') ? candidatesFor(name, conf) : [name];
    if (!short && show('cmd')) await applet.put(`\n; <<>> DiG 9.18.28 <<>> ${applet.args.join(' ')}\n;; global options: +cmd\n`);
    let answer: DnsMessage | undefined;
    let startedMs = process.kernel.now();
    let failure = 'timed out';
    for (const candidate of searched) {
      answer = undefined;
      for (let attempt = 0; attempt < options.tries && !answer; attempt++) {
        startedMs = process.kernel.now();
        const id = process.kernel.random.int(65536);
        const cookie = { code: 10, data: Uint8Array.from({ length: 8 }, () => process.kernel.random.int(256)) };
        const query: DnsMessage = {
          ...createQuery(id, candidate, type),
          authenticData: true,
          edns: { udpSize: 1232, version: 0, dnssecOk: false, options: [cookie] },
        };
        try {
          answer = await askServer(process, address, query, options.timeoutMs, options.port);
        } catch (error) {
          if (!(error instanceof Errno)) throw error;
          failure = 'connection refused';
        }
        if (!answer) await applet.put(`;; communications error to ${address}#${options.port}: ${failure}\n`);
      }
      if (!answer || (answer.rcode !== RCODE.NXDOMAIN && answer.answers.length > 0)) break;
    }
    if (!answer) {
      await applet.put(';; no servers could be reached\n');
      return 9;
    }
    if (short) {
      for (const record of answer.answers) await applet.put(`${rdata(record)}\n`);
      continue;
    }
    await printAnswer(applet, answer, show);
    if (show('stats')) {
      await applet.put(
        `;; Query time: ${process.kernel.now() - startedMs} msec\n;; SERVER: ${address}#${options.port}(${server}) (UDP)\n;; WHEN: ${formatTime('%a %b %d %H:%M:%S UTC %Y', process.kernel.now())}\n;; MSG SIZE  rcvd: ${encodeMessage(answer).length}\n\n`,
      );
    }
  }
  return 0;
}

async function printAnswer(applet: Applet, answer: DnsMessage, show: (part: string) => boolean): Promise<void> {
  const question = answer.questions[0];
  if (show('comments')) {
    await applet.put(';; Got answer:\n');
    if (question?.name.toLowerCase().endsWith('.local.'))
      await applet.put(';; WARNING: .local is reserved for Multicast DNS\n;; You are currently testing what happens when an mDNS query is leaked to DNS\n');
    const flags = [
      answer.response && 'qr',
      answer.authoritative && 'aa',
      answer.truncated && 'tc',
      answer.recursionDesired && 'rd',
      answer.recursionAvailable && 'ra',
    ]
      .filter(Boolean)
      .join(' ');
    await applet.put(
      `;; ->>HEADER<<- opcode: QUERY, status: ${rcodeName(answer.rcode)}, id: ${answer.id}\n;; flags: ${flags}; QUERY: ${answer.questions.length}, ANSWER: ${answer.answers.length}, AUTHORITY: ${answer.authorities.length}, ADDITIONAL: ${answer.additionals.length + (answer.edns ? 1 : 0)}\n`,
    );
    if (answer.recursionDesired && !answer.recursionAvailable) await applet.put(';; WARNING: recursion requested but not available\n');
    await applet.put('\n');
    if (answer.edns) {
      await applet.put(`;; OPT PSEUDOSECTION:\n; EDNS: version: ${answer.edns.version}, flags:; udp: ${answer.edns.udpSize}\n`);
      for (const option of answer.edns.options)
        if (option.code === 10) await applet.put(`; COOKIE: ${[...option.data].map((byte) => byte.toString(16).padStart(2, '0')).join('')} (echoed)\n`);
    }
  }
  if (show('question') && question)
    await applet.put(`;; QUESTION SECTION:\n${indent(`${indent(`;${question.name}`, 32)}IN`, 40)}${typeName(question.type)}\n\n`);
  for (const [title, part, records] of [
    ['ANSWER', 'answer', answer.answers],
    ['AUTHORITY', 'authority', answer.authorities],
    ['ADDITIONAL', 'additional', answer.additionals],
  ] as const) {
    if (records.length === 0 || !show(part)) continue;
    await applet.put(`${show('comments') ? `;; ${title} SECTION:\n` : ''}${records.map(recordLine).join('')}${show('comments') ? '\n' : ''}`);
  }
}

function candidatesFor(name: string, conf: ReturnType<typeof readResolvConf>): string[] {
  if (name.endsWith('.')) return [name];
  const searched = conf.search.map((domain) => `${name}.${domain}`);
  return name.split('.').length - 1 >= conf.ndots ? [name, ...searched] : [...searched, name];
}

async function addressOf(applet: Applet, server: string): Promise<string> {
  if (parseIPv4(server) !== undefined) return server;
  return hostAddress(applet, server);
}

/** Asks the candidates in turn until one has records of the type; undefined: no server answered. */
async function lookUp(applet: Applet, server: string, name: string, type: number): Promise<DnsMessage | undefined> {
  const { process } = applet;
  let last: DnsMessage | undefined;
  for (const candidate of candidatesFor(fromByteText(name), readResolvConf(process.machine))) {
    let answer: DnsMessage | undefined;
    for (let attempt = 0; attempt < 2 && !answer; attempt++) {
      try {
        answer = await askServer(process, server, createQuery(process.kernel.random.int(65536), candidate, type), 5000);
      } catch (error) {
        if (!(error instanceof Errno)) throw error;
      }
    }
    if (!answer) return undefined;
    if (answer.rcode === RCODE.NOERROR && answer.answers.length > 0) return answer;
    if (!last || last.rcode === RCODE.NXDOMAIN) last = answer;
  }
  return last;
}

const plain = (name: string): string => name.replace(/\.$/, '');

async function host(applet: Applet): Promise<number> {
  const args = applet.args.filter((word) => !/^-[av46]$/.test(word));
  const typed = args.indexOf('-t');
  const wanted = typed >= 0 ? TYPE[(args.splice(typed, 2)[1] ?? 'A').toUpperCase() as 'A'] : undefined;
  const [name, serverName] = args;
  if (name === undefined) throw new UsageError();
  const server = await addressOf(applet, serverName ?? (readResolvConf(applet.process.machine).servers[0] as string));
  const reverse = parseIPv4(name) === undefined ? undefined : `${name.split('.').reverse().join('.')}.in-addr.arpa.`;
  const answer = await lookUp(applet, server, reverse ?? name, wanted ?? (reverse ? TYPE.PTR : TYPE.A));
  if (!answer) {
    await applet.put(';; connection timed out; no servers could be reached\n');
    return 1;
  }
  if (answer.rcode !== RCODE.NOERROR) {
    await applet.put(`Host ${reverse ? plain(reverse) : name} not found: ${answer.rcode}(${rcodeName(answer.rcode)})\n`);
    return 1;
  }
  for (const record of answer.answers) {
    const owner = plain(record.name);
    const words = {
      [TYPE.A]: 'has address',
      [TYPE.AAAA]: 'has IPv6 address',
      [TYPE.CNAME]: 'is an alias for',
      [TYPE.PTR]: 'domain name pointer',
      [TYPE.SRV]: 'has SRV record',
      [TYPE.TXT]: 'descriptive text',
      [TYPE.NS]: 'name server',
      [TYPE.SOA]: 'has SOA record',
      [TYPE.MX]: 'mail is handled by',
    };
    await applet.put(`${owner} ${words[record.type as 1] ?? 'has record'} ${rdata(record)}\n`);
  }
  if (answer.answers.length === 0) await applet.put(`${name} has no ${typeName(wanted ?? TYPE.A)} record\n`);
  return 0;
}

/** BIND's nslookup: with the search path, A then AAAA, "#53" behind the server. */
async function nslookup(applet: Applet): Promise<number> {
  const flags = applet.args.filter((word) => word.startsWith('-'));
  const [name, serverName] = applet.args.filter((word) => !word.startsWith('-'));
  if (name === undefined) throw new UsageError();
  const typed = flags.map((word) => /^-(?:q|qu|query|type|querytype)=(\w+)$/i.exec(word)?.[1]).find(Boolean);
  const server = serverName ?? (readResolvConf(applet.process.machine).servers[0] as string);
  const address = await addressOf(applet, server);
  const reverse = parseIPv4(name) === undefined ? undefined : `${name.split('.').reverse().join('.')}.in-addr.arpa.`;
  const type = typed ? (TYPE[typed.toUpperCase() as 'A'] ?? TYPE.A) : reverse ? TYPE.PTR : TYPE.A;
  const answer = await lookUp(applet, address, reverse ?? name, type);
  if (!answer) {
    await applet.put(`;; communications error to ${address}#53: timed out\n;; no servers could be reached\n\n`);
    return 1;
  }
  await applet.put(`Server:\t\t${server}\nAddress:\t${address}#53\n\n`);
  if (answer.rcode !== RCODE.NOERROR) {
    await applet.put(`** server can't find ${reverse ? plain(reverse) : name}: ${rcodeName(answer.rcode)}\n\n`);
    return 1;
  }
  if (!answer.authoritative) await applet.put('Non-authoritative answer:\n');
  for (const record of answer.answers) {
    const owner = plain(record.name);
    if ('address' in record.data) await applet.put(`Name:\t${owner}\nAddress: ${record.data.address}\n`);
    else {
      const word = {
        [TYPE.CNAME]: 'canonical name =',
        [TYPE.PTR]: 'name =',
        [TYPE.SRV]: 'service =',
        [TYPE.NS]: 'nameserver =',
        [TYPE.TXT]: 'text =',
        [TYPE.MX]: 'mail exchanger =',
      }[record.type as 5];
      await applet.put(word ? `${owner}\t${word} ${rdata(record)}\n` : `${owner}\n\t${rdata(record)}\n`);
    }
  }
  if (answer.answers.length === 0) await applet.put(`*** Can't find ${name}: No answer\n`);
  await applet.put('\n');
  return 0;
}

export const bindPrograms = {
  dig: program('[@server] name [type] [+flag...]', dig),
  host: program('[-t type] name [server]', host),
  nslookup: program('[-type=TYPE] name [server]', nslookup),
};
