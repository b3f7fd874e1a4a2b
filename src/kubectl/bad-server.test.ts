/** Servers that misbehave: whatever they answer, kubectl says it in its own words and ends with a code of its own. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { nodeClock } from '../hosts/node/clock.ts';
import { Kernel } from '../kernel/index.ts';
import { driveUntilSettled } from '../lab/environment.ts';
import { kubeconfig } from '../lab/kubeconfig.ts';
import { createReaderMachine } from '../shell/reader-machine.ts';
import { createCluster } from '../sim/index.ts';
import type { HttpResponse, Transport } from '../sim/transport.ts';
import { Errno } from '../unix/types.ts';
import { createKubectl } from './index.ts';

const COMMANDS = [
  'kubectl get pods',
  'kubectl get pods -o yaml',
  'kubectl get pods -w --request-timeout=2s',
  'kubectl get svc kubernetes -o jsonpath={.spec.clusterIP}',
  'kubectl get --raw /version',
  'kubectl describe svc kubernetes',
  'kubectl describe nodes',
  'kubectl apply -f cm.yaml',
  'kubectl apply -f cm.yaml --server-side',
  'kubectl create -f cm.yaml',
  'kubectl create deployment x --image=nginx',
  'kubectl delete svc kubernetes --timeout=3s',
  'kubectl edit cm x',
  'kubectl diff -f cm.yaml',
  'kubectl replace -f cm.yaml',
  'kubectl patch svc kubernetes -p {}',
  'kubectl scale deploy coredns -n kube-system --replicas=1',
  'kubectl rollout status deploy/coredns -n kube-system --timeout=3s',
  'kubectl rollout history deploy/coredns -n kube-system',
  'kubectl set image deploy/coredns coredns=x -n kube-system',
  'kubectl label svc kubernetes a=b',
  'kubectl wait pod/x --for=delete --timeout=3s',
  'kubectl logs deploy/coredns -n kube-system',
  'kubectl exec deploy/coredns -n kube-system -- ls',
  'kubectl run x --image=nginx --restart=Never',
  'kubectl expose deploy coredns --port=1 -n kube-system',
  'kubectl autoscale deploy coredns --max=2 -n kube-system',
  'kubectl events',
  'kubectl explain pod.spec',
  'kubectl api-resources',
  'kubectl api-versions',
  'kubectl version',
  'kubectl cluster-info',
  'kubectl cluster-info dump',
  'kubectl auth can-i get pods',
  'kubectl auth can-i --list',
  'kubectl auth whoami',
  'kubectl top pods',
  'kubectl drain k3d-demo-agent-0 --ignore-daemonsets --timeout=3s',
  'kubectl cordon k3d-demo-agent-0',
  'kubectl taint nodes k3d-demo-agent-0 a=b:NoSchedule',
  'kubectl debug node/k3d-demo-agent-0 --image=busybox',
  'kubectl cp x:/a b',
  'kubectl port-forward svc/kubernetes 1',
  'kubectl certificate approve x',
  'kubectl create token default',
];

/** What JavaScript says when it goes wrong, and what nobody should read. */
const JAVASCRIPT =
  /TypeError|SyntaxError|RangeError|ReferenceError|is not a function|is not iterable|Cannot (read|set|destructure|convert)|undefined|\[object|Unexpected (token|end of JSON|non)|NaN|at \w+ \(/;

/** One way to spoil an answer; `undefined` lets it through. */
type Mischief =
  | { kind: 'status'; code: number; body: string }
  | { kind: 'body'; body: string }
  | { kind: 'cut'; at: number }
  | { kind: 'fault'; code: string }
  | { kind: 'stream'; fault: string | undefined };

const bodies = fc.constantFrom(
  '',
  'null',
  '{}',
  '[]',
  '"text"',
  '5',
  '<html>Bad Gateway</html>',
  '{"kind":"Status"}',
  '{"kind":"Status","status":"Failure","message":"broken","reason":"InternalError","code":500}',
  '{"kind":"List"}',
  '{"kind":"PodList","apiVersion":"v1","items":null}',
  '{"kind":"PodList","apiVersion":"v1","items":[null,{},{"metadata":null}]}',
  '{"kind":"Table","apiVersion":"meta.k8s.io/v1","rows":null}',
  '{"kind":"Pod","apiVersion":"v1"}',
  '{"kind":"Pod","apiVersion":"v1","metadata":null,"spec":null,"status":null}',
);
const mischief: fc.Arbitrary<Mischief> = fc.oneof(
  fc.record({ kind: fc.constant('status' as const), code: fc.constantFrom(400, 401, 403, 404, 409, 410, 415, 422, 429, 500, 502, 503, 504), body: bodies }),
  fc.record({ kind: fc.constant('body' as const), body: bodies }),
  fc.record({ kind: fc.constant('cut' as const), at: fc.integer({ min: 0, max: 400 }) }),
  fc.record({ kind: fc.constant('fault' as const), code: fc.constantFrom('ECONNREFUSED', 'ECONNRESET', 'ETIMEDOUT', 'EHOSTUNREACH') }),
  fc.record({ kind: fc.constant('stream' as const), fault: fc.option(fc.constantFrom('ECONNRESET', 'ETIMEDOUT'), { nil: undefined }) }),
);

/** Spoils the answers from the `after`-th on. */
function spoiled(transport: Transport, after: number, how: Mischief): Transport {
  let count = 0;
  const spoil = async (given: HttpResponse): Promise<HttpResponse> => {
    const json = { 'content-type': 'application/json' };
    const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
    switch (how.kind) {
      case 'status':
        return { status: how.code, headers: json, warnings: [], body: bytes(how.body) };
      case 'body':
        return { status: 200, headers: json, warnings: [], body: bytes(how.body) };
      case 'cut':
        return given.body ? { ...given, body: given.body.slice(0, how.at) } : given;
      case 'fault':
        throw new Errno(how.code);
      case 'stream':
        return { status: 200, headers: json, warnings: [], stream: broken(given.body?.slice(0, 50), how.fault) };
    }
  };
  return {
    request: async (request) => (count++ < after ? transport.request(request) : spoil(await transport.request(request))),
    upgrade: async (request, protocols) => (count++ < after ? transport.upgrade(request, protocols) : spoil({ status: 500, headers: {}, warnings: [] })),
  };
}

async function* broken(start: Uint8Array | undefined, then: string | undefined): AsyncGenerator<Uint8Array> {
  if (start) yield start;
  if (then) throw new Errno(then);
}

test('a server that misbehaves never brings a JavaScript error on the screen', { timeout: 300_000 }, async () => {
  const kernel = new Kernel({ seed: 'bad', host: nodeClock });
  const cluster = await createCluster({ kernel, preset: 'k3d' });
  let transport: Transport = cluster.transport;
  const server = 'https://172.18.0.2:6443';
  const reader = createReaderMachine({
    kernel,
    kubectl: createKubectl({ transport: () => transport }),
    files: { '.kube/config': kubeconfig(server), 'cm.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\n' },
  });
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...COMMANDS), fc.integer({ min: 0, max: 4 }), mischief, async (command, after, how) => {
      transport = spoiled(cluster.transport, after, how);
      const { stdout, stderr } = await driveUntilSettled(kernel, reader.execute(`EDITOR=true timeout 30 ${command}`));
      assert.doesNotMatch(stdout + stderr, JAVASCRIPT);
    }),
    { numRuns: 400, seed: 5 },
  );
  reader.dispose();
  cluster.dispose();
});
