import assert from 'node:assert/strict';
import { test } from 'node:test';
import { deflateRawSync } from 'node:zlib';
import type { SavedSession } from '../lab/protocol.ts';
import { decodeSession, encodeSession, ShareError } from './share.ts';

const saved: SavedSession = {
  version: 1,
  lab: 'statefulset',
  seed: 'statefulset',
  nowMs: 1_795_420_900_000,
  inputs: [
    { atMs: 1_795_420_800_000, request: { type: 'open-terminal', terminal: 'main', columns: 88, rows: 24 } },
    { atMs: 1_795_420_801_250, request: { type: 'run', terminal: 'main', command: 'kubectl apply -f statefulset.yaml' } },
    { atMs: 1_795_420_805_000, request: { type: 'input', terminal: 'main', data: '海\r' } },
    { atMs: 1_795_420_806_000, request: { type: 'write-file', path: 'a.yaml', text: 'a: 1\n' } },
  ],
};
const link = (value: unknown): string => deflateRawSync(JSON.stringify(value)).toString('base64url');
const packet = { v: 1, lab: 'dns', seed: 'dns', from: 0, now: 10, inputs: [] as unknown[] };

test('a session comes out of its link as it went in', async () => {
  assert.deepEqual(await decodeSession(await encodeSession(saved)), saved);
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
  ['deep nesting', deflateRawSync('['.repeat(100_000)).toString('base64url')],
] as const) {
  test(`a link with ${what} is refused`, async () => {
    await assert.rejects(decodeSession(text), ShareError);
  });
}
