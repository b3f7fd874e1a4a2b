import type { Client } from '../sim/client/types.ts';
import { evaluateCheck } from './checks.ts';
import type { StepState } from './protocol.ts';
import type { Lab, LabStep } from './schema.ts';

/** Which steps' goals are reached. A reached goal stays reached, whatever the cluster does afterwards. */
export class ProgressTracker {
  #lab: Lab;
  #client: Client;
  #states: StepState[];
  #typed: { pattern: RegExp; step: string; says: string }[];

  constructor(lab: Lab, client: Client) {
    this.#lab = lab;
    this.#client = client;
    this.#states = lab.steps.map((step) => ({ id: step.id, reached: false }));
    this.#typed = lab.steps.flatMap((step) =>
      step.misconceptions.flatMap((rule) => (rule.typed === undefined ? [] : [{ pattern: new RegExp(rule.typed), step: step.id, says: rule.says }])),
    );
  }

  get states(): readonly StepState[] {
    return this.#states;
  }

  /** Looks at the cluster; true when something changed. */
  update(): boolean {
    const before = JSON.stringify(this.#states);
    this.#states = this.#lab.steps.map((step, i) => this.#look(step, this.#states[i] ?? { id: step.id, reached: false }));
    return JSON.stringify(this.#states) !== before;
  }

  #look(step: LabStep, previous: StepState): StepState {
    const told = step.misconceptions.find((rule) => rule.state && evaluateCheck(rule.state, this.#client).holds)?.says;
    const hint = told ?? previous.hint;
    if (previous.reached) return { ...previous, hint };
    for (const check of step.checks) {
      const result = evaluateCheck(check, this.#client);
      if (!result.holds) return { id: step.id, reached: false, hint, failing: { object: result.object, expected: result.expected, actual: result.actual } };
    }
    // A step without checks is reached by running its commands; the page knows when that was.
    return { id: step.id, reached: step.checks.length > 0, hint };
  }

  /** A command line the reader typed; true when it shows a misconception. */
  recognise(line: string): boolean {
    const rule = this.#typed.find((candidate) => candidate.pattern.test(line));
    if (!rule) return false;
    this.#states = this.#states.map((state) => (state.id === rule.step ? { ...state, hint: rule.says } : state));
    return true;
  }
}
