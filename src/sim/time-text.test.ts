import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { timeText } from './time-text.ts';

test('writes instants as Date does, without fractions', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: Date.UTC(2200, 0, 1) }), (ms) => {
      assert.equal(timeText(ms), `${new Date(ms).toISOString().slice(0, 19)}Z`);
    }),
  );
});
