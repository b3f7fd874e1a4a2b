import type { ClientBackend } from '../client/client.ts';
import type { ApiObject, DeleteOptions, ResourceId } from '../client/types.ts';
import type { Bucket } from '../storage/index.ts';
import { applyMergePatch } from './patch/merge-patch.ts';
import type { RequestContext } from './request-context.ts';
import type { ResourceInfo } from './resources.ts';
import { newBadRequest, newGenericServerResponse, newMethodNotSupported } from './status-error.ts';
import { bindPod, evictPod, finalizeNamespace, updateScale } from './subresources.ts';
import type { Verbs } from './verbs.ts';

/** The verbs as the in-process client calls them: no bytes, no decoding errors. */
export class InProcessBackend implements ClientBackend {
  readonly #verbs: Verbs;

  constructor(verbs: Verbs) {
    this.#verbs = verbs;
  }

  resolve(id: ResourceId): { info: ResourceInfo; subresource: string } {
    const info = this.#verbs.registry.get(id);
    if (info) return { info, subresource: '' };
    const slash = id.lastIndexOf('/');
    const parent = this.#verbs.registry.get(id.slice(0, slash));
    if (!parent) throw newGenericServerResponse(404);
    return { info: parent, subresource: id.slice(slash + 1) };
  }

  get(info: ResourceInfo, namespace: string, name: string): ApiObject | undefined {
    return this.#verbs.bucket(info).get(info.namespaced ? namespace : '', name);
  }

  list(info: ResourceInfo, namespace: string): ApiObject[] {
    return this.#verbs.bucket(info).list(info.namespaced ? namespace : '');
  }

  create(info: ResourceInfo, subresource: string, namespace: string, object: ApiObject, request: RequestContext): ApiObject {
    const verbs = this.#verbs;
    const name = object.metadata?.name ?? '';
    switch (subresource) {
      case '':
        return verbs.create(info, namespace, verbs.normalize(info, object), request);
      case 'binding':
        return bindPod(verbs, info, namespace, name, object, request) as unknown as ApiObject;
      case 'eviction':
        return evictPod(verbs, info, namespace, name, object, request) as unknown as ApiObject;
      default:
        throw newMethodNotSupported(info, 'create');
    }
  }

  update(info: ResourceInfo, subresource: string, object: ApiObject, request: RequestContext): ApiObject {
    const { name = '', namespace = '' } = object.metadata ?? {};
    if (!name) throw newBadRequest('name must be provided');
    return this.#update(info, subresource, namespace, name, () => object, request);
  }

  mergePatch(info: ResourceInfo, subresource: string, namespace: string, name: string, body: unknown, request: RequestContext): ApiObject {
    return this.#update(info, subresource, namespace, name, (existing) => applyMergePatch(existing, body) as ApiObject, request);
  }

  #update(
    info: ResourceInfo,
    subresource: string,
    namespace: string,
    name: string,
    change: (existing: ApiObject) => ApiObject,
    request: RequestContext,
  ): ApiObject {
    const verbs = this.#verbs;
    if (subresource === 'scale') return updateScale(verbs, info, namespace, name, change, request);
    const { object } = verbs.update(
      info,
      namespace,
      name,
      (existing) => {
        const changed = change(existing ?? ({} as ApiObject));
        if (subresource === 'status' && existing) return verbs.normalizeStatus(info, changed, existing);
        return verbs.normalize(info, subresource === 'finalize' && existing ? finalizeNamespace(existing, changed) : changed);
      },
      request,
      { subresource },
    );
    return object;
  }

  delete(info: ResourceInfo, namespace: string, name: string, options: DeleteOptions, request: RequestContext): void {
    this.#verbs.delete(info, namespace, name, options, request);
  }

  bucket(info: ResourceInfo): Bucket {
    return this.#verbs.bucket(info);
  }
}
