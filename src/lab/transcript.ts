import type { Terminal } from '../shell/reader-machine.ts';
import { type CheckResult, evaluateCheck } from './checks.ts';
import { driveUntilSettled, type Environment } from './environment.ts';
import type { Lab, LabCheck, LabCommand } from './schema.ts';

/** What one command printed when the lab was run. */
export interface CommandTranscript {
  run: string;
  exit: number;
  /** As the terminal showed it, lines ended by "\n". */
  output: string;
}

/** labs/<lab>/transcript.json */
export interface LabTranscript {
  steps: { id: string; commands: CommandTranscript[] }[];
}

/** One lab run from its first step to its last: what was printed, and which goals were not reached. */
export interface LabRun {
  transcript: LabTranscript;
  /** For each step whose checks do not hold after its commands. */
  missed: { step: string; result: Exclude<CheckResult, { holds: true }> }[];
}

const WAIT_LIMIT_MS = 300_000;
const POLL_MS = 250;
/** A reader needs about this long between commands; the cluster goes on meanwhile. */
const BETWEEN_COMMANDS_MS = 400;
/** Goals may be reached a little after the last command. */
const CHECK_LIMIT_MS = 60_000;
export const TERMINAL_COLUMNS = 120;
const TERMINAL_ROWS = 40;

/** Types every step's commands (or its solution) into a terminal, as a reader would, in virtual time. */
export async function runLab(lab: Lab, environment: Environment): Promise<LabRun> {
  const { kernel, reader, cluster } = environment;
  for (const command of lab.setup) {
    const result = await driveUntilSettled(kernel, reader.execute(command));
    if (result.exit !== 0) throw new Error(`labs/${lab.name}: the setup failed: ${command}\n${result.stderr}`);
  }
  const typist = new Typist(environment, reader.openTerminal(TERMINAL_COLUMNS, TERMINAL_ROWS));
  const run: LabRun = { transcript: { steps: [] }, missed: [] };
  for (const step of lab.steps) {
    const commands: CommandTranscript[] = [];
    const todo: readonly LabCommand[] = step.commands.length > 0 ? step.commands : (step.solution ?? []).map((line) => ({ run: line }));
    for (const command of todo) {
      if (command.waitFor) await typist.waitFor(command.waitFor, `labs/${lab.name}, step ${step.id}, before "${command.run}"`);
      await typist.pass(command.sleepSeconds === undefined ? BETWEEN_COMMANDS_MS : command.sleepSeconds * 1000);
      const transcript = await typist.type(command);
      commands.push(transcript);
      if (command.expectExit !== undefined && command.expectExit !== transcript.exit) {
        throw new Error(
          `labs/${lab.name}, step ${step.id}: "${command.run}" ended with ${transcript.exit}, expected ${command.expectExit}\n${transcript.output}`,
        );
      }
    }
    // A challenge's solution is not printed in the lesson.
    run.transcript.steps.push({ id: step.id, commands: step.commands.length > 0 ? commands : [] });
    for (const check of step.checks) {
      const holds = (): boolean => evaluateCheck(check, cluster.client).holds;
      if (!holds()) await kernel.advance({ until: holds, untilMs: kernel.now() + CHECK_LIMIT_MS });
      const result = evaluateCheck(check, cluster.client);
      if (!result.holds) run.missed.push({ step: step.id, result });
    }
  }
  typist.dispose();
  return run;
}

/** A reader at one terminal. */
class Typist {
  #environment: Environment;
  #terminal: Terminal;
  #output = '';
  #capturing = false;
  #prompts = 0;
  #exit = 0;

  constructor(environment: Environment, terminal: Terminal) {
    this.#environment = environment;
    this.#terminal = terminal;
    terminal.onOutput((text) => {
      if (this.#capturing) this.#output += text;
    });
    terminal.onCommand(() => {
      this.#capturing = true;
    });
    terminal.onPrompt((exit) => {
      this.#capturing = false;
      this.#exit = exit;
      this.#prompts++;
    });
  }

  async type(command: LabCommand): Promise<CommandTranscript> {
    const { kernel, cluster } = this.#environment;
    if (this.#prompts === 0) await this.#until(() => this.#prompts > 0, 'the first prompt');
    const before = this.#prompts;
    this.#output = '';
    const done = (): boolean => this.#prompts > before;
    kernel.input(() => this.#terminal.run(command.run));
    if (command.stopWhen ?? command.stopAfterSeconds) {
      const { stopWhen, stopAfterSeconds } = command;
      const limitMs = kernel.now() + (stopAfterSeconds ?? WAIT_LIMIT_MS / 1000) * 1000;
      await kernel.advance({ until: () => done() || (stopWhen !== undefined && evaluateCheck(stopWhen, cluster.client).holds), untilMs: limitMs });
      // What led to the condition is still on its way to the screen.
      await this.pass(500);
      if (!done()) kernel.input(() => this.#terminal.input('\u0003'));
    }
    await this.#until(done, `"${command.run}" to end`);
    return { run: command.run, exit: this.#exit, output: plain(this.#output) };
  }

  async waitFor(check: LabCheck, where: string): Promise<void> {
    const { kernel, cluster } = this.#environment;
    const limitMs = kernel.now() + WAIT_LIMIT_MS;
    while (!evaluateCheck(check, cluster.client).holds) {
      if (kernel.now() >= limitMs) throw new Error(`${where}: ${JSON.stringify(check)} did not come true within ${WAIT_LIMIT_MS / 1000} s`);
      await this.pass(POLL_MS);
    }
  }

  async pass(ms: number): Promise<void> {
    const { kernel } = this.#environment;
    await kernel.advance({ untilMs: kernel.now() + ms });
  }

  async #until(done: () => boolean, what: string): Promise<void> {
    const { kernel } = this.#environment;
    if (!(await kernel.advance({ until: done, untilMs: kernel.now() + WAIT_LIMIT_MS })))
      throw new Error(`waited ${WAIT_LIMIT_MS / 1000} s for ${what}; it printed:\n${plain(this.#output)}`);
  }

  dispose(): void {
    this.#terminal.dispose();
  }
}

/** Terminal output as text: line ends of a file, no escape sequences, no key echoes. */
export function plain(output: string): string {
  return output
    .replace(/\u001b\[[0-9;?]*[ -/]*[@-~]/g, '')
    .replaceAll('\r\n', '\n')
    .replaceAll('\r', '');
}
