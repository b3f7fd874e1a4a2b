import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { encodeJson, JsonSyntaxError, parseJson } from './json.ts';

/** Texts as Go's encoding/json gives them. */
const REFUSED: [string, string][] = [
  ['', 'unexpected end of JSON input'],
  ['{"apiVersion":', 'unexpected end of JSON input'],
  ['{a:1}', "invalid character 'a' looking for beginning of object key string"],
  ['{"a" 1}', "invalid character '1' after object key"],
  ['{"a":1 "b":2}', "invalid character '\"' after object key:value pair"],
  ['[1 2]', "invalid character '2' after array element"],
  ['{} x', "invalid character 'x' after top-level value"],
  ['nul', 'unexpected end of JSON input'],
  ['nulx', "invalid character 'x' in literal null (expecting 'l')"],
  ['"a\u0001"', "invalid character '\\u0001' in string literal"],
  ['"\\x"', "invalid character 'x' in string escape code"],
  ['-', 'unexpected end of JSON input'],
  ['1.x', "invalid character 'x' after decimal point in numeric literal"],
];

describe('parseJson', () => {
  for (const [text, message] of REFUSED) {
    it(`refuses ${JSON.stringify(text)}`, () => {
      assert.throws(
        () => parseJson(text),
        (error: unknown) => error instanceof JsonSyntaxError && error.message === message,
      );
    });
  }

  it('reads what JSON.parse reads', () => {
    const text = '{"a":[1,-2.5e3,true,null,"\\u00e9\\n\\"",{}],"b":{"c":[]}}';
    assert.deepEqual(parseJson(text).value, JSON.parse(text));
  });

  it('remembers keys that came twice; the last one wins', () => {
    const { value, duplicates } = parseJson('{"a":{"x":1,"x":2,"x":3}}');
    const inner = (value as { a: object }).a;
    assert.deepEqual(inner, { x: 3 });
    assert.deepEqual(duplicates.get(inner), ['x']);
  });

  it('keeps __proto__ a key like any other', () => {
    const { value } = parseJson('{"__proto__":{"polluted":true}}');
    assert.equal((value as { polluted?: boolean }).polluted, undefined);
    assert.deepEqual(Object.keys(value as object), ['__proto__']);
  });

  it('does not overflow on deep nesting', () => {
    assert.throws(() => parseJson('['.repeat(100_000)), /exceeded max depth/);
  });
});

describe('encodeJson', () => {
  it('escapes as Go does and ends with a newline', () => {
    assert.equal(encodeJson({ a: '<&>' }), '{"a":"\\u003c\\u0026\\u003e"}\n');
  });
});
