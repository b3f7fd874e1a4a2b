import type { ApiObject, Client } from '../../sim/client/types.ts';
import { nameOf, namespaceOf, uidOf } from '../../sim/controllers/object.ts';
import type { Event } from '../../sim/kinds/types.ts';
import { ruleText } from './rules.ts';
import type { Obstacle } from './types.ts';

/** What holds an object up, found by one rule of `content/rules.json`. */
export function obstacle(rule: string, detail: Readonly<Record<string, string>>, evidence: string, object?: { resource: string } & Named): Obstacle {
  const { text, doc } = ruleText(rule, detail);
  const found: Obstacle = { rule, text, evidence };
  if (doc !== undefined) found.doc = doc;
  if (object) found.object = { resource: object.resource, namespace: object.namespace, name: object.name };
  return found;
}

interface Named {
  namespace: string;
  name: string;
}

export function refOf(resource: string, object: ApiObject): { resource: string } & Named {
  return { resource, namespace: namespaceOf(object), name: nameOf(object) };
}

/** The message of the newest event of `reason` about an object; '' when there is none. */
export function eventMessage(client: Client, object: ApiObject, ...reasons: string[]): string {
  let newest: Event | undefined;
  for (const event of client.resource<Event>('v1/events').list(namespaceOf(object))) {
    if (event.involvedObject?.uid !== uidOf(object) || !reasons.includes(event.reason ?? '')) continue;
    if (!newest || timeOf(event) >= timeOf(newest)) newest = event;
  }
  return newest?.message ?? '';
}

function timeOf(event: Event): string {
  return event.lastTimestamp ?? event.eventTime ?? event.metadata?.creationTimestamp ?? '';
}

/** The finalizers that hold an object being deleted, except those with a rule of their own. */
export function finalizerObstacles(object: ApiObject, known: readonly string[]): Obstacle[] {
  return (object.metadata?.finalizers ?? [])
    .filter((one) => !known.includes(one))
    .map((one) => obstacle('not/finalizer', { finalizer: one }, `metadata.finalizers: ${one}`));
}
