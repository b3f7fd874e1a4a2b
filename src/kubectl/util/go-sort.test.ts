import assert from 'node:assert/strict';
import { test } from 'node:test';
import { goSort } from './go-sort.ts';

test('what is equal comes in the order in which Go’s sort leaves it', () => {
  // What kubectl v1.36.3 printed for sixteen objects with one value and one, the last, without: that one is less than any.
  const items = Array.from({ length: 17 }, (_, i) => i);
  const sorted = goSort(items, (a) => a === 16);
  assert.deepEqual(
    sorted.filter((item) => item !== 16),
    [8, 10, 3, 4, 5, 6, 2, 7, 9, 0, 11, 12, 13, 14, 15, 1],
  );
});

test('short lists keep their order', () => {
  assert.deepEqual(
    goSort(
      [3, 1, 2].map((value, at) => ({ value: value % 2, at })),
      (a, b) => a.value < b.value,
    ).map(({ at }) => at),
    [2, 0, 1],
  );
});
