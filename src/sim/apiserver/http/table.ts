import type { ApiObject } from '../../client/types.ts';
import { ageOf } from '../../kinds/duration.ts';
import columnFacts from '../../kinds/facts/table-columns.json' with { type: 'json' };
import type { Cell } from '../../kinds/strategy.ts';
import type { ResourceInfo, TableColumn } from '../resources.ts';
import type { Verbs } from '../verbs.ts';

export type IncludeObject = 'None' | 'Metadata' | 'Object';

/** `meta.k8s.io/v1 Table`. */
export interface Table {
  kind: 'Table';
  apiVersion: string;
  metadata: Record<string, unknown>;
  columnDefinitions: TableColumn[] | null;
  rows: { cells: Cell[]; conditions?: Record<string, string>[]; object: unknown }[];
}

export function partialMetadata(object: ApiObject, apiVersion = 'meta.k8s.io/v1'): Record<string, unknown> {
  return { kind: 'PartialObjectMetadata', apiVersion, metadata: object.metadata ?? {} };
}

/** Columns of kinds that have none of their own (`rest.NewDefaultTableConvertor`). */
const DEFAULT_COLUMNS: readonly TableColumn[] = [
  { name: 'Name', type: 'string', format: 'name', priority: 0 },
  { name: 'Created At', type: 'date', format: '', priority: 0 },
];

function columnsOf(info: ResourceInfo): readonly TableColumn[] {
  if (info.custom) {
    const own = info.custom.columns.map(({ name, type, format, description, priority, jsonPath }) => ({
      name,
      type,
      format: format ?? '',
      description: description ?? `Custom resource definition column (in JSONPath format): ${jsonPath}`,
      priority: priority ?? 0,
    }));
    const age = info.custom.columns.length === 0 ? [{ name: 'Age', type: 'date', format: '', priority: 0 }] : [];
    return [{ name: 'Name', type: 'string', format: 'name', priority: 0 }, ...own, ...age];
  }
  const facts = columnFacts as unknown as Record<string, TableColumn[]>;
  return facts[`${info.group ? '/apis' : '/api'}/${info.id}`] ?? DEFAULT_COLUMNS;
}

function cellsOf(verbs: Verbs, info: ResourceInfo, object: ApiObject, columns: readonly TableColumn[]): Cell[] {
  if (info.custom) return [object.metadata?.name ?? '', ...customCells(verbs, info, object)];
  const own = verbs.strategy(info)?.tableRow?.(object, verbs.context);
  if (own) return own;
  const age = ageOf(object.metadata?.creationTimestamp, verbs.kernel.now());
  return columns.map((column) => {
    if (column.name === 'Name') return object.metadata?.name ?? '';
    if (column.name === 'Created At') return object.metadata?.creationTimestamp ?? '';
    return column.name === 'Age' ? age : '<none>';
  });
}

/** A value by a CRD column's JSONPath (the simple kind: `.spec.a['b']`). */
function customCells(verbs: Verbs, info: ResourceInfo, object: ApiObject): Cell[] {
  const columns = info.custom?.columns ?? [];
  const nowMs = verbs.kernel.now();
  if (columns.length === 0) return [ageOf(object.metadata?.creationTimestamp, nowMs)];
  return columns.map((column) => {
    let at: unknown = object;
    for (const match of column.jsonPath.matchAll(/\.([A-Za-z0-9_-]+)|\[(\d+)\]|\['([^']+)'\]/g)) {
      at = (at as Record<string, unknown> | undefined | null)?.[match[1] ?? match[3] ?? Number(match[2])];
    }
    if (at === undefined || at === null) return column.type === 'date' ? '<unknown>' : '';
    if (column.type === 'date') return ageOf(String(at), nowMs);
    if (typeof at === 'object') return JSON.stringify(at);
    return at as Cell;
  });
}

/** Pods that have ended are marked, so that clients may hide or grey them. */
function rowConditions(info: ResourceInfo, object: ApiObject): { conditions?: Record<string, string>[] } {
  if (info.id !== 'v1/pods') return {};
  const phase = (object as { status?: { phase?: string } }).status?.phase;
  if (phase !== 'Succeeded' && phase !== 'Failed') return {};
  const message = phase === 'Succeeded' ? 'The pod has completed successfully.' : 'The pod failed.';
  return { conditions: [{ type: 'Completed', status: 'True', reason: phase, message }] };
}

/** The objects as the server prints them. */
export function tableOf(
  verbs: Verbs,
  info: ResourceInfo,
  objects: readonly ApiObject[],
  metadata: Record<string, unknown>,
  include: IncludeObject,
  apiVersion = 'meta.k8s.io/v1',
): Table {
  const columns = columnsOf(info);
  return {
    kind: 'Table',
    apiVersion,
    metadata,
    columnDefinitions: columns.map(({ name, type, format, description, priority }) => ({ name, type, format, description: description ?? name, priority })),
    rows: objects.map((object) => ({
      cells: cellsOf(verbs, info, object, columns),
      ...rowConditions(info, object),
      object: include === 'None' ? null : include === 'Object' ? object : partialMetadata(object, apiVersion),
    })),
  };
}
