import { humanDuration } from '../util/duration.ts';
import { goSort } from '../util/go-sort.ts';
import { compareStrings, type Obj } from '../util/object.ts';
import type { DescribeWriter } from './writer.ts';

/** What a describer may ask the server. */
export interface DescribeSource {
  /** The client's clock: ages are counted from it. */
  nowMs: number;
  /** Items of the list at an API path with query. */
  list(path: string): Promise<Obj[]>;
  /** The object at an API path; undefined when there is none. */
  get(path: string): Promise<Obj | undefined>;
}

/** Everything one description needs besides the object. */
export interface DescribeContext {
  source: DescribeSource;
  /** Undefined: --show-events=false. */
  events: Obj[] | undefined;
}

export type Describer = (object: Obj, context: DescribeContext, w: DescribeWriter) => void | Promise<void>;

const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration';
const MAX_ANNOTATION_LENGTH = 140;

/** Go's time.RFC1123Z in UTC. */
export function rfc1123(timestamp: string | undefined): string {
  if (!timestamp) return 'Mon, 01 Jan 0001 00:00:00 +0000';
  return new Date(Date.parse(timestamp)).toUTCString().replace('GMT', '+0000');
}

export function since(timestamp: string | undefined, nowMs: number): string {
  return timestamp ? humanDuration(nowMs - Date.parse(timestamp)) : '<unknown>';
}

export function orNone(text: string | undefined): string {
  return text ? text : '<none>';
}

export function trueFalse(value: boolean | undefined): string {
  return value === undefined ? '<unset>' : value ? 'True' : 'False';
}

/** Go's %v of a string slice. */
export function slice(items: readonly unknown[] | undefined): string {
  return `[${(items ?? []).join(' ')}]`;
}

/** labels.FormatLabels: `a=b,c=d`, or `<none>`. */
export function formatLabels(labels: Record<string, string> | undefined): string {
  const text = Object.keys(labels ?? {})
    .sort(compareStrings)
    .map((key) => `${key}=${labels?.[key]}`)
    .join(',');
  return orNone(text);
}

/** A label selector as apimachinery's Selector.String prints it; `''` selects everything. */
export function selectorString(selector: Obj | undefined): string {
  const terms: [string, string][] = Object.entries((selector?.matchLabels ?? {}) as Record<string, string>).map(([key, value]) => [key, `${key}=${value}`]);
  for (const { key, operator, values } of (selector?.matchExpressions ?? []) as { key: string; operator: string; values?: string[] }[]) {
    const list = `(${[...(values ?? [])].sort(compareStrings).join(',')})`;
    if (operator === 'In') terms.push([key, `${key} in ${list}`]);
    else if (operator === 'NotIn') terms.push([key, `${key} notin ${list}`]);
    else terms.push([key, operator === 'Exists' ? key : `!${key}`]);
  }
  return terms
    .sort((a, b) => compareStrings(a[0], b[0]))
    .map(([, text]) => text)
    .join(',');
}

/** metav1.FormatLabelSelector. */
export function formatLabelSelector(selector: Obj | undefined): string {
  return orNone(selectorString(selector));
}

export function controllerOf(object: Obj): string | undefined {
  const owner = (object.metadata?.ownerReferences ?? []).find((reference: Obj) => reference.controller);
  return owner ? `${owner.kind}/${owner.name}` : undefined;
}

/** `Title:\tfirst\n\tsecond\n…`, or `<none>`. */
export function multiline(w: DescribeWriter, title: string, lines: readonly string[], indent = ''): void {
  if (lines.length === 0) w.write(0, `${indent}${title}:\t<none>\n`);
  lines.forEach((line, i) => {
    w.write(0, i === 0 ? `${indent}${title}:\t${line}\n` : `${indent}\t${line}\n`);
  });
}

export function labels(w: DescribeWriter, title: string, values: Record<string, string> | undefined, indent = ''): void {
  multiline(
    w,
    title,
    Object.keys(values ?? {})
      .sort(compareStrings)
      .map((key) => `${key}=${values?.[key]}`),
    indent,
  );
}

/** Annotations, without the last applied configuration; long or many-lined values on lines of their own, cut at 140. */
export function annotations(w: DescribeWriter, title: string, values: Record<string, string> | undefined): void {
  const lines: string[] = [];
  for (const key of Object.keys(values ?? {}).sort(compareStrings)) {
    if (key === LAST_APPLIED) continue;
    const value = (values?.[key] ?? '').replace(/\n$/, '');
    if (value.length + key.length + 2 <= MAX_ANNOTATION_LENGTH && !value.includes('\n')) {
      lines.push(`${key}: ${value}`);
      continue;
    }
    lines.push(`${key}:`);
    const limit = MAX_ANNOTATION_LENGTH - 2;
    for (const part of value.split('\n')) lines.push(`  ${part.length > limit ? `${part.slice(0, limit)}...` : part}`);
  }
  multiline(w, title, lines);
}

/** The head most namespaced objects share. */
export function heading(w: DescribeWriter, object: Obj): void {
  w.field(0, 'Name', object.metadata?.name ?? '');
  w.field(0, 'Namespace', object.metadata?.namespace ?? '');
}

export function labelsAndAnnotations(w: DescribeWriter, object: Obj): void {
  labels(w, 'Labels', object.metadata?.labels);
  annotations(w, 'Annotations', object.metadata?.annotations);
}

/** `Conditions:` with Type, Status, Reason, as Deployments and ReplicaSets have it. */
export function reasonConditions(w: DescribeWriter, conditions: readonly Obj[] | undefined): void {
  if (!conditions?.length) return;
  w.write(0, 'Conditions:\n');
  w.table(
    1,
    ['Type', 'Status', 'Reason'],
    conditions.map((condition) => [`${condition.type} `, condition.status, condition.reason ?? '']),
  );
}

export function events(w: DescribeWriter, context: DescribeContext): void {
  const list = context.events;
  if (!list) return;
  if (list.length === 0) {
    w.write(0, 'Events:\t<none>\n');
    return;
  }
  w.flush();
  const now = context.source.nowMs;
  const lastSeen = (event: Obj): number => (event.lastTimestamp ? Date.parse(event.lastTimestamp) : Number.NEGATIVE_INFINITY);
  w.write(0, 'Events:\n');
  // The dashes under Age are one too many in kubectl, too.
  w.write(1, 'Type\tReason\tAge\tFrom\tMessage\n');
  w.write(1, '----\t------\t----\t----\t-------\n');
  const rows = goSort([...list], (a, b) => lastSeen(a) < lastSeen(b)).map((event) => {
    const first = since(event.eventTime ?? event.firstTimestamp, now);
    let age = first;
    if (event.series) age = `${since(event.series.lastObservedTime, now)} (x${event.series.count} over ${first})`;
    else if ((event.count ?? 0) > 1) age = `${since(event.lastTimestamp, now)} (x${event.count} over ${first})`;
    const message = String(event.message ?? '').trim();
    const path = event.involvedObject?.fieldPath;
    return [event.type, event.reason, age, event.source?.component || event.reportingComponent || '', path ? `${path}: ${message}` : message];
  });
  for (const row of rows) w.write(1, `${row.join('\t')}\n`);
}

/** How many Pods a controller owns in each phase: [running, waiting, succeeded, failed]. */
export async function podPhases(object: Obj, selector: string, context: DescribeContext): Promise<string> {
  const pods = await context.source.list(`/api/v1/namespaces/${object.metadata?.namespace}/pods?labelSelector=${encodeURIComponent(selector)}`);
  const own = pods.filter((pod) => (pod.metadata?.ownerReferences ?? []).some((owner: Obj) => owner.controller && owner.uid === object.metadata?.uid));
  const count = (phase: string): number => own.filter((pod) => pod.status?.phase === phase).length;
  return `${count('Running')} Running / ${count('Pending')} Waiting / ${count('Succeeded')} Succeeded / ${count('Failed')} Failed`;
}
