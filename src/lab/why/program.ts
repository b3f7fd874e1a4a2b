import type { Cluster } from '../../sim/cluster.ts';
import type { Process, Program } from '../../unix/types.ts';
import { resourceByName } from '../checks.ts';
import { explain } from './index.ts';
import { type TraceQuestion, trace } from './trace.ts';
import type { Explanation, ExplanationLink, Trace } from './types.ts';

const USAGE = `why 說明叢集裡的事為什麼發生，或為什麼還沒發生。

  why                                剛才的 kubectl 指令為什麼失敗
  why <類型>/<名稱> [-n 命名空間]    例：why pod/web-1、why pvc data-web-0
  why <類型>/<名稱> .<欄位>          例：why sts/web .spec.replicas
  why dns <名稱> [-n 命名空間]       例：why dns web-0.nginx
  why dns <名稱> --from <Pod>        從那個 Pod 真的查一次，一步一步列出來
  why request <Pod> <網址>           例：why request client http://web/、why request client db:3306
`;

const VERBS = { created: '建立', changed: '更動', deleted: '移除', asked: '要求' } as const;

type Asked = Pick<Cluster, 'client' | 'writes' | 'transport' | 'kernel' | 'podStack' | 'watchDraws'>;

/** `why`: the page's 「為什麼？」 for readers at the prompt. */
export function createWhy(cluster: Asked): Program {
  return async (process) => {
    const words = process.argv.slice(1);
    const option = (...names: string[]): string | undefined => {
      const at = words.findIndex((word) => names.includes(word) || names.some((name) => name.startsWith('--') && word.startsWith(`${name}=`)));
      if (at < 0) return undefined;
      const inline = /^--\w+=(.*)$/.exec(words[at] ?? '')?.[1];
      return words.splice(at, inline === undefined ? 2 : 1)[1] ?? inline ?? '';
    };
    const namespace = option('-n', '--namespace') ?? 'default';
    const from = option('--from')?.replace(/^pods?\//, '');
    if (words.includes('-h') || words.includes('--help')) return say(process, USAGE);
    if (words.length === 0) {
      const found = explain(cluster, 'last');
      return say(process, found ? explanationText(found) : USAGE);
    }
    if (words[0] === 'dns' && words[1] !== undefined) {
      if (from === undefined) return say(process, explanationText(explain(cluster, { dns: words[1], namespace })));
      return traced(process, cluster, { what: 'dns', namespace, pod: from, target: words[1] });
    }
    if (words[0] === 'request' && words[2] !== undefined) {
      return traced(process, cluster, { what: 'request', namespace, pod: (words[1] ?? '').replace(/^pods?\//, ''), target: words[2] });
    }
    return object(process, cluster, words, namespace);
  };
}

async function say(process: Process, text: string): Promise<number> {
  await process.out(text);
  return 0;
}

async function traced(process: Process, cluster: Asked, question: TraceQuestion): Promise<number> {
  const found = await process.guard(trace(cluster, question));
  await process.out(traceText(found));
  return found.reached ? 0 : 1;
}

async function object(process: Process, cluster: Asked, words: readonly string[], namespace: string): Promise<number> {
  const [type = '', inline] = (words[0] ?? '').split('/');
  const [name, field] = inline === undefined ? [words[1], words[2]] : [inline, words[1]];
  if (name === undefined) {
    await process.err(USAGE);
    return 1;
  }
  let resource: ReturnType<typeof resourceByName>;
  try {
    resource = resourceByName(type);
  } catch {
    await process.err(`error: the server doesn't have a resource type "${type}"\n`);
    return 1;
  }
  const question = { resource: resource.id, namespace: resource.namespaced ? namespace : '', name, ...(field === undefined ? {} : { field }) };
  return say(process, explanationText(explain(cluster, question)));
}

/** An explanation as lines for a terminal. */
export function explanationText({ subject, chain, obstacles }: Explanation): string {
  const lines = [`${subject}`];
  for (const { text, evidence, doc } of obstacles) {
    lines.push(`  ! ${text}`, ...evidence.split('\n').map((line) => `    ${line}`));
    if (doc !== undefined) lines.push(`    ${doc}`);
  }
  if (chain.length > 0) lines.push('經過（由近到遠）：');
  for (const link of chain) {
    lines.push(`  ${clock(link.atMs)}  ${link.actor} ${VERBS[link.verb]} ${shortName(link)}`.trimEnd());
    if (link.verb === 'asked' || link.command === undefined) lines.push(`      ${link.text}`);
    if (link.command !== undefined) lines.push(`      $ ${link.command}`);
  }
  if (chain.length === 0 && obstacles.length === 0) lines.push('  沒有留下紀錄。');
  return `${lines.join('\n')}\n`;
}

/** A trace as numbered lines for a terminal. */
export function traceText({ subject, from, reached, steps }: Trace): string {
  const lines = [`${from} → ${subject}`];
  for (const [index, { ok, text, evidence, doc }] of steps.entries()) {
    lines.push(`${`${index + 1}`.padStart(3)} ${ok ? '✓' : '✗'} ${text}`, ...evidence.split('; ').map((line) => `      ${line}`));
    if (!ok && doc !== undefined) lines.push(`      ${doc}`);
  }
  lines.push(reached ? '到了。' : '到不了。');
  return `${lines.join('\n')}\n`;
}

function shortName({ object: { resource, name } }: ExplanationLink): string {
  return resource === '' ? '' : `${resource.split('/').at(-1) ?? ''}${name === '' ? '' : `/${name}`}`;
}

function clock(ms: number): string {
  return new Date(ms).toISOString().slice(11, 19);
}
