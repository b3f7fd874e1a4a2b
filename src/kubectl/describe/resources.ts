import type { Obj } from '../util/object.ts';

/** A resource amount in thousandths, and whether it is written with binary suffixes. Exact up to 2⁵³ thousandths (8 PiB). */
export interface Amount {
  milli: number;
  binary: boolean;
}

const FACTORS: Record<string, number> = { n: 1e-6, u: 1e-3, m: 1, '': 1e3, k: 1e6, M: 1e9, G: 1e12, T: 1e15, P: 1e18, E: 1e21 };
const BINARY = ['Ki', 'Mi', 'Gi', 'Ti', 'Pi', 'Ei'];

/** Reads a quantity as the server writes it. */
export function parseAmount(text: string | undefined): Amount {
  const match = /^([+-]?[0-9.]+)(?:([eE][+-]?\d+)|([A-Za-z]*))$/.exec(text ?? '0');
  if (!match) return { milli: 0, binary: false };
  const value = Number(match[1]);
  if (match[2]) return { milli: value * 10 ** Number(match[2].slice(1)) * 1000, binary: false };
  const suffix = match[3] ?? '';
  const power = BINARY.indexOf(suffix);
  return power >= 0 ? { milli: value * 1024 ** (power + 1) * 1000, binary: true } : { milli: Math.ceil(value * (FACTORS[suffix] ?? 1000)), binary: false };
}

/** As Quantity.String: the largest suffix that leaves a whole number. */
export function formatAmount(amount: Amount): string {
  if (amount.milli === 0) return '0';
  if (amount.milli % 1000 !== 0) return `${amount.milli}m`;
  let value = amount.milli / 1000;
  const step = amount.binary ? 1024 : 1000;
  const suffixes = amount.binary ? BINARY : ['k', 'M', 'G', 'T', 'P', 'E'];
  let suffix = '';
  for (const next of suffixes) {
    if (value % step !== 0) break;
    value /= step;
    suffix = next;
  }
  return `${value}${suffix}`;
}

type Amounts = Map<string, Amount>;

function add(into: Amounts, list: Amounts | Record<string, string> | undefined): Amounts {
  for (const [name, value] of list instanceof Map ? list : Object.entries(list ?? {})) {
    const amount = typeof value === 'string' ? parseAmount(value) : value;
    const present = into.get(name);
    into.set(
      name,
      present && present.milli !== 0
        ? { milli: present.milli + amount.milli, binary: present.binary }
        : { milli: amount.milli + (present?.milli ?? 0), binary: amount.binary },
    );
  }
  return into;
}

/** A Pod's effective requests or limits: containers and sidecars together, or the largest init step, plus overhead. */
export function podResources(pod: Obj, key: 'requests' | 'limits'): Amounts {
  const total: Amounts = new Map();
  for (const container of pod.spec?.containers ?? []) add(total, container.resources?.[key]);
  const sidecars: Amounts = new Map();
  const largest: Amounts = new Map();
  for (const container of pod.spec?.initContainers ?? []) {
    const step = add(new Map(sidecars), container.resources?.[key]);
    if (container.restartPolicy === 'Always') {
      add(sidecars, container.resources?.[key]);
      add(total, container.resources?.[key]);
    }
    for (const [name, amount] of step) if (amount.milli > (largest.get(name)?.milli ?? 0)) largest.set(name, amount);
  }
  for (const [name, amount] of largest) if (amount.milli > (total.get(name)?.milli ?? 0)) total.set(name, amount);
  for (const [name, value] of Object.entries((pod.spec?.resources?.[key] ?? {}) as Record<string, string>)) total.set(name, parseAmount(value));
  if (key === 'requests' || total.size > 0) add(total, pod.spec?.overhead);
  return total;
}

export function sumResources(pods: readonly Obj[], key: 'requests' | 'limits'): Amounts {
  const total: Amounts = new Map();
  for (const pod of pods) add(total, podResources(pod, key));
  return total;
}

/** `resourceFieldRef`, divided and rounded up as the downward API does. */
export function resourceFieldValue(container: Obj, reference: Obj): string {
  const [list = '', name = ''] = String(reference.resource).split('.');
  const amount = parseAmount(container.resources?.[list]?.[name]);
  const divisor = parseAmount(reference.divisor);
  return String(Math.ceil(amount.milli / (divisor.milli || 1000)));
}
