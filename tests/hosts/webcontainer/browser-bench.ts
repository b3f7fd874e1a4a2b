import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Browser, chromium, type Page } from '@playwright/test';
import { build } from 'esbuild';
import { writeWebContainerProgram } from '../../../scripts/webcontainer-program.ts';
import type { StandIn } from './stand-in.ts';

/** A Chromium and a site with the hosts' page sides, without the rest of the project's site. */
export interface BrowserBench {
  /** `?open`: without isolation headers; `?frame=URL`: another WebContainer service, `real` for the vendor's. */
  open(query?: string): Promise<Page>;
  close(): Promise<void>;
}

export async function startBrowserBench(executablePath: string, standIn: () => StandIn): Promise<BrowserBench> {
  const directory = mkdtempSync(join(tmpdir(), 'hosts-test-'));
  const program = readFileSync(await writeWebContainerProgram(directory), 'utf8');
  const bundle = async (entry: string): Promise<string> =>
    (await build({ entryPoints: [entry], bundle: true, format: 'esm', write: false, logLevel: 'error' })).outputFiles[0]!.text;
  const scripts: Record<string, string> = {
    '/session.mjs': program,
    '/page.js': await bundle('tests/hosts/webcontainer/page.ts'),
    '/worker.js': await bundle('src/hosts/worker/main.ts'),
  };
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '/', 'http://host');
    const isolation = { 'Cross-Origin-Opener-Policy': 'same-origin', 'Cross-Origin-Embedder-Policy': 'require-corp' };
    const script = scripts[url.pathname];
    if (script !== undefined) {
      response.writeHead(200, { ...isolation, 'Content-Type': 'text/javascript' }).end(script);
      return;
    }
    const frame = url.searchParams.get('frame') ?? standIn().url;
    const setting = frame === 'real' ? '' : `<script>WEBCONTAINER_API_IFRAME_URL=${JSON.stringify(frame)}</script>`;
    response
      .writeHead(200, { ...(url.searchParams.has('open') ? {} : isolation), 'Content-Type': 'text/html' })
      .end(`<!doctype html><body>${setting}<script type="module" src="/page.js"></script>`);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const browser: Browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] });
  return {
    async open(query = '') {
      const page = await browser.newPage();
      await page.goto(`${url}/${query}`);
      await page.waitForFunction(() => 'contract' in globalThis);
      return page;
    },
    async close() {
      await browser.close();
      server.closeAllConnections();
      server.close();
      rmSync(directory, { recursive: true });
    },
  };
}
