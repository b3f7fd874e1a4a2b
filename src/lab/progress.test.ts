import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ApiObject, Client } from '../sim/client/types.ts';
import { parseLab } from './parse.ts';
import { ProgressTracker } from './progress.ts';

const LAB = parseLab(
  `name: one
title: One
steps:
  - id: look
    title: Look
    sees: ['^pod/web-\\d$', 'NXDOMAIN']
  - id: renew
    title: Renew
    checks: [{ object: pod/web-1, youngerThan: pod/web-2 }]
    misconceptions:
      - { typed: 'delete\\s+sts', says: too much }
      - { printed: 'Forbidden', says: not so }
  - id: gone
    title: Gone
    after: renew
    checks: [{ object: sts/web, absent: true }]
`,
  'lab.yaml',
);

/** A cluster of Pods by name, with the second they were created. */
function clusterOf(created: Record<string, number>): Client {
  const get = (_: string, name: string): ApiObject | undefined =>
    created[name] === undefined ? undefined : ({ metadata: { name, creationTimestamp: `2026-01-01T00:00:0${created[name]}Z` } } as unknown as ApiObject);
  return { resource: () => ({ get, list: () => [] }) } as unknown as Client;
}

const reached = (tracker: ProgressTracker): string[] => {
  tracker.update();
  return tracker.states.filter((state) => state.reached).map((state) => state.id);
};

test('what was to be seen may be printed by any command, line by line, in any order', () => {
  const tracker = new ProgressTracker(LAB, clusterOf({ 'web-1': 1, 'web-2': 2 }));
  tracker.printed("** server can't find it: NXDOMAIN\n");
  tracker.printed('the name is pod/web-1, somewhere in a line\n');
  assert.deepEqual(reached(tracker), []);
  tracker.printed('pod/web-0\npod/web-1\n');
  assert.deepEqual(reached(tracker), ['look']);
});

test('an object that came back is younger than one that stayed, and a goal waits for the step before it', () => {
  const created: Record<string, number> = { 'web-1': 1, 'web-2': 2 };
  const tracker = new ProgressTracker(LAB, clusterOf(created));
  assert.deepEqual(reached(tracker), []);
  assert.deepEqual(tracker.states[1]?.failing, { object: 'pod/web-1', expected: 'created after pod/web-2', actual: 'created before it' });
  created['web-1'] = 3;
  assert.deepEqual(reached(tracker), ['renew', 'gone']);
  created['web-1'] = 1;
  assert.deepEqual(reached(tracker), ['renew', 'gone'], 'what was reached stays reached');
});

test('a misconception is told by the line typed and by what was printed, while its step is open', () => {
  const created: Record<string, number> = { 'web-1': 1, 'web-2': 2 };
  const tracker = new ProgressTracker(LAB, clusterOf(created));
  assert.equal(tracker.typed('kubectl get sts'), false);
  assert.equal(tracker.typed('kubectl delete  sts web'), true);
  assert.equal(tracker.update(), true);
  assert.equal(tracker.states[1]?.hint, 'too much');
  tracker.printed('Error: Forbidden\n');
  assert.equal(tracker.update(), true);
  assert.equal(tracker.states[1]?.hint, 'not so');
  created['web-1'] = 3;
  assert.deepEqual(reached(tracker), ['renew', 'gone']);
  assert.equal(tracker.typed('kubectl delete sts web'), false);
});
