import type { Kernel } from '../../kernel/index.ts';
import { type DnsMessage, RCODE, replyTo, TYPE } from './message.ts';
import { type DnsHandler, type DnsOutcome, type DnsPlugin, type DnsRequest, withTtl } from './plugin.ts';

interface Item {
  message: DnsMessage;
  ttlSeconds: number;
  storedMs: number;
}

/** Entries each half holds before it evicts (CoreDNS: 9984). */
const CAPACITY = 9984;

/**
 * plugin/cache: answers live as long as their smallest TTL, at least 5 s and at most `maxSeconds`, denials in a cache of
 * their own; every TTL in an answer is cut to that. So NXDOMAIN for a Pod that has just come is seen for up to 5 s.
 */
export class CachePlugin implements DnsPlugin {
  readonly name = 'cache';
  #kernel: Kernel;
  #positive = new Map<string, Item>();
  #negative = new Map<string, Item>();
  #maxPositive: number;
  #maxNegative: number;

  constructor(kernel: Kernel, maxPositiveSeconds: number, maxNegativeSeconds: number) {
    this.#kernel = kernel;
    this.#maxPositive = maxPositiveSeconds;
    this.#maxNegative = maxNegativeSeconds;
  }

  async serve(request: DnsRequest, next: DnsHandler): Promise<DnsOutcome> {
    const { message, question, name } = request;
    const key = `${name} ${question.type} ${question.class} ${message.edns?.dnssecOk ?? false} ${message.checkingDisabled}`;
    const hit = this.#live(this.#negative, key) ?? this.#live(this.#positive, key);
    if (hit) {
      const ttl = this.#remaining(hit);
      const { rcode, answers, authorities, additionals, recursionAvailable } = hit.message;
      return {
        wrote: {
          ...replyTo(message),
          authoritative: true,
          recursionAvailable,
          rcode,
          answers: withTtl(answers, ttl),
          authorities: withTtl(authorities, ttl),
          additionals: withTtl(additionals, ttl),
        },
      };
    }
    const outcome = await next(request);
    if (!('wrote' in outcome)) return outcome;
    const { kind, ttl } = this.#classify(outcome.wrote);
    const cut = {
      ...outcome.wrote,
      answers: withTtl(outcome.wrote.answers, ttl),
      authorities: withTtl(outcome.wrote.authorities, ttl),
      additionals: withTtl(outcome.wrote.additionals, ttl),
    };
    if (kind !== 'uncacheable' && !cut.truncated) {
      const cache = kind === 'positive' ? this.#positive : this.#negative;
      if (cache.size >= CAPACITY)
        for (const oldest of cache.keys()) {
          cache.delete(oldest);
          break;
        }
      cache.set(key, { message: cut, ttlSeconds: ttl, storedMs: this.#kernel.now() });
    }
    return { wrote: cut };
  }

  #classify(message: DnsMessage): { kind: 'positive' | 'negative' | 'uncacheable'; ttl: number } {
    const hasSoa = message.authorities.some((record) => record.type === TYPE.SOA);
    const smallest = (max: number): number => {
      const records = [...message.answers, ...message.authorities, ...message.additionals];
      if (records.length === 0) return 5;
      return Math.min(max, Math.max(5, Math.min(...records.map((record) => record.ttl))));
    };
    if (message.rcode === RCODE.SERVFAIL || message.rcode === RCODE.NOTIMP) return { kind: 'negative', ttl: 5 };
    if (message.rcode === RCODE.NXDOMAIN)
      return { kind: hasSoa && message.answers.length === 0 ? 'negative' : 'uncacheable', ttl: smallest(this.#maxNegative) };
    if (message.rcode !== RCODE.NOERROR) return { kind: 'uncacheable', ttl: 5 };
    const type = message.questions[0]?.type;
    if (type === TYPE.AXFR || type === TYPE.IXFR) return { kind: 'uncacheable', ttl: 5 };
    const answered = message.answers.length === 0 ? !hasSoa : message.answers.some((record) => record.type === type || type === TYPE.ANY);
    if (answered) return { kind: 'positive', ttl: smallest(this.#maxPositive) };
    // A CNAME that leads nowhere, without an SOA to bound it, is not kept.
    return { kind: hasSoa ? 'negative' : 'uncacheable', ttl: smallest(this.#maxNegative) };
  }

  #live(cache: Map<string, Item>, key: string): Item | undefined {
    const item = cache.get(key);
    return item && this.#remaining(item) > 0 ? item : undefined;
  }

  #remaining(item: Item): number {
    return item.ttlSeconds - Math.floor((this.#kernel.now() - item.storedMs) / 1000);
  }
}
