import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SavedSession } from '../lab/protocol.ts';
import { type Branch, branchLabel, isPartOf, othersThan, withBranch } from './branches.ts';

const session = (nowMs: number, ...commands: string[]): SavedSession => ({
  version: 1,
  lab: 'x',
  seed: 'x',
  nowMs,
  inputs: commands.map((command, index) => ({ atMs: index * 10, request: { type: 'run', terminal: 'main', command } })),
});
const branch = (saved: SavedSession): Branch => ({ saved, last: 'kubectl get pods' });

test('a session is part of another when it was lived through in it', () => {
  assert.equal(isPartOf(session(10, 'a'), session(20, 'a', 'b')), true);
  assert.equal(isPartOf(session(30, 'a'), session(20, 'a', 'b')), false);
  assert.equal(isPartOf(session(10, 'c'), session(20, 'a', 'b')), false);
});

test('both futures of a fork are kept, what a longer one tells is not, and the oldest goes first', () => {
  let branches = withBranch([], branch(session(20, 'a')));
  branches = withBranch(branches, branch(session(30, 'a', 'b')));
  assert.equal(branches.length, 1);
  branches = withBranch(branches, branch(session(30, 'a', 'c')));
  assert.equal(branches.length, 2);
  assert.equal(othersThan(branches, session(40, 'a', 'c')).length, 1);
  for (let i = 0; i < 9; i++) branches = withBranch(branches, branch(session(30, `only ${i}`)));
  assert.equal(branches.length, 6);
});

test('a branch is named by its moment, its commands and the last of them', () => {
  assert.equal(
    branchLabel(branch(session(5000, 'a', 'b')), (ms) => `${ms / 1000} s`),
    '回到 5 s 的未來（2 個指令，最後是 kubectl get pods）',
  );
});
