import type { WriteRecord } from '../../sim/cluster.ts';
import { isPodReady } from '../../sim/controllers/pods.ts';
import type { EndpointSlice, Pod } from '../../sim/kinds/types.ts';
import { changesSpec, isReader, type WriteHistory } from './history.ts';
import { ruleText } from './rules.ts';
import type { ExplanationLink } from './types.ts';

const PODS = 'v1/pods';
const SLICES = 'discovery.k8s.io/v1/endpointslices';
const SETS = 'apps/v1/statefulsets';
const NODES = 'v1/nodes';
const MAX_LINKS = 24;

const becameReady = (write: WriteRecord): boolean => write.type === 'MODIFIED' && isPodReady(write.object as Pod) && !isPodReady((write.old ?? {}) as Pod);

function latest(...writes: (WriteRecord | undefined)[]): WriteRecord | undefined {
  return writes.reduce((best, one) => (one && (!best || one.revision > best.revision) ? one : best), undefined);
}

/**
 * What moved the writer: usually the object named in the cause; for the ordered steps of a StatefulSet the neighbour
 * whose change let the controller go on.
 */
export function triggerOf(history: WriteHistory, write: WriteRecord): WriteRecord | undefined {
  const { cause, revision } = write;
  const because = cause.because;
  if (!because || isReader(write) || cause.rule === 'node/unknown') return undefined;
  const request = deletionOf(history, write);
  if (request) return request;
  const spec = history.last(because, revision, changesSpec);
  if (because.resource === SETS && write.resource === PODS) {
    const ordinal = Number(cause.detail?.ordinal ?? Number.NaN);
    const pod = (n: number) => ({ resource: PODS, namespace: because.namespace, name: `${because.name}-${n}` });
    switch (cause.rule) {
      case 'statefulset/create-pod': {
        const gone = history.last(pod(ordinal), revision, (one) => one.type === 'DELETED');
        const before = ordinal > 0 ? history.last(pod(ordinal - 1), revision, becameReady) : undefined;
        return latest(spec, gone, before);
      }
      case 'statefulset/rolling-update': {
        return latest(spec, history.last(pod(ordinal + 1), revision, becameReady));
      }
      case 'statefulset/scale-down':
        return latest(
          spec,
          history.last(pod(ordinal + 1), revision, (one) => one.type === 'DELETED'),
        );
      default:
        return spec;
    }
  }
  if (cause.rule === 'node/taint' || cause.rule === 'taint/evict') {
    const node = { resource: NODES, namespace: '', name: cause.detail?.node ?? because.name };
    const moved = history.last(node, revision, (one) => one.cause.rule === (cause.rule === 'taint/evict' ? 'node/taint' : 'node/unknown') || isReader(one));
    if (moved) return moved;
  }
  const pod = changedEndpoint(write);
  const moved = pod && history.last({ resource: PODS, namespace: write.namespace, name: pod }, revision);
  // The Service may be what is new, not the Pod.
  if (moved) return latest(moved, spec);
  // Somebody who looks after one object acts on what others did to it, not on what it wrote itself.
  if (because.resource === write.resource && because.name === write.name) {
    return history.last(because, revision, (one) => one.cause.actor !== cause.actor) ?? spec;
  }
  const seen = because.resourceVersion === undefined ? undefined : history.last(because, Number(because.resourceVersion) + 1);
  return latest(spec, seen && seen.cause.actor !== cause.actor ? seen : undefined) ?? seen;
}

/** An object that was on its way out went because of the request that set its deletionTimestamp. */
function deletionOf(history: WriteHistory, write: WriteRecord): WriteRecord | undefined {
  if (write.type !== 'DELETED' || !write.old?.metadata?.deletionTimestamp) return undefined;
  return history.last(
    write,
    write.revision,
    (one) => one.type === 'MODIFIED' && !one.old?.metadata?.deletionTimestamp && !!one.object.metadata?.deletionTimestamp,
  );
}

/** The Pod that an EndpointSlice write is about: the first endpoint that is new, changed or gone. */
function changedEndpoint(write: WriteRecord): string | undefined {
  if (write.resource !== SLICES) return undefined;
  const before = (write.old as EndpointSlice | undefined)?.endpoints ?? [];
  const after = (write.object as EndpointSlice).endpoints ?? [];
  const texts = (list: typeof after) => new Set(list.map((one) => JSON.stringify(one)));
  const was = texts(before);
  const is = texts(after);
  const changed = after.find((one) => !was.has(JSON.stringify(one))) ?? before.find((one) => !is.has(JSON.stringify(one)));
  return changed?.targetRef?.name;
}

function linkOf(write: WriteRecord): ExplanationLink {
  const { cause } = write;
  const detail: Record<string, string> = { actor: cause.actor, name: write.name, ...cause.detail };
  const rule = isReader(write) ? 'request' : cause.rule;
  const { text, doc } = ruleText(rule, detail);
  const verb = write.type === 'ADDED' ? 'created' : write.type === 'DELETED' ? 'deleted' : 'changed';
  const link: ExplanationLink = {
    atMs: write.atMs,
    actor: cause.actor,
    verb,
    object: { resource: write.resource, namespace: write.namespace, name: write.name },
    rule: cause.rule,
    detail,
    text,
  };
  if (doc !== undefined) link.doc = doc;
  if (cause.detail?.command !== undefined) link.command = cause.detail.command;
  return link;
}

/** From a write back to the reader's command, each write once. */
export function chainFrom(history: WriteHistory, start: WriteRecord): ExplanationLink[] {
  const links: ExplanationLink[] = [];
  const seen = new Set<number>();
  for (let write: WriteRecord | undefined = start; write && !seen.has(write.revision) && links.length < MAX_LINKS; write = triggerOf(history, write)) {
    seen.add(write.revision);
    links.push(linkOf(write));
  }
  return links;
}
