import { readDocuments } from '../format/yaml-read.ts';
import type { RequestOptions } from '../rest/client.ts';
import type { Mapping } from '../rest/discovery.ts';
import type { Session } from '../session.ts';
import { AggregateFailure, CliError, ConnectionError, errorText, NoKindMatch } from '../util/errors.ts';
import type { parseSelector } from '../util/labels.ts';
import { isList, isObject, type Json, type Obj, quote, splitApiVersion } from '../util/object.ts';
import { readSource } from './files.ts';
import { Info } from './info.ts';

export interface BuilderOptions {
  /** Flags -f, -k, -R. */
  filenames?: readonly string[];
  kustomize?: string;
  recursive?: boolean;
  args?: readonly string[];
  /** `kubectl get pods` without names means all of them. */
  allowEmptySelector?: boolean;
  /** Default type for bare names (rollout, set …): ResourceNames. */
  defaultType?: string;
  labelSelector?: string;
  /** Takes a document of a file that is no object the server knows; the documents after it are still read. */
  report?: (error: unknown) => void;
  /** The label selector, read, when it is to judge what came from files after it was fetched again. */
  requirements?: ReturnType<typeof parseSelector>;
  fieldSelector?: string;
  selectAll?: boolean;
  allNamespaces?: boolean;
  namespace?: string;
  enforceNamespace?: boolean;
  chunkSize?: number;
  continueOnError?: boolean;
  flatten?: boolean;
  /** Objects from files are fetched again from the server. */
  latest?: boolean;
  requireObject?: boolean;
  singleResourceType?: boolean;
  local?: boolean;
  subresource?: string;
  /** Check what files hold before it is sent (the client's part of --validate). */
  validate?: boolean;
  /** Headers and parameters for reads (Table). */
  request?: RequestOptions;
}

export type Visit = (info: Info) => Promise<void>;

export function isFatal(error: unknown): boolean {
  return error instanceof Error && (error.name === 'Killed' || error.name === 'Errno');
}

/** FlattenListVisitor: the items of a list one by one (tables are no lists). */
export async function visitFlattened(session: Session, info: Info, options: BuilderOptions, fn: Visit): Promise<void> {
  const object = info.object as Obj;
  if (!options.flatten || !isList(object)) return fn(info);
  const errors: unknown[] = [];
  for (const item of flattenItems(object)) {
    try {
      const member = await infoForObject(session, item, options, info.mapping);
      member.source = info.source;
      if (info.resourceVersion) member.resourceVersion = info.resourceVersion;
      await fn(member);
    } catch (error) {
      if (isFatal(error)) throw error;
      errors.push(error);
    }
  }
  if (errors.length > 0) throw new AggregateFailure(errors);
}

function flattenItems(list: Obj): Obj[] {
  const itemKind = typeof list.kind === 'string' && list.kind.endsWith('List') ? list.kind.slice(0, -4) : '';
  return (list.items as Obj[]).flatMap((item) => {
    // Items of a typed list come without their own kind.
    const typed = item.kind || itemKind === '' ? item : { apiVersion: list.apiVersion, kind: itemKind, ...item };
    return isList(typed) ? flattenItems(typed) : [typed];
  });
}

async function infoForObject(session: Session, object: Obj, options: BuilderOptions, parent: Mapping | undefined): Promise<Info> {
  if (!object.kind || !object.apiVersion) throw new CliError(`Object 'Kind' is missing in '${JSON.stringify(object)}'`);
  const [group, version] = splitApiVersion(object.apiVersion);
  let mapping: Mapping;
  if (parent && parent.kind === object.kind && parent.group === group && parent.version === version) mapping = parent;
  else if (options.local) mapping = localMapping(object);
  else {
    const mapper = await session.mapper();
    try {
      mapping = mapper.forKind(object.kind, group, version);
    } catch (error) {
      throw new CliError(`unable to recognize ${errorText(error)}`);
    }
  }
  return new Info(session, mapping, { namespace: object.metadata?.namespace ?? '', name: object.metadata?.name ?? '', object });
}

/** With --local nothing is asked from the server: the plural is not known and not needed. */
function localMapping(object: Obj): Mapping {
  const [group, version] = splitApiVersion(object.apiVersion);
  const resource = `${String(object.kind).toLowerCase()}s`;
  return {
    group,
    version,
    apiVersion: object.apiVersion,
    kind: object.kind,
    resource,
    namespaced: true,
    api: { group, version, name: resource, singular: '', kind: object.kind, namespaced: true, verbs: [], shortNames: [], categories: [], subresources: [] },
  };
}

export interface FileContext {
  session: Session;
  options: BuilderOptions;
}

function markRead(info: Info): Info {
  info.read = true;
  return info;
}

/** RetrieveLatest: the object of a file gives way to the server's; it stays when that cannot be had. */
export async function getLatest(info: Info, request: BuilderOptions['request']): Promise<void> {
  const { object } = info;
  info.object = undefined;
  try {
    await info.get(request);
  } catch (error) {
    info.object = object;
    throw error;
  }
}

/** StreamVisitor over one file. */
export async function visitFile(context: FileContext, file: string, fn: Visit): Promise<void> {
  const { session } = context;
  const documents = await readSource(session, file);
  for (;;) {
    let next: IteratorResult<Json>;
    try {
      next = documents.next();
    } catch (error) {
      throw new CliError(`error parsing ${file}: ${errorText(error)}`);
    }
    if (next.done) return;
    if (next.value === null || next.value === undefined) continue;
    await visitDocument(context, next.value, file, fn);
  }
}

/** The objects in a text, as a file of that name would give them. */
export async function infosFromText(session: Session, text: string, file: string, subresource: string): Promise<Info[]> {
  const out: Info[] = [];
  const context: FileContext = { session, options: { flatten: true, ...(subresource ? { subresource } : {}) } };
  const documents = readDocuments(text);
  for (;;) {
    let next: IteratorResult<Json>;
    try {
      next = documents.next();
    } catch (error) {
      throw new CliError(`error parsing ${file}: ${errorText(error)}`);
    }
    if (next.done) return out;
    if (next.value === null || next.value === undefined) continue;
    await visitDocument(context, next.value, file, async (info) => {
      info.subresource = subresource;
      out.push(info);
    });
  }
}

async function visitDocument(context: FileContext, document: Json, file: string, fn: Visit): Promise<void> {
  const { session, options } = context;
  if (options.validate && !options.local) {
    const problem = validationProblem(document);
    if (problem) {
      throw new CliError(
        `error validating ${quote(file)}: error validating data: ${problem}; if you choose to ignore these errors, turn validation off with --validate=false`,
      );
    }
  }
  let info: Info;
  let object: Obj;
  try {
    object = decode(document, file);
    info = await infoForData(context, object, file);
  } catch (error) {
    if (!options.report || isFatal(error)) throw error;
    options.report(error);
    return;
  }
  if (options.flatten && isList(object)) {
    await visitFlattened(session, info, options, (member) => fn(markRead(member)));
    return;
  }
  await fn(markRead(info));
}

/** getObjectKind of kubectl's validation. */
function validationProblem(document: Json): string | undefined {
  if (!isObject(document)) return 'invalid object to validate';
  const problems: string[] = [];
  if (document.apiVersion === undefined || document.apiVersion === null) problems.push('apiVersion not set');
  else if (typeof document.apiVersion !== 'string') problems.push("apiVersion isn't string type");
  else if (document.apiVersion.split('/').length > 2) problems.push(`unexpected GroupVersion string: ${document.apiVersion}`);
  if (document.kind === undefined || document.kind === null) problems.push('kind not set');
  else if (typeof document.kind !== 'string') problems.push("kind isn't string type");
  return problems.length === 0 ? undefined : problems.length === 1 ? problems[0] : `[${problems.join(', ')}]`;
}

/** UnstructuredJSONScheme with the metadata check in front. */
function decode(document: Json, file: string): Obj {
  const fail = (message: string): never => {
    throw new CliError(`unable to decode ${quote(file)}: ${message}`);
  };
  if (!isObject(document)) {
    const kind = Array.isArray(document) ? 'array' : typeof document === 'boolean' ? 'bool' : typeof document;
    return fail(`json: cannot unmarshal ${kind} into Go value of type unstructured.detector`);
  }
  const metadata = document.metadata;
  if (isObject(metadata)) {
    for (const field of ['labels', 'annotations']) {
      if (!isObject(metadata[field])) continue;
      for (const value of Object.values(metadata[field])) {
        if (value !== null && typeof value !== 'string') {
          fail(`json: cannot unmarshal ${jsonKind(value)} into Go struct field ObjectMeta.metadata.${field} of type string`);
        }
      }
    }
    for (const field of ['name', 'namespace']) {
      if (metadata[field] !== undefined && metadata[field] !== null && typeof metadata[field] !== 'string') {
        fail(`json: cannot unmarshal ${jsonKind(metadata[field])} into Go struct field ObjectMeta.metadata.${field} of type string`);
      }
    }
  }
  if (typeof document.kind !== 'string' || document.kind === '') fail(`Object 'Kind' is missing in '${JSON.stringify(document)}'`);
  return document;
}

function jsonKind(value: Json): string {
  if (typeof value === 'boolean') return 'bool';
  return Array.isArray(value) ? 'array' : typeof value;
}

async function infoForData(context: FileContext, object: Obj, file: string): Promise<Info> {
  const { session, options } = context;
  const name: string = object.metadata?.name ?? '';
  const namespace: string = object.metadata?.namespace ?? '';
  if (options.local) return new Info(session, localMapping(object), { namespace, name, source: file, object });
  if (isList(object) && object.kind === 'List') {
    return new Info(session, localMapping(object), { namespace, name, source: file, object });
  }
  const [group, version] = splitApiVersion(object.apiVersion);
  session.discoveryAttempts = 0;
  try {
    const mapper = await session.mapper();
    return new Info(session, mapper.forKind(object.kind, group, version), { namespace, name, source: file, object });
  } catch (error) {
    if (error instanceof NoKindMatch) {
      throw new CliError(
        `resource mapping not found for name: ${quote(name)} namespace: ${quote(namespace)} from ${quote(file)}: ${error.message}\nensure CRDs are installed first`,
      );
    }
    if (error instanceof ConnectionError && options.validate) {
      const url = error.url.replace(/\/api(\?.*)?$/, '/openapi/v2$1');
      throw new CliError(
        `error validating ${quote(file)}: error validating data: failed to download openapi: Get ${quote(url)}: ${error.reason}; if you choose to ignore these errors, turn validation off with --validate=false`,
      );
    }
    throw new CliError(`unable to recognize ${quote(file)}: ${errorText(error)}`);
  }
}

export async function visitKustomize(context: FileContext, path: string, fn: Visit): Promise<void> {
  const { buildKustomization } = await context.session.process.kernel.external(import('../kustomize/index.ts'));
  for (const object of await buildKustomization(context.session, path)) await visitDocument(context, object, path, fn);
}
