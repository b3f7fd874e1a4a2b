import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Action, matchActions } from './palette-actions.ts';

const action = (label: string, note = '', words = ''): Action => ({ label, note, words, act: () => undefined });
const ACTIONS = [
  action('執行 kubectl get pods', '看一看', 'run step'),
  action('時間 ×5', '時間', 'speed time 5'),
  action('重設：換一個全新的叢集', '實驗', 'reset'),
];

test('an action is found by its words in either language, all of which must occur', () => {
  const labels = (query: string): string[] => matchActions(ACTIONS, query).map((each) => each.label);
  assert.deepEqual(labels('重設'), ['重設：換一個全新的叢集']);
  assert.deepEqual(labels('RESET'), ['重設：換一個全新的叢集']);
  assert.deepEqual(labels('run pods'), ['執行 kubectl get pods']);
  assert.deepEqual(labels('run 時間'), []);
  assert.deepEqual(
    labels('  '),
    ACTIONS.map((each) => each.label),
  );
});
