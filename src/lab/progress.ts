import type { Client } from '../sim/client/types.ts';
import { evaluateCheck } from './checks.ts';
import type { StepState } from './protocol.ts';
import type { Lab, LabStep } from './schema.ts';

/** Which steps' goals are reached. A reached goal stays reached, whatever the cluster does afterwards. */
export class ProgressTracker {
  #lab: Lab;
  #client: Client;
  #states: StepState[];
  #reported = '';
  #signs: { of: 'typed' | 'printed'; pattern: RegExp; step: string; says: string }[];
  /** What was not seen yet, by step. */
  #unseen: Map<string, RegExp[]>;

  constructor(lab: Lab, client: Client) {
    this.#lab = lab;
    this.#client = client;
    this.#states = lab.steps.map((step) => ({ id: step.id, reached: false }));
    this.#unseen = new Map(lab.steps.map((step) => [step.id, step.sees.map((pattern) => new RegExp(pattern, 'm'))]));
    this.#signs = lab.steps.flatMap((step) =>
      step.misconceptions.flatMap((rule) =>
        (['typed', 'printed'] as const).flatMap((of) =>
          rule[of] === undefined ? [] : [{ of, pattern: new RegExp(rule[of], 'm'), step: step.id, says: rule.says }],
        ),
      ),
    );
  }

  get states(): readonly StepState[] {
    return this.#states;
  }

  /** Looks at the cluster; true when something changed since it looked last. */
  update(): boolean {
    // One by one: a goal may wait for the step before it.
    for (const [i, step] of this.#lab.steps.entries()) this.#states[i] = this.#look(step, this.#states[i] ?? { id: step.id, reached: false });
    const now = JSON.stringify(this.#states);
    const changed = now !== this.#reported;
    this.#reported = now;
    return changed;
  }

  #look(step: LabStep, previous: StepState): StepState {
    if (previous.reached) return previous;
    const hint = step.misconceptions.find((rule) => rule.state && evaluateCheck(rule.state, this.#client).holds)?.says ?? previous.hint;
    if (!this.#begun(step)) return { id: step.id, reached: false, hint };
    for (const check of step.checks) {
      const result = evaluateCheck(check, this.#client);
      if (!result.holds) return { id: step.id, reached: false, hint, failing: { object: result.object, expected: result.expected, actual: result.actual } };
    }
    const reached = this.#unseen.get(step.id)?.length === 0;
    return { id: step.id, reached, hint, ...(reached || step.checks.length === 0 ? {} : { unseen: true }) };
  }

  /** Whether the step that must come before it was reached. */
  #begun(step: LabStep): boolean {
    return step.after === undefined || this.#states.some((state) => state.id === step.after && state.reached);
  }

  /** What a command printed, as plain text. */
  printed(output: string): void {
    for (const step of this.#lab.steps) {
      const unseen = this.#unseen.get(step.id) ?? [];
      if (unseen.length > 0 && this.#begun(step))
        this.#unseen.set(
          step.id,
          unseen.filter((pattern) => !pattern.test(output)),
        );
    }
    this.#recognise('printed', output);
  }

  /** A command line the reader typed; true when it shows a misconception. */
  typed(line: string): boolean {
    return this.#recognise('typed', line);
  }

  /** Only steps that have begun and are still open are spoken of. */
  #recognise(of: 'typed' | 'printed', text: string): boolean {
    const open = (id: string): boolean =>
      this.#lab.steps.some((step) => step.id === id && this.#begun(step)) && this.#states.some((state) => state.id === id && !state.reached);
    const sign = this.#signs.find((candidate) => candidate.of === of && candidate.pattern.test(text) && open(candidate.step));
    if (!sign) return false;
    this.#states = this.#states.map((state) => (state.id === sign.step ? { ...state, hint: sign.says } : state));
    return true;
  }
}
