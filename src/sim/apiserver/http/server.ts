import type { ChannelSocket, HttpRequest, HttpResponse, Transport } from '../../transport.ts';
import type { PodAccess } from '../pod-access.ts';
import type { Verbs } from '../verbs.ts';

/** HTTP over the verbs. */
export class HttpServer implements Transport {
  readonly #verbs: Verbs;
  #podAccess: PodAccess | undefined;

  constructor(options: { verbs: Verbs; podAccess?: PodAccess; address: string }) {
    this.#verbs = options.verbs;
    this.#podAccess = options.podAccess;
  }

  setPodAccess(access: PodAccess): void {
    this.#podAccess = access;
  }

  async request(_request: HttpRequest): Promise<HttpResponse> {
    throw new Error(`not yet ${String(this.#verbs)}${String(this.#podAccess)}`);
  }

  async upgrade(_request: HttpRequest, _protocols: readonly string[]): Promise<ChannelSocket | HttpResponse> {
    throw new Error('not yet');
  }
}
