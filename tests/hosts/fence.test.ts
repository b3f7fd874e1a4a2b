import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { test } from 'node:test';

/** Compiles one line under the core's own configuration and returns what the compiler says. */
function compile(line: string): string {
  // Inside the project, so that the configuration's relative paths hold; removed at once.
  const directory = mkdtempSync(join(resolve('.cache-fence-')));
  try {
    writeFileSync(join(directory, 'probe.ts'), `${line}\nexport {};\n`);
    writeFileSync(
      join(directory, 'tsconfig.json'),
      JSON.stringify({ extends: resolve('tsconfig.core.json'), include: ['probe.ts', resolve('src/platform.d.ts')] }),
    );
    const result = spawnSync('node_modules/.bin/tsc', ['-p', directory], { encoding: 'utf8' });
    return result.stdout;
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

test('the core cannot see the browser, Node, real time or chance that is not seeded', () => {
  for (const name of ['document', 'window', 'process', 'Buffer', 'setTimeout', 'fetch', 'crypto', 'performance', 'console']) {
    assert.match(compile(`export const probe = ${name};`), new RegExp(`Cannot find name '${name}'`), name);
  }
});

test('what the core may use does compile', () => {
  assert.equal(compile('export const probe = new TextEncoder().encode(String(structuredClone(1)));'), '');
});
