import { createReadStream, statSync } from 'node:fs';
import { createServer, type Server, type ServerResponse } from 'node:http';
import { extname, join, normalize, sep } from 'node:path';
import { parseArgs } from 'node:util';
import { constants, createBrotliCompress, createGzip } from 'node:zlib';

const TYPES: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.mjs': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.xml': 'application/xml; charset=utf-8',
  '.txt': 'text/plain; charset=utf-8',
  '.wasm': 'application/wasm',
  '.webmanifest': 'application/manifest+json',
};
const COMPRESSIBLE = /^(text\/|application\/(json|xml|manifest)|image\/svg)/;

export interface StaticServerOptions {
  /** Folder with the built site. Default: dist. */
  root?: string;
  /** Path under which the site was built ("/" or "/chartroom/"). */
  base?: string;
  /** 0 takes any free port. */
  port: number;
  address?: string;
}

/**
 * Serves a built site as a plain static host would, with the headers that WebContainers need (cross-origin isolation).
 * Resolves with the address it listens on (no slash at the end); rejects when the port is taken.
 */
export function startStaticServer(options: StaticServerOptions): Promise<{ url: string; close(): Promise<void> }> {
  const base = `/${(options.base ?? '/').replace(/^\/+|\/+$/g, '')}/`.replace('//', '/');
  const root = normalize(options.root ?? 'dist');
  const address = options.address ?? '127.0.0.1';

  const server: Server = createServer((request, response) => {
    let path: string;
    try {
      path = decodeURIComponent(new URL(request.url ?? '/', 'http://host').pathname);
    } catch {
      return finish(response, 400, 'Bad request');
    }
    if (request.method !== 'GET' && request.method !== 'HEAD') return finish(response, 405, 'Method not allowed');
    if (!`${path}/`.startsWith(base)) return path === '/' ? redirect(response, base) : finish(response, 404, 'Not found');
    const inside = join(root, path.slice(base.length));
    if (inside !== root && !inside.startsWith(root.endsWith(sep) ? root : root + sep)) return finish(response, 404, 'Not found');
    const found = fileFor(inside, path.endsWith('/'));
    if (found === 'folder') return redirect(response, `${path}/`);
    const file = found ?? fileFor(join(root, '404.html'), false);
    if (file === undefined || file === 'folder') return finish(response, 404, 'Not found');
    send(file, found ? 200 : 404, request.headers['accept-encoding'] ?? '', request.headers['if-none-match'], request.method === 'HEAD', response);
  });

  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port, address, () => {
      const bound = server.address();
      const port = typeof bound === 'object' && bound ? bound.port : options.port;
      resolve({
        url: `http://${address}:${port}${base.slice(0, -1)}`,
        close: () =>
          new Promise((done) => {
            server.close(() => done());
            server.closeAllConnections();
          }),
      });
    });
  });
}

/** The file a path names, 'folder' for a folder named without its slash, undefined for nothing. */
function fileFor(path: string, asFolder: boolean): string | 'folder' | undefined {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat?.isFile()) return asFolder ? undefined : path;
  if (!stat?.isDirectory()) return undefined;
  const index = join(path, 'index.html');
  if (!statSync(index, { throwIfNoEntry: false })?.isFile()) return undefined;
  return asFolder ? index : 'folder';
}

/** `embedded`: the page may stand in an iframe of any site, also of one that is cross-origin isolated. */
function headers(embedded = false): Record<string, string> {
  return {
    'Cross-Origin-Opener-Policy': 'same-origin',
    'Cross-Origin-Embedder-Policy': 'require-corp',
    'Cross-Origin-Resource-Policy': embedded ? 'cross-origin' : 'same-origin',
    'X-Content-Type-Options': 'nosniff',
  };
}

function redirect(response: ServerResponse, location: string): void {
  response.writeHead(308, { ...headers(), Location: location }).end();
}

function finish(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, { ...headers(), 'Content-Type': 'text/plain; charset=utf-8' }).end(`${text}\n`);
}

function send(file: string, status: number, accepts: string, seen: string | undefined, headOnly: boolean, response: ServerResponse): void {
  const stat = statSync(file);
  const tag = `W/"${stat.size.toString(36)}-${stat.mtimeMs.toString(36)}"`;
  const type = TYPES[extname(file)] ?? 'application/octet-stream';
  // Names in _astro carry a digest of their content.
  const lasting = file.includes(`${sep}_astro${sep}`);
  const all: Record<string, string> = {
    ...headers(file.includes(`${sep}embed${sep}`)),
    'Content-Type': type,
    ETag: tag,
    Vary: 'Accept-Encoding',
    'Cache-Control': lasting ? 'public, max-age=31536000, immutable' : 'no-cache',
  };
  if (status === 200 && seen === tag) return void response.writeHead(304, all).end();
  const coding = !COMPRESSIBLE.test(type) ? undefined : accepts.includes('br') ? 'br' : accepts.includes('gzip') ? 'gzip' : undefined;
  if (coding) all['Content-Encoding'] = coding;
  else all['Content-Length'] = String(stat.size);
  response.writeHead(status, all);
  if (headOnly) return void response.end();
  const stream = createReadStream(file);
  stream.on('error', () => response.destroy());
  if (coding === 'br') stream.pipe(createBrotliCompress({ params: { [constants.BROTLI_PARAM_QUALITY]: 4 } })).pipe(response);
  else if (coding === 'gzip') stream.pipe(createGzip()).pipe(response);
  else stream.pipe(response);
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      port: { type: 'string', default: process.env.PORT ?? '4321' },
      address: { type: 'string', default: '127.0.0.1' },
      root: { type: 'string', default: 'dist' },
      base: { type: 'string', default: process.env.BASE_PATH ?? '/' },
    },
  });
  const port = Number(values.port);
  if (!Number.isInteger(port) || port < 0 || port > 65535) throw new Error(`--port must be a number from 0 to 65535, not "${values.port}"`);
  if (!statSync(values.root, { throwIfNoEntry: false })?.isDirectory()) throw new Error(`There is no folder ${values.root}: run "npm run build" first.`);
  try {
    const { url } = await startStaticServer({ root: values.root, base: values.base, port, address: values.address });
    console.log(`海圖室  ${url}/`);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EADDRINUSE') throw new Error(`Port ${port} is taken: say another with --port.`);
    throw error;
  }
}

if (import.meta.main) {
  main().catch((error: Error) => {
    console.error(error.message);
    process.exitCode = 1;
  });
}
