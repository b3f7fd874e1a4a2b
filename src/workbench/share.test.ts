import assert from 'node:assert/strict';
import { test } from 'node:test';
import { deflateRawSync } from 'node:zlib';
import type { SavedSession } from '../lab/protocol.ts';
import { questionMarkdown } from './question.ts';
import { decodeSession, encodeSession, readSessionFile, ShareError, sessionFile } from './share.ts';

const saved: SavedSession = {
  version: 1,
  lab: 'statefulset',
  seed: 'statefulset',
  nowMs: 1_795_420_900_000,
  mark: '1234.9af3',
  inputs: [
    { atMs: 1_795_420_800_000, request: { type: 'open-terminal', terminal: 'main', columns: 88, rows: 24 } },
    { atMs: 1_795_420_801_250, request: { type: 'run', terminal: 'main', command: 'kubectl apply -f statefulset.yaml' } },
    { atMs: 1_795_420_805_000, request: { type: 'input', terminal: 'main', data: '海\r' } },
    { atMs: 1_795_420_805_500, request: { type: 'trace', what: 'request', namespace: 'default', pod: 'client', target: 'http://web:8080/' } },
    { atMs: 1_795_420_806_000, request: { type: 'write-file', path: 'a.yaml', text: 'a: 1\n' } },
  ],
};
const link = (value: unknown): string => deflateRawSync(JSON.stringify(value)).toString('base64url');
const packet = { v: 1, lab: 'dns', seed: 'dns', from: 0, now: 10, inputs: [] as unknown[] };

test('a session comes out of its link as it went in', async () => {
  assert.deepEqual(await decodeSession(await encodeSession(saved)), saved);
});

test('a session comes out of its file as it went in, and what is no such file is refused', () => {
  assert.deepEqual(readSessionFile(sessionFile(saved)), saved);
  for (const text of ['', '{', 'null', '[]', '{"v":1}', JSON.stringify({ chartroom: 'session', ...packet, v: 2 }), 'x'.repeat(10_000_001)])
    assert.throws(() => readSessionFile(text), ShareError);
});

test('a question has link, commands, output and YAML, and no text in it can end its block', () => {
  const text = questionMarkdown({
    lab: '照順序長出來的 Pod',
    link: 'https://example.com/#share=abc',
    commands: ['kubectl apply -f web.yaml', 'echo "```"'],
    output: Array.from({ length: 100 }, (_, i) => `line ${i}`).join('\n'),
    objects: [{ name: 'pod/web-0<script>', yaml: 'kind: Pod\n' }],
  });
  assert.match(text, /\[打開我的叢集\]\(https:\/\/example\.com\/#share=abc\)/);
  assert.match(text, /\n````sh\nkubectl apply -f web\.yaml\necho "```"\n````\n/);
  assert.ok(text.includes('line 99') && !text.includes('line 39\n'));
  assert.match(text, /```yaml\nkind: Pod\n```/);
  assert.ok(!text.includes('<script>'));
});

test('a typical session is far below 8 kB', async () => {
  const inputs = Array.from({ length: 600 }, (_, i) => ({
    atMs: i * 180,
    request: { type: 'input', terminal: 'main', data: 'kubectl get pods\r'[i % 17] ?? 'x' } as const,
  }));
  assert.ok((await encodeSession({ ...saved, inputs, nowMs: 200_000 })).length < 8000);
});

for (const [what, text] of [
  ['nothing', ''],
  ['no base64', '<script>alert(1)</script>'],
  ['half a link', 'abcdef'],
  ['another version', link({ ...packet, v: 2 })],
  ['a script as a name', link({ ...packet, lab: '<img src=x>' })],
  ['a path outside the home', link({ ...packet, inputs: [[0, 'w', '../etc/passwd', 'x']] })],
  ['an unknown input', link({ ...packet, inputs: [[0, 'x', 'main']] })],
  ['time that runs backwards', link({ ...packet, inputs: [[-5, 'c', 'main']] })],
  ['input after the end', link({ ...packet, inputs: [[11, 'c', 'main']] })],
  ['a year', link({ ...packet, now: 31_536_000_000 })],
  ['a bomb', link({ ...packet, seed: 'a'.repeat(5_000_000) })],
  ['a mark that is none', link({ ...packet, mark: '<b>' })],
  ['a trace from nowhere', link({ ...packet, inputs: [[0, 't', 'dns', '<b>/x', 'y']] })],
  ['deep nesting', deflateRawSync('['.repeat(100_000)).toString('base64url')],
] as const) {
  test(`a link with ${what} is refused`, async () => {
    await assert.rejects(decodeSession(text), ShareError);
  });
}
