import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { convert, DecodeError } from './decode.ts';
import { parseJson } from './http/json.ts';
import { nodeOfKind } from './resources.ts';
import { loadSchema } from './schema.ts';

await loadSchema();

const STATEFUL_SET = nodeOfKind('apps', 'v1', 'StatefulSet');
const POD = nodeOfKind('', 'v1', 'Pod');
const SERVICE = nodeOfKind('', 'v1', 'Service');

function strictOf(node: typeof POD, text: string): string[] {
  const { value, duplicates } = parseJson(text);
  const strict: string[] = [];
  convert(node, value, { strict, duplicates, checkTypes: true });
  return strict;
}

function refusal(node: typeof POD, value: unknown): string {
  try {
    convert(node, value, { strict: [], checkTypes: true });
  } catch (error) {
    assert.ok(error instanceof DecodeError);
    return error.message;
  }
  return 'accepted';
}

describe('decoding', () => {
  it('refuses wrong types in the words recorded', () => {
    assert.equal(
      refusal(STATEFUL_SET, { spec: { replicas: 'three' } }),
      'json: cannot unmarshal string into Go struct field StatefulSetSpec.spec.replicas of type int32',
    );
    const env = { spec: { template: { spec: { containers: [{ name: 'c', env: [{ name: 'A', value: 1 }] }] } } } };
    assert.equal(
      refusal(STATEFUL_SET, env),
      'json: cannot unmarshal number into Go struct field EnvVar.spec.template.spec.containers.env.value of type string',
    );
    assert.equal(refusal(POD, { metadata: { name: true } }), 'json: cannot unmarshal bool into Go struct field ObjectMeta.metadata.name of type string');
    const claim = { spec: { volumeClaimTemplates: [{ spec: { resources: { requests: { storage: '1 GB' } } } }] } };
    assert.equal(refusal(STATEFUL_SET, claim), "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'");
  });

  it('names unknown and duplicate fields by their path', () => {
    assert.deepEqual(strictOf(STATEFUL_SET, '{"spec":{"replica":2},"volumeClaimTemplates":[]}'), [
      'unknown field "spec.replica"',
      'unknown field "volumeClaimTemplates"',
    ]);
    assert.deepEqual(strictOf(POD, '{"spec":{"containers":[{"name":"a","name":"b","x":1}]}}'), [
      'duplicate field "spec.containers[0].name"',
      'unknown field "spec.containers[0].x"',
    ]);
  });

  it('leaves out what Go leaves out and fills in what it writes', () => {
    const pod = convert(
      POD,
      {
        metadata: { labels: {}, annotations: null },
        spec: { hostNetwork: false, nodeName: '', terminationGracePeriodSeconds: 0, containers: [{ name: 'c', env: [], tty: false }] },
      },
      { strict: [], checkTypes: true },
    );
    assert.deepEqual(pod, { metadata: {}, spec: { terminationGracePeriodSeconds: 0, containers: [{ name: 'c', resources: {} }] }, status: {} });
    assert.deepEqual(convert(SERVICE, {}, { strict: [], checkTypes: true }), { metadata: {}, spec: {}, status: { loadBalancer: {} } });
  });

  it('spells quantities and times canonically', () => {
    const container = { name: 'c', resources: { limits: { cpu: '0.5', memory: '1024Mi' }, requests: { cpu: 2 } } };
    const pod = convert(
      POD,
      { metadata: { creationTimestamp: '2026-11-23T10:00:00.5+08:00' }, spec: { containers: [container] } },
      { strict: [], checkTypes: true },
    );
    assert.deepEqual(pod.metadata, { creationTimestamp: '2026-11-23T02:00:00Z' });
    assert.deepEqual((pod.spec as { containers: { resources: object }[] }).containers[0]?.resources, {
      limits: { cpu: '500m', memory: '1Gi' },
      requests: { cpu: '2' },
    });
  });

  it('writes null for times that are no pointers', () => {
    const pod = convert(POD, { status: { conditions: [{ type: 'Ready', status: 'True' }] } }, { strict: [], checkTypes: false });
    assert.deepEqual((pod.status as { conditions: object[] }).conditions[0], { type: 'Ready', status: 'True', lastProbeTime: null, lastTransitionTime: null });
  });
});
