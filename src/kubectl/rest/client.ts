import type { ChannelSocket, HttpRequest, HttpResponse, Transport } from '../../sim/transport.ts';
import { Errno, Killed, type Process } from '../../unix/types.ts';
import { goJson } from '../format/go-json.ts';
import { CliError, ConnectionError, errorText, StatusError } from '../util/errors.ts';
import { isObject, type Json, type Obj } from '../util/object.ts';
import { parseJson } from '../util/parse-json.ts';

export interface RequestOptions {
  query?: Record<string, string | number | boolean | undefined>;
  body?: Json;
  /** Sent as it is instead of `body`. */
  text?: string;
  contentType?: string;
  accept?: string;
}

/** One watch event as the server sends it. */
export interface RawWatchEvent {
  type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK' | 'ERROR';
  object: Obj;
}

export interface ClientHooks {
  /** A `Warning` header's text. */
  onWarning(text: string): Promise<void>;
  /** A finished request, for --v. */
  onResponse?(request: { method: string; url: string; body?: string; headers: Record<string, string> }, response: HttpResponse, tookMs: number): Promise<void>;
}

/** REST over a Transport, with errors as client-go makes them. */
export class RestClient {
  readonly server: string;
  readonly #process: Process;
  readonly #transport: Transport;
  readonly #headers: Record<string, string>;
  readonly #hooks: ClientHooks;
  /** --request-timeout; 0 for none. */
  timeoutMs = 0;

  constructor(process: Process, transport: Transport, server: string, headers: Record<string, string>, hooks: ClientHooks) {
    this.#process = process;
    this.#transport = transport;
    this.server = server;
    this.#headers = headers;
    this.#hooks = hooks;
  }

  get host(): string {
    return this.server.replace(/^[a-z]+:\/\//, '').replace(/\/.*$/, '');
  }

  async #send(method: string, path: string, options: RequestOptions, signal: AbortSignal): Promise<HttpResponse> {
    const url = withQuery(path, options.query);
    const headers: Record<string, string> = {
      ...this.#headers,
      accept: options.accept ?? 'application/json',
      'user-agent': 'kubectl/v1.36.3 (linux/amd64) kubernetes/8b2ba8e',
    };
    const text = options.text ?? (options.body === undefined ? undefined : goJson(options.body));
    if (text !== undefined) headers['content-type'] = options.contentType ?? 'application/json';
    const started = this.#process.kernel.now();
    let response: HttpResponse;
    try {
      response = await this.#process.guard(
        this.#transport.request({ method, path: url, headers, signal, ...(text === undefined ? {} : { body: new TextEncoder().encode(text) }) }),
      );
    } catch (error) {
      throw this.#connectionError(method, url, error);
    }
    for (const warning of response.warnings) await this.#hooks.onWarning(warningText(warning));
    await this.#hooks.onResponse?.(
      { method, url: this.server + url, headers, ...(text === undefined ? {} : { body: text }) },
      response,
      this.#process.kernel.now() - started,
    );
    return response;
  }

  #connectionError(method: string, url: string, error: unknown): unknown {
    if (error instanceof Killed || this.#process.signal.aborted) return error;
    const op = method.charAt(0) + method.slice(1).toLowerCase();
    if (error instanceof Errno) {
      const words: Record<string, string> = {
        ECONNREFUSED: `dial tcp ${this.host}: connect: connection refused`,
        ETIMEDOUT: `dial tcp ${this.host}: i/o timeout`,
        EHOSTUNREACH: `dial tcp ${this.host}: connect: no route to host`,
        ECONNRESET: `read tcp ${this.host}: read: connection reset by peer`,
      };
      return new ConnectionError(op, this.server + url, this.host, words[error.code] ?? error.message);
    }
    if (error instanceof Error && error.name === 'Aborted') {
      return new ConnectionError(op, this.server + url, this.host, 'net/http: request canceled (Client.Timeout exceeded while awaiting headers)');
    }
    return error;
  }

  /** A request and its whole body as text; error responses become StatusErrors. */
  async text(method: string, path: string, options: RequestOptions = {}): Promise<string> {
    const controller = new AbortController();
    const timer = this.timeoutMs > 0 ? this.#process.kernel.timer(this.timeoutMs, () => controller.abort()) : undefined;
    try {
      const response = await this.#send(method, path, options, this.#signal(controller));
      const body = await this.#collect(response);
      if (response.status >= 300) throw statusErrorOf(response, body, method, path);
      return body;
    } finally {
      timer?.dispose();
    }
  }

  /** A request whose answer is JSON. */
  async request(method: string, path: string, options: RequestOptions = {}): Promise<Obj> {
    const text = await this.text(method, path, options);
    let answer: Json;
    try {
      answer = parseJson(text);
    } catch (error) {
      throw new CliError(`couldn't get version/kind; json parse error: ${errorText(error)}`);
    }
    if (!isObject(answer)) throw new CliError(`Object 'Kind' is missing in '${text.trim()}'`);
    // A list of nothing may be null; what in it is no object is none of its items.
    if ('items' in answer) answer.items = Array.isArray(answer.items) ? answer.items.filter(isObject) : [];
    return answer;
  }

  #signal(controller: AbortController): AbortSignal {
    const { signal } = this.#process;
    if (signal.aborted) controller.abort();
    signal.addEventListener('abort', () => controller.abort(), { once: true });
    return controller.signal;
  }

  async #collect(response: HttpResponse): Promise<string> {
    if (response.body) return new TextDecoder().decode(response.body);
    if (!response.stream) return '';
    const decoder = new TextDecoder();
    let text = '';
    for await (const chunk of this.#chunks(response.stream)) text += decoder.decode(chunk, { stream: true });
    return text;
  }

  async *#chunks(stream: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    const iterator = stream[Symbol.asyncIterator]();
    try {
      for (;;) {
        const next = await this.#process.guard(iterator.next());
        if (next.done) return;
        yield next.value;
      }
    } finally {
      // Not awaited: a server that never answers `return` must not keep a killed client waiting.
      void iterator.return?.();
    }
  }

  /** A streaming GET (logs -f). Ends when the server ends it or the signal aborts. */
  async *stream(path: string, options: RequestOptions = {}, stop?: AbortSignal): AsyncGenerator<Uint8Array> {
    const controller = new AbortController();
    stop?.addEventListener('abort', () => controller.abort(), { once: true });
    const timer = this.timeoutMs > 0 ? this.#process.kernel.timer(this.timeoutMs, () => controller.abort()) : undefined;
    try {
      const response = await this.#send('GET', path, options, this.#signal(controller));
      if (response.status >= 300) throw statusErrorOf(response, await this.#collect(response), 'GET', path);
      if (response.body) yield response.body;
      else if (response.stream) yield* this.#chunks(response.stream);
    } finally {
      timer?.dispose();
      controller.abort();
    }
  }

  /** Watch events; ends when the server closes the stream or the signal aborts. */
  async *watch(path: string, options: RequestOptions = {}, stop?: AbortSignal): AsyncGenerator<RawWatchEvent> {
    const decoder = new TextDecoder();
    let pending = '';
    for await (const chunk of this.stream(path, { ...options, query: { ...options.query, watch: true } }, stop)) {
      pending += decoder.decode(chunk, { stream: true });
      let end = pending.indexOf('\n');
      while (end >= 0) {
        const line = pending.slice(0, end);
        pending = pending.slice(end + 1);
        if (line.trim() !== '') yield parseJson(line);
        end = pending.indexOf('\n');
      }
    }
  }

  /** Sends somebody else's request with this client's credentials; the answer comes as it is. A cluster out of reach is a 502. */
  async carry(request: HttpRequest): Promise<HttpResponse> {
    const { host: _host, connection: _connection, ...headers } = request.headers;
    try {
      return await this.#transport.request({ ...request, headers: { ...headers, ...this.#headers } });
    } catch (error) {
      if (!(error instanceof Errno)) throw error;
      return { status: 502, headers: {}, warnings: [], body: new Uint8Array() };
    }
  }

  /** Upgrades to a channel socket; refusals become StatusErrors. */
  async upgrade(path: string, query: [string, string][], protocols: readonly string[]): Promise<ChannelSocket> {
    const search = new URLSearchParams(query).toString();
    const url = search ? `${path}?${search}` : path;
    let answer: ChannelSocket | HttpResponse;
    try {
      answer = await this.#process.guard(
        this.#transport.upgrade({ method: 'GET', path: url, headers: { ...this.#headers }, signal: this.#process.signal }, protocols),
      );
    } catch (error) {
      throw this.#connectionError('GET', url, error);
    }
    if ('send' in answer) return answer;
    const body = await this.#collect(answer);
    const failure = statusErrorOf(answer, body, 'GET', path);
    if (body.startsWith('{') || answer.status === 401) throw failure;
    // A refusal in plain text comes from the kubelet (spdy's NewConnection).
    throw new CliError(`unable to upgrade connection: ${body.trim()}`);
  }
}

function withQuery(path: string, query: RequestOptions['query']): string {
  const pairs = Object.entries(query ?? {})
    .filter(([, value]) => value !== undefined && value !== '')
    .map(([key, value]): [string, string] => [key, String(value)])
    .sort(([a], [b]) => (a < b ? -1 : 1));
  if (pairs.length === 0) return path;
  return `${path}${path.includes('?') ? '&' : '?'}${new URLSearchParams(pairs).toString()}`;
}

/** The text of a Warning header value: `299 - "text"`. */
function warningText(value: string): string {
  const match = /^\d{3} \S+ "((?:[^"\\]|\\.)*)"/.exec(value);
  return match ? (match[1] ?? '').replace(/\\(.)/g, '$1') : value;
}

/** rest.transformResponse + apierrors.NewGenericServerResponse. */
function statusErrorOf(response: HttpResponse, body: string, method: string, path: string): Error {
  try {
    const status = parseJson(body);
    if (status?.kind === 'Status') return new StatusError(status);
  } catch {
    // Not JSON: the generic words below.
  }
  const code = response.status;
  const resource = path.split('?')[0]?.split('/').at(-1) ?? '';
  const generic: Record<number, [reason: string, message: string]> = {
    400: ['BadRequest', 'the server rejected our request for an unknown reason'],
    401: ['Unauthorized', 'the server has asked for the client to provide credentials'],
    403: ['Forbidden', body.trim() || 'the server does not allow access to the requested resource'],
    404: ['NotFound', 'the server could not find the requested resource'],
    405: ['MethodNotAllowed', 'the server does not allow this method on the requested resource'],
    406: ['NotAcceptable', body.trim() || 'the server was unable to respond with a content type that the client supports'],
    409: [method === 'POST' ? 'AlreadyExists' : 'Conflict', 'the server reported a conflict'],
    415: ['UnsupportedMediaType', body.trim() || 'the body of the request was in an unknown format'],
    422: ['Invalid', 'the server rejected our request due to an error in our request'],
    429: ['TooManyRequests', 'the server has received too many requests and has asked us to try again later'],
    500: ['InternalError', `an error on the server (${JSON.stringify(body.trim())}) has prevented the request from succeeding`],
    503: ['ServiceUnavailable', 'the server is currently unable to handle the request'],
    504: ['Timeout', 'the server was unable to return a response in the time allotted, but may still be processing the request'],
  };
  const [reason, message] = generic[code] ?? ['Unknown', `the server responded with the status code ${code} but did not return more information`];
  const plain = code === 404 || code === 401 || !resource ? message : message;
  return new StatusError({ kind: 'Status', apiVersion: 'v1', status: 'Failure', code, reason: reason === 'Unknown' ? '' : reason, message: plain });
}

/** Percent-encodes one path segment. */
export function segment(text: string): string {
  return encodeURIComponent(text).replaceAll('%3A', ':');
}

/** Checks a name for use in a path, as client-go's Request.Name does. */
export function checkName(name: string): void {
  if (name === '') throw new CliError('resource name may not be empty');
  if (name === '.' || name === '..') throw new CliError(`invalid resource name "${name}": [may not be '${name}']`);
  const bad = ['/', '%'].filter((char) => name.includes(char)).map((char) => `may not contain '${char}'`);
  if (bad.length > 0) throw new CliError(`invalid resource name "${name}": [${bad.join(', ')}]`);
}
