/**
 * Runs command lines with the built-in and with the real kubectl against one simulated cluster and prints what differs.
 * `node tests/hosts/differential/main.ts [--lines FILE | --generate N | --story NAME] [--seed S] [--match REGEXP] [--from I] [--to J] [--most LINES]`
 */
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { realKubectl } from '../../../src/hosts/node/real-kubectl.ts';
import type { Difference } from './compare.ts';
import { generatedLines } from './grammar.ts';
import { compareReads, readLines, startFixture } from './reads.ts';
import { compareStory, STORIES } from './stories.ts';

const { values } = parseArgs({
  options: {
    lines: { type: 'string' },
    story: { type: 'string' },
    generate: { type: 'string' },
    match: { type: 'string', default: '' },
    from: { type: 'string', default: '0' },
    to: { type: 'string', default: '99999' },
    seed: { type: 'string', default: '1' },
    most: { type: 'string', default: '6' },
  },
});
const kubectl = realKubectl();
if (!kubectl) throw new Error('no real kubectl for this machine');
function show(found: Difference): void {
  console.log(`\n$ ${found.command}`);
  for (const sign of ['-', '+']) {
    const ours = found.lines.filter((each) => each.startsWith(sign));
    for (const each of ours.slice(0, Number(values.most))) console.log(`    ${each.slice(0, 400)}`);
    if (ours.length > Number(values.most)) console.log(`    ${sign} (${ours.length - Number(values.most)} more)`);
  }
}
if (values.story) {
  for (const name of values.story === 'all' ? Object.keys(STORIES) : [values.story]) {
    const { differences, lines } = await compareStory(kubectl, name);
    differences.forEach(show);
    console.log(`\n${name}: ${lines - differences.length} of ${lines} alike`);
  }
  process.exit();
}
const world = await startFixture(kubectl, values.seed);
const pattern = new RegExp(values.match);
const lines = (
  values.generate ? generatedLines(Number(values.generate), Number(values.seed)) : values.lines ? readLines(readFileSync(values.lines, 'utf8')) : readLines()
)
  .slice(Number(values.from), Number(values.to))
  .filter((line) => pattern.test(line));
let bad = 0;
for (const line of lines) {
  const found = await compareReads(world, line);
  if (!found) continue;
  bad++;
  show(found);
}
console.log(`\n${lines.length - bad} of ${lines.length} alike`);
await world.close();
