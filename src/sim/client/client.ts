import type { Kernel } from '../../kernel/index.ts';
import type { RequestContext } from '../apiserver/request-context.ts';
import { SYSTEM_USER } from '../apiserver/request-context.ts';
import type { ResourceInfo } from '../apiserver/resources.ts';
import { isStatusError } from '../apiserver/status-error.ts';
import { EventRecorder } from './event-recorder.ts';
import { BucketInformer } from './informer.ts';
import type { ApiObject, Client, DeleteOptions, EventRecord, Informer, ResourceClient, ResourceId, WriteOptions } from './types.ts';

/** What the client needs of the server: the verbs with subresources, by resource. */
export interface ClientBackend {
  resolve(id: ResourceId): { info: ResourceInfo; subresource: string };
  get(info: ResourceInfo, namespace: string, name: string): ApiObject | undefined;
  list(info: ResourceInfo, namespace: string): ApiObject[];
  create(info: ResourceInfo, subresource: string, namespace: string, object: ApiObject, request: RequestContext): ApiObject;
  update(info: ResourceInfo, subresource: string, object: ApiObject, request: RequestContext): ApiObject;
  mergePatch(info: ResourceInfo, subresource: string, namespace: string, name: string, body: unknown, request: RequestContext): ApiObject;
  delete(info: ResourceInfo, namespace: string, name: string, options: DeleteOptions, request: RequestContext): void;
  bucket(info: ResourceInfo): ConstructorParameters<typeof BucketInformer>[1];
}

/** Programs of their own; everything else in the control plane is a loop of the controller manager. */
const OWN_MANAGERS: Record<string, string> = {
  scheduler: 'kube-scheduler',
  'default-scheduler': 'kube-scheduler',
  apiserver: 'kube-apiserver',
};

/** Field managers by the process a component is part of, as the reference cluster shows them. */
function managerOf(actor: string): string {
  if (actor.startsWith('kubelet')) return 'kubelet';
  if (/^(kubectl|curl|kube-|coredns|local-path|k3s|cluster)/.test(actor)) return actor;
  return OWN_MANAGERS[actor] ?? 'kcm';
}

function requestOf(options: WriteOptions): RequestContext {
  return {
    user: SYSTEM_USER,
    cause: options.cause,
    fieldManager: options.fieldManager ?? managerOf(options.cause.actor),
    dryRun: options.dryRun ?? false,
    warnings: [],
  };
}

/** The client of the components in this program: calls the verbs directly. */
export class InProcessClient implements Client {
  readonly #kernel: Kernel;
  readonly #backend: ClientBackend;
  readonly #informers = new Map<ResourceId, BucketInformer<ApiObject>>();
  readonly #resources = new Map<ResourceId, ResourceClient<ApiObject>>();
  readonly #recorder: EventRecorder;

  constructor(kernel: Kernel, backend: ClientBackend) {
    this.#kernel = kernel;
    this.#backend = backend;
    this.#recorder = new EventRecorder(kernel, this);
  }

  /** `id` may name a subresource: `v1/pods/binding`, `v1/namespaces/finalize`, `apps/v1/statefulsets/scale`. */
  resource<T extends ApiObject>(id: ResourceId): ResourceClient<T> {
    let client = this.#resources.get(id);
    if (!client) {
      client = this.#make(id);
      this.#resources.set(id, client);
    }
    return client as unknown as ResourceClient<T>;
  }

  #make(id: ResourceId): ResourceClient<ApiObject> {
    const backend = this.#backend;
    // Custom resources come and go: looked up at each call.
    const at = (): ReturnType<ClientBackend['resolve']> => backend.resolve(id);
    return {
      get: (namespace, name) => {
        try {
          return backend.get(at().info, namespace, name);
        } catch (error) {
          if (isStatusError(error, 'NotFound')) return undefined;
          throw error;
        }
      },
      list: (namespace = '') => backend.list(at().info, namespace),
      create: (object, options) => {
        const { info, subresource } = at();
        return backend.create(info, subresource, object.metadata?.namespace ?? '', object, requestOf(options));
      },
      update: (object, options) => {
        const { info, subresource } = at();
        return backend.update(info, subresource, object, requestOf(options));
      },
      updateStatus: (object, options) => backend.update(at().info, 'status', object, requestOf(options)),
      patch: (namespace, name, body, options) => {
        const { info, subresource } = at();
        return backend.mergePatch(info, options.subresource ?? subresource, namespace, name, body, requestOf(options));
      },
      delete: (namespace, name, options) => backend.delete(at().info, namespace, name, options, requestOf(options)),
    };
  }

  informer<T extends ApiObject>(id: ResourceId): Informer<T> {
    let informer = this.#informers.get(id);
    if (!informer) {
      informer = new BucketInformer(this.#kernel, this.#backend.bucket(this.#backend.resolve(id).info));
      this.#informers.set(id, informer);
    }
    return informer as unknown as Informer<T>;
  }

  event(event: EventRecord): void {
    this.#recorder.record(event);
  }
}
