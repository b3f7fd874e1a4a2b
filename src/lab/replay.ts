import type { Output, Scenario, ScenarioStep } from './compare.ts';

/**
 * Where a scenario is played: the simulated laptop in virtual time, or a real shell with a real kubectl.
 * The same runner serves both, so that a transcript means the same everywhere.
 */
export interface ReplayTarget {
  /** Milliseconds on the target's clock. */
  nowMs(): number;
  execute(command: string, stdin?: string): Promise<Required<Output>>;
  /** Starts a command whose output lines are reported as they come. `stop` ends it (SIGINT) unless it has ended. */
  background(command: string, onLine: (line: string) => void): { stop(): Promise<void> };
  writeFile(name: string, text: string): void;
  sleep(ms: number): Promise<void>;
  nodeAction(action: string, pod: string): Promise<void>;
}

const WAIT_LIMIT_MS = 75_000;
const POLL_MS = 500;
/** A command in the background gets this long to print what is there before the next one begins, as in the recordings. */
const BACKGROUND_LEAD_MS = 700;

/** Plays a scenario and returns what the target gave, in the form of the recordings. */
export async function replay(scenario: Scenario, target: ReplayTarget): Promise<Scenario> {
  const startMs = target.nowMs();
  const at = (): number => Math.round((target.nowMs() - startMs) / 10) / 100;
  const running = new Map<string, { command: string; lines: [number, string][]; stop(): Promise<void> }>();
  const steps: ScenarioStep[] = [];
  for (const [name, text] of Object.entries(scenario.files ?? {})) target.writeFile(name, text);

  for (const step of scenario.steps) {
    if (step.run !== undefined) {
      const began = at();
      const result = await target.execute(step.run, step.stdin);
      steps.push({
        run: step.run,
        at: began,
        took: Math.round((at() - began) * 100) / 100,
        exit: result.exit,
        stdout: result.stdout,
        ...(result.stderr ? { stderr: result.stderr } : {}),
        ...(step.stdin !== undefined ? { stdin: step.stdin } : {}),
        ...(step.note ? { note: step.note } : {}),
      });
    } else if (step.wait !== undefined) {
      const limitMs = target.nowMs() + WAIT_LIMIT_MS;
      let ok = false;
      for (;;) {
        ok = (await target.execute(step.wait)).exit === 0;
        if (ok || target.nowMs() >= limitMs) break;
        await target.sleep(POLL_MS);
      }
      steps.push({ wait: step.wait, ok, at: at() });
    } else if (step.sleep !== undefined) {
      await target.sleep(step.sleep * 1000);
      steps.push({ sleep: step.sleep });
    } else if (step.background !== undefined) {
      const lines: [number, string][] = [];
      const job = target.background(step.background, (line) => lines.push([at(), line]));
      running.set(step.id ?? step.background, { command: step.background, lines, stop: () => job.stop() });
      steps.push({ background: step.background, id: step.id ?? step.background, at: at() });
      await target.sleep(BACKGROUND_LEAD_MS);
    } else if (step.stop !== undefined) {
      const key = running.has(step.stop) ? step.stop : [...running.entries()].find(([, job]) => job.command === step.command)?.[0];
      const job = key === undefined ? undefined : running.get(key);
      if (job && key !== undefined) {
        await job.stop();
        running.delete(key);
      }
      steps.push({ stop: step.stop, command: step.command, lines: job?.lines ?? [], at: at(), ...(step.note ? { note: step.note } : {}) });
    } else if (step.write !== undefined) {
      target.writeFile(step.write, step.text ?? '');
      steps.push({ write: step.write, text: step.text });
    } else if (step.quiet !== undefined) {
      await target.execute(step.quiet);
      steps.push({ quiet: step.quiet });
    } else if (step.action !== undefined) {
      await target.nodeAction(step.action, step.nodeOf ?? '');
      steps.push({ action: step.action, nodeOf: step.nodeOf });
    } else {
      throw new Error(`unknown step: ${JSON.stringify(step).slice(0, 200)}`);
    }
  }
  for (const job of running.values()) await job.stop();
  return { name: scenario.name, about: scenario.about, files: scenario.files, steps };
}
