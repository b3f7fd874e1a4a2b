import type { Kernel } from '../../kernel/index.ts';
import type { ChannelSocket, HttpRequest, HttpResponse, Transport } from '../transport.ts';

/**
 * The HTTP door, fetched when somebody first knocks. Components in this program go through the client, so a cluster boots
 * and works without it; time stands still while the code is on the way.
 */
export class HttpDoor implements Transport {
  readonly #kernel: Kernel;
  readonly #load: () => Promise<Transport>;
  #server: Transport | undefined;

  constructor(kernel: Kernel, load: () => Promise<Transport>) {
    this.#kernel = kernel;
    this.#load = load;
  }

  async #open(): Promise<Transport> {
    this.#server ??= await this.#kernel.external(this.#load());
    return this.#server;
  }

  async request(request: HttpRequest): Promise<HttpResponse> {
    return (this.#server ?? (await this.#open())).request(request);
  }

  async upgrade(request: HttpRequest, protocols: readonly string[]): Promise<ChannelSocket | HttpResponse> {
    return (this.#server ?? (await this.#open())).upgrade(request, protocols);
  }
}
