import { quantityMilliValue, quantityValue } from '../kinds/quantity.ts';
import type { Container, Node, Pod } from '../kinds/types.ts';

/** Amounts by resource name: cpu in thousandths, everything else in whole units. */
export type Amounts = Map<string, number>;

/** What a container without requests counts as in scoring (100m, 200 MB). */
const DEFAULT_MILLI_CPU = 100;
const DEFAULT_MEMORY = 200 * 1024 * 1024;

const NO_REQUESTS: Readonly<Record<string, string>> = {};

export function amountsOf(list: Readonly<Record<string, string>> | undefined): Amounts {
  const out: Amounts = new Map();
  for (const [name, quantity] of Object.entries(list ?? NO_REQUESTS)) out.set(name, name === 'cpu' ? quantityMilliValue(quantity) : quantityValue(quantity));
  return out;
}

export function addAmounts(into: Amounts, other: Amounts, sign: 1 | -1 = 1): void {
  for (const [name, amount] of other) into.set(name, (into.get(name) ?? 0) + sign * amount);
}

function raiseTo(into: Amounts, other: Amounts): void {
  for (const [name, amount] of other) if (amount > (into.get(name) ?? 0)) into.set(name, amount);
}

/** component-helpers/resource.PodRequests; with `nonZero`, what containers leave out counts with the defaults of scoring. */
export function podRequests(pod: Pod, nonZero = false): Amounts {
  const ofContainer = (container: Container): Amounts => {
    const amounts = amountsOf(container.resources?.requests);
    if (nonZero) {
      if (!amounts.has('cpu')) amounts.set('cpu', DEFAULT_MILLI_CPU);
      if (!amounts.has('memory')) amounts.set('memory', DEFAULT_MEMORY);
    }
    return amounts;
  };
  const total: Amounts = new Map();
  for (const container of pod.spec?.containers ?? []) addAmounts(total, ofContainer(container));
  // Sidecars add up; an ordinary init container runs beside the sidecars started before it.
  const sidecars: Amounts = new Map();
  const init: Amounts = new Map();
  for (const container of pod.spec?.initContainers ?? []) {
    const amounts = ofContainer(container);
    if (container.restartPolicy === 'Always') {
      addAmounts(total, amounts);
      addAmounts(sidecars, amounts);
      raiseTo(init, sidecars);
    } else {
      addAmounts(amounts, sidecars);
      raiseTo(init, amounts);
    }
  }
  raiseTo(total, init);
  const podLevel = (pod.spec as { resources?: { requests?: Record<string, string> } } | undefined)?.resources?.requests;
  for (const [name, amount] of amountsOf(podLevel)) total.set(name, amount);
  addAmounts(total, amountsOf(pod.spec?.overhead));
  return total;
}

export function allocatableOf(node: Node): Amounts {
  return amountsOf(node.status?.allocatable);
}
