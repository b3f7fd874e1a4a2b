import { goSprint } from '../format/go-json.ts';
import { humanDuration } from '../util/duration.ts';
import { formatLabels } from '../util/labels.ts';
import { deepEqual, type Json, type Obj } from '../util/object.ts';
import type { TabWriter } from './tab-writer.ts';

export interface TableOptions {
  noHeaders: boolean;
  withNamespace: boolean;
  withKind: boolean;
  /** "deployment.apps" or "pod". */
  kind: string;
  wide: boolean;
  showLabels: boolean;
  columnLabels: readonly string[];
}

interface Column {
  name: string;
  type: string;
  format?: string;
  priority?: number;
}

const EVENT_TYPES: Record<string, string> = { ADDED: 'ADDED   ', MODIFIED: 'MODIFIED', DELETED: 'DELETED ', ERROR: 'ERROR   ' };

/** printers.WriteEscaped: no terminal control sequences from the server. */
export function escapeTerminal(text: string): string {
  return text.replaceAll('\x1b', '^[').replaceAll('\r', '\\r');
}

/** HumanReadablePrinter: prints server-side tables, remembering columns and headers over a watch. */
export class HumanPrinter {
  readonly options: TableOptions;
  readonly #nowMs: () => number;
  #lastColumns: Column[] | undefined;
  #printedHeaders = false;
  #lastFallback = false;

  constructor(options: TableOptions, nowMs: () => number) {
    this.options = options;
    this.#nowMs = nowMs;
  }

  print(object: Obj, writer: TabWriter, eventType = ''): void {
    if (object.kind === 'Table' && String(object.apiVersion).startsWith('meta.k8s.io/')) this.#table(object, writer, eventType);
    else this.#fallback(object, writer, eventType);
  }

  #table(table: Obj, writer: TabWriter, eventType: string): void {
    const { options } = this;
    const given: Column[] = table.columnDefinitions ?? [];
    const rows: Obj[] = table.rows ?? [];
    let noHeaders = options.noHeaders;
    const same = given.length === 0 || (this.#lastColumns !== undefined && deepEqual(given, this.#lastColumns));
    if (this.#printedHeaders && same) noHeaders = true;
    if (given.length > 0 && !same) {
      this.#lastColumns = given;
      this.#printedHeaders = false;
    }
    const columns = given.length === 0 ? (this.#lastColumns ?? []) : given;
    if (rows.length > 0) this.#printedHeaders = true;
    const nameColumn = options.withKind && options.kind ? columns.findIndex((column) => column.format === 'name' && column.type === 'string') : -1;
    const headers: { name: string; show: boolean }[] = [];
    if (eventType) headers.push({ name: 'EVENT', show: true });
    if (options.withNamespace) headers.push({ name: 'NAMESPACE', show: true });
    for (const column of columns) headers.push({ name: column.name.toUpperCase(), show: options.wide || !column.priority });
    for (const label of options.columnLabels) headers.push({ name: (label.split('/').at(-1) ?? '').toUpperCase(), show: true });
    if (options.showLabels) headers.push({ name: 'LABELS', show: true });
    if (!noHeaders) {
      if (rows.length === 0) return;
      writer.write(
        `${headers
          .filter((header) => header.show)
          .map((header) => header.name)
          .join('\t')}\n`,
      );
    }
    for (const row of rows) {
      const cells: Json[] = [];
      const metadata = row.object?.metadata;
      if (eventType) cells.push(EVENT_TYPES[eventType] ?? eventType);
      if (options.withNamespace) cells.push(metadata?.namespace ?? '');
      (row.cells as Json[]).forEach((cell, index) => {
        cells.push(index === nameColumn ? `${options.kind}/${goSprint(cell)}` : cell);
      });
      if (options.columnLabels.length > 0 || options.showLabels) {
        if (metadata) {
          for (const label of options.columnLabels) cells.push(metadata.labels?.[label] ?? '');
          if (options.showLabels) cells.push(formatLabels(metadata.labels));
        } else while (cells.length < headers.length) cells.push(null);
      }
      writer.write(
        `${cells
          .slice(0, headers.length)
          .filter((_, index) => headers[index]?.show)
          .map(cellText)
          .join('\t')}\n`,
      );
    }
  }

  /** The default and status handlers of the printer, for objects that did not come as a table. */
  #fallback(object: Obj, writer: TabWriter, eventType: string): void {
    const { options } = this;
    const items: Obj[] = Array.isArray(object.items) ? object.items : [object];
    const status = object.kind === 'Status';
    if (!this.#lastFallback && !options.noHeaders) {
      const headers = status ? ['STATUS', 'REASON', 'MESSAGE'] : ['NAME', 'AGE'];
      for (const label of options.columnLabels) headers.push((label.split('/').at(-1) ?? '').toUpperCase());
      if (options.showLabels) headers.push('LABELS');
      if (options.withNamespace) headers.unshift('NAMESPACE');
      if (eventType) headers.unshift('EVENT');
      writer.write(`${headers.join('\t')}\n`);
    }
    this.#lastFallback = true;
    for (const item of items) {
      const name = options.withKind && options.kind ? `${options.kind}/${item.metadata?.name ?? ''}` : (item.metadata?.name ?? '');
      const cells: string[] = status
        ? [item.status ?? '', item.reason ?? '', item.message ?? '']
        : [name, ageSince(item.metadata?.creationTimestamp, this.#nowMs())];
      for (const label of options.columnLabels) cells.push(item.metadata?.labels?.[label] ?? '');
      if (options.showLabels) cells.push(formatLabels(item.metadata?.labels));
      if (options.withNamespace) cells.unshift(item.metadata?.namespace ?? '');
      if (eventType) cells.unshift(EVENT_TYPES[eventType] ?? eventType);
      writer.write(`${cells.join('\t')}\n`);
    }
  }
}

function cellText(value: Json): string {
  if (value === null || value === undefined) return '';
  const text = typeof value === 'string' ? value : goSprint(value);
  const end = text.search(/[\f\n\r]/);
  return end >= 0 ? `${escapeTerminal(text.slice(0, end))}...` : escapeTerminal(text);
}

/** "5s" since a timestamp, or `<unknown>`. */
export function ageSince(timestamp: string | undefined, nowMs: number): string {
  return timestamp ? humanDuration(nowMs - Date.parse(timestamp)) : '<unknown>';
}
