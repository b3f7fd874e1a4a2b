import type { DnsMessage, Question, ResourceRecord } from './message.ts';

/** One question on its way through a server block. */
export interface DnsRequest {
  message: DnsMessage;
  question: Question;
  /** The question's name, lower case, with trailing dot. */
  name: string;
}

/**
 * What a plugin answers: a message it wrote, or a return code for the server to write. `undefined` from a handler that
 * never answers cannot happen: the last plugin in the chain yields SERVFAIL (plugin.NextOrFailure).
 */
export type DnsOutcome = { wrote: DnsMessage } | { rcode: number; error?: string };

export type DnsHandler = (request: DnsRequest) => Promise<DnsOutcome>;

/** A link of the chain: may answer itself, pass on to `next`, or change what comes back (models CoreDNS' plugin.Handler). */
export interface DnsPlugin {
  readonly name: string;
  serve(request: DnsRequest, next: DnsHandler): Promise<DnsOutcome>;
}

export function requestFor(message: DnsMessage): DnsRequest {
  const question = message.questions[0] as Question;
  return { message, question, name: question.name.toLowerCase() };
}

/** Whether `name` is `zone` or below it; both lower case with trailing dot. */
export function isSubdomain(zone: string, name: string): boolean {
  return zone === '.' || name === zone || name.endsWith(`.${zone}`);
}

/** The longest of `zones` that `name` is in. */
export function matchZone(zones: readonly string[], name: string): string | undefined {
  let best: string | undefined;
  for (const zone of zones) if (isSubdomain(zone, name) && (best === undefined || zone.length > best.length)) best = zone;
  return best;
}

/** "119.2.42.10.in-addr.arpa." → "10.42.2.119"; undefined when it is no reversed IPv4 address. */
export function addressFromReverse(name: string): string | undefined {
  const match = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.in-addr\.arpa\.$/.exec(name);
  if (!match || match.slice(1).some((part) => Number(part) > 255)) return undefined;
  return match.slice(1).reverse().join('.');
}

export function withTtl(records: readonly ResourceRecord[], ttl: number): ResourceRecord[] {
  return records.map((record) => ({ ...record, ttl }));
}
