import assert from 'node:assert/strict';
import { test } from 'node:test';
import { humanDuration } from './duration.ts';
import { addQuantities, canonicalQuantity, compareQuantities, quantityMilliValue, quantityValue } from './quantity.ts';
import { formatSelector, matchesSelector, parseFieldSelector, parseLabelSelector } from './selector.ts';

test('canonical quantities', () => {
  const cases: Record<string, string> = {
    '0': '0',
    '0.0': '0',
    '1000m': '1',
    '0.5': '500m',
    '1500m': '1500m',
    '100m': '100m',
    '1024Mi': '1Gi',
    '1.5Gi': '1536Mi',
    '512Mi': '512Mi',
    '1000Mi': '1000Mi',
    '1000000': '1M',
    '1e3': '1e3',
    '12e6': '12e6',
    '0.5Gi': '512Mi',
    '100Ki': '100Ki',
    '1023': '1023',
    '1Ki': '1Ki',
    '0.5Ki': '512',
    '-1': '-1',
    '1234567': '1234567',
    '64Mi': '64Mi',
    '0.1m': '100u',
    '10': '10',
    '128974848': '128974848',
    '+5': '5',
    '.5': '500m',
    '5.': '5',
  };
  for (const [input, output] of Object.entries(cases)) assert.equal(canonicalQuantity(input), output, input);
  assert.equal(canonicalQuantity(1), '1');
  assert.throws(() => canonicalQuantity('1Gigs'), { message: "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'" });
  assert.throws(() => canonicalQuantity('1Gim'), { message: "unable to parse quantity's suffix" });
});

test('quantity arithmetic', () => {
  assert.equal(addQuantities('1Gi', '512Mi'), '1536Mi');
  assert.equal(addQuantities(undefined, '100m'), '100m');
  assert.ok(compareQuantities('1Gi', '1G') > 0);
  assert.equal(quantityValue('1Ki'), 1024);
  assert.equal(quantityMilliValue('0.0001'), 1);
});

test('human durations', () => {
  const s = 1000;
  for (const [ms, text] of [
    [-3 * s, '<invalid>'],
    [0, '0s'],
    [119 * s, '119s'],
    [120 * s, '2m'],
    [123 * s, '2m3s'],
    [600 * s, '10m'],
    [3 * 3600 * s, '3h'],
    [3 * 3600 * s + 60 * s, '3h1m'],
    [47 * 3600 * s, '47h'],
    [49 * 3600 * s, '2d1h'],
    [400 * 86400 * s, '400d'],
    [800 * 86400 * s, '2y70d'],
  ] as const) {
    assert.equal(humanDuration(ms), text);
  }
});

test('label selectors', () => {
  const match = (text: string, labels: Record<string, string>): boolean => matchesSelector(parseLabelSelector(text), labels);
  assert.ok(match('a=b,!c', { a: 'b' }));
  assert.ok(!match('a in (x,y)', { a: 'z' }));
  assert.ok(match('a notin (x)', {}));
  assert.ok(match('in in (in)', { in: 'in' }));
  assert.ok(match('n>3', { n: '4' }));
  assert.equal(formatSelector(parseLabelSelector('z,a in (y,x),!b')), 'a in (x,y),!b,z');
  const fails = (text: string, message: string): void => assert.throws(() => parseLabelSelector(text), { message });
  fails('a in', "unable to parse requirement: found '' expected: '('");
  fails('a=b,', "found '', expected: identifier after ','");
  fails('a=b c', "found 'c', expected: ',' or 'end of string'");
  fails('a b', "unable to parse requirement: found 'b', expected: in, notin, =, ==, !=, gt, lt");
  fails('=', "found '=', expected: !, identifier, or 'end of string'");
  fails('a=b!', "found '!', expected: ',' or 'end of string'");
});

test('field selectors', () => {
  assert.deepEqual(parseFieldSelector('metadata.name=a,status.phase!=Running'), [
    { field: 'metadata.name', negated: false, value: 'a' },
    { field: 'status.phase', negated: true, value: 'Running' },
  ]);
  assert.throws(() => parseFieldSelector('abc'), { message: "invalid selector: 'abc'; can't understand 'abc'" });
});
