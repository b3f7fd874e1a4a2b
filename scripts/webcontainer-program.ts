import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';

/** Bundles the program that runs inside a WebContainer into `<root>/webcontainer/session.mjs`; gives its path. */
export async function writeWebContainerProgram(root: string): Promise<string> {
  const outfile = join(root, 'webcontainer/session.mjs');
  mkdirSync(join(root, 'webcontainer'), { recursive: true });
  await build({
    entryPoints: ['src/hosts/node/session-program.ts'],
    outfile,
    bundle: true,
    minify: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    logLevel: 'error',
    // CommonJS parts of dependencies ask for it.
    banner: { js: "import { createRequire as $require } from 'node:module'; const require = $require(import.meta.url);" },
  });
  return outfile;
}
