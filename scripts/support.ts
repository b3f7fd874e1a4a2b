import { globSync, readFileSync, writeFileSync } from 'node:fs';
import { applets } from '../src/applets/index.ts';
import { nodeClock } from '../src/hosts/node/clock.ts';
import { Kernel } from '../src/kernel/index.ts';
import { COMMAND_ROWS } from '../src/kubectl/cli/flag-table.ts';
import { commandRun } from '../src/kubectl/commands/index.ts';
import { notSimulated } from '../src/kubectl/commands/not-simulated.ts';
import type { Session } from '../src/kubectl/session.ts';
import { builtins } from '../src/shell/builtins/index.ts';
import { createApiServer } from '../src/sim/apiserver/index.ts';
import { loadSchema, schemaTypes } from '../src/sim/apiserver/schema.ts';
import { clusterImages } from '../src/sim/images/index.ts';
import { admissionPlugins, strategies } from '../src/sim/kinds/index.ts';
import { validation } from '../src/sim/kinds/validation.ts';

/**
 * Writes content/reference/support.mdx: which resources, fields, commands and images are simulated, read from the code.
 * `--check` writes nothing and exits 1 when the file is not what would be written.
 */
const PAGE = 'content/reference/support.mdx';

/** What works on a resource besides the API server, by the folder that does it. A new folder must be named here or in GENERAL. */
const ACTORS: Record<string, { resources: string[]; name: string }> = {
  'controllers/statefulset': { resources: ['apps/v1/statefulsets', 'apps/v1/controllerrevisions'], name: 'StatefulSet 控制器' },
  'controllers/deployment': { resources: ['apps/v1/deployments'], name: 'Deployment 控制器' },
  'controllers/replicaset': { resources: ['apps/v1/replicasets', 'v1/replicationcontrollers'], name: 'ReplicaSet 控制器' },
  'controllers/daemonset': { resources: ['apps/v1/daemonsets', 'apps/v1/controllerrevisions'], name: 'DaemonSet 控制器' },
  'controllers/job': { resources: ['batch/v1/jobs'], name: 'Job 控制器' },
  'controllers/cronjob': { resources: ['batch/v1/cronjobs'], name: 'CronJob 控制器' },
  'controllers/ttl-after-finished': { resources: ['batch/v1/jobs'], name: 'TTL 控制器' },
  'controllers/horizontal-autoscaler': { resources: ['autoscaling/v2/horizontalpodautoscalers'], name: 'HPA 控制器' },
  'controllers/disruption': { resources: ['policy/v1/poddisruptionbudgets'], name: '中斷預算控制器' },
  'controllers/endpoints': { resources: ['v1/endpoints'], name: 'Endpoints 控制器' },
  'controllers/endpointslice': { resources: ['discovery.k8s.io/v1/endpointslices'], name: 'EndpointSlice 控制器' },
  'controllers/endpointslice-mirroring': { resources: ['v1/endpoints', 'discovery.k8s.io/v1/endpointslices'], name: 'EndpointSlice 鏡射控制器' },
  'controllers/persistentvolume': { resources: ['v1/persistentvolumes', 'v1/persistentvolumeclaims', 'storage.k8s.io/v1/storageclasses'], name: 'PV 控制器' },
  'controllers/ephemeral-volume': { resources: ['v1/persistentvolumeclaims'], name: '臨時 Volume 控制器' },
  'controllers/volume-protection': { resources: ['v1/persistentvolumes', 'v1/persistentvolumeclaims'], name: 'PV／PVC 保護' },
  'controllers/namespace': { resources: ['v1/namespaces'], name: 'Namespace 控制器' },
  'controllers/node-lifecycle': { resources: ['v1/nodes', 'coordination.k8s.io/v1/leases'], name: '節點生命週期控制器' },
  'controllers/taint-eviction': { resources: ['v1/pods'], name: '污點驅逐' },
  'controllers/pod-gc': { resources: ['v1/pods'], name: 'Pod 回收' },
  'controllers/resourcequota': { resources: ['v1/resourcequotas'], name: 'ResourceQuota 控制器' },
  'controllers/service-account': { resources: ['v1/serviceaccounts', 'v1/configmaps'], name: 'ServiceAccount 控制器' },
  kubelet: { resources: ['v1/pods', 'v1/nodes', 'coordination.k8s.io/v1/leases', 'v1/configmaps', 'v1/secrets'], name: 'kubelet' },
  scheduler: { resources: ['v1/pods', 'scheduling.k8s.io/v1/priorityclasses'], name: '排程器' },
  network: { resources: ['v1/services', 'discovery.k8s.io/v1/endpointslices', 'networking.k8s.io/v1/networkpolicies'], name: '網路' },
  dns: { resources: ['v1/services', 'discovery.k8s.io/v1/endpointslices'], name: 'CoreDNS' },
  'apiserver/crd': { resources: ['apiextensions.k8s.io/v1/customresourcedefinitions'], name: '自訂資源' },
  'apiserver/rbac': {
    resources: ['roles', 'clusterroles', 'rolebindings', 'clusterrolebindings'].map((name) => `rbac.authorization.k8s.io/v1/${name}`),
    name: '授權',
  },
};
/** Helpers, and controllers that work on every resource. */
const GENERAL = ['testing', 'garbage-collector', 'util', 'shared'];
/** Acted on by admission. */
const ADMISSION: Record<string, string> = {
  'v1/limitranges': 'LimitRanger',
  'v1/resourcequotas': 'ResourceQuota',
  'node.k8s.io/v1/runtimeclasses': 'RuntimeClass',
  'networking.k8s.io/v1/ingressclasses': 'DefaultIngressClass',
  'scheduling.k8s.io/v1/priorityclasses': 'Priority',
};

interface DiscoveredResource {
  name: string;
  kind: string;
  verbs: string[];
}

const discovery = JSON.parse(readFileSync('src/sim/kinds/facts/discovery.json', 'utf8')) as Record<
  string,
  { groupVersion?: string; resources?: DiscoveredResource[] }
>;
await loadSchema();
const schema = schemaTypes();
const code = (name: string): string => `\`${name}\``;
const list = (names: Iterable<string>): string => [...names].map(code).join('、');

function actors(): Map<string, Set<string>> {
  const folders = new Set(
    globSync('src/sim/controllers/*/').map((path) =>
      path
        .replaceAll('\\', '/')
        .replace(/^src\/sim\//, '')
        .replace(/\/$/, ''),
    ),
  );
  const out = new Map<string, Set<string>>();
  for (const folder of folders) {
    const name = folder.split('/').at(-1) ?? '';
    if (!ACTORS[folder] && !GENERAL.includes(name)) throw new Error(`src/sim/${folder}: say in scripts/support.ts which resources it works on`);
  }
  for (const [folder, { resources, name }] of Object.entries(ACTORS)) {
    if (globSync([`src/sim/${folder}/*.ts`, `src/sim/${folder}.ts`]).length === 0) continue;
    for (const resource of resources) out.set(resource, (out.get(resource) ?? new Set()).add(name));
  }
  for (const [resource, name] of Object.entries(ADMISSION)) out.set(resource, (out.get(resource) ?? new Set()).add(`准入：${name}`));
  return out;
}

function resourceTable(): string {
  const working = actors();
  const known = new Set(strategies.map(({ resource }) => resource));
  const rows = Object.values(discovery).flatMap(({ groupVersion = '', resources = [] }) =>
    resources
      .filter(({ name }) => !name.includes('/'))
      .map(({ name, kind, verbs }) => {
        const id = `${groupVersion}/${name}`;
        const who = [...(working.get(id) ?? [])];
        const checked = validation.get(id)?.validate !== undefined;
        const level = !verbs.includes('get') ? '即問即答' : who.length > 0 ? '會運作' : known.has(id) && checked ? '存取與檢查' : '存取';
        return { kind, groupVersion, level, checked, who };
      }),
  );
  const order = ['會運作', '存取與檢查', '存取', '即問即答'];
  rows.sort((a, b) => order.indexOf(a.level) - order.indexOf(b.level) || (a.kind < b.kind ? -1 : 1));
  return [
    '| 資源 | API | 程度 | 內容檢查 | 誰在處理 |',
    '| --- | --- | --- | --- | --- |',
    ...rows.map(
      ({ kind, groupVersion, level, checked, who }) =>
        `| ${code(kind)} | ${code(groupVersion)} | ${level} | ${checked ? '有' : '只看型別'} | ${who.join('、') || '（無）'} |`,
    ),
  ].join('\n');
}

/** Types whose fields make things happen. */
const FIELD_TYPES: [name: string, type: string][] = [
  ['Pod 的 spec', 'io.k8s.api.core.v1.PodSpec'],
  ['容器', 'io.k8s.api.core.v1.Container'],
  ['探測', 'io.k8s.api.core.v1.Probe'],
  ['容器的 securityContext', 'io.k8s.api.core.v1.SecurityContext'],
  ['Volume', 'io.k8s.api.core.v1.Volume'],
  ['StatefulSet 的 spec', 'io.k8s.api.apps.v1.StatefulSetSpec'],
  ['Deployment 的 spec', 'io.k8s.api.apps.v1.DeploymentSpec'],
  ['DaemonSet 的 spec', 'io.k8s.api.apps.v1.DaemonSetSpec'],
  ['Job 的 spec', 'io.k8s.api.batch.v1.JobSpec'],
  ['CronJob 的 spec', 'io.k8s.api.batch.v1.CronJobSpec'],
  ['Service 的 spec', 'io.k8s.api.core.v1.ServiceSpec'],
  ['PersistentVolumeClaim 的 spec', 'io.k8s.api.core.v1.PersistentVolumeClaimSpec'],
  ['PersistentVolume 的 spec', 'io.k8s.api.core.v1.PersistentVolumeSpec'],
  ['StorageClass', 'io.k8s.api.storage.v1.StorageClass'],
];
const NOT_FIELDS = new Set(['apiVersion', 'kind', 'metadata']);

/** Names that the machinery (not the checks or the tables) reads as properties; `indexed`: by a string too. */
function namesRead(indexed: boolean): Set<string> {
  const files = globSync([
    'src/sim/{kubelet,scheduler,controllers,network,dns}/**/*.ts',
    'src/sim/kinds/admission/*.ts',
    'src/sim/kinds/core/service.ts',
    'src/sim/kinds/pod/resources.ts',
  ]);
  const found = new Set<string>();
  for (const file of files.filter((name) => !name.endsWith('.test.ts') && !name.includes('testing'))) {
    const text = readFileSync(file, 'utf8').replace(/\/\*[\s\S]*?\*\/|\/\/.*/g, '');
    const withIndexed = /(?:\.|[{,]\s*|['"])([a-z]\w+)(?=\W)/g;
    const named = /(?:\.|[{,]\s*)([a-z]\w+)(?=\W)/g;
    for (const [, name] of text.matchAll(indexed ? withIndexed : named)) found.add(name as string);
  }
  return found;
}

function fieldTable(): string {
  const [everywhere, named] = [namesRead(true), namesRead(false)];
  const rows = FIELD_TYPES.map(([name, type]) => {
    // The kinds of volumes appear as words too (names of plug-ins), and are never looked up by them.
    const read = name.endsWith('olume') || type.endsWith('PersistentVolumeSpec') ? named : everywhere;
    const fields = Object.keys(schema[type]?.properties ?? {}).filter((field) => !NOT_FIELDS.has(field));
    const [used, kept] = [fields.filter((field) => read.has(field)), fields.filter((field) => !read.has(field))];
    return `| ${name} | ${list(used)} | ${list(kept) || '（無）'} |`;
  });
  return ['| 型別 | 有作用 | 只會保存與檢查 |', '| --- | --- | --- |', ...rows].join('\n');
}

async function commandTable(): Promise<string> {
  const session = { process: { kernel: { external: (work: Promise<unknown>) => work } } } as unknown as Session;
  const paths = Object.keys(COMMAND_ROWS);
  const groups = new Set(paths.filter((path) => paths.some((other) => other.startsWith(`${path} `))));
  const works: string[] = [];
  const missing: string[] = [];
  for (const path of paths) {
    const run = await commandRun(session, path).catch(() => undefined);
    if (run && run !== notSimulated) works.push(path);
    else if (run || !groups.has(path)) missing.push(path);
  }
  return `可以用的指令：${list(works.map((path) => `kubectl ${path}`))}。\n\n還沒有模擬的指令：${missing.length === 0 ? '無' : list(missing.map((path) => `kubectl ${path}`))}。用到的時候，它會直接說 ${code('is not simulated yet')}。\n\n指令裡還沒有模擬的部分：${list(partsMissing())}。`;
}

/** What kubectl's own sources say is not simulated, in their words. */
function partsMissing(): string[] {
  const parts = new Set<string>();
  for (const file of globSync('src/kubectl/{commands,kustomize}/*.ts')) {
    for (const [, part = ''] of readFileSync(file, 'utf8').matchAll(/['`](?:# )?([^'`]*?) is not simulated yet/g)) {
      if (!part.startsWith('${session')) parts.add(part.replace(/\$\{[^}]*\}/g, '…'));
    }
  }
  return [...parts].sort();
}

function imageTable(): string {
  const kernel = new Kernel({ seed: 'support', host: nodeClock });
  const { client } = createApiServer({ kernel, strategies, admission: admissionPlugins });
  const rows = clusterImages({ kernel, client }).map(
    ({ repository, tags, programs }) =>
      `| ${code(repository)} | ${tags.map((tag) => (tag === '*' ? '任何標籤' : code(tag))).join('、')} | ${Object.keys(programs).length} |`,
  );
  return ['| 映像檔 | 標籤 | 裡面的程式數 |', '| --- | --- | --- |', ...rows.sort()].join('\n');
}

const page = `---
title: 模擬範圍
description: 哪些資源、欄位、指令、映像檔有模擬，做到什麼程度。
sidebar:
  order: 45
---

{/* 這一頁由 scripts/support.ts 從程式碼產生，請不要直接修改。 */}

這一頁是從模擬器的程式碼整理出來的。沒有列在這裡的東西，叢集不會假裝有：拉不存在的映像檔會是 ${code('ErrImagePull')}，沒有模擬的指令會直接說明。

## 資源

- **會運作**：除了存取，還有控制器或其他元件會根據它做事。
- **存取與檢查**：可以建立、修改、刪除、監看；內容照 v1.36.3 的規則檢查，但沒有元件會理它。
- **存取**：可以建立、修改、刪除、監看；欄位名稱與型別會檢查。
- **即問即答**：只能建立，答案在回應裡，不會保存。

${resourceTable()}

准入外掛依序是：${list(admissionPlugins.map(({ name }) => name))}。

## 欄位

所有 v1.36.3 的欄位都能寫、都會照型別檢查。會改變叢集行為的是中間這一欄。

${fieldTable()}

## kubectl

${await commandTable()}

## 映像檔

${imageTable()}

## 容器裡的指令

BusyBox 的小程式：${list(Object.keys(applets).sort())}。

Shell（${code('sh')} 與 ${code('bash')}）自己的指令：${list([...builtins.keys()].sort())}。

## 已知的差異

- 每個 Pod 用的 CPU 與記憶體是宣告的數字，不是量出來的。
- 時間是模擬的：等待可以快轉，所以畫面上的秒數和你等的秒數不一定相同。
- ${code('mysql')} 與 ${code('mariadb')} 映像檔裡是教學用的小引擎：SQL、交易與鎖、GTID 複製、MySQL 的連線協定都有；檢視表、觸發器、預存程式、視窗函式、間隙鎖、TLS、用檔名與位置的複製沒有，會直接說 is not simulated yet。
- Windows 節點、雲端廠商的磁碟、IPv6 都沒有模擬。
- 叢集外連不出去：容器裡沒有網際網路。
`;

if (process.argv.includes('--check')) {
  if (readFileSync(PAGE, 'utf8') !== page) {
    console.error(`${PAGE} is not what the code says; run: node scripts/support.ts`);
    process.exit(1);
  }
} else {
  writeFileSync(PAGE, page);
  console.log(PAGE);
}
process.exit(0);
