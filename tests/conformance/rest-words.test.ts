import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { testKernel } from '../../src/kernel/testing/index.ts';
import { type ApiServer, createApiServer } from '../../src/sim/apiserver/index.ts';
import { admissionPlugins, strategies } from '../../src/sim/kinds/index.ts';
import type { Namespace } from '../../src/sim/kinds/types.ts';

/** What the server says to requests that are not as they should be: upstream's words, checked against its sources (v1.36). */

const CAUSE = { actor: 'test', rule: 'test' };
const MAPS = '/api/v1/namespaces/default/configmaps';
const JSON_PATCH = 'application/json-patch+json';
const MERGE = 'application/merge-patch+json';
const STRATEGIC = 'application/strategic-merge-patch+json';
const APPLY = 'application/apply-patch+yaml';

interface Case {
  name: string;
  method?: string;
  path?: string;
  body?: unknown;
  type?: string;
  headers?: Record<string, string>;
  status: number;
  /** The whole message, or what it has to match. */
  message?: string | RegExp;
  warnings?: string[];
}

const CASES: Case[] = [
  {
    name: 'a body that is no object is shown in hexadecimal',
    method: 'POST',
    body: '[1]',
    status: 400,
    message:
      'the object provided is unrecognized (must be of type ConfigMap): couldn\'t get version/kind; json parse error: json: cannot unmarshal array into Go value of type struct { APIVersion string "json:\\"apiVersion,omitempty\\""; Kind string "json:\\"kind,omitempty\\"" } (5b315d)',
  },
  {
    name: 'no body at all',
    method: 'POST',
    body: '',
    status: 400,
    message:
      "the object provided is unrecognized (must be of type ConfigMap): couldn't get version/kind; json parse error: unexpected end of JSON input (<empty>)",
  },
  {
    name: 'a long body is shown in part',
    method: 'POST',
    body: `{"metadata":{"name":"${'x'.repeat(50)}"}`,
    status: 400,
    message: /\(\{"metadata":\{"name":"xxxxxxxxx \.\.\.\)$/,
  },
  { name: 'unknown media type comes before bad options', method: 'POST', path: `${MAPS}?dryRun=x`, body: 'x', type: 'text/plain', status: 415 },
  {
    name: 'field managers are printable',
    method: 'POST',
    path: `${MAPS}?fieldManager=a%01`,
    body: {},
    status: 422,
    message: 'CreateOptions.meta.k8s.io "" is invalid: fieldManager: Invalid value: "a\\u0001": invalid character U+0001 (at position 1)',
  },
  {
    name: 'a PUT without a name',
    method: 'PUT',
    path: `${MAPS}/a`,
    body: { data: {} },
    status: 400,
    message: 'the name of the object (a based on URL) was undeterminable: name must be provided',
  },
  {
    name: 'a patch that takes the name away',
    method: 'PATCH',
    path: `${MAPS}/a`,
    body: { metadata: { name: null } },
    type: MERGE,
    status: 400,
    message: 'the name of the object (a based on URL) was undeterminable: name must be provided',
  },
  { name: 'a merge patch of null', method: 'PATCH', path: `${MAPS}/a`, body: 'null', type: MERGE, status: 400, message: 'Invalid JSON Patch' },
  { name: 'a strategic patch of null changes nothing', method: 'PATCH', path: `${MAPS}/a`, body: 'null', type: STRATEGIC, status: 200 },
  { name: 'a JSON patch of null changes nothing', method: 'PATCH', path: `${MAPS}/a`, body: 'null', type: JSON_PATCH, status: 200 },
  {
    name: 'a broken merge patch, unvalidated',
    method: 'PATCH',
    path: `${MAPS}/a?fieldValidation=Ignore`,
    body: '{',
    type: MERGE,
    status: 400,
    message: 'Invalid JSON Patch',
  },
  {
    name: 'a strategic patch of the wrong type goes through the converter',
    method: 'PATCH',
    path: `${MAPS}/a`,
    body: { data: { a: 5 } },
    type: STRATEGIC,
    status: 422,
    message: ' "" is invalid: patch: Invalid value: "map[data:map[a:5]]": cannot convert int64 to string',
  },
  {
    name: 'a strategic patch with a scalar for a map',
    method: 'PATCH',
    path: `${MAPS}/a`,
    body: { data: 'x' },
    type: STRATEGIC,
    status: 422,
    message: ' "" is invalid: patch: Invalid value: "map[data:x]": cannot restore map from string',
  },
  {
    name: 'a merge patch of the wrong type shows the document with sorted keys',
    method: 'PATCH',
    path: `${MAPS}/a`,
    body: { data: 5 },
    type: MERGE,
    status: 422,
    message: /^ "" is invalid: patch: Invalid value: "\{\\"apiVersion\\":\\"v1\\",\\"data\\":5,\\"kind\\":\\"ConfigMap\\",\\"metadata\\":\{\\"name\\":\\"a\\",/,
  },
  {
    name: 'applying another kind',
    method: 'PATCH',
    path: `${MAPS}/a?fieldManager=m`,
    body: 'apiVersion: v1\nkind: Pod',
    type: APPLY,
    status: 400,
    message: 'invalid object type: /v1, Kind=Pod',
  },
  {
    name: 'applying an unknown field',
    method: 'PATCH',
    path: `${MAPS}/a?fieldManager=m`,
    body: 'apiVersion: v1\nkind: ConfigMap\nfoo: 1',
    type: APPLY,
    status: 500,
    message: 'failed to create typed patch object (/; /v1, Kind=ConfigMap): .foo: field not declared in schema',
  },
  {
    name: 'applying broken YAML',
    method: 'PATCH',
    path: `${MAPS}/a?fieldManager=m`,
    body: 'a: [',
    type: APPLY,
    status: 400,
    message: 'error decoding YAML: error converting YAML to JSON: yaml: line 1: did not find expected node content',
  },
  { name: 'no Table of a kind that is none', headers: { accept: 'application/json;as=Foo;g=meta.k8s.io;v=v1' }, status: 406 },
  { name: 'the old Table', headers: { accept: 'application/json;as=Table;g=meta.k8s.io;v=v1beta1' }, status: 200 },
  {
    name: 'metadata of one where there are many',
    headers: { accept: 'application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1' },
    status: 406,
    message: 'you requested PartialObjectMetadata, but the requested object is a list (*core.ConfigMapList)',
  },
  {
    name: 'metadata of many where there is one',
    path: `${MAPS}/a`,
    headers: { accept: 'application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1' },
    status: 406,
    message: 'you requested PartialObjectMetadataList, but the requested object is not a list (*core.ConfigMap)',
  },
  {
    name: 'rows with something unknown in them',
    path: `${MAPS}?includeObject=All`,
    headers: { accept: 'application/json;as=Table;g=meta.k8s.io;v=v1' },
    status: 400,
    message: "Unable to convert to Table as requested: includeObject: Invalid value: \"All\": must be 'Metadata', 'Object', 'None', or empty",
  },
  { name: 'an empty number', path: `${MAPS}?limit=`, status: 400, message: 'strconv.ParseInt: parsing "": invalid syntax' },
  {
    name: 'a number too large',
    path: `${MAPS}?limit=99999999999999999999`,
    status: 400,
    message: 'strconv.ParseInt: parsing "99999999999999999999": value out of range',
  },
  {
    name: 'options of a deletion come before the object',
    method: 'DELETE',
    path: `${MAPS}/none?propagationPolicy=Foo`,
    status: 422,
    message:
      'DeleteOptions.meta.k8s.io "" is invalid: propagationPolicy: Unsupported value: "Foo": supported values: "Foreground", "Background", "Orphan", "nil"',
  },
];

describe("the server's words", () => {
  let server: ApiServer;
  before(() => {
    server = createApiServer({ kernel: testKernel(), strategies, admission: admissionPlugins });
    server.client.resource<Namespace>('v1/namespaces').create({ metadata: { name: 'default' } }, { cause: CAUSE });
    server.client.resource('v1/configmaps').create({ metadata: { name: 'a', namespace: 'default' } }, { cause: CAUSE });
  });
  for (const { name, method = 'GET', path = MAPS, body, type = 'application/json', headers = {}, status, message, warnings } of CASES) {
    it(name, async () => {
      const text = body === undefined || typeof body === 'string' ? body : JSON.stringify(body);
      const response = await server.transport.request({
        method,
        path,
        headers: { accept: 'application/json', ...(text === undefined ? {} : { 'content-type': type }), ...headers },
        ...(text === undefined ? {} : { body: new TextEncoder().encode(text) }),
      });
      const answer = JSON.parse(new TextDecoder().decode(response.body)) as { message?: string };
      assert.equal(response.status, status, answer.message);
      if (typeof message === 'string') assert.equal(answer.message, message);
      else if (message) assert.match(answer.message ?? '', message);
      if (warnings) assert.deepEqual(response.warnings, warnings);
    });
  }
});

it('failures are written as the client reads them', async () => {
  const server = createApiServer({ kernel: testKernel(), strategies: [], admission: [] });
  const ask = async (headers: Record<string, string>): Promise<string> => {
    const { body } = await server.transport.request({ method: 'GET', path: `${MAPS}/none`, headers });
    return new TextDecoder().decode(body);
  };
  assert.match(await ask({ accept: 'application/yaml' }), /^apiVersion: v1\ncode: 404\n/);
  assert.match(await ask({ 'user-agent': 'curl/8.5.0' }), /^\{\n {2}"kind": "Status",\n/);
  assert.match(await ask({ 'user-agent': 'kubectl/v1.36.3' }), /^\{"kind":"Status",.*\}\n$/);
});

it('paths that are no resources', async () => {
  const server = createApiServer({ kernel: testKernel(), strategies, admission: admissionPlugins });
  const ask = async (method: string, path: string): Promise<{ status: number; type: string | undefined; text: string }> => {
    const { status, headers, body } = await server.transport.request({ method, path, headers: { accept: 'application/json' } });
    return { status, type: headers['content-type'], text: new TextDecoder().decode(body) };
  };
  server.client.resource('v1/nodes').create({ metadata: { name: 'n' } }, { cause: CAUSE });
  // Discovery is GET only, but for what the aggregator serves itself; health takes anything.
  for (const path of ['/api', '/api/v1', '/apis/apps/v1', '/version']) assert.equal((await ask('POST', path)).status, 405, path);
  for (const path of ['/apis', '/apis/apps', '/healthz']) assert.equal((await ask('POST', path)).status, 200, path);
  assert.match(
    (await ask('GET', '/livez?verbose&exclude=etcd&exclude=x')).text,
    /\[\+\]etcd excluded: ok\n(?:.*\n)*.*no matches for "x"\nlivez check passed\n$/,
  );
  const { paths } = JSON.parse((await ask('GET', '/')).text) as { paths: string[] };
  for (const path of paths) assert.equal((await ask('GET', path)).status, 200, path);
  assert.equal((await ask('GET', '/openid/v1/jwks')).type, 'application/jwk-set+json');
  await ask('GET', '/api/v1/pods');
  assert.match(
    (await ask('GET', '/metrics')).text,
    /^apiserver_request_total\{code="200",component="apiserver",dry_run="",group="",resource="pods",scope="cluster",subresource="",verb="LIST",version="v1"\} 1$/m,
  );
  assert.equal((await ask('GET', '/api/v1/nodes/n/proxy/healthz')).text, 'ok');
  assert.equal((await ask('GET', '/api/v1/nodes/n/proxy/nope')).status, 404);
  assert.equal((await ask('GET', '/api/v1/nodes/none/proxy/pods')).status, 404);
});
