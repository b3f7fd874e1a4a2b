/**
 * The built-in kubectl against the real v1.36.3, on one simulated cluster: a seeded choice of the listed command lines and
 * about as many made from the grammar, and stories that change the cluster. `node tests/hosts/differential/main.ts` runs all of them and shows what differs.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import fc from 'fast-check';
import { realKubectl } from '../../src/hosts/node/real-kubectl.ts';
import { generatedLines } from './differential/grammar.ts';
import { compareReads, readLines, startFixture } from './differential/reads.ts';
import { compareStory, STORIES } from './differential/stories.ts';

const SEED = 20_261_123;
const LISTED = 150;
const GENERATED = 100;

const kubectl = realKubectl();
const skip = kubectl ? false : 'no real kubectl for this machine (the package that carries it is for linux/x64)';
/** Command line → why it may differ. */
const known = JSON.parse(readFileSync(new URL('differential/known-differences.json', import.meta.url), 'utf8')) as Record<string, string>;

test('the built-in kubectl prints what the real one prints', { skip, timeout: 600_000 }, async (context) => {
  const world = await startFixture(kubectl as string, String(SEED));
  try {
    // What waits for seconds on the real clock is left to the full run.
    const quick = readLines().filter((line) => !/(--timeout|--request-timeout=1|--pod-running-timeout|-f - )/.test(line));
    const [listed] = fc.sample(fc.shuffledSubarray(quick, { minLength: LISTED, maxLength: LISTED }), { numRuns: 1, seed: SEED });
    const lines = [...(listed ?? []), ...generatedLines(GENERATED, SEED)].filter((line) => !(line in known));
    const different: string[] = [];
    for (const line of lines) {
      const found = await compareReads(world, line);
      if (found) different.push(`$ ${line}\n${found.lines.slice(0, 12).join('\n')}`);
    }
    context.diagnostic(`${lines.length - different.length} of ${lines.length} command lines alike`);
    assert.deepEqual(different, []);
  } finally {
    await world.close();
  }
});

for (const name of Object.keys(STORIES)) {
  test(`the built-in kubectl does what the real one does: ${name}`, { skip, timeout: 600_000 }, async (context) => {
    const { differences, lines } = await compareStory(kubectl as string, name);
    context.diagnostic(`${lines - differences.length} of ${lines} command lines alike`);
    assert.deepEqual(
      differences.map((found) => `$ ${found.command}\n${found.lines.slice(0, 12).join('\n')}`),
      [],
    );
  });
}
