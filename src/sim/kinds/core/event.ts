import { ageOf } from '../duration.ts';
import { nameOf } from '../lifecycle.ts';
import type { Cell, KindStrategy, StrategyContext } from '../strategy.ts';
import type { Event, EventsV1Event } from '../types.ts';

/** The core/v1 and events.k8s.io/v1 forms of one stored Event, as far as tables and selectors need both. */
type AnyEvent = Event &
  Partial<Pick<EventsV1Event, 'regarding' | 'note' | 'deprecatedSource' | 'deprecatedFirstTimestamp' | 'deprecatedLastTimestamp' | 'deprecatedCount'>>;

function eventRow(event: AnyEvent, { nowMs }: StrategyContext): Cell[] {
  const regarding = event.involvedObject ?? event.regarding ?? {};
  const source = event.source ?? event.deprecatedSource ?? {};
  const first = event.firstTimestamp ?? event.deprecatedFirstTimestamp;
  const firstSeen = first ? ageOf(first, nowMs) : ageOf(event.eventTime, nowMs);
  const last = event.lastTimestamp ?? event.deprecatedLastTimestamp;
  const component = source.component || event.reportingComponent || (event as EventsV1Event).reportingController || '';
  const instance = source.host || event.reportingInstance || '';
  const kind = (regarding.kind ?? '').toLowerCase();
  return [
    event.series ? ageOf(event.series.lastObservedTime, nowMs) : last ? ageOf(last, nowMs) : firstSeen,
    event.type ?? '',
    event.reason ?? '',
    regarding.name ? `${kind}/${regarding.name}` : kind,
    regarding.fieldPath ?? '',
    instance === '' ? component : `${component}, ${instance}`,
    (event.message ?? event.note ?? '').trim(),
    firstSeen,
    event.series ? (event.series.count ?? 0) : event.count || event.deprecatedCount || 1,
    nameOf(event),
  ];
}

function eventFields(event: AnyEvent, prefix: string): Record<string, string> {
  const regarding = event.involvedObject ?? event.regarding ?? {};
  const source = (event.source ?? event.deprecatedSource)?.component ?? '';
  const reporting = event.reportingComponent ?? (event as EventsV1Event).reportingController ?? '';
  const fields: Record<string, string> = {
    reason: event.reason ?? '',
    type: event.type ?? '',
    [prefix === 'regarding' ? 'reportingController' : 'reportingComponent']: reporting,
  };
  for (const key of ['kind', 'namespace', 'name', 'uid', 'apiVersion', 'resourceVersion', 'fieldPath'] as const)
    fields[`${prefix}.${key}`] = regarding[key] ?? '';
  if (prefix === 'involvedObject') fields.source = source || reporting;
  return fields;
}

export const eventStrategy: KindStrategy<AnyEvent> = {
  resource: 'v1/events',
  selectableFields: (event) => eventFields(event, 'involvedObject'),
  tableRow: eventRow,
};

export const eventsV1Strategy: KindStrategy<AnyEvent> = {
  resource: 'events.k8s.io/v1/events',
  selectableFields: (event) => eventFields(event, 'regarding'),
  tableRow: eventRow,
};
