/** Every lab runs from its first step to its last, reaches its goals, and prints what the lesson shows. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { labNames } from '../../scripts/labs.ts';
import { runLabByName, transcriptPath } from '../../scripts/transcripts.ts';
import type { LabTranscript } from '../../src/lab/transcript.ts';

for (const name of labNames()) {
  test(`lab ${name}`, async () => {
    const run = await runLabByName(name);
    assert.deepEqual(run.missed, [], 'goals that are not reached');
    const expected = JSON.parse(readFileSync(transcriptPath(name), 'utf8')) as LabTranscript;
    assert.deepEqual(run.transcript, expected, 'after a wanted change: node scripts/transcripts.ts, and read the diff');
  });
}
