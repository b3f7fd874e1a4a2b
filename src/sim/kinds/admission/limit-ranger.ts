import { podResources, type ResourceList, runnableContainers } from '../pod/resources.ts';
import { compareQuantities, quantityMilliValue } from '../quantity.ts';
import type { AdmissionPlugin, AdmissionRequest } from '../strategy.ts';
import type { Container, LimitRange, PersistentVolumeClaim, Pod } from '../types.ts';
import { refuse } from './request.ts';

/** `plugin/pkg/admission/limitranger`: gives containers the namespace's default resources, and refuses what is out of bounds. */

const ANNOTATION = 'kubernetes.io/limit-ranger';

function fill(container: Container, kind: string, defaults: { requests: ResourceList; limits: ResourceList }): string[] {
  const notes: string[] = [];
  container.resources ??= {};
  const { resources } = container;
  const missing = (side: 'requests' | 'limits'): string[] => Object.keys(defaults[side]).filter((name) => resources[side]?.[name] === undefined);
  for (const [side, word] of [
    ['requests', 'request'],
    ['limits', 'limit'],
  ] as const) {
    const names = missing(side).sort();
    if (names.length === 0) continue;
    resources[side] = { ...defaults[side], ...resources[side] };
    notes.push(`${names.join(', ')} ${word} for ${kind} ${container.name}`);
  }
  return notes;
}

function mutate(pod: Pod, ranges: readonly LimitRange[]): void {
  for (const range of ranges) {
    const requests: ResourceList = {};
    const limits: ResourceList = {};
    for (const item of range.spec?.limits ?? []) {
      if (item.type !== 'Container') continue;
      Object.assign(requests, item.defaultRequest);
      Object.assign(limits, item.default);
    }
    const defaults = { requests, limits };
    const notes = [
      ...(pod.spec?.containers ?? []).flatMap((container) => fill(container, 'container', defaults)),
      ...(pod.spec?.initContainers ?? []).flatMap((container) => fill(container, 'init container', defaults)),
    ];
    if (notes.length === 0) continue;
    pod.metadata = { ...pod.metadata, annotations: { ...pod.metadata?.annotations, [ANNOTATION]: `LimitRanger plugin set: ${notes.join('; ')}` } };
  }
}

interface Bounds {
  min?: ResourceList;
  max?: ResourceList;
  maxLimitRequestRatio?: ResourceList;
}

/** Complaints about one container, Pod or claim. Claims have no limits: their maximum is held against the request. */
function check(type: string, bounds: Bounds, requests: ResourceList, limits: ResourceList | undefined): string[] {
  const out: string[] = [];
  const over = (a: string | undefined, b: string): boolean => a !== undefined && compareQuantities(a, b) > 0;
  for (const [name, bound] of Object.entries(bounds.min ?? {})) {
    const text = `minimum ${name} usage per ${type} is ${bound}`;
    const [request, limit] = [requests[name], limits?.[name]];
    if (request === undefined) out.push(`${text}.  No request is specified`);
    else if (compareQuantities(request, bound) < 0) out.push(`${text}, but request is ${request}`);
    else if (limit !== undefined && compareQuantities(limit, bound) < 0) out.push(`${text}, but limit is ${limit}`);
  }
  for (const [name, bound] of Object.entries(bounds.max ?? {})) {
    const text = `maximum ${name} usage per ${type} is ${bound}`;
    const [request, limit] = [requests[name], limits?.[name]];
    if (limits === undefined) {
      if (request === undefined) out.push(`${text}.  No request is specified`);
      else if (over(request, bound)) out.push(`${text}, but request is ${request}`);
    } else if (limit === undefined) out.push(`${text}.  No limit is specified`);
    else if (over(limit, bound)) out.push(`${text}, but limit is ${limit}`);
    else if (over(request, bound)) out.push(`${text}, but request is ${request}`);
  }
  for (const [name, bound] of Object.entries(limits === undefined ? {} : (bounds.maxLimitRequestRatio ?? {}))) {
    const text = `${name} max limit to request ratio per ${type} is ${bound}`;
    const [request, limit] = [quantityMilliValue(requests[name]), quantityMilliValue(limits?.[name])];
    if (request === 0) out.push(`${text}, but no request is specified or request is 0`);
    else if (limit === 0) out.push(`${text}, but no limit is specified or limit is 0`);
    else if ((limit / request) * 1000 > quantityMilliValue(bound)) out.push(`${text}, but provided ratio is ${(limit / request).toFixed(6)}`);
  }
  return out;
}

const rangesOf = (request: AdmissionRequest): readonly LimitRange[] => request.context.list<LimitRange>('v1/limitranges', request.namespace);

function complaints(request: AdmissionRequest, range: LimitRange): string[] {
  const out: string[] = [];
  for (const item of range.spec?.limits ?? []) {
    const type = item.type ?? '';
    if (request.resource === 'v1/persistentvolumeclaims') {
      if (type === 'PersistentVolumeClaim')
        out.push(...check(type, item, (request.object as PersistentVolumeClaim).spec?.resources?.requests ?? {}, undefined));
      continue;
    }
    const pod = request.object as Pod;
    if (type === 'Container') {
      for (const { resources } of runnableContainers(pod)) out.push(...check(type, item, resources?.requests ?? {}, resources?.limits ?? {}));
    } else if (type === 'Pod') {
      const options = { withoutOverhead: true };
      out.push(...check(type, item, podResources(pod, 'requests', options), podResources(pod, 'limits', options)));
    }
  }
  return out;
}

export const limitRangerPlugin: AdmissionPlugin = {
  name: 'LimitRanger',
  admit(request) {
    if (request.resource !== 'v1/pods' || request.subresource !== '' || request.operation !== 'CREATE') return;
    const ranges = rangesOf(request);
    if (ranges.length === 0) return;
    mutate(request.object as Pod, ranges);
  },
  validate(request) {
    const pods = request.resource === 'v1/pods' && request.operation === 'CREATE';
    const claims = request.resource === 'v1/persistentvolumeclaims' && (request.operation === 'CREATE' || request.operation === 'UPDATE');
    if ((!pods && !claims) || request.subresource !== '' || request.old?.metadata?.deletionTimestamp) return;
    for (const range of rangesOf(request)) {
      const texts = [...new Set(complaints(request, range))];
      if (texts.length > 0) throw refuse(request, texts.length === 1 ? (texts[0] as string) : `[${texts.join(', ')}]`);
    }
  },
};
