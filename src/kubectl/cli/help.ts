import { type Command, commandTree, globalFlags } from './command.ts';
import { parseDefinitions } from './flags.ts';

/** One line for each command: our own words, in zh-TW. */
const SAYS: Record<string, string> = {
  create: '從檔案或標準輸入建立物件，或用子指令直接建立',
  expose: '替工作負載建立 Service',
  run: '在叢集裡執行一個 Pod',
  set: '修改物件的某一部分',
  'set env': '修改 Pod 樣板的環境變數',
  'set image': '換映像檔',
  'set resources': '修改資源的要求與上限',
  'set selector': '修改 Service 的 selector',
  'set serviceaccount': '換 ServiceAccount',
  'set subject': '在 RoleBinding 加入使用者、群組或 ServiceAccount',
  explain: '查欄位的說明：kubectl explain sts.spec',
  get: '列出一個或多個物件',
  edit: '用編輯器修改伺服器上的物件',
  delete: '刪除物件',
  rollout: '管理更新',
  'rollout history': '列出更新的版本',
  'rollout pause': '暫停更新',
  'rollout restart': '把 Pod 全部重新建立一輪',
  'rollout resume': '繼續暫停的更新',
  'rollout status': '等更新做完，邊等邊報告',
  'rollout undo': '回到前一個版本',
  scale: '修改副本數',
  autoscale: '建立 HorizontalPodAutoscaler',
  certificate: '核准或拒絕憑證申請',
  'cluster-info': '顯示控制平面與服務的位址',
  top: '顯示資源用量（需要 metrics-server）',
  cordon: '不再把新的 Pod 排到這個節點',
  uncordon: '恢復節點的排程',
  drain: '把節點上的 Pod 移走，準備維護',
  taint: '在節點上加或移除污點（taint）',
  describe: '顯示物件的細節與事件',
  logs: '顯示容器的輸出',
  attach: '接上執行中的容器',
  exec: '在容器裡執行指令',
  'port-forward': '把本機的連接埠接到 Pod',
  proxy: '在本機開一個通往 API server 的代理',
  cp: '在本機和容器之間複製檔案',
  auth: '查看權限',
  'auth can-i': '問自己能不能做某件事',
  'auth whoami': '顯示自己的身分',
  'auth reconcile': '套用 RBAC 規則',
  debug: '建立除錯用的容器',
  events: '列出事件',
  diff: '比較檔案和伺服器上的物件',
  apply: '把檔案的內容套用到叢集',
  patch: '修改物件的幾個欄位',
  replace: '用檔案整個取代物件',
  wait: '等物件達到某個狀態',
  kustomize: '把 kustomization 資料夾組成 YAML',
  label: '修改標籤',
  annotate: '修改註記（annotation）',
  completion: '印出 shell 的補全程式',
  'api-resources': '列出伺服器支援的資源類型',
  'api-versions': '列出伺服器支援的 API 版本',
  config: '修改 kubeconfig',
  plugin: '管理外掛',
  version: '顯示 kubectl 和伺服器的版本',
  options: '列出所有指令都能用的旗標',
};

const EXAMPLES: Record<string, string[]> = {
  get: ['kubectl get pods -o wide', 'kubectl get sts,pvc', 'kubectl get pods -w', "kubectl get sts web -o jsonpath='{.status.readyReplicas}'"],
  apply: ['kubectl apply -f statefulset.yaml', 'cat pod.yaml | kubectl apply -f -'],
  delete: ['kubectl delete pod web-1', 'kubectl delete sts web --cascade=orphan', 'kubectl delete -f statefulset.yaml'],
  describe: ['kubectl describe pod web-0', 'kubectl describe pvc'],
  scale: ['kubectl scale sts web --replicas=5'],
  exec: ['kubectl exec web-0 -- hostname -f', 'kubectl exec -it web-0 -- sh'],
  logs: ['kubectl logs web-0', 'kubectl logs -f -l app=nginx --prefix'],
  run: ['kubectl run busybox --image=busybox --command -- /bin/sh -c "while true; do sleep 3600; done;"'],
  'rollout status': ['kubectl rollout status sts/web'],
  'rollout undo': ['kubectl rollout undo sts/web', 'kubectl rollout undo deploy/nginx --to-revision=2'],
  'set image': ['kubectl set image sts/web nginx=nginx:1.27'],
  patch: [`kubectl patch sts web -p '{"spec":{"updateStrategy":{"rollingUpdate":{"partition":2}}}}'`],
  explain: ['kubectl explain sts.spec.updateStrategy', 'kubectl explain pod.spec --recursive'],
  wait: ['kubectl wait --for=condition=Ready pod/web-0 --timeout=60s', 'kubectl wait --for=delete pod/web-0'],
  label: ['kubectl label pod web-0 role=primary', 'kubectl label pod web-0 role-'],
  drain: ['kubectl drain k3d-demo-agent-0 --ignore-daemonsets'],
};

/** The help of a command path; words that name no command are ignored from there on. */
export function helpText(words: readonly string[]): string {
  let command = commandTree();
  for (const word of words) {
    const next = command.children.find((child) => child.name === word || child.aliases.includes(word));
    if (!next) break;
    command = next;
  }
  if (command.path === 'options') return `所有指令都能用的旗標：\n\n${flagLines(globalFlags())}`;
  return command.children.length > 0 ? groupHelp(command) : commandHelp(command);
}

function groupHelp(command: Command): string {
  const title = command.path === '' ? 'kubectl 操作 Kubernetes 叢集。' : `${SAYS[command.path] ?? command.path}。`;
  const children = command.children.filter((child) => child.name !== 'alpha').sort((a, b) => (a.name < b.name ? -1 : 1));
  const width = Math.max(...children.map((child) => child.name.length)) + 2;
  const list = children.map((child) => `  ${child.name.padEnd(width)}${SAYS[child.path] ?? ''}`.trimEnd()).join('\n');
  const prefix = command.path === '' ? 'kubectl' : `kubectl ${command.path}`;
  return `${title}\n\n可用的指令：\n${list}\n\n用法：\n  ${command.path === '' ? 'kubectl [flags] [options]' : command.usage}\n\n用「${prefix} <指令> --help」看某個指令的說明。\n`;
}

function commandHelp(command: Command): string {
  const says = SAYS[command.path] ?? `kubectl ${command.path}`;
  const examples = EXAMPLES[command.path] ?? [];
  const flags = flagLines(parseDefinitions(command.flagSpec));
  const parts = [`${says}。`];
  if (command.aliases.length > 0) parts.push(`別名：\n  ${[command.name, ...command.aliases].join(', ')}`);
  if (examples.length > 0) parts.push(`例子：\n${examples.map((example) => `  ${example}`).join('\n')}`);
  if (flags !== '') parts.push(`旗標：\n${flags.trimEnd()}`);
  parts.push(`用法：\n  ${command.usage}`, '用「kubectl options」列出所有指令都能用的旗標。');
  return `${parts.join('\n\n')}\n`;
}

function flagLines(definitions: ReturnType<typeof parseDefinitions>): string {
  return definitions
    .filter((flag) => flag.name !== 'help')
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .map((flag) => {
      const value = flag.withoutValue !== undefined ? flag.defaultText || 'false' : flag.defaultText === '' ? "''" : flag.defaultText;
      return `    ${flag.shorthand ? `-${flag.shorthand}, ` : '    '}--${flag.name}=${value}\n`;
    })
    .join('');
}
