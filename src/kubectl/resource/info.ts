import { goJson } from '../format/go-json.ts';
import { checkName, type RequestOptions, segment } from '../rest/client.ts';
import type { Mapping } from '../rest/discovery.ts';
import { groupResource } from '../rest/discovery.ts';
import type { DryRun, Session } from '../session.ts';
import { CliError, isNotFound } from '../util/errors.ts';
import { isObject, type Json, type Obj, quote } from '../util/object.ts';

/** One object (or list) that a command works on: resource.Info. */
export class Info {
  readonly session: Session;
  mapping: Mapping;
  namespace: string;
  name: string;
  /** File it came from, '' otherwise. */
  source: string;
  object: Obj | undefined;
  subresource: string;
  resourceVersion = '';
  /** Read from a file: a builder with `latest` asks the server for it again. */
  read = false;

  constructor(session: Session, mapping: Mapping, options: { namespace?: string; name?: string; source?: string; object?: Obj; subresource?: string }) {
    this.session = session;
    this.mapping = mapping;
    this.namespace = options.namespace ?? '';
    this.name = options.name ?? '';
    this.source = options.source ?? '';
    this.object = options.object;
    this.subresource = options.subresource ?? '';
  }

  get namespaced(): boolean {
    return this.mapping.namespaced;
  }

  /** "deployments/web" */
  get objectName(): string {
    return `${this.mapping.resource}/${this.name}`;
  }

  /** Info.String(), as apply's errors show it. */
  toString(): string {
    const { mapping } = this;
    const gvk = mapping.group ? `${mapping.group}/${mapping.version}` : `/${mapping.version}`;
    return `Resource: ${quote(`${gvk}, Resource=${mapping.resource}`)}, GroupVersionKind: ${quote(`${gvk}, Kind=${mapping.kind}`)}\nName: ${quote(this.name)}, Namespace: ${quote(this.namespace)}`;
  }

  /** Info.Get, with its second look at the namespace when the object is missing. */
  async get(options: RequestOptions = {}): Promise<Obj> {
    try {
      this.refresh(await helperOf(this).get(this.namespace, this.name, options));
    } catch (error) {
      if (isNotFound(error) && this.namespace !== '' && this.namespace !== 'default') {
        try {
          await this.session.client.request('GET', `/api/v1/namespaces/${segment(this.namespace)}`);
        } catch (missing) {
          if (isNotFound(missing)) throw missing;
        }
      }
      throw error;
    }
    return this.object as Obj;
  }

  refresh(object: Obj): void {
    this.object = object;
    if (object.kind === 'Table') return;
    this.name = object.metadata?.name ?? this.name;
    this.namespace = object.metadata?.namespace ?? (this.mapping.namespaced ? this.namespace : '');
    this.resourceVersion = object.metadata?.resourceVersion ?? '';
  }
}

export function helperOf(info: Info): Helper {
  return new Helper(info.session, info.mapping, { subresource: info.subresource });
}

export interface HelperOptions {
  subresource?: string;
  dryRun?: DryRun;
  fieldManager?: string;
  fieldValidation?: string;
}

/** resource.Helper: the REST calls on one kind of resource. */
export class Helper {
  readonly #session: Session;
  readonly mapping: Mapping;
  readonly options: HelperOptions;

  constructor(session: Session, mapping: Mapping, options: HelperOptions = {}) {
    this.#session = session;
    this.mapping = mapping;
    this.options = options;
  }

  /** "/apis/apps/v1/namespaces/default/deployments" with an optional name and subresource. */
  path(namespace: string, name?: string): string {
    const { mapping } = this;
    const base = mapping.group === '' ? `/api/${mapping.version}` : `/apis/${mapping.group}/${mapping.version}`;
    const scope = mapping.namespaced && namespace !== '' ? `/namespaces/${segment(namespace)}` : '';
    const tail = name === undefined ? '' : `/${segment(name)}${this.options.subresource ? `/${this.options.subresource}` : ''}`;
    return `${base}${scope}/${mapping.resource}${tail}`;
  }

  #writeQuery(): RequestOptions['query'] {
    return {
      dryRun: this.options.dryRun === 'server' ? 'All' : undefined,
      fieldManager: this.options.fieldManager,
      fieldValidation: this.options.fieldValidation,
    };
  }

  /** An answer that is an object with a kind, as the decoder of unstructured objects wants it. */
  async #ask(method: string, path: string, options: RequestOptions): Promise<Obj> {
    const answer = await this.#session.client.request(method, path, options);
    if (typeof answer.kind !== 'string' || answer.kind === '') throw new CliError(`Object 'Kind' is missing in '${goJson(answer)}'`);
    if (!isObject(answer.metadata)) answer.metadata = { name: '', namespace: '' };
    answer.apiVersion ??= '';
    return answer;
  }

  get(namespace: string, name: string, options: RequestOptions = {}): Promise<Obj> {
    checkName(name);
    return this.#ask('GET', this.path(namespace, name), options);
  }

  list(namespace: string, options: RequestOptions = {}): Promise<Obj> {
    return this.#ask('GET', this.path(namespace), options);
  }

  create(namespace: string, object: Obj): Promise<Obj> {
    return this.#ask('POST', this.path(namespace), { body: object, query: this.#writeQuery() });
  }

  /** PUT; without a resourceVersion the object's present one is used first. */
  async replace(namespace: string, name: string, object: Obj, overwrite: boolean): Promise<Obj> {
    checkName(name);
    let body = object;
    if (overwrite && !object.metadata?.resourceVersion) {
      try {
        const present = await this.get(namespace, name);
        body = { ...object, metadata: { ...object.metadata, resourceVersion: present.metadata?.resourceVersion } };
      } catch (error) {
        if (!isNotFound(error)) throw error;
      }
    }
    return this.#ask('PUT', this.path(namespace, name), { body, query: this.#writeQuery() });
  }

  patch(namespace: string, name: string, type: PatchType, patch: Json | string, extra: RequestOptions['query'] = {}): Promise<Obj> {
    checkName(name);
    return this.#ask('PATCH', this.path(namespace, name), {
      ...(typeof patch === 'string' ? { text: patch } : { body: patch }),
      contentType: PATCH_CONTENT[type],
      query: { ...this.#writeQuery(), ...extra },
    });
  }

  delete(namespace: string, name: string, options: Obj = {}): Promise<Obj> {
    checkName(name);
    const body: Obj = { kind: 'DeleteOptions', apiVersion: this.mapping.group ? `${this.mapping.group}/${this.mapping.version}` : 'v1', ...options };
    body.kind = 'DeleteOptions';
    body.apiVersion = 'v1';
    if (this.options.dryRun === 'server') body.dryRun = ['All'];
    return this.#session.client.request('DELETE', this.path(namespace, name), { body });
  }
}

export type PatchType = 'json' | 'merge' | 'strategic' | 'apply';
const PATCH_CONTENT: Record<PatchType, string> = {
  json: 'application/json-patch+json',
  merge: 'application/merge-patch+json',
  strategic: 'application/strategic-merge-patch+json',
  apply: 'application/apply-patch+yaml',
};

/** "deployment.apps" or "pod": how kubectl names a kind in its messages. */
export function kindName(mapping: { kind: string; group: string }): string {
  return groupResource(mapping.kind.toLowerCase(), mapping.group);
}
