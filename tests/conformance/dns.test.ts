import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { testKernel } from '../../src/kernel/testing/index.ts';
import { rcodeName, typeName } from '../../src/sim/dns/dns-server.ts';
import { createDnsServer, K3S_COREFILE } from '../../src/sim/dns/index.ts';
import { createQuery, type DnsMessage, decodeMessage, encodeMessage, type ResourceRecord, TYPE } from '../../src/sim/dns/message.ts';
import { FakeClient } from '../../src/sim/network/testing/fake-client.ts';

/**
 * The 34 questions that dig asked the reference cluster's CoreDNS, asked again: same status, flags and sections (order
 * of records free), in the recorded order, so that what the cache remembered then is remembered now.
 */
interface Recording {
  about: string;
  queries: { type: string; name: string; dig: string }[];
}
const recording: Recording = JSON.parse(readFileSync(new URL('./corpus/dns.json', import.meta.url), 'utf8'));

const POD_IPS = { 'web-0': '10.42.2.119', 'web-1': '10.42.1.146', 'web-2': '10.42.0.114' };
const COREDNS_IP = '10.42.0.5';

function recordedCluster() {
  const kernel = testKernel('dns');
  const client = new FakeClient(kernel);
  const put = (id: string, object: unknown): void => client.put(id, object as never);
  for (const name of ['default', 'kube-system', 'lab']) put('v1/namespaces', { metadata: { name } });
  const service = (namespace: string, name: string, spec: object): void => put('v1/services', { metadata: { namespace, name }, spec });
  service('lab', 'nginx', { clusterIP: 'None', clusterIPs: ['None'], ports: [{ name: 'web', port: 80, protocol: 'TCP' }] });
  service('lab', 'lb', { clusterIP: '10.43.175.45', clusterIPs: ['10.43.175.45'], ports: [{ name: 'web', port: 8080, protocol: 'TCP' }] });
  service('lab', 'ext', { type: 'ExternalName', externalName: 'example.com' });
  service('kube-system', 'kube-dns', { clusterIP: '10.43.0.10', clusterIPs: ['10.43.0.10'], ports: [{ name: 'dns', port: 53, protocol: 'UDP' }] });
  const slice = (namespace: string, name: string, endpoints: object[], port: object): void =>
    put('discovery.k8s.io/v1/endpointslices', {
      metadata: { namespace, name: `${name}-x`, labels: { 'kubernetes.io/service-name': name } },
      addressType: 'IPv4',
      endpoints,
      ports: [port],
    });
  const pods = Object.entries(POD_IPS);
  const web = { name: 'web', port: 80, protocol: 'TCP' };
  slice(
    'lab',
    'nginx',
    pods.map(([hostname, ip]) => ({ addresses: [ip], hostname, conditions: { ready: true } })),
    web,
  );
  slice(
    'lab',
    'lb',
    pods.map(([, ip]) => ({ addresses: [ip], conditions: { ready: true } })),
    web,
  );
  slice('kube-system', 'kube-dns', [{ addresses: [COREDNS_IP], conditions: { ready: true } }], { name: 'dns', port: 53, protocol: 'UDP' });
  const server = createDnsServer({
    kernel,
    client,
    corefile: K3S_COREFILE,
    readFile: (path) =>
      path === '/etc/coredns/NodeHosts' ? '172.18.0.2 k3d-demo-server-0\n172.18.0.3 k3d-demo-agent-0\n172.18.0.4 k3d-demo-agent-1\n' : undefined,
    glob: () => [],
    localIps: () => [COREDNS_IP],
  });
  return { kernel, server };
}

/** One record as dig prints it, blanks folded and the SOA's serial (a time) replaced. */
function printed(record: ResourceRecord): string {
  const data = record.data;
  const rdata =
    'address' in data
      ? data.address
      : 'weight' in data
        ? `${data.priority} ${data.weight} ${data.port} ${data.target}`
        : 'primary' in data
          ? `${data.primary} ${data.mailbox} <serial> ${data.refresh} ${data.retry} ${data.expire} ${data.minimum}`
          : 'target' in data
            ? data.target
            : 'texts' in data
              ? data.texts.map((text) => `"${text}"`).join(' ')
              : '';
  return `${record.name} ${record.ttl} IN ${typeName(record.type)} ${rdata}`;
}

function sectionOf(dig: string, title: string): string[] {
  const match = new RegExp(`;; ${title} SECTION:\\n([\\s\\S]*?)\\n\\n`).exec(dig);
  const lines = match?.[1]?.split('\n') ?? [];
  return lines.map((line) => line.replace(/\s+/g, ' ').replace(/(SOA \S+ \S+) \d+/, '$1 <serial>')).sort();
}

function flagsOf(message: DnsMessage): string {
  return [message.response && 'qr', message.authoritative && 'aa', message.recursionDesired && 'rd', message.recursionAvailable && 'ra']
    .filter(Boolean)
    .join(' ');
}

test('there are 34 recorded questions', () => {
  assert.equal(recording.queries.length, 34);
});

test('every recorded question gets the recorded answer', async (t) => {
  const { kernel, server } = recordedCluster();
  for (const [index, { type, name, dig }] of recording.queries.entries()) {
    // The whole recording took a little over a second before the question in capitals was asked.
    if (name === 'NGINX.lab.SVC.cluster.local') await kernel.advance({ untilMs: kernel.now() + 1200 });
    await t.test(`${type} ${name}`, async () => {
      const query = createQuery(index, name, type === 'ANY' ? TYPE.ANY : (TYPE[type as keyof typeof TYPE] ?? 0));
      const cookie = { code: 10, data: Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8) };
      const bytes = await server.answer(encodeMessage({ ...query, edns: { udpSize: 1232, version: 0, dnssecOk: false, options: [cookie] } }));
      assert.ok(bytes);
      const answer = decodeMessage(bytes);
      assert.equal(rcodeName(answer.rcode), /status: (\w+)/.exec(dig)?.[1]);
      assert.equal(flagsOf(answer), /flags: ([^;]*);/.exec(dig)?.[1]);
      assert.deepEqual(answer.answers.map(printed).sort(), sectionOf(dig, 'ANSWER'));
      assert.deepEqual(answer.authorities.map(printed).sort(), sectionOf(dig, 'AUTHORITY'));
      assert.deepEqual(answer.additionals.map(printed).sort(), sectionOf(dig, 'ADDITIONAL'));
      assert.deepEqual(answer.edns?.options, [cookie]);
      assert.equal(answer.questions[0]?.name, `${name}.`);
    });
  }
});
