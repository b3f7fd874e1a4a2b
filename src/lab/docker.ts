import { fnv32a } from '../kernel/index.ts';
import type { NodeControl } from '../sim/cluster.ts';
import type { Process, Program } from '../unix/types.ts';

const NETWORK = 'k3d-demo';
const USAGE = `docker 從外面對節點動手：k3d 的每個節點是一個容器。這裡只有實驗用得到的部分。

  docker ps                                                     列出節點的容器
  docker stop|start|kill <節點>                                 關機、開機、拔電源
  docker network disconnect|connect ${NETWORK} <節點>            拔掉、插回節點的網路線
  docker exec <節點> tc qdisc add dev eth0 root netem rate 2mbit  讓節點下載映像檔變慢
  docker exec <節點> tc qdisc del dev eth0 root                  恢復
  docker exec <節點> crictl stop --timeout 0 <容器 ID>             直接殺掉一個容器（SIGKILL）
  docker exec <節點> fallocate -l 50G /var/fill                  塞滿節點的磁碟
  docker exec <節點> rm /var/fill                                清掉
`;

/** A sentence of the daemon's, for standard error. */
class Refused extends Error {}

/**
 * The part of `docker` that k3d's readers use on their nodes: network cable, power, slow links, full disks. The commands
 * are those that do it on a real k3d cluster.
 */
export function createDocker(nodes: NodeControl): Program {
  const files = new Map<string, Map<string, number>>();
  return async (process) => {
    const words = process.argv.slice(1);
    try {
      await run(process, nodes, files, words);
      return 0;
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      await process.err(`${error.message}\n`);
      return 1;
    }
  };
}

async function run(process: Process, nodes: NodeControl, files: Map<string, Map<string, number>>, words: readonly string[]): Promise<void> {
  const [verb, ...rest] = words;
  const known = (name = ''): string => {
    if (!nodes.names().includes(name)) throw new Refused(`Error response from daemon: No such container: ${name}`);
    return name;
  };
  switch (verb) {
    case undefined:
    case 'help':
    case '--help':
      return process.out(USAGE);
    case 'ps':
      return process.out(list(nodes, rest.includes('-a')));
    case 'stop':
    case 'start':
    case 'kill':
      for (const name of rest.filter((word) => !word.startsWith('-'))) {
        known(name);
        await process.sleep(verb === 'stop' ? 400 : 100);
        if (verb === 'start') nodes.powerOn(name);
        else nodes.powerOff(name);
        await process.out(`${name}\n`);
      }
      return;
    case 'network': {
      const [action, network, name] = rest.filter((word) => !word.startsWith('-'));
      if (action !== 'connect' && action !== 'disconnect') break;
      if (network !== NETWORK) throw new Refused(`Error response from daemon: network ${network ?? ''} not found`);
      nodes.partition(known(name), action === 'disconnect');
      return;
    }
    case 'exec': {
      const [name, ...command] = rest.filter((word, index) => index > 0 || !/^-[it]+$/.test(word));
      if (!nodes.isRunning(known(name))) throw new Refused(`Error response from daemon: container ${idOf(name ?? '')} is not running`);
      const own = files.get(name ?? '') ?? new Map<string, number>();
      files.set(name ?? '', own);
      return inside(process, nodes, name ?? '', own, command);
    }
  }
  throw new Refused(`error: "docker ${words.join(' ')}" is not simulated yet\n\n${USAGE}`);
}

/** A command on the node's own machine. */
async function inside(process: Process, nodes: NodeControl, node: string, files: Map<string, number>, words: readonly string[]): Promise<void> {
  const line = words.join(' ');
  const rate = /^tc qdisc (?:add|replace|change) dev eth0 root netem(?: delay \S+)? rate (\d+)([kmg]?)bit$/i.exec(line);
  if (rate) return nodes.limitRate(node, Number(rate[1]) * ({ '': 1, k: 1e3, m: 1e6, g: 1e9 }[rate[2]?.toLowerCase() ?? ''] ?? 1));
  if (/^tc qdisc del dev eth0 root( netem)?$/.test(line)) return nodes.limitRate(node, undefined);
  const stopped = /^crictl stop (?:--timeout|-t)[ =]0 ([0-9a-f]{4,64})$/.exec(line)?.[1];
  if (stopped !== undefined) {
    if (!nodes.killContainer(node, stopped))
      throw new Refused(`FATA[0000] stopping container: rpc error: code = NotFound desc = container "${stopped}": not found`);
    return process.out(`${stopped}\n`);
  }
  const fill = /^fallocate -l (\d+)([KMGT]?)(?:i?B)? (\/\S+)$/.exec(line);
  const removed = /^rm (?:-r?f )?(\/\S+)$/.exec(line);
  if (fill) files.set(fill[3] ?? '', Number(fill[1]) * 1024 ** ['', 'K', 'M', 'G', 'T'].indexOf(fill[2] ?? ''));
  else if (removed) {
    if (!files.delete(removed[1] ?? '') && !line.includes('-f')) throw new Refused(`rm: can't remove '${removed[1]}': No such file or directory`);
  } else throw new Refused(`error: "docker exec ${node} ${line}" is not simulated yet\n\n${USAGE}`);
  await nodes.fillDisk(
    node,
    [...files.values()].reduce((sum, bytes) => sum + bytes, 0),
  );
}

const idOf = (name: string): string => `${fnv32a(name).toString(16)}${fnv32a(`${name}.`).toString(16)}`.padEnd(12, '0').slice(0, 12);

function list(nodes: NodeControl, all: boolean): string {
  const rows = nodes
    .names()
    .filter((name) => all || nodes.isRunning(name))
    .map((name) => [
      idOf(name),
      'rancher/k3s:v1.36.3-k3s1',
      name.includes('server') ? '"/bin/k3s server --t…"' : '"/bin/k3s agent"',
      nodes.isRunning(name) ? 'Up' : 'Exited (137)',
      name,
    ]);
  const table = [['CONTAINER ID', 'IMAGE', 'COMMAND', 'STATUS', 'NAMES'], ...rows];
  const widths = table[0]?.map((_, column) => Math.max(...table.map((row) => row[column]?.length ?? 0))) ?? [];
  return `${table
    .map((row) =>
      row
        .map((cell, i) => cell.padEnd(widths[i] ?? 0))
        .join('   ')
        .trimEnd(),
    )
    .join('\n')}\n`;
}
