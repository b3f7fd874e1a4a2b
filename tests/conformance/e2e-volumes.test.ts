import assert from 'node:assert/strict';
import { AGNHOST, BUSYBOX, has, type Json, refused, suite } from './e2e/cluster.ts';

// Upstream's specs (v1.36), played from outside through the HTTP door: test/e2e/common/storage. Titles are theirs, several of a kind in one.

const spec = suite('volumes');

const mt = (args: string[], vol: Json, mount = '/test-volume', sc?: Json, podsc?: Json) => ({
  volumes: [{ name: 'test-volume', ...vol }],
  ...(podsc ? { securityContext: podsc } : {}),
  containers: [
    {
      name: 'test-container',
      image: AGNHOST,
      args: ['mounttest', ...args],
      volumeMounts: [{ name: 'test-volume', mountPath: mount }],
      ...(sc ? { securityContext: sc } : {}),
    },
  ],
});
for (const [medium, uid] of [
  ['Memory', 0],
  ['', 0],
  ['Memory', 1001],
  ['', 1001],
] as const)
  spec(`EmptyDir volumes should support modes on ${medium || 'default medium'} as user ${uid}`, async (e) => {
    const v = { emptyDir: medium ? { medium } : {} };
    const sc = uid ? { runAsUser: uid } : undefined;
    let o = await e.output('a', mt(['--fs_type=/test-volume', '--file_perm=/test-volume'], v, '/test-volume', undefined, sc));
    has(o.log, 'perms of file "/test-volume": -rwxrwxrwx');
    if (medium) has(o.log, 'mount type of "/test-volume": tmpfs');
    for (const m of ['0644', '0666', '0777']) {
      o = await e.output(
        'f' + m,
        mt(['--fs_type=/test-volume', `--new_file_${m}=/test-volume/test-file`, '--file_perm=/test-volume/test-file'], v, '/test-volume', undefined, sc),
      );
      has(o.log, `perms of file "/test-volume/test-file": ${{ '0644': '-rw-r--r--', '0666': '-rw-rw-rw-', '0777': '-rwxrwxrwx' }[m]}`);
      has(o.log, 'content of file "/test-volume/test-file": mount-tester new file');
      assert.deepEqual(o.phase, 'Succeeded');
    }
  });
spec('EmptyDir volumes: pod should support shared volumes, memory backed volumes of specified size, fsGroup', async (e) => {
  await e.pod('sh', {
    volumes: [{ name: 's', emptyDir: {} }],
    containers: [
      { name: 'main', image: BUSYBOX, command: ['/bin/sh'], args: ['-c', 'sleep 100000'], volumeMounts: [{ name: 's', mountPath: '/usr/share/volumeshare' }] },
      {
        name: 'sub',
        image: BUSYBOX,
        command: ['/bin/sh', '-c', 'sleep 0; echo Hello from the busy-box sub-container > /usr/share/volumeshare/shareddata.txt && sleep 10000'],
        volumeMounts: [{ name: 's', mountPath: '/usr/share/volumeshare' }],
      },
    ],
  });
  await e.ready('sh');
  assert.deepEqual((await e.exec('sh', ['cat', '/usr/share/volumeshare/shareddata.txt'], 'main')).out, 'Hello from the busy-box sub-container\n');
  await e.pod('sl', {
    volumes: [{ name: 's', emptyDir: { medium: 'Memory', sizeLimit: '10Mi' } }],
    containers: [
      { name: 'main', image: BUSYBOX, command: ['/bin/sh'], args: ['-c', 'sleep 100000'], volumeMounts: [{ name: 's', mountPath: '/usr/share/volumeshare' }] },
    ],
  });
  await e.ready('sl');
  assert.deepEqual((await e.shell('sl', "df | grep /usr/share/volumeshare | awk '{print $2}'")).out, '10240\n');
  const o = await e.output(
    'fsg',
    mt(['--file_perm=/test-volume', '--file_owner=/test-volume', '--fs_type=/test-volume'], { emptyDir: {} }, '/test-volume', undefined, {
      fsGroup: 123,
      runAsUser: 1001,
    }),
  );
  has(o.log, 'perms of file "/test-volume": -rwxrwxrwx');
  has(o.log, 'owner GID of "/test-volume": 123');
});
spec('HostPath should give a volume the correct mode and support r/w', async (e) => {
  const o = await e.output('a', mt(['--fs_type=/test-volume', '--file_mode=/test-volume'], { hostPath: { path: '/tmp' } }));
  has(o.log, 'mode of file "/test-volume": dtrwxrwxrwx');
  const p = (args: string[], n: string) => ({
    name: n,
    image: AGNHOST,
    args: ['mounttest', ...args],
    volumeMounts: [{ name: 't', mountPath: '/test-volume' }],
    securityContext: { privileged: true },
  });
  await e.pod('rw', {
    restartPolicy: 'Never',
    volumes: [{ name: 't', hostPath: { path: '/tmp' } }],
    containers: [
      p(['--new_file_0644=/test-volume/test-file', '--file_mode=/test-volume/test-file'], 'c1'),
      p(['--file_content_in_loop=/test-volume/test-file', '--retry_time=180'], 'c2'),
    ],
  });
  await e.ended('rw');
  has(await e.logs('rw', 'c2'), 'content of file "/test-volume/test-file": mount-tester new file');
});
const kinds = ['configMap', 'projected', 'secret', 'projSecret'];
for (const k of kinds)
  spec(`${k} volume should be consumable with mappings, modes, non-root, optional updates, immutable`, async (e) => {
    const isS = k === 'secret' || k === 'projSecret';
    const path = `/api/v1/namespaces/${e.namespace}/${isS ? 'secrets' : 'configmaps'}`;
    const data = { 'data-1': 'value-1', 'data-2': 'value-2', 'path.to.data-2': 'value-2' };
    await e.post(path, { metadata: { name: 'cm' }, ...(isS ? { stringData: data } : { data }) });
    const vol = (o: Json = {}, name = 'cm') =>
      k === 'configMap'
        ? { configMap: { name, ...o } }
        : k === 'secret'
          ? { secret: { secretName: name, ...o } }
          : {
              projected: {
                sources: [
                  isS
                    ? { secret: { name, ...(o.items ? { items: o.items } : {}), ...(o.optional !== undefined ? { optional: o.optional } : {}) } }
                    : { configMap: { name, ...(o.items ? { items: o.items } : {}), ...(o.optional !== undefined ? { optional: o.optional } : {}) } },
                ],
                ...(o.defaultMode ? { defaultMode: o.defaultMode } : {}),
              },
            };
    const sc = { runAsUser: 1000 };
    has(
      (await e.output('a', mt(['--file_content=/etc/v/data-1', '--file_mode=/etc/v/data-1'], vol(), '/etc/v'))).log,
      'content of file "/etc/v/data-1": value-1',
    );
    has(await e.logs('a'), 'mode of file "/etc/v/data-1": -rw-r--r--');
    has(
      (await e.output('b', mt(['--file_content=/etc/v/data-1', '--file_mode=/etc/v/data-1'], vol({ defaultMode: 0o400 }), '/etc/v'))).log,
      'mode of file "/etc/v/data-1": -r--------',
    );
    has(
      (
        await e.output(
          'c',
          mt(['--file_content=/etc/v/data-1', '--file_mode=/etc/v/data-1'], vol({ defaultMode: 0o440 }), '/etc/v', undefined, {
            runAsUser: 1000,
            fsGroup: 1001,
          }),
        )
      ).log,
      'mode of file "/etc/v/data-1": -r--r-----',
    );
    has(await e.logs('c'), 'value-1');
    has(
      (
        await e.output(
          'd',
          mt(
            ['--file_content=/etc/v/path/to/data-2', '--file_mode=/etc/v/path/to/data-2'],
            vol({ items: [{ key: 'data-2', path: 'path/to/data-2', mode: 0o400 }] }),
            '/etc/v',
          ),
        )
      ).log,
      'mode of file "/etc/v/path/to/data-2": -r--------',
    );
    has((await e.output('e', mt(['--file_content=/etc/v/data-1'], vol(), '/etc/v', undefined, sc))).log, 'value-1');
    // optional updates
    await e.post(path, { metadata: { name: 'del' }, ...(isS ? { stringData: { 'data-1': 'value-1' } } : { data: { 'data-1': 'value-1' } }) });
    await e.post(path, { metadata: { name: 'upd' }, ...(isS ? { stringData: { 'data-1': 'value-1' } } : { data: { 'data-1': 'value-1' } }) });
    const loop = (f: string) => ['mounttest', '--break_on_expected_content=false', '--retry_time=300', `--file_content_in_loop=${f}`];
    await e.pod('opt', {
      volumes: [
        { name: 'deletecm', ...vol({ optional: true }, 'del') },
        { name: 'updcm', ...vol({ optional: true }, 'upd') },
        { name: 'createcm', ...vol({ optional: true }, 'create') },
      ],
      containers: ['delete', 'upd', 'create'].map((w) => ({
        name: w + 'cm-volume-test',
        image: AGNHOST,
        args: loop(`/etc/v/${w}/data-${w === 'upd' ? 3 : 1}`),
        volumeMounts: [{ name: w + 'cm', mountPath: '/etc/v/' + w, readOnly: true }],
      })),
    });
    await e.ready('opt');
    const l = (w: string) => e.logs('opt', `${w}cm-volume-test`);
    await e.until('no create', async () => (await l('create')).includes('Error reading file /etc/v/create/data-1'), 60);
    await e.until('no upd', async () => (await l('upd')).includes('Error reading file /etc/v/upd/data-3'), 60);
    await e.until('del', async () => (await l('delete')).includes('value-1'), 60);
    await e.del(path + '/del');
    const u = await e.get(path + '/upd');
    u.data = isS ? { 'data-3': 'dmFsdWUtMw==' } : { 'data-3': 'value-3' };
    await e.put(path + '/upd', u);
    await e.post(path, { metadata: { name: 'create' }, ...(isS ? { stringData: { 'data-1': 'value-1' } } : { data: { 'data-1': 'value-1' } }) });
    await e.until('create', async () => (await l('create')).includes('value-1'), 200);
    await e.until('upd', async () => (await l('upd')).includes('value-3'), 200);
    await e.until('deleted', async () => (await l('delete')).includes('Error reading file /etc/v/delete/data-1'), 200);
    // immutable
    await e.post(path, { metadata: { name: 'imm' }, ...(isS ? { stringData: data } : { data }) });
    await e.merge(path + '/imm', { immutable: true });
    await refused(e.merge(path + '/imm', isS ? { data: { x: 'eA==' } } : { data: { x: 'x' } }), 422);
    await refused(e.merge(path + '/imm', { immutable: false }), 422);
    await e.merge(path + '/imm', { metadata: { labels: { a: 'b' } } });
    await e.del(path + '/imm');
    if (k === 'configMap') {
      await e.post(path, { metadata: { name: 'bin' }, data: { 'data-1': 'value-1' }, binaryData: { 'dump.bin': '3sr+rd0=' } });
      await e.pod('bin', {
        volumes: [{ name: 'v', ...vol({}, 'bin') }],
        containers: [
          {
            name: 'c1',
            image: AGNHOST,
            args: ['mounttest', '--break_on_expected_content=false', '--retry_time=300', '--file_content_in_loop=/etc/v/data-1'],
            volumeMounts: [{ name: 'v', mountPath: '/etc/v' }],
          },
          { name: 'c2', image: AGNHOST, command: ['hexdump', '-C', '/etc/v/dump.bin'], volumeMounts: [{ name: 'v', mountPath: '/etc/v' }] },
        ],
      });
      await e.until('hex', async () => (await e.logs('bin', 'c2')).includes('de ca fe ad'), 60);
    }
  });
spec('Downward API volume should provide names, modes, limits, and update labels on modification', async (e) => {
  const dv = (items: Json[], o: Json = {}) => ({ downwardAPI: { items, ...o } });
  const _L = { path: 'podinfo', x: 1 };
  const it2 = [
    { path: 'podname', fieldRef: { fieldPath: 'metadata.name' } },
    { path: 'labels', fieldRef: { fieldPath: 'metadata.labels' } },
    { path: 'annotations', fieldRef: { fieldPath: 'metadata.annotations' } },
    { path: 'cpu_limit', resourceFieldRef: { containerName: 'test-container', resource: 'limits.cpu' } },
    { path: 'memory_limit', resourceFieldRef: { containerName: 'test-container', resource: 'limits.memory' } },
  ];
  has((await e.output('a', mt(['--file_content=/etc/podinfo/podname'], dv(it2), '/etc/podinfo'))).log, 'content of file "/etc/podinfo/podname": a');
  has(
    (await e.output('b', mt(['--file_mode=/etc/podinfo/podname'], dv(it2, { defaultMode: 0o400 }), '/etc/podinfo'))).log,
    'mode of file "/etc/podinfo/podname": -r--------',
  );
  has((await e.output('c', mt(['--file_content=/etc/podinfo/memory_limit'], dv(it2), '/etc/podinfo'))).log, /": [1-9]\d+/);
  has(
    (
      await e.output('d', {
        volumes: [{ name: 'p', projected: { sources: [{ downwardAPI: { items: [it2[0]] } }] } }],
        containers: [
          {
            name: 'test-container',
            image: AGNHOST,
            args: ['mounttest', '--file_content=/etc/podinfo/podname'],
            volumeMounts: [{ name: 'p', mountPath: '/etc/podinfo' }],
          },
        ],
        securityContext: { runAsUser: 1000, fsGroup: 1001 },
      })
    ).log,
    'podname": d',
  );
  await e.pod('l', mt(['--break_on_expected_content=false', '--retry_time=120', '--file_content_in_loop=/etc/podinfo/labels'], dv(it2), '/etc/podinfo'), {
    labels: { key1: 'value1', key2: 'value2' },
  });
  await e.until('v1', async () => (await e.logs('l')).includes('key1="value1"\n'), 60);
  await e.merge(`${e.of('pods')}/l`, { metadata: { labels: { key3: 'value3' } } });
  await e.until('v3', async () => (await e.logs('l')).includes('key3="value3"\n'), 150);
});
spec('Projected combined should project all components that make up the projection API', async (e) => {
  await e.post(`/api/v1/namespaces/${e.namespace}/configmaps`, { metadata: { name: 'cm' }, data: { 'configmap-data': 'configmap-value-1' } });
  await e.post(`/api/v1/namespaces/${e.namespace}/secrets`, { metadata: { name: 's' }, stringData: { 'secret-data': 'secret-value-1' } });
  const o = await e.output('a', {
    volumes: [
      {
        name: 'v',
        projected: {
          sources: [
            {
              downwardAPI: {
                items: [
                  { path: 'podname', fieldRef: { fieldPath: 'metadata.name' } },
                  { path: 'cpu', resourceFieldRef: { containerName: 'c', resource: 'limits.cpu' } },
                ],
              },
            },
            { configMap: { name: 'cm' } },
            { secret: { name: 's' } },
          ],
        },
      },
    ],
    containers: [
      {
        name: 'c',
        image: BUSYBOX,
        command: ['sh', '-c', 'cat /all/podname && cat /all/secret-data && cat /all/configmap-data && ls -la /all'],
        volumeMounts: [{ name: 'v', mountPath: '/all' }],
      },
    ],
  });
  for (const x of ['a', 'secret-value-1', 'configmap-value-1']) has(o.log, x);
});
for (const k of ['configMap', 'secret', 'downwardAPI', 'projected'])
  spec(`Subpath Atomic writer volumes should support subpaths with ${k} pod`, async (e) => {
    await e.post(`/api/v1/namespaces/${e.namespace}/configmaps`, { metadata: { name: 'cm' }, data: { 'configmap-key': 'configmap-value' } });
    await e.post(`/api/v1/namespaces/${e.namespace}/secrets`, { metadata: { name: 's' }, stringData: { 'secret-key': 'secret-value' } });
    const v: Json = {
      configMap: { configMap: { name: 'cm' } },
      secret: { secret: { secretName: 's' } },
      downwardAPI: { downwardAPI: { items: [{ path: 'downward/podname', fieldRef: { fieldPath: 'metadata.name' } }] } },
      projected: {
        projected: {
          sources: [{ downwardAPI: { items: [{ path: 'projected/podname', fieldRef: { fieldPath: 'metadata.name' } }] } }, { configMap: { name: 'cm' } }],
        },
      },
    };
    const sub: Json = { configMap: 'configmap-key', secret: 'secret-key', downwardAPI: 'downward/podname', projected: 'projected/podname' };
    const _isF = k === 'configMap' || k === 'secret' || true;
    const o = await e.output('a', {
      initContainers: [{ name: 'init', image: BUSYBOX, command: ['/bin/sh', '-c', 'true'], volumeMounts: [{ name: 't', mountPath: '/test-volume' }] }],
      volumes: [
        { name: 't', ...v[k] },
        { name: 'liveness', emptyDir: {} },
      ],
      containers: [
        {
          name: 'test-container-subpath',
          image: AGNHOST,
          args: ['mounttest', '--file_content_in_loop=/probe-volume/probe-file', '--retry_time=20', '--break_on_expected_content=false'],
          volumeMounts: [{ name: 't', mountPath: '/probe-volume/probe-file', subPath: sub[k] }],
        },
      ],
    });
    assert.deepEqual(o.phase, 'Succeeded', o.log);
    has(o.log, k === 'configMap' ? 'configmap-value' : k === 'secret' ? 'secret-value' : '": a');
  });
