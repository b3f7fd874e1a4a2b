import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import { testKernel } from '../../../kernel/testing/index.ts';
import { admissionPlugins, strategies } from '../../kinds/index.ts';
import type { CustomResourceDefinition, Namespace } from '../../kinds/types.ts';
import { createApiServer } from '../index.ts';

const DEFINITIONS = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
const WIDGETS = '/apis/example.com/v1/namespaces/default/widgets';
const MERGE = 'application/merge-patch+json';

type Versions = NonNullable<CustomResourceDefinition['spec']>['versions'];
type Schema = object;

interface Answer {
  status: number;
  warnings: readonly string[];
  value: { message?: string; apiVersion?: string; spec?: unknown; status?: CustomResourceDefinition['status'] };
}

describe('custom resources', () => {
  let send: (method: string, path: string, body?: unknown, type?: string) => Promise<Answer>;
  beforeEach(async () => {
    const kernel = testKernel();
    kernel.onError = (error) => {
      throw error;
    };
    const server = createApiServer({ kernel, strategies, admission: admissionPlugins });
    server.client.resource<Namespace>('v1/namespaces').create({ metadata: { name: 'default' } }, { cause: { actor: 'test', rule: 'test' } });
    send = async (method, path, body, type = 'application/json') => {
      const bytes = body === undefined ? {} : { body: new TextEncoder().encode(JSON.stringify(body)) };
      const response = await server.transport.request({ method, path, headers: { 'content-type': type }, ...bytes });
      await kernel.settle();
      const text = new TextDecoder().decode(response.body);
      return { status: response.status, warnings: response.warnings, value: text.startsWith('{') ? JSON.parse(text) : {} };
    };
  });

  const definition = (spec: Schema, more: Partial<NonNullable<CustomResourceDefinition['spec']>> = {}): CustomResourceDefinition => ({
    metadata: { name: 'widgets.example.com' },
    spec: {
      group: 'example.com',
      scope: 'Namespaced',
      names: { plural: 'widgets', kind: 'Widget' },
      versions: [{ name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: { type: 'object', properties: { spec } } } }] as Versions,
      ...more,
    },
  });
  const widget = (spec: object): object => ({ apiVersion: 'example.com/v1', kind: 'Widget', metadata: { name: 'a' }, spec });
  const refusal = async (body: object): Promise<string[]> => {
    const { status, value } = await send('POST', `${DEFINITIONS}?dryRun=All`, body);
    assert.equal(status, 422, value.message);
    const text = (value.message ?? '').replace(/^CustomResourceDefinition\.apiextensions\.k8s\.io "[^"]*" is invalid: \[?/, '').replace(/\]$/, '');
    return text.split(/, (?=spec\.|status\.|metadata\.)/);
  };

  it('schemas must be structural', async () => {
    const at = 'spec.validation.openAPIV3Schema.properties[spec]';
    assert.deepEqual(await refusal(definition({ properties: { a: { type: 'array' } } })), [
      `${at}.properties[a].items: Required value: must be specified`,
      `${at}.type: Required value: must not be empty for specified object fields`,
    ]);
    const nested = { type: 'object', properties: { a: { type: 'string' } }, anyOf: [{ type: 'object', required: ['a'] }] };
    assert.deepEqual(await refusal(definition(nested)), [`${at}.anyOf[0].type: Forbidden: must be empty to be structural`]);
    const properties = { a: { type: 'string', default: 1 }, c: { type: 'array', uniqueItems: true, items: { type: 'string' } } };
    assert.deepEqual(await refusal(definition({ type: 'object', properties })), [
      `${at}.properties[a].default: Invalid value: "integer": ${at}.properties[a].default in body must be of type string: "integer"`,
      `${at}.properties[c].uniqueItems: Forbidden: uniqueItems cannot be set to true since the runtime complexity becomes quadratic`,
    ]);
  });

  it('names, versions, columns', async () => {
    const versions = [{ name: 'v1', served: true, storage: false, additionalPrinterColumns: [{ name: 'x', type: 'foo', jsonPath: 'a' }] }] as Versions;
    assert.deepEqual(
      (await refusal(definition({}, { versions, scope: 'Both', names: { plural: 'widgets', kind: 'WidgetList' } }))).map((text) => text.slice(0, 90)),
      [
        'spec.scope: Unsupported value: "Both": supported values: "Cluster", "Namespaced"',
        'spec.versions[0].schema.openAPIV3Schema: Required value',
        'spec.versions: Invalid value: [{"Name":"v1","Served":true,"Storage":false,"Deprecated":fal',
        'spec.additionalPrinterColumns[0].type: Invalid value: "foo": must be one of boolean,date,i',
        'spec.additionalPrinterColumns[0].JSONPath: Invalid value: "a": must be a simple json path ',
        'status.storedVersions: Invalid value: null: must have at least one stored version',
      ],
    );
  });

  it('rules that do not compile', async () => {
    const rules = [{ rule: 'self.replicas > self.nope' }, { rule: 'self.replicas' }, { rule: 'self.replicas > "a"' }, { rule: 'foo(1)' }];
    const texts = await refusal(definition({ type: 'object', properties: { replicas: { type: 'integer' } }, 'x-kubernetes-validations': rules }));
    assert.deepEqual(
      texts.map((text) => text.replace(/^.*?"OptionalOldSelf":null\}: /s, '')),
      [
        "compilation failed: ERROR: <input>:1:21: undefined field 'nope'\n | self.replicas > self.nope\n | ....................^",
        'cel expression must evaluate to a bool',
        "compilation failed: ERROR: <input>:1:15: found no matching overload for '_>_' applied to '(int, string)'\n | self.replicas > \"a\"\n | ..............^",
        "compilation failed: ERROR: <input>:1:4: undeclared reference to 'foo' (in container '')\n | foo(1)\n | ...^",
      ],
    );
  });

  it('rules at work', async () => {
    const rules = [
      { rule: 'self.low <= self.high', message: 'low must not be above high' },
      { rule: '!has(oldSelf.kind) || self.kind == oldSelf.kind', message: 'kind is immutable', fieldPath: '.kind' },
      { rule: 'self.high < 10', messageExpression: '"high is " + string(self.high)', reason: 'FieldValueForbidden' },
      { rule: '!has(self.size) || quantity(self.size).isLessThan(quantity("1Gi"))' },
    ];
    const integer = { type: 'integer' };
    const properties = { low: integer, high: integer, kind: { type: 'string' }, size: { type: 'string' } };
    const schema = { type: 'object', required: ['low'], properties, 'x-kubernetes-validations': rules };
    assert.equal((await send('POST', DEFINITIONS, definition(schema))).status, 201);
    const said = async (method: string, path: string, body: object, type?: string): Promise<string> =>
      ((await send(method, path, body, type)).value.message ?? '').replace('Widget.example.com "a" is invalid: ', '');
    assert.equal(await said('POST', WIDGETS, widget({ low: 20, high: 11 })), '[spec: Invalid value: low must not be above high, spec: Forbidden: high is 11]');
    assert.equal(
      await said('POST', WIDGETS, widget({ high: 1 })),
      '[spec.low: Required value, <nil>: Invalid value: null: some validation rules were not checked because the object was invalid; correct the existing errors to complete validation]',
    );
    assert.equal(
      await said('POST', WIDGETS, widget({ low: 1, high: 2, size: '2Gi' })),
      'spec: Invalid value: failed rule: !has(self.size) || quantity(self.size).isLessThan(quantity("1Gi"))',
    );
    assert.equal(
      await said('POST', WIDGETS, widget({ low: 1 })),
      '[spec: Invalid value: "object": no such key: high evaluating rule: low must not be above high, spec: Invalid value: "object": no such key: high evaluating rule: self.high < 10]',
    );
    assert.equal(await said('POST', WIDGETS, widget({ low: 1, high: 2, kind: 'a' })), '');
    assert.equal(await said('PATCH', `${WIDGETS}/a`, { spec: { kind: 'b' } }, MERGE), 'spec.kind: Invalid value: kind is immutable');
  });

  it('junctions, formats, sets', async () => {
    const schema = {
      type: 'object',
      properties: {
        mail: { type: 'string', format: 'email' },
        port: { 'x-kubernetes-int-or-string': true, anyOf: [{ type: 'integer' }, { type: 'string' }] },
        set: { type: 'array', 'x-kubernetes-list-type': 'set', items: { type: 'string' } },
        left: { type: 'string' },
        right: { type: 'string', enum: ['x', 'y'] },
      },
      oneOf: [{ required: ['left'] }, { required: ['right'] }],
    };
    assert.equal((await send('POST', DEFINITIONS, definition(schema))).status, 201);
    const { value } = await send('POST', WIDGETS, widget({ mail: 'm', port: true, set: ['a', 'a'], left: 'l', right: 'z' }));
    assert.equal(
      value.message,
      'Widget.example.com "a" is invalid: [<nil>: Invalid value: "": "spec" must validate one and only one schema (oneOf). Found 2 valid alternatives, spec.mail: Invalid value: "m": spec.mail in body must be of type email: "m", spec.port: Invalid value: "boolean": spec.port in body must be of type integer,string: "boolean", spec.right: Unsupported value: "z": supported values: "x", "y", spec.set[1]: Duplicate value: "a"]',
    );
    assert.equal((await send('POST', WIDGETS, widget({ left: 'l', port: '80' }))).status, 201);
  });

  it('versions are one object under several names; what a definition says of them is remembered', async () => {
    const free = { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } };
    const version = (name: string, more: object): object => ({ name, served: true, schema: free, ...more });
    const versions = (stored: string): Versions =>
      [version('v1beta1', { storage: stored === 'v1beta1', deprecated: true }), version('v1', { storage: stored === 'v1' })] as Versions;
    await send('POST', DEFINITIONS, definition({}, { versions: versions('v1beta1') }));
    const made = await send('POST', WIDGETS, widget({ a: 1 }));
    assert.deepEqual([made.status, made.value.apiVersion], [201, 'example.com/v1']);
    const old = await send('GET', `${WIDGETS.replace('v1', 'v1beta1')}/a`);
    assert.deepEqual([old.value.apiVersion, old.value.spec], ['example.com/v1beta1', { a: 1 }]);
    assert.deepEqual(old.warnings, ['299 - "example.com/v1beta1 Widget is deprecated; use example.com/v1 Widget"']);
    const moved = await send('PATCH', `${DEFINITIONS}/widgets.example.com`, { spec: { versions: versions('v1') } }, MERGE);
    assert.deepEqual(moved.value.status?.storedVersions, ['v1beta1', 'v1']);
    const alone = await send('PATCH', `${DEFINITIONS}/widgets.example.com`, { spec: { versions: versions('v1')?.slice(1) } }, MERGE);
    assert.match(
      alone.value.message ?? '',
      /status\.storedVersions\[0\]: Invalid value: "v1beta1": missing from spec\.versions; v1beta1 was previously a storage version/,
    );
    const renamed = await send('PATCH', `${DEFINITIONS}/widgets.example.com`, { spec: { scope: 'Cluster' } }, MERGE);
    assert.match(renamed.value.message ?? '', /spec\.scope: Invalid value: "Cluster": field is immutable/);
  });

  it('names are taken once, and are free again when the definition is gone', async () => {
    await send('POST', DEFINITIONS, definition({ type: 'object' }));
    const names = { plural: 'gadgets', kind: 'Widget' };
    const other = { ...definition({ type: 'object' }, { names }), metadata: { name: 'gadgets.example.com' } };
    await send('POST', DEFINITIONS, other);
    const conditions = async (): Promise<string[]> =>
      ((await send('GET', `${DEFINITIONS}/gadgets.example.com`)).value.status?.conditions ?? []).map(
        ({ type, status, reason }) => `${type}=${status} ${reason}`,
      );
    assert.deepEqual(await conditions(), ['NamesAccepted=False ListKindConflict', 'Established=False NotAccepted']);
    const gone = await send('DELETE', `${DEFINITIONS}/widgets.example.com`);
    assert.deepEqual(gone.value.status?.conditions?.at(-1)?.reason, 'InstanceDeletionPending');
    assert.equal((await send('GET', WIDGETS)).status, 404);
    assert.deepEqual(await conditions(), ['NamesAccepted=True NoConflicts', 'Established=True InitialNamesAccepted']);
  });

  it('says what it is', async () => {
    await send('POST', DEFINITIONS, definition({ type: 'object' }));
    const said = async (body: object): Promise<string | undefined> => (await send('POST', WIDGETS, body)).value.message;
    assert.equal(
      await said({ metadata: { name: 'a' } }),
      `the object provided is unrecognized (must be of type Widget): Object 'Kind' is missing in '{"metadata":{"name":"a"}}' ({"metadata":{"name":"a"}})`,
    );
    assert.equal(
      await said({ kind: 'Widget', metadata: { name: 'a' } }),
      'the API version in the data () does not match the expected API version (example.com/v1)',
    );
    assert.equal(await said({ ...widget({}), kind: 'Gadget' }), 'Widget.example.com "a" is invalid: kind: Invalid value: "Gadget": must be Widget');
  });
});
