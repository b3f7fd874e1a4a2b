import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import type { Kernel } from '../../kernel/index.ts';
import { testKernel } from '../../kernel/testing/index.ts';
import { type ApiServer, createApiServer } from '../apiserver/index.ts';
import type { ConfigMap, Event } from '../kinds/types.ts';
import type { EventRecord } from './types.ts';

const CAUSE = { actor: 'test', rule: 'test' };

describe('client', () => {
  let kernel: Kernel;
  let server: ApiServer;
  beforeEach(() => {
    kernel = testKernel();
    server = createApiServer({ kernel, strategies: [], admission: [] });
  });

  const configMap = (name: string, labels: Record<string, string> = {}): ConfigMap => ({ metadata: { name, namespace: 'default', labels } });

  describe('informer', () => {
    it('lags behind the store until the queue runs, then hears of everything in order', async () => {
      const maps = server.client.resource<ConfigMap>('v1/configmaps');
      maps.create(configMap('a'), { cause: CAUSE });
      const informer = server.client.informer<ConfigMap>('v1/configmaps');
      const heard: string[] = [];
      informer.onEvent(({ type, object, old }) => heard.push(`${type} ${object.metadata?.name}${old ? ` after ${old.data?.n ?? '-'}` : ''}`));
      await kernel.settle();
      maps.patch('default', 'a', { data: { n: '1' } }, { cause: CAUSE });
      maps.delete('default', 'a', { cause: CAUSE });
      assert.deepEqual(heard, ['ADDED a']);
      assert.ok(informer.get('default', 'a'));
      await kernel.settle();
      assert.deepEqual(heard, ['ADDED a', 'MODIFIED a after -', 'DELETED a after 1']);
      assert.equal(informer.get('default', 'a'), undefined);
    });

    it('keeps its indices', async () => {
      const maps = server.client.resource<ConfigMap>('v1/configmaps');
      const informer = server.client.informer<ConfigMap>('v1/configmaps');
      informer.addIndex('t', (object) => [object.metadata?.labels?.t ?? '']);
      maps.create(configMap('a', { t: 'x' }), { cause: CAUSE });
      maps.create(configMap('b', { t: 'x' }), { cause: CAUSE });
      await kernel.settle();
      assert.equal(informer.byIndex('t', 'x').length, 2);
      maps.patch('default', 'a', { metadata: { labels: { t: 'y' } } }, { cause: CAUSE });
      maps.delete('default', 'b', { cause: CAUSE });
      await kernel.settle();
      assert.deepEqual(informer.byIndex('t', 'x'), []);
      assert.equal(informer.byIndex('t', 'y').length, 1);
    });

    it('is shared', () => {
      assert.equal(server.client.informer('v1/pods'), server.client.informer('v1/pods'));
    });
  });

  describe('events', () => {
    const record = (message: string): EventRecord => ({
      regarding: { apiVersion: 'v1', kind: 'Pod', namespace: 'default', name: 'p', uid: 'u' },
      type: 'Warning',
      reason: 'BackOff',
      message,
      component: 'kubelet',
      host: 'node',
      cause: CAUSE,
    });
    const events = (): readonly Event[] => server.client.resource<Event>('v1/events').list();

    it('counts what repeats', () => {
      for (let i = 0; i < 3; i++) server.client.event(record('again'));
      assert.equal(events().length, 1);
      assert.equal(events()[0]?.count, 3);
      assert.match(events()[0]?.metadata?.name ?? '', /^p\.[0-9a-f]{16}$/);
      assert.deepEqual(events()[0]?.source, { component: 'kubelet', host: 'node' });
    });

    it('folds many similar ones into one', () => {
      for (let i = 0; i < 15; i++) server.client.event(record(`try ${i}`));
      const combined = events().find((event) => event.message?.startsWith('(combined from similar events): '));
      assert.equal(combined?.message, '(combined from similar events): try 14');
      assert.equal(events().length, 10);
    });

    it('drops a flood about one object', () => {
      for (let i = 0; i < 60; i++) server.client.event({ ...record('x'), reason: `R${i}` });
      assert.equal(events().length, 25);
    });

    it('forgets after an hour, when the next one comes', async () => {
      server.client.event(record('old'));
      await kernel.advance({ untilMs: kernel.now() + 3_600_001 });
      server.client.event({ ...record('new'), reason: 'Other' });
      assert.deepEqual(
        events().map(({ message }) => message),
        ['new'],
      );
    });

    it('lets the scheduler speak through events.k8s.io', () => {
      server.client.event({ ...record('bound'), component: 'default-scheduler', reason: 'Scheduled', type: 'Normal' });
      const [event] = events();
      assert.equal(event?.reportingComponent, 'default-scheduler');
      assert.match(String(event?.eventTime), /\.\d{6}Z$/);
      assert.equal(event?.count, undefined);
      assert.equal(event?.firstTimestamp, null);
    });
  });
});
