import type { HttpResponse, Transport } from '../../transport.ts';

/** The few members of a web `Request` that are needed; the core compiles without the DOM's types. */
export interface FetchRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: { forEach(callback: (value: string, name: string) => void): void };
  readonly signal?: AbortSignal;
  arrayBuffer(): Promise<ArrayBuffer>;
}

/** What a host needs to make a web `Response`. */
export interface ResponseParts {
  status: number;
  headers: [string, string][];
  body: Uint8Array | AsyncIterable<Uint8Array> | undefined;
}

/**
 * `(Request) => Promise<Response>` over a transport, for hosts with a web platform: `makeResponse` builds the host's
 * Response (a stream for watches and logs). Web streams settle in later macrotasks, so this is for the outside only.
 */
export function fetchAdapter<R>(transport: Transport, makeResponse: (parts: ResponseParts) => R): (request: FetchRequest) => Promise<R> {
  return async (request) => {
    const headers: Record<string, string> = {};
    request.headers.forEach((value, name) => {
      headers[name.toLowerCase()] = value;
    });
    const path = request.url.replace(/^[a-z]+:\/\/[^/]*/i, '') || '/';
    const hasBody = request.method !== 'GET' && request.method !== 'HEAD';
    const body = hasBody ? new Uint8Array(await request.arrayBuffer()) : undefined;
    const response = await transport.request({
      method: request.method,
      path,
      headers,
      ...(body && body.length > 0 ? { body } : {}),
      ...(request.signal ? { signal: request.signal } : {}),
    });
    return makeResponse(partsOf(response));
  };
}

function partsOf(response: HttpResponse): ResponseParts {
  const headers: [string, string][] = [...Object.entries(response.headers), ...response.warnings.map((warning): [string, string] => ['warning', warning])];
  return { status: response.status, headers, body: response.stream ?? response.body };
}
