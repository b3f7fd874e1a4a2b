import type { Session } from '../session.ts';
import { get } from './get.ts';

/** Runs a command; the exit code is 0 unless it says otherwise or throws. */
// biome-ignore lint/suspicious/noConfusingVoidType: most commands have no code of their own
export type CommandRun = (session: Session, args: string[]) => Promise<number | void>;

type Module = Record<string, CommandRun | unknown>;

const setters = (): Promise<Module> => import('./set.ts');
const config = (): Promise<Module> => import('./config.ts');
const rollout = (): Promise<Module> => import('./rollout.ts');
const rbac = (): Promise<Module> => import('../generators/rbac.ts');
const configData = (): Promise<Module> => import('../generators/config-data.ts');
const generators = (): Promise<Module> => import('../generators/index.ts');

/** Modules loaded when a command of theirs is first used: path prefix → import and export name. */
const LAZY: Record<string, [load: () => Promise<Module>, name: string]> = {
  describe: [() => import('./describe.ts'), 'describe'],
  create: [() => import('./create.ts'), 'create'],
  apply: [() => import('./apply.ts'), 'apply'],
  delete: [() => import('./delete.ts'), 'del'],
  run: [() => import('./run.ts'), 'run'],
  expose: [() => import('./expose.ts'), 'expose'],
  scale: [() => import('./scale.ts'), 'scale'],
  exec: [() => import('./exec.ts'), 'exec'],
  attach: [() => import('./attach.ts'), 'attach'],
  logs: [() => import('./logs.ts'), 'logs'],
  wait: [() => import('./wait.ts'), 'wait'],
  patch: [() => import('./patch.ts'), 'patch'],
  label: [() => import('./label.ts'), 'label'],
  annotate: [() => import('./label.ts'), 'annotate'],
  version: [() => import('./version.ts'), 'version'],
  'api-resources': [() => import('./api-resources.ts'), 'apiResources'],
  'api-versions': [() => import('./api-resources.ts'), 'apiVersions'],
  'set image': [() => import('./set-image.ts'), 'setImage'],
  'rollout status': [rollout, 'rolloutStatus'],
  'rollout history': [rollout, 'rolloutHistory'],
  'rollout undo': [rollout, 'rolloutUndo'],
  'rollout restart': [rollout, 'rolloutRestart'],
  'rollout pause': [rollout, 'rolloutPause'],
  'rollout resume': [rollout, 'rolloutResume'],
  'create deployment': [generators, 'createDeployment'],
  'create namespace': [generators, 'createNamespace'],
  'create serviceaccount': [generators, 'createServiceAccount'],
  'create configmap': [configData, 'createConfigMap'],
  'create secret generic': [configData, 'createSecretGeneric'],
  'create secret docker-registry': [configData, 'createSecretDockerRegistry'],
  'create secret tls': [configData, 'createSecretTls'],
  'create service clusterip': [generators, 'createServiceClusterIp'],
  'create service nodeport': [generators, 'createServiceNodePort'],
  'create service loadbalancer': [generators, 'createServiceLoadBalancer'],
  'create service externalname': [generators, 'createServiceExternalName'],
  'create job': [generators, 'createJob'],
  'create cronjob': [generators, 'createCronJob'],
  'create quota': [generators, 'createQuota'],
  'create poddisruptionbudget': [generators, 'createPodDisruptionBudget'],
  'create priorityclass': [generators, 'createPriorityClass'],
  'create ingress': [generators, 'createIngress'],
  'create role': [rbac, 'createRole'],
  'create clusterrole': [rbac, 'createClusterRole'],
  'create rolebinding': [rbac, 'createRoleBinding'],
  'create clusterrolebinding': [rbac, 'createClusterRoleBinding'],
  'create token': [generators, 'createToken'],
  explain: [() => import('./explain.ts'), 'explain'],
  taint: [() => import('./taint.ts'), 'taint'],
  cordon: [() => import('./drain.ts'), 'cordon'],
  uncordon: [() => import('./drain.ts'), 'uncordon'],
  drain: [() => import('./drain.ts'), 'drain'],
  'top node': [() => import('./top.ts'), 'top'],
  'top pod': [() => import('./top.ts'), 'top'],
  'auth can-i': [() => import('./auth.ts'), 'canI'],
  'auth whoami': [() => import('./auth.ts'), 'whoAmI'],
  events: [() => import('./events.ts'), 'events'],
  cp: [() => import('./cp.ts'), 'cp'],
  'port-forward': [() => import('./port-forward.ts'), 'portForward'],
  'config current-context': [config, 'currentContext'],
  'config get-contexts': [config, 'getContexts'],
  'config get-clusters': [config, 'getClusters'],
  'config get-users': [config, 'getUsers'],
  'config use-context': [config, 'useContext'],
  'config set-context': [config, 'setContext'],
  'config set-cluster': [config, 'setCluster'],
  'config set-credentials': [config, 'setCredentials'],
  'config delete-context': [config, 'deleteContext'],
  'config delete-cluster': [config, 'deleteCluster'],
  'config delete-user': [config, 'deleteUser'],
  'config rename-context': [config, 'renameContext'],
  'config view': [config, 'view'],
  'config set': [() => import('./config-property.ts'), 'setProperty'],
  'config unset': [() => import('./config-property.ts'), 'unsetProperty'],
  'set env': [setters, 'setEnv'],
  'set resources': [setters, 'setResources'],
  'set selector': [setters, 'setSelector'],
  'set serviceaccount': [setters, 'setServiceAccount'],
  'set subject': [setters, 'setSubject'],
  replace: [() => import('./replace.ts'), 'replace'],
  autoscale: [() => import('./autoscale.ts'), 'autoscale'],
  diff: [() => import('./diff.ts'), 'diff'],
  kustomize: [() => import('./kustomize.ts'), 'kustomize'],
  edit: [() => import('./edit.ts'), 'edit'],
  'apply edit-last-applied': [() => import('./edit.ts'), 'editLastApplied'],
  'apply view-last-applied': [() => import('./apply-annotation.ts'), 'viewLastApplied'],
  'apply set-last-applied': [() => import('./apply-annotation.ts'), 'setLastAppliedAnnotation'],
  'certificate approve': [() => import('./certificate.ts'), 'approve'],
  'certificate deny': [() => import('./certificate.ts'), 'deny'],
  'plugin list': [() => import('./plugin.ts'), 'pluginList'],
  completion: [() => import('./completion.ts'), 'completion'],
  debug: [() => import('./debug.ts'), 'debug'],
  options: [() => import('./options.ts'), 'options'],
  alpha: [() => import('./alpha.ts'), 'alpha'],
  proxy: [() => import('./proxy.ts'), 'proxy'],
  'auth reconcile': [() => import('./auth-reconcile.ts'), 'reconcile'],
  'kuberc set': [() => import('./not-simulated.ts'), 'notSimulated'],
  'kuberc view': [() => import('./not-simulated.ts'), 'notSimulated'],
  'cluster-info': [() => import('./cluster-info.ts'), 'clusterInfo'],
  'cluster-info dump': [() => import('./cluster-info-dump.ts'), 'clusterInfoDump'],
};

/** The program of a command path ("rollout status"); undefined for a command that only groups others. */
export async function commandRun(session: Session, path: string): Promise<CommandRun | undefined> {
  if (path === 'get') return get;
  const lazy = LAZY[path];
  if (!lazy) return undefined;
  const module = await session.process.kernel.external(lazy[0]());
  return module[lazy[1]] as CommandRun;
}
