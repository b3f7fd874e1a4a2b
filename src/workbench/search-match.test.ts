import assert from 'node:assert/strict';
import { test } from 'node:test';
import { searchEntries } from './search-match.ts';

const entries = [
  { url: 'lessons/dns/', page: '每個 Pod 都有名字', heading: '', text: '叢集裡的名字，只有叢集裡的 CoreDNS 會回答。' },
  { url: 'lessons/dns/#service', page: '每個 Pod 都有名字', heading: '補上 Headless Service', text: 'clusterIP: None' },
  { url: 'lessons/updates/', page: '更新', heading: 'RollingUpdate', text: '一次換一個 Pod。' },
];
const urls = (query: string): string[] => searchEntries(entries, query).map((result) => result.entry.url);

test('finds Chinese words inside sentences without spaces', () => {
  assert.deepEqual(urls('叢集'), ['lessons/dns/']);
});

test('finds a Kubernetes word whatever its case, headings first', () => {
  assert.deepEqual(urls('headless'), ['lessons/dns/#service']);
});

test('knows other words for the same thing', () => {
  assert.deepEqual(urls('無頭服務'), ['lessons/dns/#service']);
  assert.deepEqual(urls('滾動更新'), ['lessons/updates/']);
});

test('asks for every word of the query', () => {
  assert.deepEqual(urls('pod coredns'), ['lessons/dns/']);
  assert.deepEqual(urls('pod 沒有這個詞'), []);
});

test('marks what matched in the excerpt', () => {
  const [result] = searchEntries(entries, 'CoreDNS');
  assert.deepEqual(
    result?.excerpt.filter((_, index) => index % 2 === 1),
    ['CoreDNS'],
  );
});
