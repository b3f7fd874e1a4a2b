// biome-ignore-all lint/suspicious/noTemplateCurlyInString: shell text, not templates
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ArithmeticError, evaluateArithmetic } from './arithmetic.ts';
import { shellPattern } from './glob.ts';
import { Parser } from './parser.ts';
import { formatPrint } from './print-format.ts';
import { ShellSyntaxError } from './syntax.ts';

/** Texts that look like scripts more often than chance would have it. */
const script = fc
  .array(
    fc.oneof(
      fc.constantFrom(
        ...'if then else elif fi for in do done while until case esac { } ( ) (( )) [[ ]] ! && || | & ; ;; < > >> << <<- <<< <& >& 2>&1 $ $( $(( ${ ` " \' \\ # = + * ? [ ] a b x=1 $x ${x:-y} EOF 1 , .. function time'.split(
          ' ',
        ),
      ),
      fc.constantFrom('\n', ' ', '\t', '\0', '中', '😀'),
      fc.string({ maxLength: 4 }),
    ),
    { maxLength: 30 },
  )
  .map((parts) => parts.join(''));

const runs = { seed: 7, numRuns: 3000 };

test('no text makes the parser do anything but parse or refuse', () => {
  for (const dialect of ['ash', 'bash'] as const) {
    fc.assert(
      fc.property(script, (text) => {
        try {
          new Parser(text, {
            dialect,
            aliases: new Map([
              ['a', 'b x'],
              ['b', 'a '],
            ]),
          }).all();
        } catch (error) {
          assert.ok(error instanceof ShellSyntaxError, String(error));
        }
      }),
      runs,
    );
  }
});

test('no text makes arithmetic, patterns or printf fail in another way than theirs', () => {
  fc.assert(
    fc.property(
      fc.array(
        fc.oneof(
          fc.constantFrom('+', '-', '*', '/', '(', ')', '?', ':', '=', '1', '09', '0x', 'x', '**', '<<', '~', '2#', '[', ']', '%'),
          fc.string({ maxLength: 2 }),
        ),
        { maxLength: 12 },
      ),
      (parts) => {
        const text = parts.join('');
        try {
          evaluateArithmetic(text, { get: () => undefined, set: () => undefined }, 'bash');
        } catch (error) {
          assert.ok(error instanceof ArithmeticError, `${text}: ${String(error)}`);
        }
        assert.equal(typeof shellPattern(text).test('some text'), 'boolean');
        assert.equal(typeof formatPrint(`%${text}\\${text}`, ['1', 'a'], 'ash').text, 'string');
      },
    ),
    runs,
  );
});

test('knows what is unfinished from what is wrong', () => {
  const incomplete = (text: string): boolean => {
    try {
      new Parser(text, { dialect: 'bash' }).all();
      return false;
    } catch (error) {
      return (error as ShellSyntaxError).incomplete;
    }
  };
  for (const text of [
    'if true',
    'for i in 1 2',
    'echo "a',
    "echo 'a",
    'echo $(',
    'a |',
    'a &&',
    'f() {',
    'case x in',
    'echo ${x',
    '(a',
    '{ a;',
    'while a; do',
    'echo `a',
    '[[ a',
  ])
    assert.ok(incomplete(text), text);
  for (const text of ['fi', 'a; )', 'echo a', '; a', 'a && && b', 'done', 'case x in y) ;; esac']) assert.ok(!incomplete(text), text);
});
