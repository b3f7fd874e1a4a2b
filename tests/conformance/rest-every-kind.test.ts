import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { testKernel } from '../../src/kernel/testing/index.ts';
import { createApiServer } from '../../src/sim/apiserver/index.ts';
import { ResourceRegistry } from '../../src/sim/apiserver/resources.ts';
import { admissionPlugins, strategies } from '../../src/sim/kinds/index.ts';

const POD = { metadata: { labels: { a: 'b' } }, spec: { containers: [{ name: 'c', image: 'i' }] } };
const ONCE = { ...POD, spec: { ...POD.spec, restartPolicy: 'Never' } };
const workload = { spec: { selector: { matchLabels: { a: 'b' } }, template: POD } };
const role = (kind: string): object => ({ roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind, name: 'r' } });
const autoscaler = { spec: { maxReplicas: 3, scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'd' } } };

/** The least that each kind wants; kinds that are not here want nothing but a name. */
const BODIES: Record<string, object> = {
  'v1/pods': { spec: POD.spec },
  'v1/podtemplates': { template: POD },
  'v1/services': { spec: { ports: [{ port: 80 }] } },
  'v1/persistentvolumeclaims': { spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } } },
  'v1/persistentvolumes': { spec: { capacity: { storage: '1Gi' }, accessModes: ['ReadWriteOnce'], hostPath: { path: '/x' } } },
  'v1/replicationcontrollers': { spec: { selector: { a: 'b' }, template: POD } },
  'v1/events': { involvedObject: { namespace: 'default' } },
  'v1/limitranges': { spec: { limits: [] } },
  'events.k8s.io/v1/events': {
    regarding: { namespace: 'default' },
    eventTime: '2026-01-01T00:00:00.000000Z',
    reportingController: 'a.b/c',
    reportingInstance: 'x',
    action: 'a',
    reason: 'r',
    type: 'Normal',
  },
  'apps/v1/controllerrevisions': { revision: 1, data: { a: 1 } },
  'apps/v1/daemonsets': workload,
  'apps/v1/deployments': workload,
  'apps/v1/replicasets': workload,
  'apps/v1/statefulsets': workload,
  'batch/v1/jobs': { spec: { template: ONCE } },
  'batch/v1/cronjobs': { spec: { schedule: '* * * * *', jobTemplate: { spec: { template: ONCE } } } },
  'admissionregistration.k8s.io/v1/validatingadmissionpolicies': {
    spec: {
      matchConstraints: { resourceRules: [{ apiGroups: ['x'], apiVersions: ['v1'], operations: ['CREATE'], resources: ['ys'] }] },
      validations: [{ expression: 'true' }],
    },
  },
  'admissionregistration.k8s.io/v1/validatingadmissionpolicybindings': { spec: { policyName: 'p', validationActions: ['Deny'] } },
  'autoscaling/v1/horizontalpodautoscalers': autoscaler,
  'autoscaling/v2/horizontalpodautoscalers': autoscaler,
  'networking.k8s.io/v1/ingresses': { spec: { defaultBackend: { service: { name: 's', port: { number: 80 } } } } },
  'networking.k8s.io/v1/ingressclasses': { spec: { controller: 'a.b/c' } },
  'networking.k8s.io/v1/networkpolicies': { spec: { podSelector: {} } },
  'networking.k8s.io/v1/ipaddresses': { metadata: { name: '10.43.0.9' }, spec: { parentRef: { resource: 'services', name: 's', namespace: 'default' } } },
  'networking.k8s.io/v1/servicecidrs': { spec: { cidrs: ['10.0.0.0/24'] } },
  'policy/v1/poddisruptionbudgets': { spec: { minAvailable: 1 } },
  'storage.k8s.io/v1/storageclasses': { provisioner: 'x' },
  'storage.k8s.io/v1/volumeattachments': { spec: { attacher: 'a', nodeName: 'n', source: { persistentVolumeName: 'p' } } },
  'storage.k8s.io/v1/csinodes': { spec: { drivers: [] } },
  'storage.k8s.io/v1/csistoragecapacities': { storageClassName: 'x' },
  'storage.k8s.io/v1/volumeattributesclasses': { driverName: 'd' },
  'scheduling.k8s.io/v1/priorityclasses': { value: 3 },
  'node.k8s.io/v1/runtimeclasses': { handler: 'h' },
  'discovery.k8s.io/v1/endpointslices': { addressType: 'IPv4', endpoints: [] },
  'coordination.k8s.io/v1/leases': { spec: {} },
  'rbac.authorization.k8s.io/v1/rolebindings': role('Role'),
  'rbac.authorization.k8s.io/v1/clusterrolebindings': role('ClusterRole'),
  'certificates.k8s.io/v1/certificatesigningrequests': { spec: { request: 'aGk=', signerName: 'a.b/c', usages: ['digital signature'] } },
  'apiextensions.k8s.io/v1/customresourcedefinitions': {
    metadata: { name: 'as.b.c' },
    spec: {
      group: 'b.c',
      scope: 'Cluster',
      names: { plural: 'as', kind: 'A' },
      versions: [{ name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: { type: 'object' } } }],
    },
  },
  'apiregistration.k8s.io/v1/apiservices': {
    metadata: { name: 'v9.x.y' },
    spec: { group: 'x.y', version: 'v9', groupPriorityMinimum: 1, versionPriority: 1, service: { name: 'a', namespace: 'b' } },
  },
  'flowcontrol.apiserver.k8s.io/v1/flowschemas': { spec: { priorityLevelConfiguration: { name: 'exempt' }, matchingPrecedence: 5 } },
  'flowcontrol.apiserver.k8s.io/v1/prioritylevelconfigurations': { spec: { type: 'Exempt' } },
  'resource.k8s.io/v1/resourceclaims': { spec: {} },
  'resource.k8s.io/v1/resourceclaimtemplates': { spec: { spec: {} } },
  'resource.k8s.io/v1/resourceslices': { spec: { driver: 'd.e', nodeName: 'n', pool: { name: 'p', generation: 1, resourceSliceCount: 1 } } },
};

const STREAMS = new Set(['log', 'exec', 'attach', 'portforward', 'proxy']);
const LIST_SHAPES = [
  'application/json',
  'application/json;as=Table;v=v1;g=meta.k8s.io',
  'application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io',
  'application/yaml',
];

describe('every resource', () => {
  const kernel = testKernel();
  const server = createApiServer({ kernel, strategies, admission: admissionPlugins });
  const watches = new AbortController();
  after(() => watches.abort());

  async function send(expected: number, method: string, path: string, body?: unknown, type = 'application/json', accept = 'application/json'): Promise<string> {
    const response = await server.transport.request({
      method,
      path,
      headers: { 'content-type': type, accept, 'user-agent': 'test/1' },
      ...(body === undefined ? {} : { body: new TextEncoder().encode(JSON.stringify(body)) }),
    });
    const text = response.body ? new TextDecoder().decode(response.body) : '';
    assert.equal(response.status, expected, `${method} ${path} ${accept}: ${text.slice(0, 500)}`);
    return text;
  }

  it('begins with a namespace', async () => {
    await send(201, 'POST', '/api/v1/namespaces', { metadata: { name: 'default' } });
    await send(201, 'POST', '/api/v1/namespaces/default/serviceaccounts', { metadata: { name: 'default' } });
  });

  for (const info of new ResourceRegistry().all()) {
    if (!info.verbs.has('list')) continue;
    it(`${info.id}: its verbs, shapes and subresources`, async () => {
      const root = `${info.group ? '/apis' : '/api'}/${info.groupVersion}`;
      const collection = `${root}${info.namespaced ? '/namespaces/default' : ''}/${info.resource}`;
      for (const shape of LIST_SHAPES) await send(200, 'GET', collection, undefined, undefined, shape);
      if (!info.verbs.has('create')) return;
      const meta = { apiVersion: info.groupVersion, kind: info.kind };
      const body = { metadata: { name: 'each' }, ...BODIES[info.id] };
      const one = `${collection}/${body.metadata.name}`;
      await send(201, 'POST', collection, { ...meta, ...body });
      for (const shape of ['application/json', LIST_SHAPES[1] as string, 'application/yaml']) await send(200, 'GET', one, undefined, undefined, shape);
      await send(200, 'PATCH', one, { metadata: { labels: { a: 'b' } } }, 'application/merge-patch+json');
      await send(200, 'PATCH', one, { metadata: { labels: { c: 'd' } } }, 'application/strategic-merge-patch+json');
      await send(200, 'PATCH', one, [{ op: 'add', path: '/metadata/labels/e', value: 'f' }], 'application/json-patch+json');
      const applied = await send(
        200,
        'PATCH',
        `${one}?fieldManager=x`,
        { ...meta, metadata: { name: body.metadata.name, labels: { z: 'z' } } },
        'application/apply-patch+yaml',
      );
      assert.deepEqual((JSON.parse(applied) as { metadata: { labels: object } }).metadata.labels, {
        ...(JSON.parse(applied) as { metadata: { labels: object } }).metadata.labels,
        a: 'b',
        c: 'd',
        e: 'f',
        z: 'z',
      });
      const watch = await server.transport.request({ method: 'GET', path: `${collection}?watch=true`, headers: {}, signal: watches.signal });
      const first = await watch.stream?.[Symbol.asyncIterator]().next();
      assert.equal((JSON.parse(new TextDecoder().decode(first?.value as Uint8Array)) as { type: string }).type, 'ADDED');
      for (const sub of info.subresources.values()) {
        if (!sub.verbs.has('get') || STREAMS.has(sub.name)) continue;
        const object = await send(200, 'GET', `${one}/${sub.name}`);
        if (sub.verbs.has('update')) await send(200, 'PUT', `${one}/${sub.name}`, JSON.parse(object));
      }
      await send(200, 'DELETE', one);
    });
  }
});
