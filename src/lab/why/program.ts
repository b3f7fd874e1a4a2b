import type { Cluster } from '../../sim/cluster.ts';
import type { Program } from '../../unix/types.ts';
import { resourceByName } from '../checks.ts';
import { explain } from './index.ts';
import type { Explanation, ExplanationLink } from './types.ts';

const USAGE = `why 說明叢集裡的事為什麼發生，或為什麼還沒發生。

  why <類型>/<名稱> [-n 命名空間]     例：why pod/web-1、why pvc data-web-0
  why dns <名稱> [-n 命名空間]        例：why dns web-0.nginx
`;

const VERBS = { created: '建立', changed: '更動', deleted: '移除' } as const;

/** `why`: the page's 「為什麼？」 for readers at the prompt. */
export function createWhy(cluster: Pick<Cluster, 'client' | 'writes'>): Program {
  return async (process) => {
    const words = process.argv.slice(1);
    let namespace = 'default';
    const flag = words.findIndex((word) => word === '-n' || word === '--namespace');
    if (flag >= 0) namespace = words.splice(flag, 2)[1] ?? 'default';
    if (words.length === 0 || words.includes('-h') || words.includes('--help')) {
      await process.out(USAGE);
      return 0;
    }
    if (words[0] === 'dns' && words[1] !== undefined) {
      await process.out(explanationText(explain(cluster, { dns: words[1], namespace })));
      return 0;
    }
    const [type = '', name = words[1]] = (words[0] ?? '').split('/');
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
    await process.out(explanationText(explain(cluster, { resource: resource.id, namespace: resource.namespaced ? namespace : '', name })));
    return 0;
  };
}

/** An explanation as lines for a terminal. */
export function explanationText({ subject, chain, obstacles }: Explanation): string {
  const lines = [`${subject}`];
  for (const { text, evidence, doc } of obstacles) {
    lines.push(`  ! ${text}`, `    ${evidence}`);
    if (doc !== undefined) lines.push(`    ${doc}`);
  }
  if (chain.length > 0) lines.push('經過（由近到遠）：');
  for (const link of chain) {
    lines.push(`  ${clock(link.atMs)}  ${link.actor} ${VERBS[link.verb]} ${shortName(link)}`);
    lines.push(`      ${link.command === undefined ? link.text : `$ ${link.command}`}`);
  }
  if (chain.length === 0 && obstacles.length === 0) lines.push('  沒有留下紀錄。');
  return `${lines.join('\n')}\n`;
}

function shortName({ object }: ExplanationLink): string {
  return `${object.resource.split('/').at(-1) ?? ''}/${object.name}`;
}

function clock(ms: number): string {
  return new Date(ms).toISOString().slice(11, 19);
}
