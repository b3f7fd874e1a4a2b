import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Deployment, HorizontalPodAutoscaler } from '../../kinds/types.ts';
import { Spec } from '../testing/spec.ts';

const HPAS = 'autoscaling/v2/horizontalpodautoscalers';

function deployment(load?: string): object {
  const annotations = load === undefined ? {} : { 'chartroom/load.cpu': load };
  const container = { name: 'web', image: 'nginx:1.27', resources: { requests: { cpu: '100m' } } };
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'web' },
    spec: {
      replicas: 1,
      selector: { matchLabels: { app: 'web' } },
      template: { metadata: { labels: { app: 'web' }, annotations }, spec: { containers: [container] } },
    },
  };
}

const hpa = {
  apiVersion: 'autoscaling/v2',
  kind: 'HorizontalPodAutoscaler',
  metadata: { name: 'web' },
  spec: {
    scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web' },
    minReplicas: 1,
    maxReplicas: 6,
    metrics: [{ type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 50 } } }],
  },
};

const replicas = (spec: Spec): number => spec.get<Deployment>('apps/v1/deployments', 'web')?.spec?.replicas ?? 0;
const reason = (spec: Spec, type: string) => spec.get<HorizontalPodAutoscaler>(HPAS, 'web')?.status?.conditions?.find((one) => one.type === type)?.reason;

test('scales up at most to twice as many (or 4) at a time, never beyond maxReplicas, and down only after five minutes', async () => {
  const spec = await Spec.start('hpa');
  spec.create('apps/v1/deployments', deployment('100m'));
  spec.create(HPAS, hpa);
  await spec.until('two', () => replicas(spec) === 2, 120_000);
  await spec.until('six', () => replicas(spec) === 6, 300_000);
  assert.equal(reason(spec, 'ScalingActive'), 'ValidMetricFound');
  await spec.seconds(120);
  assert.deepEqual([replicas(spec), reason(spec, 'ScalingLimited')], [6, 'TooManyReplicas']);
  spec.update<Deployment>('apps/v1/deployments', 'web', (one) => {
    const metadata = one.spec?.template?.metadata;
    if (metadata) metadata.annotations = { 'chartroom/load.cpu': '10m' };
  });
  await spec.seconds(150);
  assert.deepEqual([replicas(spec), reason(spec, 'AbleToScale')], [6, 'ScaleDownStabilized']);
  await spec.until('down', () => replicas(spec) < 6);
  assert.equal(replicas(spec), 2);
  spec.cluster.dispose();
});

test('without a metrics API it says so and leaves the count alone', async () => {
  const spec = await Spec.start('hpa-none');
  spec.create('apps/v1/deployments', deployment());
  spec.create(HPAS, hpa);
  await spec.seconds(60);
  assert.equal(replicas(spec), 1);
  assert.equal(reason(spec, 'ScalingActive'), 'FailedGetResourceMetric');
  spec.update<Deployment>('apps/v1/deployments', 'web', (one) => {
    one.spec = { ...one.spec, replicas: 9 };
  });
  await spec.until('at most maxReplicas', () => replicas(spec) === 6, 60_000);
  spec.cluster.dispose();
});
