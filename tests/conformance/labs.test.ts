/** Every lab runs from its first step to its last, reaches its goals by its commands and not before, and prints what the lesson shows. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { labNames, loadLab } from '../../scripts/labs.ts';
import { runLabByName, transcriptPath } from '../../scripts/transcripts.ts';
import type { LabTranscript } from '../../src/lab/transcript.ts';

for (const name of labNames()) {
  const { lab } = loadLab(name);

  test(`lab ${name}`, async () => {
    const run = await runLabByName(name);
    assert.deepEqual(run.missed, [], 'goals that are not reached');
    assert.deepEqual(run.early, [], 'goals that are reached before anything is done for them');
    const told = lab.steps.flatMap((step) => step.misconceptions.filter((rule) => run.told.has(rule.says)).map((rule) => rule.says));
    assert.deepEqual(told, [], "misconceptions that the lab's own commands are taken for");
    const expected = JSON.parse(readFileSync(transcriptPath(name), 'utf8')) as LabTranscript;
    assert.deepEqual(run.transcript, expected, 'after a wanted change: node scripts/transcripts.ts, and read the diff');
  });

  if (lab.steps.some((step) => step.alternative || step.wrong)) {
    test(`lab ${name}: a wrong way is not accepted and is explained, a second way is accepted`, async () => {
      const run = await runLabByName(name, 'other');
      assert.deepEqual(run.fooled, [], 'goals that a wrong way reaches');
      assert.deepEqual(run.missed, [], 'goals that the second way does not reach');
      const silent = lab.steps.flatMap((step) => step.misconceptions.filter((rule) => !run.told.has(rule.says)).map((rule) => `${step.id}: ${rule.says}`));
      assert.deepEqual(silent, [], 'misconceptions that nothing in "wrong" shows');
    });
  }
}
