import assert from 'node:assert/strict';
import { test } from 'node:test';
import { commandTree, findCommand, flagSetFor, suggestions } from './command.ts';
import { helpText } from './help.ts';

const parse = (line: string) => {
  const { command, args } = findCommand(commandTree(), line.split(' '));
  const flags = flagSetFor(command);
  flags.parse(args);
  return { path: command.path, flags };
};

test('every spelling of a flag is understood', () => {
  for (const line of ['get pods -owide', 'get pods -o=wide', 'get pods -o wide', 'get pods --output=wide', 'get --output wide pods']) {
    const { path, flags } = parse(line);
    assert.equal(path, 'get');
    assert.equal(flags.text('output'), 'wide', line);
    assert.deepEqual(flags.rest, ['pods']);
  }
  const { flags } = parse('exec -it web -c main -- ls -l');
  assert.equal(flags.bool('stdin') && flags.bool('tty'), true);
  assert.deepEqual(flags.rest, ['web', 'ls', '-l']);
  assert.equal(flags.lengthAtDash, 1);
});

test('a wrong flag is told in pflag’s words; a wrong command gets suggestions', () => {
  assert.throws(() => parse('get pods --nope'), { message: 'unknown flag: --nope' });
  assert.throws(() => parse('get pods -Z'), { message: "unknown shorthand flag: 'Z' in -Z" });
  assert.deepEqual(suggestions(commandTree(), 'gte'), ['get']);
});

test('every command has a help text', () => {
  const all = (command = commandTree()): string[] => command.children.flatMap((child) => [child.path, ...all(child)]);
  for (const path of all()) assert.match(helpText(path.split(' ')), /用法|選項/, path);
});
