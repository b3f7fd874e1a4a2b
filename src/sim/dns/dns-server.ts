import type { Disposable, Kernel, Random } from '../../kernel/index.ts';
import type { Client } from '../client/types.ts';
import type { Pod } from '../kinds/types.ts';
import { CachePlugin } from './cache-plugin.ts';
import { ClusterView } from './cluster-view.ts';
import { CorefileError, type Directive, normaliseZone, parseCorefile } from './corefile.ts';
import { KubernetesPlugin } from './kubernetes-plugin.ts';
import {
  CLASS_IN,
  createQuery,
  type DnsMessage,
  decodeMessage,
  encodeMessage,
  MalformedMessage,
  RCODE,
  type ResourceRecord,
  replyTo,
  TYPE,
} from './message.ts';
import { type DnsHandler, type DnsOutcome, type DnsPlugin, isSubdomain, matchZone, requestFor } from './plugin.ts';
import { ForwardPlugin, HostsPlugin, LoadBalancePlugin, referenceUpstream, type Upstream } from './small-plugins.ts';

export interface DnsServerOptions {
  kernel: Kernel;
  client: Client;
  corefile: string;
  /** Reads a file as the process sees it now; undefined when there is none. */
  readFile(path: string): string | undefined;
  /** Texts of the files that match a glob ("/etc/coredns/custom/*.server"). */
  glob(pattern: string): readonly string[];
  /** Addresses of the process' own Pod. */
  localIps(): readonly string[];
  /** What `forward` reaches; by default what the reference cluster's resolver answered. */
  upstream?: Upstream;
  /** A line of the log (plugin errors, log). */
  log?(line: string): void;
}

interface Block {
  zones: readonly string[];
  port: number;
  handle: DnsHandler;
}

/** Order in which plugins see a question, whatever the Corefile's order (plugin.cfg). */
const CHAIN = ['log', 'loadbalance', 'cache', 'rewrite', 'hosts', 'kubernetes', 'forward'];
/** Directives that change nothing an answer shows; health, ready and prometheus are ports the program serves. */
const WITHOUT_ANSWERS = ['errors', 'health', 'ready', 'prometheus', 'loop', 'reload', 'bufsize', 'bind', 'pprof', 'debug', 'root', 'metadata'];

/**
 * CoreDNS 1.14.7 as one process runs it: a Corefile's server blocks, each a chain of plugins. Left out: what is not in
 * k3s' Corefile except log, rewrite of exact names and a second forward; DNSSEC; zone transfers.
 */
export class DnsServer implements Disposable {
  #kernel: Kernel;
  #random: Random;
  #options: DnsServerOptions;
  #view: ClusterView;
  #blocks: Block[] = [];
  #allClasses = false;

  /** Throws CorefileError when the Corefile cannot be used. */
  constructor(options: DnsServerOptions) {
    this.#kernel = options.kernel;
    this.#random = options.kernel.random.fork('coredns');
    this.#options = options;
    this.#view = new ClusterView(options.kernel, this.#random, options.client);
    this.#blocks = this.#configure(options.corefile);
  }

  /** Keeps the knowledge of the cluster, takes new rules (and with them an empty cache). Throws CorefileError. */
  reload(corefile: string): void {
    this.#blocks = this.#configure(corefile);
  }

  /** "zone:port" of every server block, as CoreDNS prints them at startup. */
  listening(): string[] {
    return this.#blocks.flatMap((block) => block.zones.map((zone) => `${zone}:${block.port}`));
  }

  ports(): number[] {
    return [...new Set(this.#blocks.map((block) => block.port))];
  }

  /** Answers one packet. Undefined: dropped, as a server drops what is no question. Never rejects. */
  async answer(packet: Uint8Array, options: { overTcp?: boolean; port?: number } = {}): Promise<Uint8Array | undefined> {
    if (packet.length < 12) return undefined;
    let query: DnsMessage;
    try {
      query = decodeMessage(packet);
    } catch (error) {
      if (!(error instanceof MalformedMessage)) throw error;
      return headerOnly(packet, RCODE.FORMERR);
    }
    if (query.response) return undefined;
    if (query.opcode !== 0) return headerOnly(packet, RCODE.NOTIMP);
    if (query.questions.length !== 1) return headerOnly(packet, RCODE.FORMERR);
    const question = query.questions[0];
    if (question?.class !== CLASS_IN && !this.#allClasses) return encodeMessage(replyTo(query, RCODE.REFUSED));
    if (query.edns && query.edns.version !== 0) {
      return encodeMessage({ ...replyTo(query, RCODE.BADVERS), edns: { ...query.edns, version: 0, options: [] } });
    }
    const reply = await this.#resolve(query, options.port ?? 53);
    return this.#fit(query, reply, options.overTcp ?? false);
  }

  dispose(): void {
    this.#view.dispose();
  }

  async #resolve(query: DnsMessage, port: number): Promise<DnsMessage> {
    const request = requestFor(query);
    let block: Block | undefined;
    let best = '';
    for (const candidate of this.#blocks) {
      const zone = candidate.port === port ? matchZone(candidate.zones, request.name) : undefined;
      if (zone !== undefined && (!block || zone.length > best.length)) {
        block = candidate;
        best = zone;
      }
    }
    if (!block) return replyTo(query, RCODE.REFUSED);
    const outcome = await block.handle(request);
    if ('wrote' in outcome) return outcome.wrote;
    if (outcome.error) this.#options.log?.(`[ERROR] plugin/errors: ${outcome.rcode} ${request.name} ${typeName(request.question.type)}: ${outcome.error}`);
    return replyTo(query, outcome.rcode);
  }

  /** Adds OPT when the client sent one, and cuts what does not fit (request.Scrub). */
  #fit(query: DnsMessage, reply: DnsMessage, overTcp: boolean): Uint8Array {
    const limit = overTcp ? 65535 : Math.max(512, query.edns?.udpSize ?? 512);
    // NSID, EXPIRE, COOKIE, TCP-KEEPALIVE, PADDING are handed back as they came.
    const edns = query.edns && { ...query.edns, version: 0, options: query.edns.options.filter((option) => [3, 9, 10, 11, 12].includes(option.code)) };
    let message: DnsMessage = { ...reply, ...(edns ? { edns } : {}) };
    let bytes = encodeMessage(message);
    while (bytes.length > limit) {
      if (message.additionals.length > 0) message = { ...message, additionals: message.additionals.slice(0, -1), truncated: true };
      else if (message.authorities.length > 0) message = { ...message, authorities: message.authorities.slice(0, -1), truncated: true };
      else if (message.answers.length > 0) message = { ...message, answers: message.answers.slice(0, -1), truncated: true };
      else break;
      bytes = encodeMessage(message);
    }
    return bytes;
  }

  #configure(corefile: string): Block[] {
    const blocks = parseCorefile(corefile, (glob) => this.#options.glob(glob));
    // A server block that forwards takes questions of every class (server.go, EnableChaos).
    this.#allClasses = blocks.some((block) => block.directives.some(({ name }) => name === 'forward' || name === 'chaos'));
    return blocks.map((block) => {
      const plugins: DnsPlugin[] = [];
      const directives = [...block.directives].sort((a, b) => CHAIN.indexOf(a.name) - CHAIN.indexOf(b.name));
      for (const directive of directives) {
        const plugin = this.#plugin(directive, block.zones);
        if (plugin) plugins.push(plugin);
      }
      const handle = plugins.reduceRight<DnsHandler>(
        (next, plugin) => (request) => plugin.serve(request, next),
        async () => ({ rcode: plugins.length === 0 ? RCODE.REFUSED : RCODE.SERVFAIL }),
      );
      return { zones: block.zones, port: block.port, handle };
    });
  }

  #plugin(directive: Directive, zones: readonly string[]): DnsPlugin | undefined {
    switch (directive.name) {
      case 'kubernetes':
        return this.#kubernetes(directive, zones);
      case 'hosts':
        return this.#hosts(directive, zones);
      case 'cache': {
        const limit = (which: string): number => Number(directive.block.find((line) => line[0] === which)?.[2] ?? directive.args[0]);
        return new CachePlugin(this.#kernel, limit('success') || 3600, limit('denial') || 1800);
      }
      case 'loadbalance':
        return new LoadBalancePlugin(this.#random);
      case 'forward':
        return new ForwardPlugin(normaliseZone(directive.args[0] ?? '.')[0] ?? '.', this.#options.upstream ?? referenceUpstream);
      case 'rewrite':
        return rewritePlugin(directive);
      case 'log':
        return this.#logPlugin();
      default:
        if (WITHOUT_ANSWERS.includes(directive.name)) return undefined;
        throw new CorefileError(`/etc/coredns/Corefile:${directive.line} - Error during parsing: Unknown directive '${directive.name}'`);
    }
  }

  #kubernetes(directive: Directive, blockZones: readonly string[]): DnsPlugin {
    const option = (name: string): readonly string[] | undefined => directive.block.find((line) => line[0] === name)?.slice(1);
    const zones = directive.args.length > 0 ? directive.args.flatMap(normaliseZone) : blockZones;
    const pods = this.#options.client.informer<Pod>('v1/pods');
    return new KubernetesPlugin({
      view: this.#view,
      zones,
      ttl: Number(option('ttl')?.[0] ?? 5),
      podMode: (option('pods')?.[0] ?? 'disabled') as 'disabled' | 'insecure' | 'verified',
      podExists: (namespace, ip) => pods.list(namespace).some((pod) => pod.status?.podIP === ip),
      fallthrough: fallthroughZones(option('fallthrough')),
      localIps: () => this.#options.localIps(),
      lookup: async (name, type) => this.#resolve(createQuery(0, name, type), 53),
    });
  }

  #hosts(directive: Directive, blockZones: readonly string[]): DnsPlugin {
    const options = ['ttl', 'reload', 'no_reverse', 'fallthrough'];
    const option = (name: string): readonly string[] | undefined => directive.block.find((line) => line[0] === name)?.slice(1);
    const path = directive.args[0] ?? '/etc/hosts';
    return new HostsPlugin({
      read: () => this.#options.readFile(path),
      inline: directive.block.filter((line) => !options.includes(line[0] ?? '')).map((line) => line.join(' ')),
      zones: directive.args.length > 1 ? directive.args.slice(1).flatMap(normaliseZone) : blockZones,
      ttl: Number(option('ttl')?.[0] ?? 3600),
      fallthrough: fallthroughZones(option('fallthrough')),
    });
  }

  #logPlugin(): DnsPlugin {
    return {
      name: 'log',
      serve: async (request, next) => {
        const outcome: DnsOutcome = await next(request);
        const rcode = 'wrote' in outcome ? outcome.wrote.rcode : outcome.rcode;
        const { message, question } = request;
        const size = encodeMessage(message).length;
        const reply = 'wrote' in outcome ? encodeMessage(outcome.wrote).length : 0;
        const flags = 'wrote' in outcome ? flagsOf(outcome.wrote) : '-';
        this.#options.log?.(
          `[INFO] ${message.id} "${typeName(question.type)} IN ${question.name} udp ${size} ${message.edns?.dnssecOk ?? false} ${message.edns?.udpSize ?? 512}" ${rcodeName(rcode)} ${flags} ${reply} 0.000${this.#random.int(900) + 100}s`,
        );
        return outcome;
      },
    };
  }
}

/** `rewrite name [exact|suffix] FROM TO`: the question is changed on the way in, names in the answer on the way out. */
function rewritePlugin(directive: Directive): DnsPlugin {
  const words = directive.args.filter((word) => !['stop', 'continue', 'answer', 'auto'].includes(word));
  const kind = ['exact', 'suffix'].includes(words[1] ?? '') ? words[1] : 'exact';
  const [from, to] = words.slice(words[1] === kind ? 2 : 1).map((name) => `${name.toLowerCase().replace(/\.$/, '')}.`);
  if (words[0] !== 'name' || !from || !to) {
    throw new CorefileError(`plugin/rewrite: '${directive.args.join(' ')}' is not simulated yet (only: rewrite name [exact|suffix] FROM TO)`);
  }
  return {
    name: 'rewrite',
    async serve(request, next) {
      const hit = kind === 'exact' ? request.name === from : isSubdomain(from, request.name) || request.name.endsWith(from);
      if (!hit) return next(request);
      const name = request.name.slice(0, request.name.length - from.length) + to;
      const question = { ...request.question, name };
      const outcome = await next({ message: { ...request.message, questions: [question] }, question, name });
      if (!('wrote' in outcome)) return outcome;
      const back = (records: readonly ResourceRecord[]): ResourceRecord[] =>
        records.map((record) => (record.name.toLowerCase() === name ? { ...record, name: request.question.name } : record));
      return { wrote: { ...outcome.wrote, questions: [request.question], answers: back(outcome.wrote.answers) } };
    },
  };
}

function fallthroughZones(args: readonly string[] | undefined): readonly string[] | undefined {
  if (!args) return undefined;
  return args.length === 0 ? ['.'] : args.flatMap(normaliseZone);
}

/** An answer to a packet that could not be read: its id, and nothing else. */
function headerOnly(packet: Uint8Array, rcode: number): Uint8Array {
  return Uint8Array.from([packet[0] ?? 0, packet[1] ?? 0, 0x80 | ((packet[2] ?? 0) & 0x79), rcode, 0, 0, 0, 0, 0, 0, 0, 0]);
}

const flagsOf = (message: DnsMessage): string =>
  ['qr', message.authoritative && 'aa', message.truncated && 'tc', message.recursionDesired && 'rd', message.recursionAvailable && 'ra']
    .filter(Boolean)
    .join(',');

export function typeName(type: number): string {
  return Object.entries(TYPE).find(([, value]) => value === type)?.[0] ?? `TYPE${type}`;
}

export function rcodeName(rcode: number): string {
  return Object.entries(RCODE).find(([, value]) => value === rcode)?.[0] ?? `RCODE${rcode}`;
}

export function createDnsServer(options: DnsServerOptions): DnsServer {
  return new DnsServer(options);
}
