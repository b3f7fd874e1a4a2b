import { goSprint } from '../format/go-json.ts';
import { JsonPath, relaxedJsonPath } from '../format/jsonpath.ts';
import type { Session } from '../session.ts';
import { CliError, errorText } from '../util/errors.ts';
import type { Json, Obj } from '../util/object.ts';
import type { TabWriter } from './tab-writer.ts';
import { escapeTerminal } from './table.ts';

export interface Column {
  header: string;
  path: string;
}

const relaxed = (path: string): string => {
  try {
    return relaxedJsonPath(path);
  } catch (error) {
    throw new CliError(errorText(error));
  }
};

/** Columns of `-o custom-columns=…` or `-o custom-columns-file=…`; undefined for other formats. */
export function customColumns(session: Session, output: string): Column[] | undefined {
  const template = session.flags.text('template');
  let format = output;
  let value = template;
  if (template === '') {
    const equals = output.indexOf('=');
    const name = equals < 0 ? output : output.slice(0, equals);
    if (equals >= 0 && (name === 'custom-columns' || name === 'custom-columns-file')) {
      format = name;
      value = output.slice(equals + 1);
    }
  }
  if (format !== 'custom-columns' && format !== 'custom-columns-file') return undefined;
  if (value === '') throw new CliError('custom-columns format specified but no custom columns given');
  if (format === 'custom-columns-file') return columnsFromTemplate(session, value);
  return value.split(',').map((part) => {
    const colon = part.indexOf(':');
    if (colon < 0) throw new CliError(`unexpected custom-columns spec: ${part}, expected <header>:<json-path-expr>`);
    return { header: part.slice(0, colon), path: relaxed(part.slice(colon + 1)) };
  });
}

function columnsFromTemplate(session: Session, file: string): Column[] {
  let text: string;
  try {
    text = session.readFile(file);
  } catch (error) {
    throw new CliError(`error reading template ${file}, ${errorText(error)}\n`);
  }
  const lines = text.split('\n');
  if (lines.at(-1) === '') lines.pop();
  const words = (line: string): string[] => line.split(/\s+/).filter((word) => word !== '');
  const missing = (what: string): CliError =>
    new CliError(`invalid template, missing ${what} line. Expected format is one line of space separated headers, one line of space separated column specs.`);
  if (lines[0] === undefined) throw missing('header');
  if (lines[1] === undefined) throw missing('spec');
  const headers = words(lines[0]);
  const specs = words(lines[1]);
  if (headers.length !== specs.length) throw new CliError(`number of headers (${headers.length}) and field specifications (${specs.length}) don't match`);
  return headers.map((header, index) => ({ header, path: relaxed(specs[index] as string) }));
}

/** CustomColumnsPrinter: headers once per type of object. */
export class CustomColumnsPrinter {
  readonly #columns: Column[];
  readonly #paths: JsonPath[];
  #headersFor: string | undefined;
  readonly #noHeaders: boolean;

  constructor(columns: Column[], noHeaders: boolean) {
    this.#columns = columns;
    this.#paths = columns.map((column) => new JsonPath(column.path, { allowMissingKeys: true }));
    this.#noHeaders = noHeaders;
  }

  print(object: Obj, writer: TabWriter, eventType = ''): void {
    const type = eventType ? 'event' : Array.isArray(object.items) ? 'list' : 'object';
    if (!this.#noHeaders && this.#headersFor !== type) {
      writer.write(`${this.#columns.map((column) => column.header).join('\t')}\n`);
      this.#headersFor = type;
    }
    const items: Obj[] = Array.isArray(object.items) ? object.items : [object];
    for (const item of items) writer.write(`${this.#row(eventType ? { type: eventType, object: item } : item)}\n`);
  }

  #row(item: Obj): string {
    return this.#paths
      .map((path) => {
        const values: Json[][] = path.find(item);
        const texts = values.flat().map((value) => escapeTerminal(goSprint(value)));
        if (values.length === 0 || values[0]?.length === 0) texts.unshift('<none>');
        return texts.join(',');
      })
      .join('\t');
  }
}
