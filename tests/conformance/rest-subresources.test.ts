import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { testKernel } from '../../src/kernel/testing/index.ts';
import { type ApiServer, createApiServer } from '../../src/sim/apiserver/index.ts';
import { admissionPlugins, strategies } from '../../src/sim/kinds/index.ts';

/** What subresources and questions answer to requests that are not as they should be (upstream v1.36). */

const CAUSE = { actor: 'test', rule: 'test' };
const DEFAULT = '/api/v1/namespaces/default';
const STRATEGIC = 'application/strategic-merge-patch+json';
const REVIEWS = '/apis/authorization.k8s.io/v1';

interface Case {
  name: string;
  method?: string;
  path: string;
  body?: unknown;
  type?: string;
  status: number;
  message?: string;
}

const patch = (subresource: string, spec: unknown): Pick<Case, 'method' | 'path' | 'body' | 'type'> => ({
  method: 'PATCH',
  path: `${DEFAULT}/pods/p/${subresource}`,
  body: { spec },
  type: STRATEGIC,
});

const token = (boundObjectRef: unknown): Pick<Case, 'method' | 'path' | 'body'> => ({
  method: 'POST',
  path: `${DEFAULT}/serviceaccounts/sa/token`,
  body: { spec: { boundObjectRef } },
});

const CASES: Case[] = [
  {
    name: 'log options below zero',
    path: `${DEFAULT}/pods/p/log?tailLines=-1&limitBytes=0`,
    status: 422,
    message:
      'PodLogOptions "p" is invalid: [tailLines: Invalid value: -1: must be greater than or equal to 0, limitBytes: Invalid value: 0: must be greater than 0]',
  },
  {
    name: 'two beginnings of a log',
    path: `${DEFAULT}/pods/p/log?sinceSeconds=1&sinceTime=2026-01-01T00:00:00Z`,
    status: 422,
    message: 'PodLogOptions "p" is invalid: : Forbidden: at most one of `sinceTime` or `sinceSeconds` may be specified',
  },
  {
    name: 'an ephemeral container with the name of another',
    ...patch('ephemeralcontainers', { ephemeralContainers: [{ name: 'c', image: 'x' }] }),
    status: 422,
    message: 'Pod "p" is invalid: spec.ephemeralContainers[0].name: Duplicate value: "c"',
  },
  {
    name: 'an ephemeral container with resources',
    ...patch('ephemeralcontainers', { ephemeralContainers: [{ name: 'd', image: 'x', resources: { limits: { cpu: '1' } } }] }),
    status: 422,
    message: 'Pod "p" is invalid: spec.ephemeralContainers[0].resources: Forbidden: cannot be set for an Ephemeral Container',
  },
  { name: 'an ephemeral container', ...patch('ephemeralcontainers', { ephemeralContainers: [{ name: 'd', image: 'x' }] }), status: 200 },
  {
    name: 'a resize into another quality of service',
    ...patch('resize', { containers: [{ name: 'c', resources: { requests: { memory: '10Mi' } } }] }),
    status: 422,
    message: 'Pod "p" is invalid: spec: Invalid value: "Burstable": Pod QOS Class may not change as a result of resizing',
  },
  {
    name: 'a resize moves nothing but resources',
    ...patch('resize', { containers: [{ name: 'c', image: 'other' }] }),
    status: 200,
  },
  { name: 'a token for a Pod that is not', ...token({ kind: 'Pod', name: 'none', apiVersion: 'v1' }), status: 404, message: 'pods "none" not found' },
  {
    name: "a token for another account's Pod",
    ...token({ kind: 'Pod', name: 'p', apiVersion: 'v1' }),
    status: 400,
    message: 'cannot bind token for serviceaccount "sa" to pod running with different serviceaccount name.',
  },
  {
    name: 'a token for a thing',
    ...token({ kind: 'Thing', name: 'p', apiVersion: 'v1' }),
    status: 400,
    message: 'cannot bind token to object of type /v1, Kind=Thing',
  },
  {
    name: 'a question without an object',
    method: 'POST',
    path: `${REVIEWS}/selfsubjectaccessreviews`,
    body: { spec: {} },
    status: 422,
    message:
      '.authorization.k8s.io "" is invalid: spec.resourceAttributes: Invalid value: null: exactly one of nonResourceAttributes or resourceAttributes must be specified',
  },
  {
    name: 'a question about nobody with two objects',
    method: 'POST',
    path: `${REVIEWS}/subjectaccessreviews`,
    body: { spec: { resourceAttributes: { verb: 'get' }, nonResourceAttributes: { path: '/x' } } },
    status: 422,
    message:
      '.authorization.k8s.io "" is invalid: [spec.nonResourceAttributes: Invalid value: {"Path":"/x","Verb":""}: cannot be specified in combination with resourceAttributes, spec.user: Invalid value: "": at least one of user or group must be specified]',
  },
  {
    name: 'a question about another Namespace',
    method: 'POST',
    path: `${REVIEWS}/namespaces/default/localsubjectaccessreviews`,
    body: { spec: { user: 'jane', resourceAttributes: { verb: 'get', namespace: 'other' } } },
    status: 422,
    message: '.authorization.k8s.io "" is invalid: spec.resourceAttributes.namespace: Invalid value: "other": must match metadata.namespace',
  },
  { name: 'rules of no Namespace', method: 'POST', path: `${REVIEWS}/selfsubjectrulesreviews`, body: {}, status: 400, message: 'no namespace on request' },
  {
    name: 'no token to review',
    method: 'POST',
    path: '/apis/authentication.k8s.io/v1/tokenreviews',
    body: {},
    status: 400,
    message: 'token is required for TokenReview in authentication',
  },
];

describe('subresources and questions', () => {
  let server: ApiServer;
  before(() => {
    server = createApiServer({ kernel: testKernel(), strategies, admission: admissionPlugins });
    const create = (id: string, object: object): unknown => server.client.resource(id).create(object, { cause: CAUSE });
    create('v1/namespaces', { metadata: { name: 'default' } });
    create('v1/serviceaccounts', { metadata: { name: 'default', namespace: 'default' } });
    create('v1/serviceaccounts', { metadata: { name: 'sa', namespace: 'default' } });
    create('v1/pods', { metadata: { name: 'p', namespace: 'default' }, spec: { containers: [{ name: 'c', image: 'busybox' }] } });
  });
  for (const { name, method = 'GET', path, body, type = 'application/json', status, message } of CASES) {
    it(name, async () => {
      const response = await server.transport.request({
        method,
        path,
        headers: { accept: 'application/json', ...(body === undefined ? {} : { 'content-type': type }) },
        ...(body === undefined ? {} : { body: new TextEncoder().encode(JSON.stringify(body)) }),
      });
      const answer = JSON.parse(new TextDecoder().decode(response.body)) as { message?: string };
      assert.equal(response.status, status, answer.message);
      if (message) assert.equal(answer.message, message);
    });
  }
});
