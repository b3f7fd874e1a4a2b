/** The real kubectl v1.36.3 plays recorded scenarios against the simulated cluster over HTTP. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { realKubectl } from '../../src/hosts/node/real-kubectl.ts';
import { replayScenario } from '../../src/hosts/node/replay-command.ts';
import { compareScenarios, type Scenario } from '../../src/lab/compare.ts';

const SCENARIOS = ['sts-create-ordered.json', 'dns-headless-article.json'];
const skip = realKubectl() ? false : 'no real kubectl for this machine (the package that carries it is for linux/x64)';

for (const file of SCENARIOS) {
  test(`real kubectl: ${file}`, { skip, timeout: 300_000 }, async () => {
    const scenario = JSON.parse(readFileSync(new URL(`../conformance/corpus/${file}`, import.meta.url), 'utf8')) as Scenario;
    const results = compareScenarios(scenario, await replayScenario(scenario, 'real', 'real'));
    assert.deepEqual(
      results.filter((result) => !result.ok),
      [],
    );
  });
}
