import type { Job, Pod } from '../../kinds/types.ts';

// Completion indexes (pkg/controller/job/indexed_job_utils.go of v1.36).

export const INDEX = 'batch.kubernetes.io/job-completion-index';
export const INDEX_FAILURES = 'batch.kubernetes.io/job-index-failure-count';

export const isIndexed = (job: Job): boolean => job.spec?.completionMode === 'Indexed';
export const completionsOf = (job: Job): number => job.spec?.completions ?? 0;

/** The index a Pod works on; undefined when it has none or it is out of range. */
export function indexOf(job: Job, pod: Pod): number | undefined {
  const text = pod.metadata?.annotations?.[INDEX];
  if (text === undefined || !/^\d+$/.test(text)) return undefined;
  const index = Number(text);
  return index < completionsOf(job) ? index : undefined;
}

/** "1,3-5,7" → its numbers below `limit`. */
export function parseIndexes(text: string | undefined, limit: number): Set<number> {
  const out = new Set<number>();
  for (const part of (text ?? '').split(',')) {
    if (part === '') continue;
    const [first, last] = part.split('-').map(Number);
    for (let index = first ?? 0; index <= (last ?? first ?? 0) && index < limit; index++) out.add(index);
  }
  return out;
}

/** Numbers → "1,3-5,7". */
export function formatIndexes(indexes: ReadonlySet<number>): string {
  const sorted = [...indexes].sort((a, b) => a - b);
  const parts: string[] = [];
  for (let i = 0; i < sorted.length; ) {
    let end = i;
    while (end + 1 < sorted.length && sorted[end + 1] === (sorted[end] ?? 0) + 1) end++;
    const first = sorted[i];
    const last = sorted[end];
    if (end === i) parts.push(`${first}`);
    else parts.push(end === i + 1 ? `${first},${last}` : `${first}-${last}`);
    i = end + 1;
  }
  return parts.join(',');
}
