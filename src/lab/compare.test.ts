import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { compareOutput, compareScenarios, type Scenario } from './compare.ts';

const corpus = new URL('../../tests/conformance/corpus/', import.meta.url);

test('every recording matches itself', () => {
  for (const file of readdirSync(corpus).filter((name) => name.endsWith('.json'))) {
    const scenario = JSON.parse(readFileSync(new URL(file, corpus), 'utf8')) as Scenario;
    if (!Array.isArray(scenario.steps)) continue;
    for (const result of compareScenarios(scenario, scenario)) assert.ok(result.ok, `${file}: ${result.command}`);
  }
});

test('what chance decides is not compared, what the cluster decides is', () => {
  const same = (a: string, b: string): boolean => compareOutput('kubectl get pods', { stdout: a }, { stdout: b }).length === 0;
  assert.ok(same('web-7477677fff-45v9n   0/1   Pending   0   14s\n', 'web-7477677aff-x5v9n  0/1  Pending  0  2m3s\n') === false, 'a vowel is no hash');
  assert.ok(same('web-7477677fff-45v9n   0/1   Pending   0   14s\n', 'web-7477677ccc-x5v9n  0/1  Pending  0  2m3s\n'));
  assert.ok(!same('web-0   0/1   Pending   0   14s\n', 'web-1  0/1  Pending  0  14s\n'));
  assert.ok(!same('web-0   0/1   Pending   0   14s\n', 'web-0  1/1  Running  0  14s\n'));
  assert.deepEqual(compareOutput('x', { exit: 1 }, { exit: 0 }), ['exit 1 / 0']);
});
