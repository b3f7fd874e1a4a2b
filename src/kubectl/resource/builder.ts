import type { RequestOptions } from '../rest/client.ts';
import type { Mapping } from '../rest/discovery.ts';
import type { Session } from '../session.ts';
import { AggregateFailure, CliError, errorText, isNotFound, StatusError, throwAggregate, withMessage } from '../util/errors.ts';
import { matchesSelector, parseSelector } from '../util/labels.ts';
import { type Obj, quote } from '../util/object.ts';
import { type BuilderOptions, type FileContext, getLatest, isFatal, type Visit, visitFile, visitFlattened, visitKustomize } from './documents.ts';
import { expandPaths } from './files.ts';
import { Helper, Info } from './info.ts';

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
    if (options.continueOnError) options.report = (error) => void errors.push(error);
    const each: Visit = async (info) => {
      try {
        await this.#decorate(info);
        if (options.requirements && !matchesSelector(options.requirements, info.object?.metadata?.labels)) return;
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
    if (options.latest && requirements) options.requirements = requirements;
    // What was read again from the server is what the selector sees: a table has no labels.
    const filtered = requirements && !options.latest ? sources.map((source) => filterSource(source, requirements)) : sources;
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
    session.discoveryAttempts = Math.min(session.discoveryAttempts, 4);
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
    namespace: session.namespace,
    enforceNamespace: session.enforceNamespace,
  };
}
