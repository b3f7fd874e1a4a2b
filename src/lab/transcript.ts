import type { Terminal } from '../shell/reader-machine.ts';
import { type CheckResult, evaluateCheck } from './checks.ts';
import { listenToCommands, plain } from './command-output.ts';
import { driveUntilSettled, type Environment } from './environment.ts';
import { ProgressTracker } from './progress.ts';
import type { Lab, LabCheck, LabCommand, LabStep } from './schema.ts';

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

/** One lab run from its first step to its last: what was printed, and what became of the goals. */
export interface LabRun {
  transcript: LabTranscript;
  /** Steps that were not reached by their commands, with the first thing that is missing. */
  missed: { step: string; result: Exclude<CheckResult, { holds: true }> }[];
  /** Steps that were reached before their first command: a goal that holds anyway. */
  early: string[];
  /** Steps that were reached by what their lab calls wrong. */
  fooled: string[];
  /** Explanations of misconceptions that were given. */
  told: Set<string>;
}

const WAIT_LIMIT_MS = 300_000;
const POLL_MS = 250;
/** A reader needs about this long between commands; the cluster goes on meanwhile. */
const BETWEEN_COMMANDS_MS = 400;
/** Goals may be reached a little after the last command; a wrong way gets as long. */
const CHECK_LIMIT_MS = 60_000;
export const TERMINAL_COLUMNS = 120;
const TERMINAL_ROWS = 40;

/**
 * Types every step's commands (or its solution) into a terminal, as a reader would, in virtual time. `other` takes the
 * second way where a step has one, after what the lab calls wrong.
 */
export async function runLab(lab: Lab, environment: Environment, way: 'first' | 'other' = 'first'): Promise<LabRun> {
  const { kernel, reader, cluster } = environment;
  for (const command of lab.setup) {
    const result = await driveUntilSettled(kernel, reader.execute(command));
    if (result.exit !== 0) throw new Error(`labs/${lab.name}: the setup failed: ${command}\n${result.stderr}`);
  }
  const progress = new ProgressTracker(lab, cluster.client);
  const terminal = reader.openTerminal(TERMINAL_COLUMNS, TERMINAL_ROWS);
  const typist = new Typist(environment, terminal);
  listenToCommands(terminal, (output) => progress.printed(output));
  terminal.onCommand((line) => progress.typed(line));
  const run: LabRun = { transcript: { steps: [] }, missed: [], early: [], fooled: [], told: new Set() };
  const reached = (id: string): boolean => {
    progress.update();
    for (const { hint } of progress.states) if (hint !== undefined) run.told.add(hint);
    return progress.states.some((state) => state.id === id && state.reached);
  };

  for (const step of lab.steps) {
    if (reached(step.id)) run.early.push(step.id);
    if (way === 'other') {
      for (const line of step.wrong ?? []) {
        await typist.pass(BETWEEN_COMMANDS_MS);
        await typist.type({ run: line });
        reached(step.id);
      }
      if (step.wrong) await typist.pass(CHECK_LIMIT_MS);
      if (step.wrong && reached(step.id)) run.fooled.push(step.id);
    }
    const commands: CommandTranscript[] = [];
    for (const command of commandsOf(step, way)) {
      if (command.waitFor) await typist.waitFor(command.waitFor, `labs/${lab.name}, step ${step.id}, before "${command.run}"`);
      await typist.pass(command.sleepSeconds === undefined ? BETWEEN_COMMANDS_MS : command.sleepSeconds * 1000);
      const transcript = await typist.type(command);
      commands.push(transcript);
      reached(step.id);
      if (command.expectExit !== undefined && command.expectExit !== transcript.exit) {
        throw new Error(
          `labs/${lab.name}, step ${step.id}: "${command.run}" ended with ${transcript.exit}, expected ${command.expectExit}\n${transcript.output}`,
        );
      }
    }
    // A challenge's solution is not printed in the lesson.
    run.transcript.steps.push({ id: step.id, commands: step.commands.length > 0 ? commands : [] });
    if (!reached(step.id)) await kernel.advance({ until: () => reached(step.id), untilMs: kernel.now() + CHECK_LIMIT_MS });
    if (!reached(step.id)) {
      const failing = progress.states.find((state) => state.id === step.id)?.failing;
      run.missed.push({
        step: step.id,
        result: { holds: false, ...(failing ?? { object: 'the terminal', expected: step.sees.join(' and '), actual: 'not seen' }) },
      });
    }
  }
  typist.dispose();
  return run;
}

function commandsOf(step: LabStep, way: 'first' | 'other'): readonly LabCommand[] {
  const lines = way === 'other' && step.alternative ? step.alternative : step.commands.length > 0 ? undefined : (step.solution ?? []);
  return lines?.map((line) => ({ run: line })) ?? step.commands;
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
