import { Aborted } from '../kernel/index.ts';
import { Errno, Killed, type Socket } from '../unix/types.ts';
import { type Applet, fromByteText, toByteText } from './applet.ts';
import { httpDate, SocketReader, sendText } from './http.ts';

/** The serving half of small web servers in containers: httpd, nginx, CoreDNS' health pages, agnhost. */

const MIME: Readonly<Record<string, string>> = {
  html: 'text/html',
  htm: 'text/html',
  txt: 'text/plain',
  css: 'text/css',
  js: 'application/javascript',
  json: 'application/json',
  png: 'image/png',
  jpg: 'image/jpeg',
  svg: 'image/svg+xml',
};

const STATUS: Readonly<Record<number, string>> = {
  200: 'OK',
  301: 'Moved Permanently',
  302: 'Found',
  400: 'Bad Request',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Method Not Allowed',
  500: 'Internal Server Error',
  501: 'Not Implemented',
};

export interface FileServerOptions {
  root: string;
  /** Extra header lines with CR LF; `Server:` and the like. */
  headers?: string;
  /** Shows what is in a directory without index.html, as Go's file server does. */
  listing?: boolean;
  /** Body of an error page. */
  errorPage?(status: number, reason: string): string;
  /** Told of every answer. */
  onAnswer?(entry: { client: string; request: string; status: number; bytes: number; headers: Map<string, string> }): Promise<void> | void;
  /** Answers a request itself; undefined: serve files. */
  handle?(request: {
    method: string;
    path: string;
    query: string;
    body: string;
    headers: Map<string, string>;
    socket: Socket;
  }): Promise<HttpAnswer | undefined>;
}

export interface HttpAnswer {
  status: number;
  /** Byte text. */
  body: string;
  type?: string;
  headers?: string;
}

/** Answers requests on one connection; keeps it open when the client wants that. */
export async function serveConnection(applet: Applet, socket: Socket, options: FileServerOptions): Promise<void> {
  const guard = applet.process.guard.bind(applet.process);
  const reader = new SocketReader(socket, guard);
  try {
    for (;;) {
      const head = await reader.head();
      if (!head) return;
      const [method = '', target = '/', version = 'HTTP/1.0'] = head.line.split(' ');
      const [rawPath = '/', query = ''] = [target.split('?')[0], target.includes('?') ? target.slice(target.indexOf('?') + 1) : ''];
      let body = '';
      const length = Number(head.headers.get('content-length') ?? 0);
      if (length > 0 && length < 10_000_000) for await (const piece of reader.body(length)) body += piece;
      let path = rawPath;
      try {
        path = toByteText(decodeURIComponent(rawPath));
      } catch {
        path = rawPath;
      }
      const answer = (await options.handle?.({ method, path, query, body, headers: head.headers, socket })) ?? serveFile(applet, method, path, options);
      const keep = version === 'HTTP/1.1' && !/close/i.test(head.headers.get('connection') ?? '') && options.headers !== undefined;
      const reason = STATUS[answer.status] ?? 'Unknown';
      const text =
        `HTTP/1.1 ${answer.status} ${reason}\r\n` +
        (options.headers ?? '') +
        `Date: ${httpDate(applet.process.kernel.now())}\r\n` +
        `Connection: ${keep ? 'keep-alive' : 'close'}\r\n` +
        (answer.type === undefined ? '' : `Content-type: ${answer.type}\r\n`) +
        (answer.headers ?? '') +
        `Content-Length: ${answer.body.length}\r\n\r\n`;
      await sendText(socket, guard, method === 'HEAD' ? text : text + answer.body);
      await applet.process.cpu(0.1);
      await options.onAnswer?.({ client: socket.remote.ip, request: head.line, status: answer.status, bytes: answer.body.length, headers: head.headers });
      if (!keep) return;
    }
  } catch (error) {
    if (!(error instanceof Errno)) throw error;
  } finally {
    socket.close();
  }
}

function serveFile(applet: Applet, method: string, path: string, options: FileServerOptions): HttpAnswer {
  const failed = (status: number): HttpAnswer => {
    const reason = STATUS[status] ?? '';
    const page =
      options.errorPage ??
      ((code, why) =>
        `<HTML><HEAD><TITLE>${code} ${why}</TITLE></HEAD>\n<BODY><H1>${code} ${why}</H1>\n${code === 404 ? 'The requested URL was not found' : ''}\n</BODY></HTML>\n`);
    return { status, body: page(status, reason), type: 'text/html' };
  };
  if (method !== 'GET' && method !== 'HEAD') return failed(501);
  if (!path.startsWith('/') || path.split('/').includes('..')) return failed(400);
  let file = `${options.root}${fromByteText(path)}`;
  try {
    if (applet.fs.stat(file).type === 'directory') {
      if (!path.endsWith('/')) return { status: 301, body: '', headers: `Location: ${path}/\r\n` };
      const directory = file;
      file = `${file}index.html`;
      if (options.listing && !applet.fs.exists(file)) return listing(applet, directory);
    }
    const stat = applet.fs.stat(file);
    if (stat.type !== 'file') return failed(404);
    const extension = /\.(\w+)$/.exec(file)?.[1] ?? '';
    const etag = `${Math.floor(stat.mtimeMs / 1000).toString(16)}-${stat.sizeBytes.toString(16)}`;
    return {
      status: 200,
      body: byteBody(applet, file),
      type: MIME[extension] ?? 'application/octet-stream',
      headers: `Accept-Ranges: bytes\r\nLast-Modified: ${httpDate(stat.mtimeMs)}\r\nETag: "${etag}"\r\n`,
    };
  } catch (error) {
    if (!(error instanceof Errno)) throw error;
    return failed(error.code === 'EACCES' ? 403 : 404);
  }
}

function listing(applet: Applet, directory: string): HttpAnswer {
  const lines = applet.fs.readdir(directory).map((name) => {
    const shown = applet.fs.stat(`${directory}${name}`).type === 'directory' ? `${name}/` : name;
    return `<a href="${encodeURI(shown)}">${shown}</a>\n`;
  });
  return { status: 200, body: toByteText(`<!doctype html>\n<pre>\n${lines.sort().join('')}</pre>\n`), type: 'text/html; charset=utf-8' };
}

function byteBody(applet: Applet, file: string): string {
  const bytes = applet.fs.readFile(file);
  let out = '';
  for (let i = 0; i < bytes.length; i += 8192) out += String.fromCharCode(...bytes.subarray(i, i + 8192));
  return out;
}

/** Accepts connections until the process ends; each is served on its own. */
export async function acceptLoop(applet: Applet, port: number, serve: (socket: Socket) => Promise<void>, host?: string): Promise<never> {
  const listener = applet.process.machine.net.listen(port, host);
  try {
    for (;;) {
      const socket = await applet.process.guard(listener.accept());
      void serve(socket).catch((error) => {
        socket.close();
        // A client that went away, or our own end, is no mistake of ours; anything else is.
        if (!(error instanceof Errno || error instanceof Killed || error instanceof Aborted)) applet.process.kernel.onError(error);
      });
    }
  } finally {
    listener.dispose();
  }
}
