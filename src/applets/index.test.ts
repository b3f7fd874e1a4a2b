import assert from 'node:assert/strict';
import { test } from 'node:test';
import { allApplets } from './all.ts';
import { applets } from './index.ts';

test('the table of names is the table of applets', () => {
  assert.deepEqual(Object.keys(applets), Object.keys(allApplets).sort());
});
