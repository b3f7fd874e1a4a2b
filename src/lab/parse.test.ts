import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LabError, parseLab } from './parse.ts';

const GOOD = `name: one
title: One
steps:
  - id: first
    title: First
    commands:
      - run: kubectl get pods
    sees:
      - 'No resources found'
  - id: second
    title: Second
    after: first
    checks:
      - object: pod/a
        youngerThan: pod/b
    misconceptions:
      - printed: oops
        says: no
`;

test('a lab file is read whole', () => {
  const lab = parseLab(GOOD, 'labs/one/lab.yaml');
  assert.deepEqual(
    lab.steps.map(({ id, sees, after, checks }) => ({ id, sees, after, checks: checks.length })),
    [
      { id: 'first', sees: ['No resources found'], after: undefined, checks: 0 },
      { id: 'second', sees: [], after: 'first', checks: 1 },
    ],
  );
});

test('a mistake is told with file, line and what to write instead', () => {
  const mistake = (from: string, to: string): string => {
    assert.ok(GOOD.includes(from));
    try {
      parseLab(GOOD.replace(from, to), 'labs/one/lab.yaml');
    } catch (error) {
      assert.ok(error instanceof LabError);
      return error.message;
    }
    return 'accepted';
  };
  assert.match(mistake('sees:', 'seen:'), /^labs\/one\/lab\.yaml:8: unknown key "seen" in steps\.0; known: id, title, commands, /);
  assert.match(mistake("    sees:\n      - 'No resources found'\n", ''), /^labs\/one\/lab\.yaml:4: step "first" can never be reached: give it "checks"/);
  assert.match(mistake("'No resources found'", "'('"), /^labs\/one\/lab\.yaml:9: not a regular expression/);
  assert.match(mistake('after: first', 'after: third'), /^labs\/one\/lab\.yaml:12: "after" names no earlier step; before "second" come: first$/);
  assert.match(mistake('pod/a', 'pott/a'), /^labs\/one\/lab\.yaml:14: unknown resource type "pott" \(use a name that kubectl knows/);
  assert.match(mistake('youngerThan: pod/b', 'youngerThan: pods'), /^labs\/one\/lab\.yaml:15: "youngerThan" compares two objects/);
  assert.match(mistake('youngerThan: pod/b', 'count: many'), /^labs\/one\/lab\.yaml:15: steps\.1\.checks\.0\.count must be a number/);
  assert.match(mistake('printed: oops', 'shown: oops'), /^labs\/one\/lab\.yaml:17: unknown key "shown"/);
  assert.match(mistake('      - printed: oops\n        says', '      - says'), /^labs\/one\/lab\.yaml:17: a misconception needs "typed", "printed" or "state"/);
  assert.match(mistake('id: second', 'id: first'), /^labs\/one\/lab\.yaml:(10|11|12): /);
  assert.match(mistake('title: One', 'title: [One'), /^labs\/one\/lab\.yaml:\d+: /);
});
