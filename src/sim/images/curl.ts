import { type Applet, bytesOf, fromByteText, getopt, program } from '../../applets/applet.ts';
import { parseUrl, SocketReader, sendText } from '../../applets/http.ts';
import { resolveHost } from '../../applets/resolver.ts';
import { Aborted } from '../../kernel/index.ts';
import { startTls } from '../../unix/handshake.ts';
import { Errno, type OpenFile, type Socket } from '../../unix/types.ts';

/** curl 8.10 over HTTP, and over HTTPS where certificates are not looked at (-k). */
class CurlError extends Error {
  readonly code: number;
  constructor(code: number, message: string) {
    super(message);
    this.code = code;
  }
}

const LONGS = {
  silent: 's',
  'show-error': 'S',
  output: 'o',
  head: 'I',
  include: 'i',
  verbose: 'v',
  request: 'X',
  data: 'd',
  'data-raw': 'd',
  header: 'H',
  insecure: 'k',
  location: 'L',
  'write-out': 'w',
  'max-time': 'm',
  'connect-timeout': 'c',
  fail: 'f',
  user: 'u',
  'user-agent': 'A',
  get: 'G',
  'no-progress-meter': 'n',
  retry: 'r',
  'remote-name': 'O',
  resolve: 'y',
  globoff: 'g',
  disable: 'q',
  interface: 'F',
  ipv4: '4',
  cacert: 'a',
};

async function curl(applet: Applet): Promise<number> {
  const options = getopt(applet.args, 'sSo:Iivd:X:H:kLw:m:fu:A:GOc:nr:y:NgqF:4a:', LONGS);
  let code = 0;
  for (const url of options.rest) {
    try {
      await transfer(applet, url, options);
    } catch (error) {
      if (!(error instanceof CurlError)) throw error;
      code = error.code;
      if (!options.has('s') || options.has('S')) await applet.err(`curl: (${error.code}) ${error.message}\n`);
    }
  }
  if (options.rest.length === 0) {
    await applet.err("curl: (2) no URL specified\ncurl: try 'curl --help' or 'curl --manual' for more information\n");
    return 2;
  }
  return code;
}

async function transfer(applet: Applet, address: string, options: ReturnType<typeof getopt>): Promise<void> {
  const { process } = applet;
  const { kernel } = process;
  const startedMs = kernel.now();
  const limitMs = options.get('m') === undefined ? undefined : Number(options.get('m')) * 1000;
  const connectMs = options.get('c') === undefined ? undefined : Number(options.get('c')) * 1000;
  let target = address;
  for (let redirects = 0; ; redirects++) {
    const url = parseUrl(target);
    if (!url) throw new CurlError(3, 'URL rejected: No host part in the URL');
    const found = await resolveHost(process, fromByteText(url.host));
    if ('failure' in found || !found.addresses[0]) throw new CurlError(6, `Could not resolve host: ${url.host}`);
    const ip = found.addresses[0];
    if (options.has('v')) await applet.err(`*   Trying ${ip}:${url.port}...\n`);
    let socket: Socket;
    const patience = Math.min(limitMs ?? Number.POSITIVE_INFINITY, connectMs ?? 127_000) - (kernel.now() - startedMs);
    try {
      socket = await process.guard(process.machine.net.connect(ip, url.port, { timeoutMs: Math.max(1, patience), signal: process.signal }));
    } catch (error) {
      if (!(error instanceof Errno)) throw error;
      const ms = kernel.now() - startedMs;
      if (error.code === 'ETIMEDOUT' && (limitMs !== undefined || connectMs !== undefined)) {
        throw new CurlError(
          28,
          limitMs !== undefined && limitMs <= (connectMs ?? Number.POSITIVE_INFINITY)
            ? `Connection timed out after ${ms} milliseconds`
            : `Failed to connect to ${url.host} port ${url.port} after ${ms} ms: Timeout was reached`,
        );
      }
      throw new CurlError(error.code === 'ETIMEDOUT' ? 28 : 7, `Failed to connect to ${url.host} port ${url.port} after ${ms} ms: Could not connect to server`);
    }
    if (options.has('v')) await applet.err(`* Connected to ${url.host} (${ip}) port ${url.port}\n`);
    const timer = limitMs === undefined ? undefined : kernel.timer(Math.max(0, startedMs + limitMs - kernel.now()), () => socket.close());
    const received = { bytes: 0 };
    const outOfTime = (): CurlError | undefined => {
      const ms = kernel.now() - startedMs;
      if (limitMs === undefined || ms < limitMs) return undefined;
      return new CurlError(28, `Operation timed out after ${ms} milliseconds with ${received.bytes} bytes received`);
    };
    try {
      if (url.scheme === 'https') await secure(applet, socket, url.host, options);
      const next = await exchange(applet, socket, url, target, options, startedMs, received);
      const late = outOfTime();
      if (late) throw late;
      if (next === undefined) return;
      if (redirects >= 50) throw new CurlError(47, 'Maximum (50) redirects followed');
      target = /^https?:/.test(next) ? next : `${url.scheme}://${url.host}:${url.port}${next}`;
    } catch (error) {
      if (error instanceof Aborted || (error instanceof Errno && error.code !== 'EPIPE')) throw new CurlError(56, `Recv failure: ${error.message}`);
      throw outOfTime() ?? error;
    } finally {
      timer?.dispose();
      socket.close();
    }
  }
}

/** Names that the API server's certificate is for, besides addresses. */
const API_SERVER_NAME = /^(?:kubernetes(?:\.default(?:\.svc(?:\.cluster\.local)?)?)?|localhost|[\d.]+)$/;

async function secure(applet: Applet, socket: Socket, host: string, options: ReturnType<typeof getopt>): Promise<void> {
  const met = await applet.process.guard(startTls(socket));
  if (met === 'plain') throw new CurlError(35, 'TLS connect error: error:0A00010B:SSL routines::wrong version number');
  if (met === 'closed') throw new CurlError(35, 'Recv failure: Connection reset by peer');
  if (options.has('k')) return;
  const problem = (text: string): CurlError => new CurlError(60, text + ADVICE);
  if (met === 'secure') throw problem('SSL certificate problem: self-signed certificate in certificate chain');
  const path = options.get('a');
  if (path === undefined) throw problem('SSL certificate problem: unable to get local issuer certificate');
  if (!applet.fs.exists(applet.path(path))) throw new CurlError(77, `error setting certificate file: ${path}`);
  if (!API_SERVER_NAME.test(host)) throw problem(`SSL: no alternative certificate subject name matches target host name '${host}'`);
}

const ADVICE = `
More details here: https://curl.se/docs/sslcerts.html

curl failed to verify the legitimacy of the server and therefore could not
establish a secure connection to it. To learn more about this situation and
how to fix it, please visit the webpage mentioned above.`;

async function exchange(
  applet: Applet,
  socket: Socket,
  url: NonNullable<ReturnType<typeof parseUrl>>,
  address: string,
  options: ReturnType<typeof getopt>,
  startedMs: number,
  /** Counts the body. */
  received: { bytes: number },
): Promise<string | undefined> {
  const guard = applet.process.guard.bind(applet.process);
  const data = options.all('d').join('&');
  const withBody = options.has('d') && !options.has('G');
  const method = options.get('X') ?? (options.has('I') ? 'HEAD' : withBody ? 'POST' : 'GET');
  const path = options.has('G') && data ? `${url.path}${url.path.includes('?') ? '&' : '?'}${data}` : url.path;
  // Servers that speak TLS are asked for HTTP/2, and most have it.
  const lines = [
    `${method} ${path} ${url.scheme === 'https' ? 'HTTP/2' : 'HTTP/1.1'}`,
    `Host: ${url.host}${url.port === (url.scheme === 'https' ? 443 : 80) ? '' : `:${url.port}`}`,
  ];
  const user = options.get('u') ?? url.user;
  if (user !== undefined) lines.push(`Authorization: Basic ${btoa(user)}`);
  const own = options.all('H');
  const given = (name: string): boolean => own.some((header) => header.toLowerCase().startsWith(`${name}:`));
  if (!given('user-agent')) lines.push(`User-Agent: ${options.get('A') ?? 'curl/8.10.1'}`);
  if (!given('accept')) lines.push('Accept: */*');
  lines.push(...own);
  if (withBody) {
    lines.push(`Content-Length: ${data.length}`);
    if (!given('content-type')) lines.push('Content-Type: application/x-www-form-urlencoded');
  }
  if (options.has('v')) await applet.err(`${lines.map((line) => `> ${line}\n`).join('')}> \n`);
  await sendText(socket, guard, `${lines.join('\r\n')}\r\n\r\n${withBody ? data : ''}`);
  const reader = new SocketReader(socket, guard);
  const head = await reader.head();
  if (!head) throw new CurlError(52, 'Empty reply from server');
  const status = Number(/^HTTP\/\S+ (\d+)/.exec(head.line)?.[1] ?? 0);
  if (status === 0) throw new CurlError(1, 'Received HTTP/0.9 when not allowed');
  const shown = [head.line, ...head.raw, ''];
  if (options.has('v')) for (const line of shown) await applet.err(`< ${line}\n`);
  const location = head.headers.get('location');
  if (options.has('L') && status >= 300 && status < 400 && location) return location;
  if (options.has('f') && status >= 400) throw new CurlError(22, `The requested URL returned error: ${status}`);
  const name = options.get('o') ?? (options.has('O') ? url.path.split('/').pop() : undefined);
  const file: OpenFile | undefined = name === undefined || name === '-' ? undefined : applet.process.open(applet.path(name), 'w');
  const write = async (text: string): Promise<void> => {
    if (file) await file.write(bytesOf(text));
    else await applet.put(text);
  };
  if (options.has('i') || options.has('I')) await write(shown.map((line) => `${line}\r\n`).join(''));
  if (method !== 'HEAD' && status !== 204 && status !== 304) {
    for await (const piece of reader.bodyOf(head)) {
      received.bytes += piece.length;
      await write(piece);
    }
  }
  file?.close();
  const format = options.get('w');
  if (format !== undefined) {
    const seconds = ((applet.process.kernel.now() - startedMs) / 1000).toFixed(6);
    const values: Record<string, string> = {
      http_code: String(status).padStart(3, '0'),
      response_code: String(status).padStart(3, '0'),
      time_total: seconds,
      time_connect: seconds,
      time_starttransfer: seconds,
      size_download: String(received.bytes),
      remote_ip: socket.remote.ip,
      remote_port: String(socket.remote.port),
      local_ip: socket.local.ip,
      url: address,
      url_effective: address,
      content_type: head.headers.get('content-type') ?? '',
    };
    await applet.put(
      format
        .replace(/%\{(\w+)\}/g, (_, key: string) => values[key] ?? '')
        .replace(/\\n/g, '\n')
        .replace(/\\t/g, '\t'),
    );
  }
  return undefined;
}

export const curlProgram = program('[options...] <url>', curl, 2);
