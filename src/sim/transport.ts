/**
 * The API server's door as plain objects. Web `Request`/`Response`/`ReadableStream` settle in macrotasks in some
 * browsers, which the virtual clock cannot see, so inside one program these are used; hosts adapt real HTTP
 * and WebSockets to them (`apiserver/http/fetch-adapter.ts`, `hosts/node`).
 */
export interface HttpRequest {
  method: string;
  /** Path with query, for instance "/api/v1/pods?limit=500". */
  path: string;
  /** Lower-case names. */
  headers: Readonly<Record<string, string>>;
  body?: Uint8Array;
  /** Aborted when the client goes away. */
  signal?: AbortSignal;
}

export interface HttpResponse {
  status: number;
  headers: Readonly<Record<string, string>>;
  /** `Warning` headers may repeat: their values, in order. */
  warnings: readonly string[];
  /** A whole body … */
  body?: Uint8Array;
  /** … or a stream of chunks (watch, log -f); ends by itself or when the request's signal aborts. */
  stream?: AsyncIterable<Uint8Array>;
}

/**
 * One upgraded connection speaking a Kubernetes channel protocol ("v5.channel.k8s.io": the first byte of each
 * message is the channel: 0 stdin, 1 stdout, 2 stderr, 3 error (a Status), 4 resize, 255 close; port-forward as the
 * real server does it over "portforward.k8s.io" is adapted by hosts).
 */
export interface ChannelSocket {
  readonly protocol: string;
  send(message: Uint8Array): void;
  /** The next message, or null after the other side closed. */
  receive(): Promise<Uint8Array | null>;
  close(): void;
}

/** What kubectl and other clients are given. A `fetch` over HTTP can be adapted to it. */
export interface Transport {
  request(request: HttpRequest): Promise<HttpResponse>;
  /** Upgrades (exec, attach, portforward). Resolves to a response instead when the server refuses. */
  upgrade(request: HttpRequest, protocols: readonly string[]): Promise<ChannelSocket | HttpResponse>;
}
