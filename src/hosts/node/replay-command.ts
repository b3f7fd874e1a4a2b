import { readFileSync, writeFileSync } from 'node:fs';
import { compareScenarios, type Scenario } from '../../lab/compare.ts';
import { createEnvironment } from '../../lab/environment.ts';
import { replay } from '../../lab/replay.ts';
import { simulatedTarget } from '../../lab/simulated-target.ts';
import { nodeClock } from './clock.ts';
import { HostError, startClusterHost } from './cluster-host.ts';
import { realKubectl } from './real-kubectl.ts';
import { shellTarget } from './shell-target.ts';

export type KubectlChoice = 'builtin' | 'real';

/** Plays one scenario on a fresh cluster. */
export async function replayScenario(scenario: Scenario, kubectl: KubectlChoice, seed: string): Promise<Scenario> {
  if (kubectl === 'builtin') {
    const environment = await createEnvironment({ host: nodeClock, seed, preset: 'k3d', files: {} });
    try {
      return await replay(scenario, simulatedTarget(environment));
    } finally {
      environment.dispose();
    }
  }
  const binary = realKubectl();
  if (!binary) throw new HostError('no real kubectl for this machine: the package that carries it has linux/x64 only');
  const host = await startClusterHost({ port: 0, seed, speed: 1, preset: 'k3d' });
  const target = shellTarget({ host, kubectl: binary });
  try {
    return await replay(scenario, target);
  } finally {
    target.dispose();
    await host.close();
  }
}

/** `chartroom replay FILE… [--out OUT] [--kubectl builtin|real] [--seed S] [--compare] [--verbose]` */
export async function replayCommand(
  files: readonly string[],
  options: { out?: string; kubectl: string; seed: string; compare: boolean; verbose: boolean },
): Promise<number> {
  if (files.length === 0) throw new HostError('replay needs the path of a transcript file');
  if (options.kubectl !== 'builtin' && options.kubectl !== 'real') throw new HostError(`--kubectl must be "builtin" or "real", not "${options.kubectl}"`);
  if (options.out && files.length > 1) throw new HostError('--out takes one transcript file');
  let good = 0;
  let total = 0;
  for (const file of files) {
    const scenario = readScenario(file);
    const actual = await replayScenario(scenario, options.kubectl, options.seed);
    const text = `${JSON.stringify(actual, null, 1)}\n`;
    if (options.out) writeFileSync(options.out, text);
    else if (!options.compare) process.stdout.write(text);
    if (!options.compare) continue;
    const results = compareScenarios(scenario, actual);
    const matched = results.filter((result) => result.ok).length;
    good += matched;
    total += results.length;
    console.log(`${file}: ${matched} of ${results.length}`);
    for (const result of results) {
      if (result.ok) continue;
      console.log(`  $ ${result.command}`);
      if (options.verbose) for (const line of result.diff.slice(0, 40)) console.log(`      ${line}`);
    }
  }
  if (options.compare) console.log(`${good} of ${total} steps match`);
  return options.compare && good < total ? 1 : 0;
}

function readScenario(file: string): Scenario {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch {
    throw new HostError(`cannot read ${file}`);
  }
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (error) {
    throw new HostError(`${file} is not JSON: ${(error as Error).message}`);
  }
  if (typeof parsed !== 'object' || parsed === null || !Array.isArray((parsed as Scenario).steps))
    throw new HostError(`${file} is not a transcript: it has no list "steps"`);
  return parsed as Scenario;
}
