/**
 * Runs every lab in the simulator and writes labs/<lab>/transcript.json, which the lessons show and the tests compare.
 * `node scripts/transcripts.ts [lab …]`. What a lab prints is judged by people reading the diff, and by the recordings
 * that tests/conformance replays; this command never decides what is right.
 */
import { writeFileSync } from 'node:fs';
import { nodeClock } from '../src/hosts/node/clock.ts';
import { createEnvironment } from '../src/lab/environment.ts';
import { type LabRun, runLab } from '../src/lab/transcript.ts';
import { labNames, loadLab } from './labs.ts';

/** Runs a lab from a fresh cluster; the seed is its name, as in the page. */
export async function runLabByName(name: string, way: 'first' | 'other' = 'first'): Promise<LabRun> {
  const { lab, files } = loadLab(name);
  const environment = await createEnvironment({ host: nodeClock, seed: name, preset: lab.cluster, files });
  try {
    return await runLab(lab, environment, way);
  } finally {
    environment.dispose();
  }
}

export const transcriptPath = (name: string): string => `labs/${name}/transcript.json`;
export const transcriptText = (run: LabRun): string => `${JSON.stringify(run.transcript, null, 1)}\n`;

if (import.meta.main) {
  const wanted = process.argv.slice(2);
  for (const name of wanted.length > 0 ? wanted : labNames()) {
    try {
      const run = await runLabByName(name);
      writeFileSync(transcriptPath(name), transcriptText(run));
      console.log(`${name}: ${run.transcript.steps.length} steps`);
      for (const { step, result } of run.missed) {
        console.log(`  goal not reached in ${step}: ${result.object}: expected ${result.expected}, is ${result.actual}`);
        process.exitCode = 1;
      }
    } catch (error) {
      console.log(`${name}: ${(error as Error).message}`);
      process.exitCode = 1;
    }
  }
}
