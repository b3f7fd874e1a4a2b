import assert from 'node:assert/strict';
import { test } from 'node:test';
import { testKernel } from '../../kernel/testing/index.ts';
import { createVolume, volumeFileSystem } from '../../unix/index.ts';
import type { Pod, Service } from '../kinds/types.ts';
import { writeAtomically } from './atomic-writer.ts';
import { Backoff } from './backoff.ts';
import { decodeBase64 } from './base64.ts';
import { serviceEnvironment } from './environment.ts';
import { expand } from './expansion.ts';
import { hostsFile, podHostName, resolvConf } from './host-files.ts';
import { parseImageReference } from './image-manager.ts';
import { podQosClass } from './qos.ts';
import { goDuration } from './time-format.ts';

const pod = (spec: Pod['spec']): Pod => ({ metadata: { name: 'web-1', namespace: 'default' }, spec });

test('$(VAR) expansion as third_party/forked/golang/expansion does it', () => {
  const lookup = (name: string): string | undefined => ({ A: '1', B: '' })[name];
  const cases: [string, string][] = [
    ['$(A)', '1'],
    ['$(B)-$(A)', '-1'],
    ['$(NOPE)', '$(NOPE)'],
    ['$$(A)', '$(A)'],
    ['$$$(A)', '$1'],
    ['$A $ x$', '$A $ x$'],
    ['$(A', '$(A'],
  ];
  for (const [input, output] of cases) assert.equal(expand(input, lookup), output, input);
});

test('/etc/hosts and /etc/resolv.conf as recorded (dns-headless-article.json)', () => {
  const member = pod({ hostname: 'web-1', subdomain: 'nginx' });
  assert.equal(
    hostsFile(member, ['10.42.2.121']),
    '# Kubernetes-managed hosts file.\n127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\nfe00::0\tip6-localnet\nfe00::0\tip6-mcastprefix\nfe00::1\tip6-allnodes\nfe00::2\tip6-allrouters\n10.42.2.121\tweb-1.nginx.default.svc.cluster.local\tweb-1\n',
  );
  assert.equal(resolvConf(member), 'search default.svc.cluster.local svc.cluster.local cluster.local\nnameserver 10.43.0.10\noptions ndots:5\n');
  const custom = pod({
    dnsPolicy: 'None',
    dnsConfig: { nameservers: ['1.1.1.1'], searches: ['a.b'], options: [{ name: 'ndots', value: '2' }, { name: 'edns0' }] },
  });
  assert.equal(resolvConf(custom), 'search a.b\nnameserver 1.1.1.1\noptions ndots:2 edns0\n');
  assert.equal(podHostName(pod({ hostname: 'one', subdomain: 'sub', setHostnameAsFQDN: true })).nodename, 'one.sub.default.svc.cluster.local');
  assert.throws(() => podHostName(pod({ hostname: 'x'.repeat(60), subdomain: 'sub', setHostnameAsFQDN: true })), /too long \(64 characters is the max/);
});

test('image references are normalised as docker does', () => {
  assert.deepEqual(parseImageReference('busybox'), { repository: 'docker.io/library/busybox', tag: 'latest', digest: '' });
  assert.deepEqual(parseImageReference('rancher/pause:3.6'), { repository: 'docker.io/rancher/pause', tag: '3.6', digest: '' });
  assert.deepEqual(parseImageReference('localhost/nope:1'), { repository: 'localhost/nope', tag: '1', digest: '' });
  assert.deepEqual(parseImageReference('registry.k8s.io:443/a/b'), { repository: 'registry.k8s.io:443/a/b', tag: 'latest', digest: '' });
  assert.equal(parseImageReference('Bad Name'), undefined);
});

test('quality of service classes (pkg/apis/core/v1/helper/qos)', () => {
  const of = (resources: object): string => podQosClass(pod({ containers: [{ name: 'c', resources }] }));
  assert.equal(of({}), 'BestEffort');
  assert.equal(of({ requests: { cpu: '100m' } }), 'Burstable');
  assert.equal(of({ limits: { cpu: '1', memory: '1Gi' } }), 'Guaranteed');
  assert.equal(of({ requests: { cpu: '1000m', memory: '1Gi' }, limits: { cpu: '1', memory: '1Gi' } }), 'Guaranteed');
  assert.equal(of({ requests: { cpu: '500m', memory: '1Gi' }, limits: { cpu: '1', memory: '1Gi' } }), 'Burstable');
});

test('back-off doubles to its limit and is forgotten after twice the limit', () => {
  const backoff = new Backoff(10_000, 40_000);
  const seen: number[] = [];
  for (let now = 0; seen.length < 4; now += 1_000) {
    backoff.next('k', now);
    seen.push(backoff.get('k'));
  }
  assert.deepEqual(seen, [10_000, 20_000, 40_000, 40_000]);
  assert.ok(backoff.isInBackOffSince('k', 3_000, 42_000));
  assert.ok(!backoff.isInBackOffSince('k', 3_000, 43_000));
  backoff.next('k', 200_000);
  assert.equal(backoff.get('k'), 10_000);
});

test('a projected volume shows its files through ..data and swaps it on change', () => {
  const kernel = testKernel();
  const fs = volumeFileSystem(createVolume({ id: 'v', kernel }));
  writeAtomically(
    kernel,
    fs,
    new Map([
      ['a', { data: '1', mode: 0o644 }],
      ['d/b', { data: '2', mode: 0o600 }],
    ]),
  );
  assert.deepEqual(
    fs.readdir('/').filter((name) => !/^\.\.\d/.test(name)),
    ['..data', 'a', 'd'],
  );
  assert.match(fs.readlink('/..data'), /^\.\.2026_11_23_08_00_00\.\d+$/);
  assert.equal(fs.readlink('/a'), '..data/a');
  assert.equal(fs.readText('/d/b'), '2');
  const before = fs.readlink('/..data');
  writeAtomically(
    kernel,
    fs,
    new Map([
      ['a', { data: '1', mode: 0o644 }],
      ['d/b', { data: '2', mode: 0o600 }],
    ]),
  );
  assert.equal(fs.readlink('/..data'), before);
  writeAtomically(kernel, fs, new Map([['a', { data: '3', mode: 0o644 }]]));
  assert.notEqual(fs.readlink('/..data'), before);
  assert.equal(fs.readText('/a'), '3');
  assert.ok(!fs.exists('/d'));
});

test('Services become environment variables (envvars.FromServices)', () => {
  const service: Service = {
    metadata: { name: 'my-db', namespace: 'default' },
    spec: { clusterIP: '10.43.7.7', ports: [{ name: 'sql', port: 3306, protocol: 'TCP' }] },
  };
  const headless: Service = { metadata: { name: 'h', namespace: 'default' }, spec: { clusterIP: 'None', ports: [{ port: 1 }] } };
  assert.deepEqual(Object.fromEntries(serviceEnvironment([service, headless], 'default', true)), {
    MY_DB_SERVICE_HOST: '10.43.7.7',
    MY_DB_SERVICE_PORT: '3306',
    MY_DB_SERVICE_PORT_SQL: '3306',
    MY_DB_PORT: 'tcp://10.43.7.7:3306',
    MY_DB_PORT_3306_TCP: 'tcp://10.43.7.7:3306',
    MY_DB_PORT_3306_TCP_PROTO: 'tcp',
    MY_DB_PORT_3306_TCP_PORT: '3306',
    MY_DB_PORT_3306_TCP_ADDR: '10.43.7.7',
  });
  assert.equal(serviceEnvironment([service], 'default', false).size, 0);
});

test('durations print as Go prints them; base64 decodes', () => {
  assert.deepEqual([0, 38, 10_000, 80_000, 300_000, 10_250].map(goDuration), ['0s', '38ms', '10s', '1m20s', '5m0s', '10.25s']);
  assert.deepEqual([...decodeBase64('aGk=')], [104, 105]);
});
