import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { findProgram, type Outcome, RealShell, runSimulated } from './testing/busybox.ts';
import { generateCommandLines } from './testing/generate.ts';

const busybox = findProgram('busybox');
const bash = findProgram('bash');
const skip = 'missing' in busybox ? busybox.missing : false;

async function compare(
  lines: readonly string[],
  dialect: 'ash' | 'bash' = 'ash',
): Promise<{ differing: { line: string; real: Outcome; simulated: Outcome }[]; count: number }> {
  const real = new RealShell((busybox as { path: string }).path, dialect === 'bash' ? (bash as { path: string }).path : undefined);
  const differing = [];
  try {
    for (const line of lines) {
      const expected = real.run(line);
      const simulated = await runSimulated(line, '', dialect);
      try {
        assert.deepEqual(simulated, expected);
      } catch {
        differing.push({ line, real: expected, simulated });
      }
    }
  } finally {
    real.dispose();
  }
  return { differing, count: lines.length };
}

function report(name: string, result: Awaited<ReturnType<typeof compare>>): number {
  const rate = (result.count - result.differing.length) / result.count;
  console.log(
    `${name}: ${result.count - result.differing.length} of ${result.count} command lines give the same stdout, stderr and exit code (${(rate * 100).toFixed(1)} %)`,
  );
  for (const { line, real, simulated } of result.differing.slice(0, 10))
    console.log(`  ${line}\n    real      ${JSON.stringify(real)}\n    simulated ${JSON.stringify(simulated)}`);
  return rate;
}

test('chosen command lines do what the real BusyBox shell does', { skip }, async () => {
  const lines = readFileSync(new URL('testing/command-lines.txt', import.meta.url), 'utf8')
    .split('\n')
    .filter(Boolean)
    .map((line) => line.replaceAll('␤', '\n'));
  assert.ok(report('chosen', await compare(lines)) >= 0.99);
});

test('generated command lines do what the real BusyBox shell does', { skip }, async () => {
  assert.ok(report('generated', await compare(generateCommandLines(400, 20261123))) >= 0.97);
});

test("generated command lines do what a real bash does: the reader's shell", { skip: skip || ('missing' in bash ? bash.missing : false) }, async () => {
  assert.ok(report('generated, bash', await compare(generateCommandLines(200, 99), 'bash')) >= 0.97);
});
