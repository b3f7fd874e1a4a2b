import fc from 'fast-check';

const variable = fc.constantFrom('x', 'y', 'z');
const plain = fc.constantFrom('a', 'b', 'foo', 'bar', '1', '2', '10', 'a.txt', 'one two', 'x=y', '-', 'A', 'a*', '/etc', 'it', 'é中');
const pattern = fc.constantFrom('a*', '*o', '?', '[ab]*', 'f*o', '*', '[!a]', 'b', 'o');

const number: fc.Arbitrary<string> = fc.oneof(fc.integer({ min: 0, max: 20 }).map(String), variable);
const arithmetic: fc.Arbitrary<string> = fc.letrec<{ e: string }>((tie) => ({
  e: fc.oneof(
    { maxDepth: 3, depthSize: 'small' },
    number,
    fc
      .tuple(tie('e'), fc.constantFrom('+', '-', '*', '/', '%', '<', '==', '&&', '||', '<<', '&', '|', '^', '>=', '!='), tie('e'))
      .map(([a, o, b]) => `${a} ${o} ${b}`),
    tie('e').map((e) => `(${e})`),
    fc.tuple(fc.constantFrom('-', '!', '~', '+'), tie('e')).map(([o, e]) => `${o} ${e}`),
    // Not nested: BusyBox 1.35 takes a conditional within a conditional for malformed, and assigns in both branches.
    fc.tuple(number, number, number).map(([a, b, c]) => `(${a} ? ${b} : ${c})`),
    fc.tuple(variable, fc.constantFrom('=', '+=', '-=', '*='), number).map(([v, o, n]) => `(${v} ${o} ${n})`),
  ),
})).e;

const parameter: fc.Arbitrary<string> = fc.oneof(
  variable.map((v) => `$${v}`),
  fc.tuple(variable, fc.constantFrom('-', ':-', '+', ':+', '=', ':='), plain).map(([v, o, w]) => `\${${v}${o}${w}}`),
  fc.tuple(variable, fc.constantFrom('#', '##', '%', '%%'), pattern).map(([v, o, p]) => `\${${v}${o}${p}}`),
  fc
    .tuple(variable, fc.constantFrom('/', '//'), fc.constantFrom('a', 'o', '[ab]', '?'), fc.constantFrom('X', '', 'YY'))
    .map(([v, o, p, r]) => `\${${v}${o}${p}/${r}}`),
  fc.tuple(variable, fc.integer({ min: 0, max: 4 }), fc.integer({ min: 0, max: 3 })).map(([v, a, b]) => `\${${v}:${a}:${b}}`),
  variable.map((v) => `\${#${v}}`),
  fc.constantFrom('$#', '$*', '$@', '$1', `\${2:-none}`, '$?', '$0'),
);

const word: fc.Arbitrary<string> = fc.letrec<{ w: string }>((tie) => ({
  w: fc.oneof(
    { maxDepth: 2, depthSize: 'small' },
    fc.constantFrom('a', 'b', 'foo', 'bar', '1', '2', '\\$', '*.txt', '[ab].txt', '?.txt', 'no*', '~', '.'),
    plain.map((text) => `'${text}'`),
    plain.map((text) => `"${text}"`),
    parameter,
    parameter.map((text) => `"${text}"`),
    arithmetic.map((e) => `$((${e}))`),
    tie('w').map((w) => `$(echo ${w})`),
    tie('w').map((w) => `"$(echo ${w})"`),
    fc.tuple(tie('w'), tie('w')).map(([a, b]) => a + b),
  ),
})).w;

const words = fc.array(word, { minLength: 0, maxLength: 3 }).map((list) => list.join(' '));
const test: fc.Arbitrary<string> = fc.oneof(
  fc.tuple(word, fc.constantFrom('=', '!=', '-eq', '-lt', '-ge', '-ne'), word).map(([a, o, b]) => `[ ${a} ${o} ${b} ]`),
  fc.tuple(fc.constantFrom('-n', '-z', '-f', '-d', '-e'), word).map(([o, w]) => `[ ${o} "${w.replaceAll('"', '')}" ]`),
  fc.constantFrom('true', 'false', ':', '! true', '! false', '(exit 3)'),
);

const command: fc.Arbitrary<string> = fc.letrec<{ c: string }>((tie) => ({
  c: fc.oneof(
    { maxDepth: 3, depthSize: 'small' },
    words.map((list) => `echo ${list}`),
    words.map((list) => `printf '<%s>' ${list}; echo`),
    fc.tuple(variable, word).map(([v, w]) => `${v}=${w}`),
    words.map((list) => `set -- ${list}`),
    fc.constantFrom(
      'shift',
      'cat a.txt',
      'echo $#',
      'cat b.txt | sort | uniq -c',
      'IFS=o',
      'IFS=',
      'unset IFS',
      'cd /',
      'pwd',
      'nosuch',
      'read x < a.txt',
      'false',
      'set -f',
      'set +f',
      'export x',
      'unset x y',
    ),
    fc.tuple(tie('c'), fc.constantFrom(' && ', ' || ', '; ', ' | '), tie('c')).map((parts) => parts.join('')),
    fc.tuple(test, tie('c'), tie('c')).map(([t, a, b]) => `if ${t}; then ${a}; else ${b}; fi`),
    fc.tuple(variable, words, tie('c')).map(([v, list, c]) => `for ${v} in ${list}; do ${c}; done`),
    fc.tuple(word, pattern, tie('c'), tie('c')).map(([w, p, a, b]) => `case ${w} in ${p}) ${a};; *) ${b};; esac`),
    tie('c').map((c) => `( ${c} )`),
    tie('c').map((c) => `{ ${c}; }`),
    tie('c').map((c) => `f() { ${c}; }; f 1 2`),
    tie('c').map((c) => `{ ${c}; } > out; cat out`),
    tie('c').map((c) => `{ ${c}; } 2>/dev/null | wc -l`),
    fc.tuple(tie('c'), variable).map(([c, v]) => `i=0; while [ $i -lt 2 ]; do i=$((i+1)); ${c}; done; echo "$${v}"`),
    fc.tuple(words, tie('c')).map(([list, c]) => `printf '%s\\n' ${list} | while read x y; do ${c}; done`),
    test.map((t) => `${t}; echo $?`),
  ),
})).c;

/** Command lines made by chance, the same for the same seed. */
export function generateCommandLines(count: number, seed: number): string[] {
  return fc.sample(
    fc
      .tuple(fc.constantFrom('', 'x=foo; ', 'x="a b"; y=2; ', 'set -- p "q r"; ', 'x=3 y=; '), command, fc.constantFrom('', '; echo "$x|$y|$?"'))
      .map((parts) => parts.join('')),
    { numRuns: count, seed },
  );
}
