import { type Difference, difference } from './compare.ts';
import { FILES } from './files.ts';
import { World } from './world.ts';

/**
 * Command lines that change the cluster, in order. Each story is told twice, on two clusters begun with the same seed: by the
 * built-in kubectl on one, by the real one on the other.
 */
export const STORIES: Readonly<Record<string, readonly string[]>> = {
  apply: [
    'kubectl apply -f new.yaml',
    'kubectl apply -f new.yaml',
    'kubectl apply -f newer.yaml -o name',
    'kubectl get cm fresh -o jsonpath={.data}',
    'kubectl apply view-last-applied cm fresh',
    'kubectl apply -f newer.yaml --server-side',
    'kubectl apply -f newer.yaml --server-side --field-manager=other',
    'kubectl patch cm fresh --type=merge -p \'{"data":{"key":"mine"}}\'',
    'kubectl apply -f newer.yaml --server-side',
    'kubectl apply -f newer.yaml --server-side --force-conflicts',
    'kubectl apply -f new.yaml --prune -l set=one',
    'kubectl apply set-last-applied -f new.yaml',
    'kubectl create -f new.yaml',
    'kubectl replace -f new.yaml',
    'kubectl delete -f new.yaml',
    'kubectl delete -f new.yaml',
    'kubectl replace -f new.yaml',
    'kubectl replace --force -f new.yaml',
    'kubectl delete -f new.yaml --ignore-not-found --wait=false',
  ],
  workload: [
    'kubectl create deployment web --image=nginx:1.24 --replicas=2',
    'kubectl create deployment web --image=nginx:1.24',
    'kubectl rollout status deploy/web',
    'kubectl expose deploy web --port=80',
    'kubectl expose deploy web --port=80',
    'kubectl set image deploy/web nginx=nginx:1.27',
    'kubectl rollout status deploy/web',
    'kubectl rollout history deploy/web',
    'kubectl rollout history deploy/web --revision=2',
    'kubectl rollout undo deploy/web',
    'kubectl rollout undo deploy/web --to-revision=9',
    'kubectl rollout pause deploy/web',
    'kubectl rollout pause deploy/web',
    'kubectl rollout restart deploy/web',
    'kubectl rollout undo deploy/web',
    'kubectl rollout resume deploy/web',
    'kubectl rollout resume deploy/web',
    'kubectl scale deploy/web --replicas=3',
    'kubectl scale deploy/web --current-replicas=9 --replicas=1',
    'kubectl autoscale deploy web --max=3 --cpu=50%',
    'kubectl autoscale deploy web --max=3 --cpu=50%',
    'kubectl set env deploy/web A=b',
    'kubectl set env deploy/web A-',
    'kubectl set resources deploy/web --limits=memory=64Mi',
    'kubectl set serviceaccount deploy/web default',
    'kubectl label deploy web tier=one',
    'kubectl label deploy web tier=two',
    'kubectl label deploy web tier=two --overwrite',
    'kubectl label deploy web tier-',
    'kubectl label deploy web tier-',
    'kubectl annotate deploy web note=x',
    'kubectl annotate deploy web note-',
    'kubectl patch deploy web -p \'{"spec":{"replicas":1}}\'',
    'kubectl patch deploy web -p \'{"spec":{"replicas":1}}\'',
    'kubectl get deploy web -o jsonpath={.spec.replicas}',
    'kubectl delete deploy,svc,hpa web',
    'kubectl delete deploy web',
  ],
  pods: [
    'kubectl run hi --image=busybox --restart=Never -- echo hello',
    'kubectl wait pod/hi --for=jsonpath={.status.phase}=Succeeded --timeout=20s',
    'kubectl logs hi',
    'kubectl run hi --image=busybox',
    'kubectl run long --image=busybox --restart=Never -- sleep 1000',
    'kubectl wait pod/long --for=condition=Ready --timeout=20s',
    'kubectl exec long -- sh -c "echo x; exit 7"',
    'kubectl cp a.txt long:/tmp/a.txt',
    'kubectl exec long -- cat /tmp/a.txt',
    'kubectl cp long:/tmp/a.txt back.txt; cat back.txt',
    'kubectl cp dir long:/tmp',
    'kubectl exec long -- find /tmp/dir -type f',
    'kubectl cp long:/tmp/dir dir2; ls dir2',
    'kubectl cp long:/tmp/gone gone.txt',
    'kubectl run --rm -i one --image=busybox --restart=Never -- echo attached',
    'kubectl delete pod hi',
    'kubectl delete pod long --grace-period=0 --force',
    'kubectl delete pod long',
  ],
  rbac: [
    'kubectl create role r --verb=get,list --resource=pods',
    'kubectl create rolebinding b --role=r --user=jane',
    'kubectl auth reconcile -f rbac.yaml --dry-run=client',
    'kubectl auth reconcile -f rbac.yaml',
    'kubectl auth reconcile -f rbac.yaml',
    'kubectl auth reconcile -f rbac.yaml --remove-extra-permissions --remove-extra-subjects',
    'kubectl get role r -o jsonpath={.rules}',
    'kubectl get rolebinding b -o jsonpath={.subjects}',
    'kubectl auth reconcile',
    'kubectl auth reconcile -f new.yaml',
    'kubectl auth reconcile -f rbac.yaml --dry-run=server',
    'kubectl set subject rolebinding b --group=g',
    'kubectl auth can-i list pods --as=jane',
    'kubectl create sa bot',
    'kubectl create token bot --duration=1s',
  ],
  nodes: [
    'kubectl cordon k3d-demo-agent-0',
    'kubectl cordon k3d-demo-agent-0',
    'kubectl uncordon k3d-demo-agent-0',
    'kubectl uncordon k3d-demo-agent-0',
    'kubectl taint nodes k3d-demo-agent-0 a=b:NoSchedule',
    'kubectl taint nodes k3d-demo-agent-0 a=b:NoSchedule',
    'kubectl taint nodes k3d-demo-agent-0 a=c:NoSchedule --overwrite',
    'kubectl taint nodes k3d-demo-agent-0 a:NoSchedule-',
    'kubectl taint nodes k3d-demo-agent-0 a-',
    'kubectl label node k3d-demo-agent-0 disk=ssd',
    'kubectl label node k3d-demo-agent-0 disk-',
    'kubectl drain k3d-demo-agent-0 --ignore-daemonsets --force',
    'kubectl uncordon k3d-demo-agent-0',
  ],
  settings: [
    'kubectl config set-context --current --namespace=team',
    'kubectl config set-context other --cluster=k3d-demo --user=admin@k3d-demo',
    'kubectl config get-contexts',
    'kubectl config use-context other',
    'kubectl config current-context',
    'kubectl config set contexts.other.namespace x',
    'kubectl config unset contexts.other.namespace',
    'kubectl config set-cluster c2 --server=https://c2:6443 --insecure-skip-tls-verify',
    'kubectl config set-credentials u2 --token=t',
    'kubectl config set-credentials u2 --username=a --password=b',
    'kubectl config set-credentials u3 --exec-command=cmd --exec-arg=x --exec-env=A=b --exec-api-version=client.authentication.k8s.io/v1',
    'kubectl config view',
    'kubectl config view --raw -o json',
    'kubectl config rename-context other third',
    'kubectl config delete-context third',
    'kubectl config delete-user u2',
    'kubectl config delete-cluster c2',
    'kubectl config view --minify',
  ],
};

const EXTRA = {
  'newer.yaml':
    'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: fresh, labels: {set: one}}\ndata:\n  key: other\n  more: x\n---\napiVersion: v1\nkind: Secret\nmetadata: {name: fresh, labels: {set: one}}\nstringData: {a: c}\n',
  'rbac.yaml': `apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: r, namespace: default, labels: {a: b}}
rules: [{apiGroups: [""], resources: [pods, services], verbs: [get]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: b, namespace: default}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: r}
subjects: [{kind: User, name: bob, apiGroup: rbac.authorization.k8s.io}, {kind: ServiceAccount, name: s, namespace: default}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: made}
rules: [{nonResourceURLs: [/x], verbs: [get]}]
`,
};

/** What differs in a story, and how many lines it has. */
export async function compareStory(kubectl: string, name: string): Promise<{ differences: Difference[]; lines: number }> {
  const options = { seed: name, kubectl, files: { ...FILES, ...EXTRA } };
  const [ours, theirs] = await Promise.all([World.start(options), World.start(options)]);
  const differences: Difference[] = [];
  const lines = STORIES[name] ?? [];
  try {
    for (const line of lines) {
      const found = difference(line, await ours.builtin(line), await theirs.real(line, 5), theirs, true);
      if (found) differences.push(found);
      await ours.pass(1500);
      await theirs.pass(1500);
    }
  } finally {
    await ours.close();
    await theirs.close();
  }
  return { differences, lines: lines.length };
}
