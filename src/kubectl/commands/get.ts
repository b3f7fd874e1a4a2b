import { CustomColumnsPrinter, customColumns } from '../printers/custom-columns.ts';
import {
  JSON_YAML_FORMATS,
  jsonYamlPrinter,
  namePrinter,
  noCompatiblePrinter,
  type PrintContext,
  type Printer,
  TEMPLATE_FORMATS,
  templatePrinter,
} from '../printers/print-flags.ts';
import { sortByPath } from '../printers/sorter.ts';
import { TabWriter } from '../printers/tab-writer.ts';
import { HumanPrinter } from '../printers/table.ts';
import { build, fileOptions, type ResourceResult } from '../resource/builder.ts';
import { Helper, kindName } from '../resource/info.ts';
import type { RequestOptions } from '../rest/client.ts';
import type { Mapping } from '../rest/discovery.ts';
import type { Session } from '../session.ts';
import { AggregateFailure, CliError, errorText, isNotFound, StatusError, throwAggregate } from '../util/errors.ts';
import { isList, type Obj } from '../util/object.ts';

export const TABLE_ACCEPT = 'application/json;as=Table;v=v1;g=meta.k8s.io,application/json;as=Table;v=v1beta1;g=meta.k8s.io,application/json';

const SUGGEST_RESOURCES = 'Use "kubectl api-resources" for a complete list of supported resources.';

/** kubectl get. */
export async function get(session: Session, args: string[]): Promise<void> {
  const { flags } = session;
  const output = flags.text('output');
  const watching = flags.bool('watch') || flags.bool('watch-only');
  if (flags.text('raw') !== '') return raw(session, args);
  if (watching) {
    if (flags.text('sort-by') !== '') {
      const which = flags.bool('watch')
        ? '--watch requested, --sort-by will be ignored for watch events received'
        : '--watch-only requested, --sort-by will be ignored';
      await session.err(`warning: ${which}\n`);
    }
  } else if (args.length === 0 && flags.list('filename').length === 0 && flags.text('kustomize') === '') {
    await session.err(`You must specify the type of resource to get. ${SUGGEST_RESOURCES}\n\n`);
    throw session.usageError(
      'Required resource not specified.\nUse "kubectl explain <resource>" for a detailed description of that resource (e.g. kubectl explain pods).',
    );
  }
  if (flags.bool('show-labels') && output !== '' && output !== 'wide') throw new CliError(`--show-labels option cannot be used with ${output} printer`);
  if (flags.bool('output-watch-events') && !watching) throw new CliError('--output-watch-events option can only be used with --watch or --watch-only');
  if (watching) return watch(session, args);

  const human = isHuman(session);
  const result = await build(session, {
    ...selection(session, args),
    chunkSize: flags.text('sort-by') !== '' ? 0 : flags.number('chunk-size'),
    subresource: flags.text('subresource'),
    continueOnError: true,
    flatten: true,
    request: request(session),
  });
  if (flags.bool('ignore-not-found')) result.ignoreErrors(isNotFound);
  if (!human) return printGeneric(session, result);
  await printTables(session, result);
}

function selection(session: Session, args: string[]): Parameters<typeof build>[1] {
  const { flags } = session;
  return {
    ...fileOptions(session),
    args,
    allowEmptySelector: true,
    labelSelector: flags.text('selector'),
    fieldSelector: flags.text('field-selector'),
    allNamespaces: flags.bool('all-namespaces'),
    enforceNamespace: session.enforceNamespace && !flags.bool('all-namespaces'),
    latest: true,
  };
}

function isHuman(session: Session): boolean {
  const output = session.flags.text('output');
  return (output === '' && session.flags.text('template') === '') || output === 'wide';
}

/** transformRequests: tables for people, plain objects for programs. */
function request(session: Session): RequestOptions {
  if (!isHuman(session) || !session.flags.bool('server-print')) return {};
  return { accept: TABLE_ACCEPT, ...(session.flags.text('sort-by') === '' ? {} : { query: { includeObject: 'Object' } }) };
}

async function raw(session: Session, args: string[]): Promise<void> {
  const { flags } = session;
  if (args.length > 0) throw new CliError('arguments may not be passed when --raw is specified');
  if (flags.bool('watch') || flags.bool('watch-only') || flags.text('selector') !== '') {
    throw new CliError('--raw may not be specified with other flags that filter the server request or alter the output');
  }
  if (flags.text('output') !== '') throw new CliError('--raw and --output are mutually exclusive');
  const uri = flags.text('raw');
  if (!uri.startsWith('/') && !/^[a-z]+:\/\//.test(uri)) throw new CliError(`--raw must be a valid URL path: parse "${uri}": invalid URI for request`);
  const decoder = new TextDecoder();
  for await (const chunk of session.client.stream(uri)) await session.out(decoder.decode(chunk, { stream: true }));
}

/** A printer of get: rows go to the tab writer, other formats are text at once. */
interface GetPrinter {
  print(object: Obj, writer: TabWriter, context: PrintContext): string;
}

async function getPrinter(session: Session, mapping: Mapping | undefined, withNamespace: boolean, withKind: boolean): Promise<GetPrinter> {
  const { flags } = session;
  let output = flags.text('output');
  if (flags.text('template') !== '' && output === '') output = 'go-template';
  const wrap = (printer: Printer): GetPrinter => ({ print: (object, _writer, context) => printer.print(object, context) });
  const template = await templatePrinter(session, output);
  if (template) return wrap(template);
  const jsonYaml = await jsonYamlPrinter(session, output);
  if (jsonYaml) return wrap(jsonYaml);
  if (output === '' || output === 'wide') {
    const human = new HumanPrinter(
      {
        noHeaders: flags.bool('no-headers'),
        withNamespace,
        withKind: withKind || flags.bool('show-kind'),
        kind: mapping ? kindName(mapping) : '',
        wide: output === 'wide',
        showLabels: flags.bool('show-labels'),
        columnLabels: flags.list('label-columns'),
      },
      () => session.nowMs,
    );
    return {
      print: (object, writer, context) => {
        human.print(object, writer, context.eventType);
        return '';
      },
    };
  }
  const columns = customColumns(session, output);
  if (columns) {
    const printer = new CustomColumnsPrinter(columns, flags.bool('no-headers'));
    return {
      print: (object, writer, context) => {
        printer.print(object, writer, context.eventType);
        return '';
      },
    };
  }
  if (output.toLowerCase() === 'name') return wrap(namePrinter('', true));
  throw noCompatiblePrinter(output, [...JSON_YAML_FORMATS, 'name', ...TEMPLATE_FORMATS, 'custom-columns', 'custom-columns-file', 'wide']);
}

async function printTables(session: Session, result: ResourceResult): Promise<void> {
  const { flags } = session;
  const { infos, errors } = await result.infosAndErrors();
  // The list of files wraps what goes wrong once more than a list of names: it is then printed without "error: ".
  const wrapped = errors.length > 0 && flags.list('filename').length > 0;
  const allErrors: unknown[] = wrapped ? [new AggregateFailure([new AggregateFailure(errors)])] : [...errors];
  const sortBy = flags.text('sort-by');
  const allNamespaces = flags.bool('all-namespaces');
  const withKind = new Set(infos.map((info) => `${info.mapping.apiVersion}/${info.mapping.kind}`)).size > 1;
  // Several types are sorted as whole tables, as upstream does; rows are sorted when a table is printed.
  const ordered = sortBy !== '' && infos.length > 1 ? sortByPath([...infos], (info) => info.object, sortBy, true) : infos;
  const writer = new TabWriter();
  let printer: GetPrinter | undefined;
  let last: Mapping | undefined;
  let written = 0;
  let separator = false;
  let onlyNamespaced = !allNamespaces;
  // Upstream's printers share this switch: once a table had the column, those after it have it, too.
  let withNamespace = false;
  const flush = async (): Promise<void> => {
    const text = writer.flush();
    if (text === '') return;
    if (separator) await session.out('\n');
    separator = false;
    written += text.length;
    await session.out(text);
  };
  for (const info of ordered) {
    const { mapping } = info;
    onlyNamespaced = onlyNamespaced && mapping.namespaced;
    if (!printer || !last || mapping.apiVersion !== last.apiVersion || mapping.resource !== last.resource) {
      await flush();
      writer.forgetWidths();
      if (last && !flags.bool('no-headers') && written > 0) separator = true;
      try {
        withNamespace ||= allNamespaces && mapping.namespaced;
        printer = await getPrinter(session, mapping, withNamespace, withKind);
      } catch (error) {
        if (!allErrors.some((known) => errorText(known) === errorText(error))) allErrors.push(error);
        continue;
      }
      last = mapping;
    }
    try {
      printer.print(sortBy === '' ? (info.object as Obj) : sortedRows(info.object as Obj, sortBy), writer, {});
    } catch (error) {
      // What a row cannot be sorted or printed by is not told: upstream drops this error too.
      if (!(error instanceof CliError)) throw error;
    }
  }
  await flush();
  if (written === 0 && !flags.bool('ignore-not-found') && allErrors.length === 0) {
    await session.err(onlyNamespaced ? `No resources found in ${session.namespace} namespace.\n` : 'No resources found\n');
  }
  throwAggregate(allErrors);
}

function sortedRows(table: Obj, sortBy: string): Obj {
  if (table.kind !== 'Table' || (table.rows ?? []).length <= 1) return table;
  return { ...table, rows: sortByPath([...table.rows] as Obj[], (row) => row.object, sortBy, false) };
}

async function printGeneric(session: Session, result: ResourceResult): Promise<void> {
  const { flags } = session;
  const { infos, errors } = await result.infosAndErrors();
  if (errors.length > 0 && result.singleItemImplied) throwAggregate(errors);
  if (infos.length === 0 && flags.bool('ignore-not-found')) {
    throwAggregate(errors);
    return;
  }
  const printer = await getPrinter(session, undefined, false, false);
  const writer = new TabWriter();
  const only = result.singleItemImplied && infos.length === 1 ? (infos[0]?.object as Obj) : undefined;
  let object: Obj;
  if (only && !isList(only)) object = only;
  else {
    const items = only ? (only.items as Obj[]) : infos.map((info) => info.object as Obj);
    object = { kind: 'List', apiVersion: 'v1', metadata: { resourceVersion: only?.metadata?.resourceVersion ?? '' }, items };
  }
  const failures = [...errors];
  try {
    const sortBy = flags.text('sort-by');
    if (sortBy !== '' && isList(object) && object.items.length > 0)
      object = { ...object, items: sortByPath(object.items as Obj[], (item) => item, sortBy, true) };
    const text = printer.print(object, writer, {});
    await session.out(text + writer.flush());
  } catch (error) {
    if (error instanceof CliError && 'output' in error) await session.out(String(error.output));
    if (error instanceof Error && (error.name === 'Killed' || error.name === 'Errno')) throw error;
    failures.push(error);
  }
  throwAggregate(failures);
}

async function watch(session: Session, args: string[]): Promise<void> {
  const { flags } = session;
  const result = await build(session, {
    ...selection(session, args),
    chunkSize: flags.number('chunk-size'),
    singleResourceType: true,
    request: request(session),
  });
  let infos: Awaited<ReturnType<ResourceResult['infos']>>;
  try {
    infos = await result.infos();
  } catch (error) {
    if (isNotFound(error) && flags.bool('ignore-not-found')) return;
    throw error;
  }
  const [first] = infos;
  if (!first) return;
  const { mapping } = first;
  const printer = await getPrinter(session, mapping, flags.bool('all-namespaces'), false);
  const single = infos.length === 1 && result.singleItemImplied;
  const resourceVersion = single ? '0' : (first.object?.metadata?.resourceVersion ?? '');
  const events = flags.bool('output-watch-events');
  const writer = new TabWriter();
  const show = async (object: Obj, type: string): Promise<void> => {
    const text = printer.print(object, writer, events ? { eventType: type } : {});
    await session.out(text + writer.flush());
  };
  let outputObjects = !flags.bool('watch-only');
  if (outputObjects) {
    for (const info of infos) {
      const object = info.object as Obj;
      const items: Obj[] = isList(object) ? object.items.map((item: Obj) => ({ apiVersion: mapping.apiVersion, kind: mapping.kind, ...item })) : [object];
      let text = '';
      for (const item of items) text += printer.print(item, writer, events ? { eventType: 'ADDED' } : {});
      await session.out(text + writer.flush());
    }
  }
  outputObjects = !single;
  if (result.sources.length !== 1) throw new CliError('you may only watch a single resource or type of resource at a time');
  const source = result.sources[0];
  const target = source?.watch ?? watchOf(first);
  if (infos.length !== 1 && !source?.watch) {
    throw new CliError(`watch is only supported on individual resources and resource collections - ${infos.length} resources were found`);
  }
  const options = request(session);
  try {
    for await (const event of session.client.watch(target.helper.path(target.namespace), {
      ...options,
      query: { ...options.query, ...target.query, resourceVersion },
    })) {
      if (event.type === 'BOOKMARK') continue;
      if (outputObjects) await show(event.object, event.type);
      outputObjects = true;
    }
  } catch (error) {
    // A watch that was opened and then ended (timeout, closed stream) ends the command quietly.
    if (error instanceof StatusError) throw error;
    if (error instanceof Error && error.name === 'Aborted') return;
    throw error;
  }
}

function watchOf(info: Awaited<ReturnType<ResourceResult['infos']>>[number]): NonNullable<ResourceResult['sources'][number]['watch']> {
  return { helper: new Helper(info.session, info.mapping), namespace: info.namespace, query: { fieldSelector: `metadata.name=${info.name}` } };
}
