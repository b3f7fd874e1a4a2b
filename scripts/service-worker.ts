import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { build } from 'esbuild';

/** Bundles the service worker into the built site, with the list of the site's files and their digest. */
export async function writeServiceWorker(root: string): Promise<number> {
  const files: string[] = [];
  const hash = createHash('sha256');
  const visit = (folder: string): void => {
    for (const name of readdirSync(folder).sort()) {
      const path = join(folder, name);
      if (statSync(path).isDirectory()) {
        visit(path);
        continue;
      }
      const url = relative(root, path).split(sep).join('/');
      // WebContainers need the network anyway.
      if (url === 'sw.js' || url.endsWith('.xml') || url.startsWith('webcontainer/')) continue;
      hash.update(url).update(readFileSync(path));
      // Embedded labs are for other sites' readers, who have a network.
      if (url.startsWith('embed/')) continue;
      files.push(url.replace(/(^|\/)index\.html$/, '$1'));
    }
  };
  visit(root);
  await build({
    entryPoints: ['src/hosts/worker/service-worker.ts'],
    outfile: join(root, 'sw.js'),
    bundle: true,
    minify: true,
    format: 'iife',
    target: 'es2022',
    logLevel: 'error',
    define: { BUILD: JSON.stringify(hash.digest('hex').slice(0, 12)), FILES: JSON.stringify(files) },
  });
  return files.length;
}
