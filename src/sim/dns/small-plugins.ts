import type { Random } from '../../kernel/index.ts';
import { CLASS_IN, type DnsMessage, decodeMessage, encodeMessage, RCODE, type ResourceRecord, replyTo, TYPE } from './message.ts';
import { addressFromReverse, type DnsHandler, type DnsOutcome, type DnsPlugin, type DnsRequest, isSubdomain, matchZone } from './plugin.ts';

/** plugin/loadbalance: shuffles the addresses of every answer, cached or not. CNAMEs stay first. */
export class LoadBalancePlugin implements DnsPlugin {
  readonly name = 'loadbalance';
  #random: Random;

  constructor(random: Random) {
    this.#random = random;
  }

  async serve(request: DnsRequest, next: DnsHandler): Promise<DnsOutcome> {
    const outcome = await next(request);
    if (!('wrote' in outcome) || outcome.wrote.rcode !== RCODE.NOERROR) return outcome;
    const { answers, authorities, additionals } = outcome.wrote;
    return { wrote: { ...outcome.wrote, answers: this.#shuffle(answers), authorities: this.#shuffle(authorities), additionals: this.#shuffle(additionals) } };
  }

  #shuffle(records: readonly ResourceRecord[]): ResourceRecord[] {
    const of = (...types: number[]): ResourceRecord[] => records.filter((record) => types.includes(record.type));
    const rest = records.filter((record) => ![TYPE.CNAME, TYPE.A, TYPE.AAAA, TYPE.MX].includes(record.type as 1));
    return [...of(TYPE.CNAME), ...rest, ...this.#random.shuffle(of(TYPE.A, TYPE.AAAA)), ...this.#random.shuffle(of(TYPE.MX))];
  }
}

export interface HostsOptions {
  /** The file's text as it is now (reload is the reader's business); undefined: no such file. */
  read(): string | undefined;
  /** Lines written in the Corefile itself. */
  inline: readonly string[];
  zones: readonly string[];
  ttl: number;
  fallthrough: readonly string[] | undefined;
}

/** plugin/hosts: names from a file in /etc/hosts' form (k3s: NodeHosts, the nodes' names). */
export class HostsPlugin implements DnsPlugin {
  readonly name = 'hosts';
  #options: HostsOptions;

  constructor(options: HostsOptions) {
    this.#options = options;
  }

  async serve(request: DnsRequest, next: DnsHandler): Promise<DnsOutcome> {
    const { question, name } = request;
    // Unlike other plugins it answers in lower case.
    const entries = parseHosts([this.#options.read() ?? '', ...this.#options.inline].join('\n'));
    const record = (type: number, data: ResourceRecord['data']): ResourceRecord => ({
      name,
      type,
      class: CLASS_IN,
      ttl: this.#options.ttl,
      data,
    });
    const reply = (answers: ResourceRecord[]): DnsOutcome => ({ wrote: { ...replyTo(request.message), authoritative: true, answers } });
    if (question.type === TYPE.PTR) {
      const ip = addressFromReverse(name);
      const names = entries.filter((entry) => entry.ip === ip).map((entry) => entry.name);
      return names.length === 0 ? next(request) : reply(names.map((target) => record(TYPE.PTR, { target })));
    }
    if (matchZone(this.#options.zones, name) === undefined) return next(request);
    const addresses = entries.filter((entry) => entry.name === name).map((entry) => entry.ip);
    if (addresses.length === 0) {
      if (this.#options.fallthrough?.some((zone) => isSubdomain(zone, name))) return next(request);
      return { rcode: RCODE.SERVFAIL };
    }
    const wanted = addresses.filter((ip) => (question.type === TYPE.A && !ip.includes(':')) || (question.type === TYPE.AAAA && ip.includes(':')));
    return reply(wanted.map((address) => record(question.type, { address })));
  }
}

function parseHosts(text: string): { ip: string; name: string }[] {
  return text.split('\n').flatMap((line) => {
    const [ip, ...names] = line.replace(/#.*/, '').trim().split(/\s+/);
    return ip ? names.map((name) => ({ ip, name: `${name.toLowerCase().replace(/\.$/, '')}.` })) : [];
  });
}

/** Asks a resolver outside the cluster. Undefined: no answer in time. */
export type Upstream = (query: Uint8Array) => Promise<Uint8Array | undefined>;

/** plugin/forward, with what stands at the other end handed in. */
export class ForwardPlugin implements DnsPlugin {
  readonly name = 'forward';
  #from: string;
  #upstream: Upstream;

  constructor(from: string, upstream: Upstream) {
    this.#from = from;
    this.#upstream = upstream;
  }

  async serve(request: DnsRequest, next: DnsHandler): Promise<DnsOutcome> {
    if (!isSubdomain(this.#from, request.name)) return next(request);
    const bytes = await this.#upstream(encodeMessage(request.message));
    if (!bytes) return { rcode: RCODE.SERVFAIL, error: 'i/o timeout' };
    const answer: DnsMessage = decodeMessage(bytes);
    return { wrote: { ...answer, id: request.message.id, edns: undefined } };
  }
}

/** What every resolver outside answers for the reference cluster: a small server that knows one name. */
export const referenceUpstream: Upstream = async (bytes) => {
  const query = decodeMessage(bytes);
  const question = query.questions[0];
  const name = question?.name.toLowerCase() ?? '.';
  // Names below example.com had no usable answer in the recording (corpus dns.json: SERVFAIL).
  if (name.endsWith('.example.com.')) return undefined;
  const soa: ResourceRecord = {
    name: '.',
    type: TYPE.SOA,
    class: CLASS_IN,
    ttl: 86400,
    data: {
      primary: 'a.root-servers.net.',
      mailbox: 'nstld.verisign-grs.com.',
      serial: 2026112300,
      refresh: 1800,
      retry: 900,
      expire: 604800,
      minimum: 86400,
    },
  };
  const reply = { ...replyTo(query), authoritative: true };
  if (name !== 'example.com.') return encodeMessage({ ...reply, rcode: RCODE.NXDOMAIN, authorities: [soa] });
  if (question?.type !== TYPE.A) return encodeMessage({ ...reply, authorities: [soa] });
  return encodeMessage({ ...reply, answers: [{ name: question.name, type: TYPE.A, class: CLASS_IN, ttl: 300, data: { address: '93.184.215.14' } }] });
};
