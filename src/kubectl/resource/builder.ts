import { readDocuments } from '../format/yaml-read.ts';
import type { RequestOptions } from '../rest/client.ts';
import type { Mapping } from '../rest/discovery.ts';
import type { Session } from '../session.ts';
import { AggregateFailure, CliError, errorText, isNotFound, NoKindMatch, StatusError, throwAggregate, withMessage } from '../util/errors.ts';
import { matchesSelector, parseSelector } from '../util/labels.ts';
import { isList, isObject, type Json, type Obj, quote, splitApiVersion } from '../util/object.ts';
import { expandPaths, readSource } from './files.ts';
import { Helper, Info } from './info.ts';

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

interface Source {
  visit(fn: Visit): Promise<void>;
  mapping?: Mapping;
  /** For a list source: its path and query, for watching. */
  watch?: { helper: Helper; namespace: string; query: RequestOptions['query'] };
}

const MISSING_RESOURCE = `You must provide one or more resources by argument or filename.
Example resource specifications include:
   '-f rsrc.yaml'
   '--filename=rsrc.json'
   '<resource> <name>'
   '<resource>'`;

const LOCAL_RESOURCE = `error: you must specify resources by --filename when --local is set.
Example resource specifications include:
   '-f rsrc.yaml'
   '--filename=rsrc.json'`;

/** The objects a command line names: resource.Builder and resource.Result in one. */
export class ResourceResult {
  readonly session: Session;
  readonly options: BuilderOptions;
  readonly sources: Source[];
  readonly singleItemImplied: boolean;
  #ignored: ((error: unknown) => boolean)[] = [];
  #infos: { infos: Info[]; errors: unknown[] } | undefined;

  constructor(session: Session, options: BuilderOptions, sources: Source[], singleItemImplied: boolean) {
    this.session = session;
    this.options = options;
    this.sources = sources;
    this.singleItemImplied = singleItemImplied;
  }

  ignoreErrors(matches: (error: unknown) => boolean): this {
    this.#ignored.push(matches);
    return this;
  }

  /** Visits every object; with continueOnError the errors are gathered and thrown at the end. */
  async visit(fn: Visit): Promise<void> {
    throwAggregate(await this.#collect(fn));
  }

  async #collect(fn: Visit): Promise<unknown[]> {
    const { options } = this;
    const errors: unknown[] = [];
    const each: Visit = async (info) => {
      try {
        await this.#decorate(info);
        await fn(info);
      } catch (error) {
        if (!options.continueOnError || isFatal(error)) throw error;
        errors.push(error);
      }
    };
    for (const source of this.sources) {
      try {
        await source.visit(each);
      } catch (error) {
        if (isFatal(error)) throw error;
        // Upstream's visitor list adds a level of aggregation, which decides how the error is introduced.
        errors.push(error instanceof AggregateFailure ? new AggregateFailure([error]) : error);
        if (!options.continueOnError) break;
      }
    }
    return errors.filter((error) => !this.#ignored.some((matches) => matches(error)));
  }

  /** SetNamespace, RequireNamespace, FilterNamespace, RetrieveLazy. */
  async #decorate(info: Info): Promise<void> {
    const { options } = this;
    const namespace = options.namespace ?? '';
    if (!options.local && info.namespaced) {
      if (info.namespace === '' && namespace !== '') setNamespace(info, namespace);
      if (options.enforceNamespace && info.namespace !== namespace) {
        throw new CliError(
          `the namespace from the provided object ${quote(info.namespace)} does not match the namespace ${quote(namespace)}. You must pass '--namespace=${info.namespace}' to perform this operation.`,
        );
      }
    }
    if (!options.local && !info.namespaced && info.namespace !== '') {
      info.namespace = '';
      if (info.object?.metadata) delete info.object.metadata.namespace;
    }
    if (options.latest && info.read && info.name !== '') await getLatest(info, options.request);
    if (options.requireObject !== false && info.object === undefined) await info.get(options.request);
  }

  /** All infos, visited once; throws what went wrong. */
  async infos(): Promise<Info[]> {
    const { infos, errors } = await this.infosAndErrors();
    throwAggregate(errors);
    return infos;
  }

  async infosAndErrors(): Promise<{ infos: Info[]; errors: unknown[] }> {
    if (!this.#infos) {
      const infos: Info[] = [];
      const errors = await this.#collect(async (info) => {
        infos.push(info);
      });
      this.#infos = { infos, errors };
    }
    return this.#infos;
  }
}

function isFatal(error: unknown): boolean {
  return error instanceof Error && (error.name === 'Killed' || error.name === 'Errno');
}

function setNamespace(info: Info, namespace: string): void {
  info.namespace = namespace;
  if (info.object && info.object.kind !== 'Table') info.object.metadata = { ...info.object.metadata, namespace };
}

/** SplitResourceArgument: comma list without repeats. */
const splitTypes = (argument: string): string[] => [...new Set(argument.split(','))];

interface Tuple {
  type: string;
  name: string;
}

/** Works out what the command line names; throws what builder.Do().Err() would return. */
export async function build(session: Session, options: BuilderOptions): Promise<ResourceResult> {
  const errors: unknown[] = [];
  const sources: Source[] = [];
  let singleFile = false;
  let directory = false;
  let stdin = false;
  const filenames = options.filenames ?? [];
  const kustomize = options.kustomize ?? '';
  if (filenames.length > 0 && kustomize) errors.push(new CliError('only one of -f or -k can be specified'));
  if (kustomize && options.recursive) errors.push(new CliError("the -k flag can't be used with -f or -R"));
  const context: FileContext = { session, options };
  if (errors.length === 0) {
    for (const filename of filenames) {
      if (filename === '-') {
        if (stdin) errors.push(new CliError('standard input cannot be used for multiple arguments'));
        stdin = true;
        sources.push({ visit: (fn) => visitFile(context, 'STDIN', fn) });
        continue;
      }
      try {
        const found = expandPaths(session, filename, options.recursive ?? false);
        if (!options.recursive && found.single) singleFile = true;
        if (found.files.length > 1) directory = true;
        for (const file of found.files) sources.push({ visit: (fn) => visitFile(context, file, fn) });
      } catch (error) {
        errors.push(error);
      }
    }
    if (kustomize) sources.push({ visit: (fn) => visitKustomize(context, kustomize, fn) });
  }

  const { types, names, tuples } = await parseArguments(session, options, errors);
  let labelSelector = options.labelSelector?.trim() || undefined;
  const fieldSelector = options.fieldSelector?.trim() || undefined;
  if (options.selectAll && (labelSelector !== undefined || fieldSelector !== undefined))
    errors.push(new CliError("setting 'all' parameter but found a non empty selector. "));
  throwAggregate(errors);
  if (options.selectAll) labelSelector = '';
  const everything = options.allowEmptySelector && types.length > 0 && names.length === 0 && labelSelector === undefined;
  if (everything) labelSelector = '';

  if (sources.length > 0) {
    if (types.length > 0) throw new CliError('when paths, URLs, or stdin is provided as input, you may not specify resource arguments as well');
    if (names.length > 0) throw new CliError('name cannot be provided when a path is specified');
    if (tuples.length > 0) throw new CliError('resource/name arguments cannot be provided when a path is specified');
    const requirements = labelSelector === undefined ? undefined : parseFilter(labelSelector);
    const filtered = requirements ? sources.map((source) => filterSource(source, requirements)) : sources;
    return new ResourceResult(session, options, filtered, !directory && !stdin && sources.length === 1 && (singleFile || sources.length === 1));
  }
  if (options.local) throw new CliError(LOCAL_RESOURCE);

  if (labelSelector !== undefined || fieldSelector !== undefined) {
    if (names.length > 0) throw new CliError('name cannot be provided when a selector is specified');
    if (tuples.length > 0) throw new CliError('selectors and the all flag cannot be used when passing resource/name arguments');
    if (types.length === 0) throw new CliError('at least one resource must be specified to use a selector');
    if (options.subresource) throw new CliError('subresource cannot be used when bulk resources are specified');
    const mappings = await mappingsOf(session, types, options.singleResourceType ?? false);
    return new ResourceResult(
      session,
      options,
      mappings.map((mapping) => selectorSource(session, mapping, options, labelSelector ?? '', fieldSelector ?? '')),
      false,
    );
  }
  if (tuples.length > 0) {
    if (types.length > 0) throw new CliError('you may not specify individual resources and bulk resources in the same call');
    const mapper = await session.mapper();
    const mappings = new Map(tuples.map((tuple): [string, Mapping] => [tuple.type, lookup(mapper.mappingFor.bind(mapper), tuple.type)]));
    if (options.singleResourceType && new Set([...mappings.values()].map((mapping) => `${mapping.apiVersion}/${mapping.resource}`)).size > 1) {
      throw new CliError('you may only specify a single resource type');
    }
    const named = tuples.map((tuple) => namedSource(session, mappings.get(tuple.type) as Mapping, tuple.name, options));
    return new ResourceResult(session, options, named, tuples.length === 1);
  }
  if (names.length > 0) {
    if (types.length === 0) throw new CliError('you must provide a resource and a resource name together');
    if (types.length > 1) throw new CliError('you must specify only one resource');
    const [mapping] = await mappingsOf(session, types, options.singleResourceType ?? false);
    const named = names.map((name) => namedSource(session, mapping as Mapping, name, options));
    return new ResourceResult(session, options, named, names.length === 1);
  }
  if (types.length > 0) {
    await mappingsOf(session, types, false);
    throw new CliError('resource(s) were provided, but no name was specified');
  }
  throw new CliError(MISSING_RESOURCE);
}

function lookup(find: (argument: string) => Mapping, argument: string): Mapping {
  try {
    return find(argument);
  } catch (error) {
    throw new CliError(errorText(error));
  }
}

async function mappingsOf(session: Session, types: readonly string[], single: boolean): Promise<Mapping[]> {
  if (types.length > 1 && single) throw new CliError('you may only specify a single resource type');
  const mapper = await session.mapper();
  const seen = new Map<string, Mapping>();
  for (const type of types) {
    const mapping = lookup(mapper.mappingFor.bind(mapper), type);
    const key = `${mapping.apiVersion}/${mapping.kind}`;
    if (!seen.has(key)) seen.set(key, mapping);
  }
  return [...seen.values()];
}

async function parseArguments(session: Session, options: BuilderOptions, errors: unknown[]): Promise<{ types: string[]; names: string[]; tuples: Tuple[] }> {
  let args = [...(options.args ?? [])];
  const none = { types: [] as string[], names: [] as string[], tuples: [] as Tuple[] };
  if (options.defaultType !== undefined) {
    try {
      return { ...none, tuples: args.map((name) => splitTuple(name) ?? { type: options.defaultType as string, name }) };
    } catch (error) {
      errors.push(error);
      return none;
    }
  }
  if (args.length >= 2) {
    const types = splitTypes(args[0] as string);
    if (types.length > 1) args = types.flatMap((type) => args.slice(1).map((name) => `${type}/${name}`));
  }
  const slashes = args.filter((argument) => argument.includes('/')).length;
  if (slashes > 0) {
    if (slashes !== args.length) {
      errors.push(
        new CliError(
          "there is no need to specify a resource type as a separate argument when passing arguments in resource/name form (e.g. 'kubectl get resource/<resource_name>' instead of 'kubectl get resource resource/<resource_name>'",
        ),
      );
      return none;
    }
    try {
      return { ...none, tuples: args.map((argument) => splitTuple(argument) as Tuple) };
    } catch (error) {
      errors.push(error);
      return none;
    }
  }
  if (args.length === 0) return none;
  const first = options.local ? (args[0] as string) : await expandCategories(session, args[0] as string);
  return { ...none, types: splitTypes(first), names: args.slice(1) };
}

async function expandCategories(session: Session, argument: string): Promise<string> {
  const mapper = await session.mapper();
  return argument
    .split(',')
    .map((part) => mapper.category(part)?.join(',') ?? part)
    .join(',');
}

function splitTuple(text: string): Tuple | undefined {
  if (!text.includes('/')) return undefined;
  const parts = text.split('/');
  if (parts.length !== 2) throw new CliError('arguments in resource/name form may not have more than one slash');
  const [type = '', name = ''] = parts;
  if (type === '' || name === '' || splitTypes(type).length !== 1) throw new CliError('arguments in resource/name form must have a single resource and name');
  return { type, name };
}

function namedSource(session: Session, mapping: Mapping, name: string, options: BuilderOptions): Source {
  const namespace = mapping.namespaced ? (options.allNamespaces ? '' : (options.namespace ?? '')) : '';
  if (mapping.namespaced && namespace === '') {
    throw new CliError(
      options.allNamespaces ? 'a resource cannot be retrieved by name across all namespaces' : 'namespace may not be empty when retrieving a resource by name',
    );
  }
  return {
    mapping,
    visit: (fn) => fn(new Info(session, mapping, { namespace, name, ...(options.subresource ? { subresource: options.subresource } : {}) })),
    watch: { helper: new Helper(session, mapping), namespace, query: { fieldSelector: `metadata.name=${name}` } },
  };
}

/** resource.Selector: a list, in chunks. */
function selectorSource(session: Session, mapping: Mapping, options: BuilderOptions, labelSelector: string, fieldSelector: string): Source {
  const namespace = mapping.namespaced && !options.allNamespaces ? (options.namespace ?? '') : '';
  const helper = new Helper(session, mapping);
  const query = { labelSelector, fieldSelector };
  return {
    mapping,
    watch: { helper, namespace, query },
    visit: async (fn) => {
      let token: string | undefined;
      do {
        let list: Obj;
        try {
          list = await helper.list(namespace, {
            ...options.request,
            query: { ...options.request?.query, ...query, limit: options.chunkSize || undefined, continue: token },
          });
        } catch (error) {
          throw enhanceListError(error, mapping, labelSelector, fieldSelector);
        }
        token = list.metadata?.continue || undefined;
        const info = new Info(session, mapping, { namespace, object: list });
        info.resourceVersion = list.metadata?.resourceVersion ?? '';
        await visitFlattened(session, info, options, fn);
      } while (token);
    },
  };
}

/** resource.EnhanceListError. */
export function enhanceListError(error: unknown, mapping: Mapping, labelSelector: string, fieldSelector: string): unknown {
  if (!(error instanceof StatusError) || (error.reason !== 'BadRequest' && !isNotFound(error))) return error;
  const subject = quote(`${mapping.group}/${mapping.version}, Resource=${mapping.resource}`);
  if (labelSelector === '' && fieldSelector === '') return withMessage(error, `Unable to list ${subject}: ${error.message}`);
  return withMessage(
    error,
    `Unable to find ${subject} that match label selector ${quote(labelSelector)}, field selector ${quote(fieldSelector)}: ${error.message}`,
  );
}

/** FlattenListVisitor: the items of a list one by one (tables are no lists). */
async function visitFlattened(session: Session, info: Info, options: BuilderOptions, fn: Visit): Promise<void> {
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

interface FileContext {
  session: Session;
  options: BuilderOptions;
}

function markRead(info: Info): Info {
  info.read = true;
  return info;
}

/** RetrieveLatest: the object of a file gives way to the server's; it stays when that cannot be had. */
async function getLatest(info: Info, request: BuilderOptions['request']): Promise<void> {
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
async function visitFile(context: FileContext, file: string, fn: Visit): Promise<void> {
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
  const object = decode(document, file);
  const info = await infoForData(context, object, file);
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
  const mapper = await session.mapper();
  const [group, version] = splitApiVersion(object.apiVersion);
  try {
    return new Info(session, mapper.forKind(object.kind, group, version), { namespace, name, source: file, object });
  } catch (error) {
    if (error instanceof NoKindMatch) {
      throw new CliError(
        `resource mapping not found for name: ${quote(name)} namespace: ${quote(namespace)} from ${quote(file)}: ${error.message}\nensure CRDs are installed first`,
      );
    }
    throw new CliError(`unable to recognize ${quote(file)}: ${errorText(error)}`);
  }
}

async function visitKustomize(context: FileContext, path: string, fn: Visit): Promise<void> {
  const { buildKustomization } = await context.session.process.kernel.external(import('../kustomize/index.ts'));
  for (const object of buildKustomization(context.session, path)) await visitDocument(context, object, path, fn);
}

function parseFilter(selector: string): ReturnType<typeof parseSelector> {
  try {
    return parseSelector(selector);
  } catch (error) {
    throw new CliError(`the provided selector ${quote(selector)} is not valid: ${errorText(error)}`);
  }
}

function filterSource(source: Source, requirements: ReturnType<typeof parseSelector>): Source {
  return {
    ...source,
    visit: (fn) =>
      source.visit(async (info) => {
        if (matchesSelector(requirements, info.object?.metadata?.labels)) await fn(info);
      }),
  };
}

/** Options that most commands share: -f, -k, -R, namespace. */
export function fileOptions(session: Session): BuilderOptions {
  const { flags } = session;
  return {
    filenames: flags.has('filename') ? flags.list('filename') : [],
    kustomize: flags.has('kustomize') ? flags.text('kustomize') : '',
    recursive: flags.has('recursive') ? flags.bool('recursive') : false,
  };
}
