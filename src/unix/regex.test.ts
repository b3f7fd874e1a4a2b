import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { compileRegex } from './regex.ts';
import { RegexError } from './regex-error.ts';

const spans = (pattern: string, text: string, extended = true): (string | undefined)[] | undefined =>
  compileRegex(pattern, { extended }).exec(text)?.groups.slice();

test('the leftmost match, and of those the longest', () => {
  assert.deepEqual(spans('a|ab|abc', 'xabcd'), ['abc']);
  assert.deepEqual(spans('(a|ab)(c|bcd)', 'abcd'), ['abcd', 'a', 'bcd']);
  assert.deepEqual(spans('a*(ab)?', 'aab'), ['aab', 'ab']);
  assert.deepEqual(spans('(a*)*b', 'aab'), ['aab', 'aa']);
  assert.deepEqual(spans('x{2,3}', 'axxxx'), ['xxx']);
  assert.deepEqual(spans('\\(a\\)\\(b\\)*', 'ac', false), ['a', 'a', undefined]);
  assert.deepEqual(spans('^|c', 'abc'), ['']);
  assert.equal(compileRegex('^b').exec('ab', 1), undefined);
});

test('back-references, anchors, word ends, classes, letter case', () => {
  assert.deepEqual(spans('(.)(.)\\2\\1', 'xabba'), ['abba', 'a', 'b']);
  assert.deepEqual(spans('\\<the\\>', 'other the'), ['the']);
  assert.deepEqual(spans('[[:digit:]]+[^0-9]$', 'a12b34c'), ['34c']);
  assert.equal(compileRegex('É?straße', { extended: true, ignoreCase: true }).test('STRAßE'), true);
  assert.equal(compileRegex('[^a]', { ignoreCase: true }).test('A'), false);
});

test('refusals are those of regcomp, and grep is more lenient', () => {
  const refused = (pattern: string, extended: boolean): string => {
    try {
      compileRegex(pattern, { extended });
      return 'taken';
    } catch (error) {
      assert.ok(error instanceof RegexError);
      return error.message;
    }
  };
  assert.equal(refused('(a', true), 'Unmatched ( or \\(');
  assert.equal(refused('a\\)', false), 'Unmatched ) or \\)');
  assert.equal(refused('*a', true), 'Invalid preceding regular expression');
  assert.equal(refused('*a', false), 'taken');
  assert.equal(refused('a{2,1}', true), 'Invalid content of \\{\\}');
  assert.equal(refused('[b-a]', true), 'Invalid range end');
  assert.equal(refused('(a\\1)', true), 'Invalid back reference');
  assert.equal(refused('((((a{100}){100}){100}){100})', true), 'Regular expression too big');
  assert.equal(compileRegex('*a', { extended: true, lenient: true }).test('a'), true);
});

test('matches where JavaScript does, whatever the pattern', () => {
  const atom = fc.constantFrom('a', 'b', '.', '[ab]', '[^a]', '(a|b)', '(ab|a)', '(b*)');
  const piece = fc.tuple(atom, fc.constantFrom('', '', '*', '+', '?', '{1,2}')).map((parts) => parts.join(''));
  const pattern = fc.array(piece, { minLength: 1, maxLength: 5 }).map((parts) => parts.join(''));
  fc.assert(
    fc.property(
      fc.oneof(
        pattern,
        fc.tuple(pattern, pattern).map((two) => two.join('|')),
      ),
      fc.stringMatching(/^[abc]{0,12}$/),
      (source, text) => {
        const ours = compileRegex(source, { extended: true }).exec(text);
        const theirs = new RegExp(source, 's').exec(text);
        assert.equal(ours?.index, theirs?.index);
        // Ours is the longest of all that begin there; theirs the first.
        if (ours && theirs) assert.ok(ours.groups[0]!.length >= theirs[0].length);
      },
    ),
    { numRuns: 3000 },
  );
});

test('what would take a backtracking engine for ever is answered', () => {
  const line = `${'a'.repeat(50_000)}b`;
  assert.equal(compileRegex('(a+)+$', { extended: true }).test(line), false);
  assert.equal(compileRegex('(a|aa)*(a|b)*c', { extended: true }).test(line), false);
  assert.equal(compileRegex('(a*)*b', { extended: true }).exec(line)?.groups[0]?.length, 50_001);
  assert.equal(compileRegex('.*.*.*.*.*=', { extended: true }).test(line), false);
  assert.throws(() => compileRegex('(a*)*\\1c', { extended: true }).test(line), { message: 'Memory exhausted' });
});
