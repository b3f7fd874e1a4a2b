/**
 * Plays every recorded scenario on a fresh simulated cluster with the built-in kubectl and compares the transcripts.
 * Steps that differ must be listed, with the reason, in known-differences.json; the list only shrinks.
 */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { replayScenario } from '../../src/hosts/node/replay-command.ts';
import { compareScenarios, type Scenario } from '../../src/lab/compare.ts';

const corpus = new URL('corpus/', import.meta.url);
const known = JSON.parse(readFileSync(new URL('known-differences.json', import.meta.url), 'utf8')) as Record<string, Record<string, string>>;

for (const file of readdirSync(corpus).filter((name) => name.endsWith('.json'))) {
  const scenario = JSON.parse(readFileSync(new URL(file, corpus), 'utf8')) as Scenario;
  if (!Array.isArray(scenario.steps)) continue;
  test(`replay ${file}`, async () => {
    const results = compareScenarios(scenario, await replayScenario(scenario, 'builtin', 'replay'));
    const listed = known[file] ?? {};
    const unlisted = results.filter((result) => !result.ok && !(result.command in listed));
    assert.deepEqual(
      unlisted.map((result) => ({ command: result.command, diff: result.diff })),
      [],
      'steps that differ from the recording',
    );
    const mended = Object.keys(listed).filter((command) => results.every((result) => result.command !== command || result.ok));
    assert.deepEqual(mended, [], 'steps that match again: take them off known-differences.json');
  });
}
