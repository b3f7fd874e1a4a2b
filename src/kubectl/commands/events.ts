import { makePrinter } from '../printers/print-flags.ts';
import { TabWriter } from '../printers/tab-writer.ts';
import type { Session } from '../session.ts';
import { humanDuration } from '../util/duration.ts';
import { CliError } from '../util/errors.ts';
import { goSort } from '../util/go-sort.ts';
import type { Obj } from '../util/object.ts';

/** kubectl events. */
export async function events(session: Session): Promise<void> {
  const { flags } = session;
  const all = flags.bool('all-namespaces');
  const types = flags.list('types');
  if (types.some((type) => !/^(normal|warning)$/i.test(type))) throw new CliError('valid --types are Normal or Warning');
  const fieldSelector = flags.text('for') === '' ? undefined : await selectorFor(session, flags.text('for'));
  const path = all ? '/api/v1/events' : `/api/v1/namespaces/${session.namespace}/events`;
  const wanted = (event: Obj): boolean => types.length === 0 || types.some((type) => type.toLowerCase() === String(event.type).toLowerCase());
  const writer = new TabWriter();
  let headed = flags.bool('no-headers');
  const print = async (list: readonly Obj[]): Promise<void> => {
    if (flags.text('output') !== '') {
      const printer = await makePrinter(session, '');
      await session.out(printer.print(flags.bool('watch') ? (list[0] as Obj) : { apiVersion: 'v1', kind: 'EventList', items: list, metadata: {} }));
      return;
    }
    if (!headed) writer.write(`${all ? 'NAMESPACE\t' : ''}LAST SEEN\tTYPE\tREASON\tOBJECT\tMESSAGE\n`);
    headed = true;
    for (const event of list) writer.write(row(event, all, session.nowMs));
    await session.out(writer.flush());
  };

  if (flags.bool('watch')) {
    for await (const { type, object } of session.client.watch(path, { query: { fieldSelector } })) {
      if (type !== 'DELETED' && type !== 'BOOKMARK' && wanted(object)) await print([object]);
    }
    return;
  }
  const list = await session.client.request('GET', path, { query: { fieldSelector, limit: 500 } });
  const found = (list.items ?? []).filter(wanted).map((event: Obj) => ({ apiVersion: 'v1', kind: 'Event', ...event }));
  if (found.length === 0) {
    await session.err(all ? 'No events found.\n' : `No events found in ${session.namespace} namespace.\n`);
    return;
  }
  // Upstream's error from a name printer that is given a list is dropped.
  if (flags.text('output') === 'name') return;
  await print(goSort(found, (a: Obj, b: Obj) => lastSeenMs(a) < lastSeenMs(b)));
}

async function selectorFor(session: Session, target: string): Promise<string> {
  const cut = target.indexOf('/');
  if (cut < 0) throw new CliError('--for must be in resource/name form');
  const mapping = (await session.mapper()).resourceFor(target.slice(0, cut).toLowerCase());
  return `involvedObject.kind=${mapping.kind},involvedObject.apiVersion=${mapping.apiVersion},involvedObject.name=${target.slice(cut + 1)}`;
}

function lastSeenMs(event: Obj): number {
  const at = event.series?.lastObservedTime ?? event.lastTimestamp ?? event.eventTime;
  return at ? Date.parse(at) : 0;
}

function row(event: Obj, namespace: boolean, nowMs: number): string {
  const since = (at: string | undefined): string => (at ? humanDuration(nowMs - Date.parse(at)) : '<unknown>');
  const first = since(event.eventTime ?? event.firstTimestamp);
  let seen = first;
  if (event.series) seen = `${since(event.series.lastObservedTime)} (x${event.series.count} over ${first})`;
  else if ((event.count ?? 0) > 1) seen = `${since(event.lastTimestamp)} (x${event.count} over ${first})`;
  const about = event.involvedObject ?? {};
  return `${namespace ? `${event.metadata?.namespace}\t` : ''}${seen}\t${event.type}\t${event.reason}\t${about.kind}/${about.name}\t${String(event.message ?? '').trim()}\n`;
}
