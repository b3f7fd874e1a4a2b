import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import { testKernel } from '../../../kernel/testing/index.ts';
import { admissionPlugins, strategies } from '../../kinds/index.ts';
import type { Namespace, ValidatingAdmissionPolicy } from '../../kinds/types.ts';
import { createApiServer } from '../index.ts';

const ROOT = '/apis/admissionregistration.k8s.io/v1';
const MAPS = '/api/v1/namespaces/default/configmaps';

describe('admission that readers configure', () => {
  let send: (method: string, path: string, body?: unknown) => Promise<{ status: number; warnings: readonly string[]; message: string; reason: string }>;
  beforeEach(() => {
    const kernel = testKernel();
    kernel.onError = (error) => {
      throw error;
    };
    const server = createApiServer({ kernel, strategies, admission: admissionPlugins });
    for (const name of ['default', 'prod'])
      server.client.resource<Namespace>('v1/namespaces').create({ metadata: { name, labels: { env: name } } }, { cause: { actor: 'test', rule: 'test' } });
    send = async (method, path, body) => {
      const bytes = body === undefined ? {} : { body: new TextEncoder().encode(JSON.stringify(body)) };
      const { status, warnings, body: answer } = await server.transport.request({ method, path, headers: {}, ...bytes });
      await kernel.settle();
      const { message = '', reason = '' } = JSON.parse(new TextDecoder().decode(answer)) as { message?: string; reason?: string };
      return { status, warnings, message, reason };
    };
  });

  const constraints = { resourceRules: [{ apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE', 'UPDATE'], resources: ['configmaps'] }] };
  const policy = async (spec: ValidatingAdmissionPolicy['spec'], binding: object = { validationActions: ['Deny'] }): Promise<void> => {
    const made = await send('POST', `${ROOT}/validatingadmissionpolicies`, { metadata: { name: 'p' }, spec: { matchConstraints: constraints, ...spec } });
    assert.equal(made.status, 201, made.message);
    const bound = await send('POST', `${ROOT}/validatingadmissionpolicybindings`, { metadata: { name: 'b' }, spec: { policyName: 'p', ...binding } });
    assert.equal(bound.status, 201, bound.message);
  };
  const map = (name: string, data: object): object => ({ metadata: { name }, data });

  it('denies, with the words of the policy', async () => {
    await policy({
      variables: [{ name: 'n', expression: 'size(object.data)' }],
      validations: [
        { expression: 'variables.n < 3', messageExpression: '"too many: " + string(variables.n)' },
        { expression: '!("secret" in object.data)', reason: 'Forbidden' },
      ],
    });
    assert.equal((await send('POST', MAPS, map('a', { x: '1' }))).status, 201);
    assert.deepEqual(await send('POST', MAPS, map('b', { x: '1', y: '2', z: '3' })), {
      status: 422,
      warnings: [],
      reason: 'Invalid',
      message: "configmaps \"b\" is forbidden: ValidatingAdmissionPolicy 'p' with binding 'b' denied request: too many: 3",
    });
    const refused = await send('POST', MAPS, map('b', { secret: '1' }));
    assert.deepEqual([refused.status, refused.reason], [403, 'Forbidden']);
    assert.match(refused.message, /failed expression: !\("secret" in object\.data\)$/);
    assert.equal((await send('POST', '/api/v1/namespaces/default/secrets', { metadata: { name: 's' } })).status, 201);
  });

  it('warns, and looks only where it should', async () => {
    const spec = {
      validations: [{ expression: 'false', message: 'no' }],
      matchConditions: [{ name: 'named', expression: 'object.metadata.name.startsWith("x")' }],
    };
    await policy(spec, { validationActions: ['Warn'], matchResources: { namespaceSelector: { matchLabels: { env: 'default' } } } });
    assert.deepEqual((await send('POST', MAPS, map('x', {}))).warnings, ["299 - \"Validation failed for ValidatingAdmissionPolicy 'p' with binding 'b': no\""]);
    assert.deepEqual((await send('POST', MAPS, map('y', {}))).warnings, []);
    assert.deepEqual((await send('POST', MAPS.replace('default', 'prod'), map('x', {}))).warnings, []);
  });

  it('takes parameters; what fails while it runs follows failurePolicy', async () => {
    const spec = { paramKind: { apiVersion: 'v1', kind: 'Secret' }, validations: [{ expression: 'int(object.data.n) <= int(params.stringData.max)' }] };
    await policy(spec, { validationActions: ['Deny'], paramRef: { name: 'limit', namespace: 'prod', parameterNotFoundAction: 'Deny' } });
    assert.match(
      (await send('POST', MAPS, map('a', { n: '1' }))).message,
      /denied request: failed to configure binding: no params found for policy binding with `Deny` parameterNotFoundAction$/,
    );
    await send('POST', '/api/v1/namespaces/prod/secrets', { metadata: { name: 'limit' }, stringData: { max: '1' } });
    assert.match((await send('POST', MAPS, map('a', { n: '1' }))).message, /resulted in error: no such key: stringData$/);
  });

  it('rules about policies and webhooks', async () => {
    const said = async (resource: string, body: object): Promise<string> =>
      (await send('POST', `${ROOT}/${resource}`, { metadata: { name: 'x' }, ...body })).message;
    assert.equal(
      await said('validatingadmissionpolicies', { spec: { matchConstraints: constraints, validations: [{ expression: 'foo > 1' }] } }),
      'ValidatingAdmissionPolicy.admissionregistration.k8s.io "x" is invalid: spec.validations[0].expression: Invalid value: "foo > 1": compilation failed: ERROR: <input>:1:1: undeclared reference to \'foo\' (in container \'\')\n | foo > 1\n | ^',
    );
    assert.equal(
      await said('validatingadmissionpolicybindings', { spec: {} }),
      'ValidatingAdmissionPolicyBinding.admissionregistration.k8s.io "x" is invalid: [spec.policyName: Required value, spec.validationActions: Required value]',
    );
    assert.equal(
      await said('validatingwebhookconfigurations', { webhooks: [{ name: 'a.b', clientConfig: {} }] }),
      'ValidatingWebhookConfiguration.admissionregistration.k8s.io "x" is invalid: [webhooks[0].name: Invalid value: "a.b": should be a domain with at least three segments separated by dots, webhooks[0].sideEffects: Required value: must specify one of None, NoneOnDryRun, webhooks[0].clientConfig: Required value: exactly one of url or service is required, webhooks[0].admissionReviewVersions: Required value: must specify one of v1, v1beta1]',
    );
  });

  it('says what it does not do', async () => {
    const { warnings } = await send('POST', `${ROOT}/mutatingadmissionpolicies`, { metadata: { name: 'm' }, spec: { matchConstraints: constraints } });
    assert.match(warnings.join(), /MutatingAdmissionPolicy is not simulated yet/);
  });

  it('webhooks cannot be reached: failurePolicy decides', async () => {
    const webhook = {
      name: 'a.b.c',
      sideEffects: 'None',
      admissionReviewVersions: ['v1'],
      rules: constraints.resourceRules,
      clientConfig: { service: { name: 'hook', namespace: 'prod', path: '/check' } },
    };
    const made = await send('POST', `${ROOT}/validatingwebhookconfigurations`, { metadata: { name: 'w' }, webhooks: [webhook] });
    assert.equal(made.status, 201, made.message);
    assert.deepEqual(await send('POST', MAPS, map('a', {})), {
      status: 500,
      warnings: [],
      reason: 'InternalError',
      message:
        'Internal error occurred: failed calling webhook "a.b.c": failed to call webhook: Post "https://hook.prod.svc:443/check?timeout=10s": service "hook" not found',
    });
    await send('PUT', `${ROOT}/validatingwebhookconfigurations/w`, { metadata: { name: 'w' }, webhooks: [{ ...webhook, failurePolicy: 'Ignore' }] });
    await send('DELETE', `${ROOT}/validatingwebhookconfigurations/w`);
    assert.equal((await send('POST', MAPS, map('a', {}))).status, 201);
  });
});
