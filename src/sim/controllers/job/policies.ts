import type { Job, Pod, PodFailurePolicyRule } from '../../kinds/types.ts';
import { nameOf, namespaceOf } from '../object.ts';
import { parseIndexes } from './indexes.ts';

/** What the pod failure policy says of a failed Pod. */
export interface FailureVerdict {
  /** The Job fails, with this message. */
  failJob?: string;
  /** The failure counts towards backoffLimit. */
  counts: boolean;
  /** The Pod's index fails (backoffLimitPerIndex). */
  failIndex: boolean;
}

function exitCodeMatches(rule: PodFailurePolicyRule, pod: Pod): { container: string; code: number } | undefined {
  const wanted = rule.onExitCodes;
  if (!wanted) return undefined;
  for (const status of [...(pod.status?.containerStatuses ?? []), ...(pod.status?.initContainerStatuses ?? [])]) {
    if (wanted.containerName && wanted.containerName !== status.name) continue;
    const code = status.state?.terminated?.exitCode;
    if (code === undefined || code === 0) continue;
    const listed = wanted.values?.includes(code) ?? false;
    if (wanted.operator === 'In' ? listed : !listed) return { container: status.name ?? '', code };
  }
  return undefined;
}

function conditionMatches(rule: PodFailurePolicyRule, pod: Pod): string | undefined {
  const patterns = rule.onPodConditions ?? [];
  const found = patterns.find((pattern) => pod.status?.conditions?.some((one) => one.type === pattern.type && one.status === (pattern.status ?? 'True')));
  return found?.type;
}

/** matchPodFailurePolicy (pkg/controller/job/pod_failure_policy.go): the first rule that matches decides. */
export function judgeFailure(job: Job, pod: Pod): FailureVerdict {
  for (const [index, rule] of (job.spec?.podFailurePolicy?.rules ?? []).entries()) {
    const exit = exitCodeMatches(rule, pod);
    const condition = rule.onPodConditions ? conditionMatches(rule, pod) : undefined;
    if (!exit && condition === undefined) continue;
    if (rule.action === 'Ignore') return { counts: false, failIndex: false };
    if (rule.action === 'FailIndex') return { counts: true, failIndex: true };
    if (rule.action !== 'FailJob') return { counts: true, failIndex: false };
    const subject = `pod ${namespaceOf(pod)}/${nameOf(pod)}`;
    const what = exit
      ? `Container ${exit.container} for ${subject} failed with exit code ${exit.code}`
      : `Pod ${namespaceOf(pod)}/${nameOf(pod)} has condition ${condition}`;
    return { failJob: `${what} matching FailJob rule at index ${index}`, counts: true, failIndex: false };
  }
  return { counts: true, failIndex: false };
}

/** matchSuccessPolicy: the message of the rule that the succeeded indexes meet. */
export function judgeSuccess(job: Job, succeeded: ReadonlySet<number>): string | undefined {
  for (const [index, rule] of (job.spec?.successPolicy?.rules ?? []).entries()) {
    const wanted = rule.succeededIndexes === undefined ? undefined : parseIndexes(rule.succeededIndexes, job.spec?.completions ?? 0);
    const met = wanted ? [...wanted].filter((one) => succeeded.has(one)) : [...succeeded];
    const needed = rule.succeededCount ?? wanted?.size ?? Number.POSITIVE_INFINITY;
    if (met.length >= needed) return `Matched rules at index ${index}`;
  }
  return undefined;
}
