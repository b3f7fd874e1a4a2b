import type { Pod, Probe } from '../sim/kinds/types.ts';
import type { ClusterView } from './protocol.ts';

/** One way to break the cluster: what it is called, what it does, the command that does it and the one that undoes it. */
export interface Failure {
  id: string;
  title: string;
  /** What happens, in one sentence. */
  says: string;
  command: string;
  undo?: string;
}

/** What a failure is done to: a Pod with the object itself, or a node. */
export interface FailureTarget {
  pod?: Pod;
  node?: string;
}

const OWNER_WORDS: Readonly<Record<string, string>> = { StatefulSet: 'sts', DaemonSet: 'ds', Deployment: 'deploy' };
/** Puts a pause before the folder of a new volume is made. */
const SLOW = `kubectl -n kube-system get cm local-path-config -o yaml | sed 's/^\\( *\\)mkdir /\\1sleep 40; mkdir /' | kubectl replace -f -`;
const QUICK = `kubectl -n kube-system get cm local-path-config -o yaml | sed 's/sleep 40; mkdir /mkdir /' | kubectl replace -f -`;

/** The failures that make sense for a target, as commands for the reader's terminal. */
export function failuresFor(view: ClusterView, target: FailureTarget): Failure[] {
  const found: Failure[] = [];
  if (target.pod) found.push(...podFailures(view, target.pod));
  const node = target.node ?? target.pod?.spec?.nodeName;
  if (node !== undefined) found.push(...nodeFailures(node));
  return [...found, ...clusterFailures()];
}

function podFailures(view: ClusterView, pod: Pod): Failure[] {
  const name = pod.metadata?.name ?? '';
  const namespace = pod.metadata?.namespace ?? 'default';
  const inNamespace = namespace === 'default' ? '' : ` -n ${namespace}`;
  const container = pod.spec?.containers?.[0];
  const owner = workloadOf(view, pod);
  const exec = `kubectl exec${inNamespace} ${name}${(pod.spec?.containers?.length ?? 0) > 1 ? ` -c ${container?.name}` : ''} --`;
  const found: Failure[] = [];
  const readiness = readinessFailure(exec, container?.readinessProbe);
  if (readiness)
    found.push({ id: 'readiness', title: `讓 ${name} 不再就緒`, says: '容器還在跑，可是 readinessProbe 會失敗：它從 Service 和 DNS 裡消失。', ...readiness });
  else if (owner)
    found.push({
      id: 'readiness',
      title: `讓 ${owner.word}/${owner.name} 的新版本永遠不就緒`,
      says: '加上一個永遠失敗的 readinessProbe，更新會卡在第一個換掉的 Pod。',
      command: `kubectl patch${inNamespace} ${owner.word} ${owner.name} -p '${JSON.stringify({ spec: { template: { spec: { containers: [{ name: container?.name, readinessProbe: { exec: { command: ['false'] }, periodSeconds: 2 } }] } } } })}'`,
      undo: `kubectl rollout undo${inNamespace} ${owner.word}/${owner.name}`,
    });
  if (owner)
    found.push({
      id: 'image',
      title: `把 ${owner.word}/${owner.name} 換成拉不到的映像檔`,
      says: '映像檔的標籤打錯：ErrImagePull，然後 ImagePullBackOff。',
      command: `kubectl set image${inNamespace} ${owner.word}/${owner.name} ${container?.name}=${(container?.image ?? '').replace(/[:@][^/]*$/, '')}:no-such-tag`,
      undo: `kubectl rollout undo${inNamespace} ${owner.word}/${owner.name}`,
    });
  const running = pod.status?.containerStatuses?.find((one) => one.state?.running !== undefined)?.containerID?.replace(/^.*:\/\//, '');
  if (running !== undefined)
    found.push({
      id: 'kill',
      title: `殺掉 ${name} 的容器`,
      says: '主程式收到 SIGKILL，kubelet 在同一個 Pod 裡重新啟動它（RESTARTS 加一），越常發生等越久。',
      command: `docker exec ${pod.spec?.nodeName} crictl stop --timeout 0 ${running.slice(0, 13)}`,
    });
  const limited = container?.resources?.limits?.memory !== undefined;
  if (limited)
    found.push({
      id: 'memory',
      title: `讓 ${name} 用光記憶體`,
      says: '超過 limits.memory，核心殺掉容器：OOMKilled。',
      command: `${exec} sh -c 'tail /dev/zero'`,
    });
  else if (owner)
    found.push({
      id: 'memory',
      title: `給 ${owner.word}/${owner.name} 的記憶體設上限`,
      says: '沒有上限就不會 OOMKilled：先設上限，等它更新完，再來用光記憶體。',
      command: `kubectl set resources${inNamespace} ${owner.word}/${owner.name} --limits=memory=64Mi`,
      undo: `kubectl rollout undo${inNamespace} ${owner.word}/${owner.name}`,
    });
  return found;
}

/** The workload that a Pod's template comes from: a Deployment stands behind its ReplicaSet. */
function workloadOf(view: ClusterView, pod: Pod): { word: string; name: string } | undefined {
  const reference = pod.metadata?.ownerReferences?.find((one) => one.controller);
  if (!reference) return undefined;
  if (reference.kind === 'ReplicaSet') {
    const set = view.workloads.find((one) => one.kind === 'ReplicaSet' && one.name === reference.name && one.namespace === pod.metadata?.namespace);
    return set?.owner === undefined ? undefined : { word: 'deploy', name: set.owner };
  }
  const word = OWNER_WORDS[reference.kind ?? ''];
  return word === undefined ? undefined : { word, name: reference.name ?? '' };
}

/** A probe that looks at a file fails once the file is gone; nginx serves one at "/". */
function readinessFailure(exec: string, probe: Probe | undefined): { command: string; undo: string } | undefined {
  const file =
    /^(?:cat|ls|test -[ef]|\[ -[ef])\s+(\/\S+)/.exec((probe?.exec?.command ?? []).join(' '))?.[1] ??
    (probe?.httpGet ? '/usr/share/nginx/html/index.html' : undefined);
  if (file === undefined) return undefined;
  return { command: `${exec} mv ${file} ${file}.away`, undo: `${exec} mv ${file}.away ${file}` };
}

function nodeFailures(node: string): Failure[] {
  return [
    {
      id: 'stop',
      title: `讓 ${node} 斷電`,
      says: '上面的 Pod 一起停；叢集要等 50 秒才知道，再等 300 秒才驅逐。',
      command: `k3d node stop ${node}`,
      undo: `k3d node start ${node}`,
    },
    {
      id: 'partition',
      title: `拔掉 ${node} 的網路線`,
      says: '機器和 Pod 都還活著，只是誰也連不到誰：叢集看起來跟斷電一樣。',
      command: `docker network disconnect k3d-demo ${node}`,
      undo: `docker network connect k3d-demo ${node}`,
    },
    {
      id: 'slow-pull',
      title: `讓 ${node} 下載映像檔變慢`,
      says: '節點還沒有的映像檔要拉很久，Pod 停在 ContainerCreating。',
      command: `docker exec ${node} tc qdisc add dev eth0 root netem rate 500kbit`,
      undo: `docker exec ${node} tc qdisc del dev eth0 root`,
    },
    {
      id: 'disk',
      title: `塞滿 ${node} 的磁碟`,
      says: '節點得到 DiskPressure：kubelet 一個一個驅逐 Pod，也不收新的。',
      command: `docker exec ${node} fallocate -l 50G /var/fill`,
      undo: `docker exec ${node} rm /var/fill`,
    },
  ];
}

function clusterFailures(): Failure[] {
  return [
    {
      id: 'coredns',
      title: '關掉 CoreDNS',
      says: '叢集裡什麼名字都查不到；用 IP 還是連得上。',
      command: 'kubectl -n kube-system scale deployment coredns --replicas=0',
      undo: 'kubectl -n kube-system scale deployment coredns --replicas=1',
    },
    { id: 'provisioner', title: '讓 Volume 準備得很慢', says: '新的 PVC 要多等 40 秒才綁定，用它的 Pod 一直 Pending。', command: SLOW, undo: QUICK },
  ];
}
