/**
 * Keeps the site working without a network: the build's files are kept when the worker is installed, pages as they are
 * read. A new version takes over only when no page of the old one is open, so a running lab never loses its scripts.
 */
interface Lifetime extends Event {
  waitUntil(work: Promise<unknown>): void;
}
interface Fetching extends Lifetime {
  readonly request: Request;
  respondWith(response: Promise<Response>): void;
}

/** Set by the build: a digest of the site, and every file that belongs to it. */
declare const BUILD: string;
declare const FILES: readonly string[];

const CACHE = `chartroom-${BUILD}`;
const base = new URL('./', location.href);

addEventListener('install', (event) => {
  (event as Lifetime).waitUntil(keepAll());
});

addEventListener('activate', (event) => {
  (event as Lifetime).waitUntil(forgetOthers());
});

addEventListener('fetch', (event) => {
  const { request } = event as Fetching;
  const url = new URL(request.url);
  if (request.method !== 'GET' || url.origin !== base.origin || !url.pathname.startsWith(base.pathname)) return;
  (event as Fetching).respondWith(url.pathname.includes('/_astro/') ? cacheFirst(request) : networkFirst(request));
});

async function keepAll(): Promise<void> {
  const cache = await caches.open(CACHE);
  // One by one: a file that is missing must not keep the rest from working.
  for (const file of FILES) {
    try {
      await cache.add(new URL(file, base).href);
    } catch {
      // It will be fetched when it is needed.
    }
  }
}

async function forgetOthers(): Promise<void> {
  for (const name of await caches.keys()) if (name.startsWith('chartroom-') && name !== CACHE) await caches.delete(name);
}

/** Names in _astro carry a digest of their content: what is kept is right. */
async function cacheFirst(request: Request): Promise<Response> {
  const kept = await caches.match(request);
  if (kept) return kept;
  return keep(request, await fetch(request));
}

async function networkFirst(request: Request): Promise<Response> {
  try {
    return await keep(request, await fetch(request));
  } catch (error) {
    const kept =
      (await caches.match(request, { ignoreSearch: true })) ?? (request.mode === 'navigate' ? await caches.match(new URL('404.html', base).href) : undefined);
    if (kept) return kept;
    throw error;
  }
}

async function keep(request: Request, response: Response): Promise<Response> {
  if (response.ok && !response.redirected) {
    const cache = await caches.open(CACHE);
    await cache.put(request, response.clone());
  }
  return response;
}

export {};
