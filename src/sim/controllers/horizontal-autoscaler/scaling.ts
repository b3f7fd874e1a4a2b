import type { HorizontalPodAutoscalerBehavior, HPAScalingRules } from '../../kinds/types.ts';

const STABILISATION_MS = 300_000;

interface Recommendation {
  replicas: number;
  atMs: number;
}

interface ScaleEvent {
  change: number;
  atMs: number;
}

/** A count of replicas, and whether (and why) it is not the one recommended. */
export interface Limited {
  replicas: number;
  reason: string;
  message: string;
}

/** What one autoscaler remembers between looks. */
export class ScaleHistory {
  #recommendations: Recommendation[] = [];
  #ups: ScaleEvent[] = [];
  #downs: ScaleEvent[] = [];

  recordInitial(replicas: number, nowMs: number): void {
    if (this.#recommendations.length === 0) this.#recommendations.push({ replicas, atMs: nowMs });
  }

  recordScale(from: number, to: number, nowMs: number): void {
    if (to > from) this.#ups.push({ change: to - from, atMs: nowMs });
    else this.#downs.push({ change: from - to, atMs: nowMs });
    const recent = (one: ScaleEvent) => one.atMs > nowMs - 1_800_000;
    this.#ups = this.#ups.filter(recent);
    this.#downs = this.#downs.filter(recent);
  }

  /** stabilizeRecommendation: the highest of the last five minutes. */
  stabilize(desired: number, nowMs: number): number {
    this.#recommendations = this.#recommendations.filter((one) => one.atMs >= nowMs - STABILISATION_MS);
    const highest = this.#recommendations.reduce((max, one) => Math.max(max, one.replicas), desired);
    this.#recommendations.push({ replicas: desired, atMs: nowMs });
    return highest;
  }

  /** stabilizeRecommendationWithBehaviors. */
  stabilizeWith(behavior: HorizontalPodAutoscalerBehavior, current: number, desired: number, nowMs: number): number {
    const upCutoff = nowMs - (behavior.scaleUp?.stabilizationWindowSeconds ?? 0) * 1000;
    const downCutoff = nowMs - (behavior.scaleDown?.stabilizationWindowSeconds ?? STABILISATION_MS / 1000) * 1000;
    let up = desired;
    let down = desired;
    for (const { replicas, atMs } of this.#recommendations) {
      if (atMs > upCutoff) up = Math.min(replicas, up);
      if (atMs > downCutoff) down = Math.max(replicas, down);
    }
    this.#recommendations = this.#recommendations.filter((one) => one.atMs >= Math.min(upCutoff, downCutoff));
    this.#recommendations.push({ replicas: desired, atMs: nowMs });
    return Math.min(Math.max(current, up), down);
  }

  #changed(events: readonly ScaleEvent[], periodSeconds: number, nowMs: number): number {
    return events.reduce((sum, one) => (one.atMs > nowMs - periodSeconds * 1000 ? sum + one.change : sum), 0);
  }

  /** How far the policies let the count go from `current` in one direction. */
  limit(rules: HPAScalingRules, direction: 'up' | 'down', current: number, nowMs: number): number {
    if (rules.selectPolicy === 'Disabled') return current;
    const limits = (rules.policies ?? []).map(({ type, value = 0, periodSeconds = 0 }) => {
      const start = current - this.#changed(this.#ups, periodSeconds, nowMs) + this.#changed(this.#downs, periodSeconds, nowMs);
      if (type === 'Pods') return direction === 'up' ? start + value : start - value;
      return direction === 'up' ? Math.ceil(start * (1 + value / 100)) : Math.trunc(start * (1 - value / 100));
    });
    const furthest = (direction === 'up') === (rules.selectPolicy !== 'Min');
    return furthest ? Math.max(...limits) : Math.min(...limits);
  }

  /** convertDesiredReplicasWithBehaviorRate. */
  limitWith(behavior: HorizontalPodAutoscalerBehavior, current: number, desired: number, min: number, max: number, nowMs: number): Limited {
    if (desired > current) {
      const rate = Math.max(current, this.limit(behavior.scaleUp ?? {}, 'up', current, nowMs));
      if (desired > Math.min(max, rate)) return max > rate ? tooFast(rate, 'up') : tooMany(max);
    } else if (desired < current) {
      const rate = Math.min(current, this.limit(behavior.scaleDown ?? {}, 'down', current, nowMs));
      if (desired < Math.max(min, rate)) return min < rate ? tooFast(rate, 'down') : tooFew(min);
    }
    return within(desired);
  }
}

/** convertDesiredReplicasWithRules: without behaviour the count at most doubles (or goes to 4) at once. */
export function limitPlainly(current: number, desired: number, min: number, max: number): Limited {
  const rate = Math.max(2 * current, 4);
  if (desired < min) return tooFew(min);
  if (desired > Math.min(max, rate)) return max > rate ? tooFast(rate, 'up') : tooMany(max);
  return within(desired);
}

const within = (replicas: number): Limited => ({ replicas, reason: 'DesiredWithinRange', message: 'the desired count is within the acceptable range' });
const tooFew = (replicas: number): Limited => ({
  replicas,
  reason: 'TooFewReplicas',
  message: 'the desired replica count is less than the minimum replica count',
});
const tooMany = (replicas: number): Limited => ({
  replicas,
  reason: 'TooManyReplicas',
  message: 'the desired replica count is more than the maximum replica count',
});
const tooFast = (replicas: number, direction: 'up' | 'down'): Limited => ({
  replicas,
  reason: direction === 'up' ? 'ScaleUpLimit' : 'ScaleDownLimit',
  message: `the desired replica count is ${direction === 'up' ? 'increasing' : 'decreasing'} faster than the maximum scale rate`,
});
