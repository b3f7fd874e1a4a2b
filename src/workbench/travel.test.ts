import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SavedSession, SessionRequest } from '../lab/protocol.ts';
import { beforeLastCommand, sessionAt } from './travel.ts';

const key = (data: string): SessionRequest => ({ type: 'input', terminal: 'main', data });
const session = (...requests: SessionRequest[]): SavedSession => ({
  version: 1,
  lab: 'x',
  seed: 'x',
  nowMs: 99,
  inputs: requests.map((request, i) => ({ atMs: i * 10, request })),
});
const run: SessionRequest = { type: 'run', terminal: 'main', command: 'ls' };

test('a moment keeps what was done until then', () => {
  assert.deepEqual(sessionAt(session(run, run, run), 15).inputs.length, 2);
});

test('undo takes back a typed line with its keys, and what came after', () => {
  const before = beforeLastCommand(session(run, key('p'), key('s'), key('\r'), { type: 'resize', terminal: 'main', columns: 80, rows: 24 }));
  assert.deepEqual(before?.inputs.length, 1);
  assert.equal(before?.nowMs, 10);
});

test('undo takes back a command given by a button', () => {
  assert.equal(beforeLastCommand(session(run, run))?.inputs.length, 1);
});

test('there is nothing to undo before the first command', () => {
  assert.equal(beforeLastCommand(session(key('l'), key('s'))), undefined);
});
