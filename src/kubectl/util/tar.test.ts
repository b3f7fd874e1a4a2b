import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readTar, type TarEntry, writeTar } from './tar.ts';

const entry = (name: string, more: Partial<TarEntry> = {}): TarEntry => ({
  name,
  kind: 'file',
  link: '',
  data: new TextEncoder().encode('text\n'),
  mode: 0o644,
  mtimeMs: 1000,
  ...more,
});

test('an archive gives back what was put into it, long names and links, too', () => {
  const entries = [
    entry('a.txt'),
    entry(`${'d'.repeat(90)}/${'f'.repeat(40)}`),
    entry('empty', { data: new Uint8Array() }),
    entry('s', { kind: 'symlink', link: 'a.txt', data: new Uint8Array() }),
  ];
  assert.deepEqual(readTar(writeTar(entries)), entries);
});

test('an archive that is cut off gives what is whole', () => {
  const bytes = writeTar([entry('a'), entry('b')]);
  assert.deepEqual(
    readTar(bytes.slice(0, 1024)).map(({ name }) => name),
    ['a'],
  );
});
