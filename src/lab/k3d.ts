import type { Client } from '../sim/client/types.ts';
import type { NodeControl } from '../sim/cluster.ts';
import type { Node } from '../sim/kinds/types.ts';
import type { Program } from '../unix/types.ts';

const USAGE = `k3d 管理叢集裡的節點（每個節點是一個容器）。

  k3d node list              列出節點
  k3d node stop <節點>       讓節點斷電，上面的 Pod 一起停
  k3d node start <節點>      讓節點恢復供電
`;

/**
 * The part of `k3d` that labs use: what happens to machines is done from outside the Kubernetes API, with the command
 * that does it on a real k3d cluster too.
 */
export function createK3d(nodes: NodeControl, client: Client): Program {
  return async (process) => {
    const [noun, verb, ...names] = process.argv.slice(1);
    if (noun === undefined || noun === '--help' || noun === '-h' || noun === 'help') {
      await process.out(USAGE);
      return 0;
    }
    if (noun !== 'node' || !['list', 'ls', 'stop', 'start'].includes(verb ?? '')) {
      await process.err(`error: "k3d ${process.argv.slice(1).join(' ')}" is not simulated yet\n\n${USAGE}`);
      return 1;
    }
    if (verb === 'list' || verb === 'ls') {
      const rows = client
        .resource<Node>('v1/nodes')
        .list()
        .map((node) => {
          const role = node.metadata?.labels?.['node-role.kubernetes.io/control-plane'] === undefined ? 'agent' : 'server';
          return [node.metadata?.name ?? '', role, 'demo', nodes.isRunning(node.metadata?.name ?? '') ? 'running' : 'exited'];
        });
      const table = [['NAME', 'ROLE', 'CLUSTER', 'STATUS'], ...rows];
      const widths = table[0]?.map((_, column) => Math.max(...table.map((row) => row[column]?.length ?? 0))) ?? [];
      await process.out(
        `${table
          .map((row) =>
            row
              .map((cell, i) => cell.padEnd(widths[i] ?? 0))
              .join('   ')
              .trimEnd(),
          )
          .join('\n')}\n`,
      );
      return 0;
    }
    if (names.length === 0) {
      await process.err(`FATA[0000] requires at least 1 arg(s), only received 0\n`);
      return 1;
    }
    for (const name of names) {
      if (!nodes.names().includes(name)) {
        await process.err(`FATA[0000] no nodes found that match name: ${name}\n`);
        return 1;
      }
      // Docker gives the node's processes up to ten seconds; k3s ends at once.
      await process.sleep(400);
      if (verb === 'stop') nodes.powerOff(name);
      else {
        await process.out(`INFO[0000] Starting Node '${name}'\n`);
        nodes.powerOn(name);
      }
    }
    return 0;
  };
}
