import type { ApiObject } from '../../client/types.ts';
import { type FieldRequirement, matchesSelector, parseFieldSelector, parseLabelSelector, SelectorError } from '../../kinds/selector.ts';
import type { ResourceInfo } from '../resources.ts';
import { newBadRequest } from '../status-error.ts';
import type { Verbs } from '../verbs.ts';

/** Which objects a list or watch wants. */
export interface Selection {
  matches(object: ApiObject): boolean;
  /** No selector at all. */
  all: boolean;
  /** The one name wanted, when the field selector says so. */
  name?: string;
}

type Fields = Readonly<Record<string, string>>;

function fieldsOf(verbs: Verbs, info: ResourceInfo, stored: ApiObject): Fields {
  const object = info.alias ? info.alias.toWire(stored) : stored;
  const own = verbs.strategy(info)?.selectableFields?.(object) ?? customFields(info, object);
  return { 'metadata.name': object.metadata?.name ?? '', 'metadata.namespace': object.metadata?.namespace ?? '', ...own };
}

function customFields(info: ResourceInfo, object: ApiObject): Fields {
  const out: Record<string, string> = {};
  for (const path of info.custom?.selectableFields ?? []) {
    let at: unknown = object;
    for (const part of path.split('.').filter(Boolean)) at = (at as Record<string, unknown> | undefined)?.[part];
    out[path.replace(/^\./, '')] = at === undefined || at === null ? '' : String(at);
  }
  return out;
}

/** Kinds whose conversion functions name unknown fields in another way. */
const OWN_WORDS = new Set([
  'v1/pods',
  'v1/nodes',
  'v1/replicationcontrollers',
  'v1/events',
  'v1/namespaces',
  'v1/secrets',
  'v1/services',
  'apps/v1/statefulsets',
  'certificates.k8s.io/v1/certificatesigningrequests',
  'events.k8s.io/v1/events',
]);

function unknownField(info: ResourceInfo, field: string): string {
  if (info.id === 'batch/v1/jobs') return `field label "${field}" not supported for Job`;
  if (info.id === 'apps/v1/replicasets') return `field label not supported: ${field}`;
  if (OWN_WORDS.has(info.id)) return `field label not supported: ${field}`;
  if (info.custom) return `field label not supported: ${field}`;
  return `"${field}" is not a known field selector: only "metadata.name", "metadata.namespace"`;
}

function parsed<T>(parse: (text: string) => T, text: string): T {
  try {
    return parse(text);
  } catch (error) {
    throw error instanceof SelectorError ? newBadRequest(error.message) : error;
  }
}

/** Parses both selectors; 400 in the server's words. */
export function selectionOf(verbs: Verbs, info: ResourceInfo, labelText: string, fieldText: string): Selection {
  const labels = labelText === '' ? [] : parsed(parseLabelSelector, labelText);
  const fields: readonly FieldRequirement[] = fieldText === '' ? [] : parsed(parseFieldSelector, fieldText);
  if (fields.length > 0) {
    const known = fieldsOf(verbs, info, { metadata: {} });
    for (const { field } of fields) if (!(field in known)) throw newBadRequest(unknownField(info, field));
  }
  if (labels.length === 0 && fields.length === 0) return { matches: () => true, all: true };
  const onlyMeta = fields.every(({ field }) => field.startsWith('metadata.'));
  return {
    all: false,
    name: fields.find(({ field, negated }) => field === 'metadata.name' && !negated)?.value,
    matches(object) {
      if (!matchesSelector(labels, object.metadata?.labels)) return false;
      if (fields.length === 0) return true;
      const values: Fields = onlyMeta
        ? { 'metadata.name': object.metadata?.name ?? '', 'metadata.namespace': object.metadata?.namespace ?? '' }
        : fieldsOf(verbs, info, object);
      return fields.every(({ field, negated, value }) => (values[field] === value) !== negated);
    },
  };
}
