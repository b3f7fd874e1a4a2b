import fc from 'fast-check';

/** Command lines of the deterministic applets, made by chance from the grammar of each. */

type Text = fc.Arbitrary<string>;
const pick = (...texts: string[]): Text => fc.constantFrom(...texts);
const join = (separator: string, ...parts: Text[]): Text => fc.tuple(...parts).map((texts) => texts.filter((text) => text !== '').join(separator));
const line = (...parts: Text[]): Text => join(' ', ...parts);
const glue = (...parts: Text[]): Text => join('', ...parts);
const options = (...texts: string[]): Text => fc.uniqueArray(fc.constantFrom(...texts), { maxLength: 2 }).map((chosen) => chosen.join(' '));
const maybe = (text: Text): Text => fc.option(text, { nil: '', freq: 1 });
const number = (min: number, max: number): Text => fc.integer({ min, max }).map(String);
const quoted = (text: Text): Text => text.map((one) => `'${one.replaceAll("'", '')}'`);

const file = pick(
  'words',
  'words2',
  'numbers',
  'gaps',
  'tabs',
  'long',
  'dupes',
  'table',
  'passwd',
  'mixed',
  'sizes',
  'months',
  'versions',
  'sorted',
  'sorted2',
  'dots',
  'copy',
  'semi',
  'csv',
);
const binary = pick('binary', 'words', 'tabs', 'numbers', 'long', 'semi');
const files = fc.oneof(file, file, line(file, file), pick('nosuch', 'dir'));

// ---- regular expressions ----

const atom = pick('a', 'b', 'n', 'e', '1', '.', '[a-m]', '[^a]', '[[:digit:]]', '[[:upper:]]', '[[:space:]]', 'an', ' ', ':', '\\.', 'x');
const times = (extended: boolean): Text =>
  extended ? pick('', '', '', '*', '+', '?', '{2}', '{1,2}') : pick('', '', '', '*', '\\+', '\\?', '\\{2\\}', '\\{1,2\\}');
function expression(extended: boolean): Text {
  const [open, close, or] = extended ? ['(', ')', '|'] : ['\\(', '\\)', '\\|'];
  const piece = glue(
    fc.oneof({ weight: 5, arbitrary: atom }, { weight: 1, arbitrary: fc.tuple(atom, atom).map(([a, b]) => `${open}${a}${b}${close}`) }),
    times(extended),
  );
  const sequence = fc.array(piece, { minLength: 1, maxLength: 3 }).map((parts) => parts.join(''));
  return fc.oneof(
    { weight: 6, arbitrary: glue(pick('', '', '^'), sequence, pick('', '', '$')) },
    { weight: 1, arbitrary: fc.tuple(sequence, sequence).map((two) => two.join(or)) },
    { weight: 1, arbitrary: sequence.map((text) => `\\<${text}`) },
    { weight: 1, arbitrary: sequence.map((text) => `${open}${text}${close}\\1`) },
  );
}

// ---- programs ----

const sedAddress = fc.oneof(
  pick('', '', '1', '2', '$', '1,2', '2,$', '2,1', '1,+1', '/a/', '/a/,/e/', '2!', '$!', '/an/!', '0,/a/'),
  expression(false).map((re) => `/${re.replaceAll('/', '')}/`),
);
const sedCommand: Text = fc.oneof(
  {
    weight: 4,
    arbitrary: fc
      .tuple(expression(false), pick('X', '[&]', '', '\\1', 'a\\nb', '&&', '\\&'), pick('', 'g', 'p', '2', 'gp', 'I', '2g'))
      .map(([re, to, flags]) => `s/${re.replaceAll('/', '')}/${to.includes('\\1') && !re.includes('\\(') ? 'Y' : to}/${flags}`),
  },
  {
    weight: 4,
    arbitrary: pick(
      'p',
      'd',
      'q',
      'n',
      'N',
      'h',
      'H',
      'g',
      'G',
      'x',
      '=',
      'D',
      'P',
      'y/abc/xyz/',
      'a\\\nadded',
      'i\\\nbefore',
      'c\\\nchanged',
      'a added',
      'i before',
      'c changed',
      '{p;d}',
      '{h;d}',
      'b',
      't',
      'w out',
      'r words',
      'n;d',
      '$!N;P;D',
    ),
  },
);
const sedScript = fc.array(glue(sedAddress, sedCommand), { minLength: 1, maxLength: 2 }).map((commands) => commands.join('\n'));

const awkValue: Text = fc.letrec<{ v: string }>((tie) => ({
  v: fc.oneof(
    { maxDepth: 3, depthSize: 'small' },
    pick('$1', '$2', '$0', '$NF', 'NR', 'NF', '1', '2', '0.5', '10', '"a"', '"x y"', '""', 'FNR', '$3', '"3x"', '1e3', '-1'),
    fc.tuple(tie('v'), pick('+', '-', '*', '%', ' ', '<', '==', '!=', '>=', '&&', '||'), tie('v')).map(([a, op, b]) => `(${a} ${op} ${b})`),
    fc.tuple(pick('length', 'toupper', 'tolower', 'int'), tie('v')).map(([f, v]) => `${f}(${v})`),
    fc.tuple(tie('v'), number(0, 4), number(0, 5)).map(([v, a, b]) => `substr(${v}, ${a}, ${b})`),
    fc.tuple(tie('v'), pick('a', 'n', 'x')).map(([v, t]) => `index(${v}, "${t}")`),
    fc.tuple(tie('v'), expression(true)).map(([v, re]) => `(${v} ~ /${re.replaceAll('/', '')}/)`),
    fc.tuple(tie('v'), tie('v'), tie('v')).map(([a, b, c]) => `(${a} ? ${b} : ${c})`),
    fc.tuple(expression(true), tie('v')).map(([re, v]) => `match(${v}, /${re.replaceAll('/', '')}/)`),
    fc.tuple(tie('v'), pick(':', ' ', 'a', ',')).map(([v, s]) => `split(${v}, parts, "${s}")`),
    tie('v').map((v) => `!${v}`),
    tie('v').map((v) => `sprintf("%s|%d", ${v}, ${v})`),
  ),
})).v;
const awkStatement: Text = fc.letrec<{ s: string }>((tie) => ({
  s: fc.oneof(
    { maxDepth: 2, depthSize: 'small' },
    fc.array(awkValue, { minLength: 0, maxLength: 3 }).map((values) => `print ${values.join(', ')}`),
    fc
      .tuple(pick('%s', '%5s', '%-5s|', '%d', '%05d', '%x', '%c', '%5.2f', '%e', '%g', '%i', '%o', '%.3s', '%+d'), awkValue)
      .map(([f, v]) => `printf "${f}\\n", ${v}`),
    fc.tuple(pick('x', 'y', '$1', '$2', 'NF', '$0', '$5'), pick('=', '+='), awkValue).map(([n, op, v]) => `${n} ${op} ${n === 'NF' ? '2' : v}`),
    fc.tuple(awkValue, pick('++', '+= 2')).map(([v, op]) => `c[${v}]${op}`),
    fc.tuple(pick('sub', 'gsub'), expression(true), pick('X', '[&]', '\\\\&')).map(([f, re, to]) => `${f}(/${re.replaceAll('/', '')}/, "${to}")`),
    fc.tuple(awkValue, tie('s')).map(([v, s]) => `if (${v}) { ${s} } else print "no"`),
    tie('s').map((s) => `for (i = 1; i <= 3; i++) { if (i == 2) continue; ${s} }`),
    tie('s').map((s) => `for (j = 1; j <= NF; j++) { ${s} }`),
    pick(
      'next',
      'n++',
      'print n',
      'print x, y',
      'delete c',
      'print length(c)',
      'exit',
      'exit 3',
      'OFS = "-"',
      '$1 = $1; print',
      'getline; print',
      'do { n++ } while (n < 5); print n',
      'print "z" > "out"',
      'print "b" | "sort"',
    ),
  ),
})).s;
const awkProgram = fc
  .tuple(pick('', '', 'BEGIN', 'END', 'NR == 2', '/a/', '$1 ~ /b/', 'NR % 2', '/a/,/c/', '!/a/'), awkStatement, maybe(awkStatement.map((s) => ` END { ${s} }`)))
  .map(([p, s, end]) => `${p} { ${s} }${end}`);

// ---- lines ----

const sortKey = glue(pick('-k'), number(1, 3), pick('', '.2'), pick('', '', 'n', 'r', 'f', 'b'), pick('', '', ',1', ',2', ',3n', ',2.2', ',2r'));
const ranges = fc.array(pick('1', '2', '3', '1-2', '2-', '-2', '3-5', '5', '2-2', '1,3', '4-'), { minLength: 1, maxLength: 2 }).map((list) => list.join(','));
const set = pick(
  'a-z',
  'A-Z',
  'abc',
  '0-9',
  '[:lower:]',
  '[:upper:]',
  '[:digit:]',
  '[:space:]',
  'a',
  '\\n',
  'aeiou',
  'x-z',
  '[:alpha:]',
  '[:punct:]',
  '\\t',
  'a-c',
  '\\141',
  '[=a=]',
);
const printfFormat = fc
  .array(
    glue(
      pick('', '<', 'a'),
      pick('%'),
      pick('', '', '-', '0', '+', ' ', '#'),
      pick('', '', '5', '3', '10'),
      pick('', '', '.0', '.1', '.2', '.3'),
      pick('s', 'd', 'i', 'u', 'x', 'X', 'o', 'c', 'b', 'f', 'e', 'g', 'G', 'E'),
      pick('', '>', '\\n', '\\t', '\\x41', '\\101'),
    ),
    { minLength: 1, maxLength: 3 },
  )
  .map((parts) => parts.join(''));
const printfValue = pick(
  '1',
  '-1',
  '42',
  '007',
  '0x1f',
  'abc',
  "''",
  '3.14159',
  '-2.5',
  '1e3',
  '0.05',
  '2.25',
  '0.125',
  '1000000',
  '123456789',
  '"\'a"',
  '2.35',
  '1.005',
  '99.995',
  'x1',
  '1x',
  '4294967296',
  '-0',
  "'a b'",
  '0.5',
  '1.5',
  '2.5',
  '1e-5',
  '12345678.9',
);
const testWord = pick('a', 'b', "''", '1', '2', '01', '-1', 'words', 'dir', 'nosuch', "'a b'", '!', '(', '-f', '=', '-a', '" 1"');
const testExpression: Text = fc
  .letrec<{ t: string }>((tie) => ({
    t: fc.oneof(
      { maxDepth: 2, depthSize: 'small' },
      testWord,
      line(pick('-n', '-z', '-f', '-d', '-e', '-s', '-r', '-x', '-L', '-t', '!'), testWord),
      line(
        testWord,
        pick('=', '!=', '==', '-eq', '-ne', '-lt', '-ge', '-gt', '-le', '<', '-nt', '-ef').map((op) => (op === '<' ? "'<'" : op)),
        testWord,
      ),
      fc.tuple(tie('t'), pick('-a', '-o'), tie('t')).map((parts) => parts.join(' ')),
      tie('t').map((t) => `\\( ${t} \\)`),
      tie('t').map((t) => `! ${t}`),
    ),
  }))
  .t.map((text) => text.replaceAll(/(^| )([()])(?= |$)/g, '$1\\$2'));
const exprWord = pick('1', '2', '10', '-3', 'a', 'abc', '0', "''", '007');
const exprLine: Text = fc.letrec<{ e: string }>((tie) => ({
  e: fc.oneof(
    { maxDepth: 2, depthSize: 'small' },
    exprWord,
    line(exprWord, pick('+', '-', "'*'", '/', '%', "'<'", "'>'", "'<='", '=', '!=', "'|'", "'&'"), exprWord),
    fc.tuple(exprWord, expression(false)).map(([w, re]) => `${w} : '${re}'`),
    fc.tuple(tie('e'), pick('+', '-', "'*'", "'|'", "'&'"), exprWord).map((parts) => parts.join(' ')),
    tie('e').map((e) => `\\( ${e} \\)`),
    line(pick('length', 'index', 'substr', 'match'), pick('abc', 'a', '12'), pick('b', '2', '1')),
  ),
})).e;
const findTest: Text = fc.letrec<{ p: string }>((tie) => ({
  p: fc.oneof(
    { maxDepth: 2, depthSize: 'small' },
    pick(
      '-type f',
      '-type d',
      '-maxdepth 1',
      '-mindepth 1',
      '-empty',
      '-prune',
      '-name b.md -print',
      '-size -1',
      '-size +0',
      '-size 6c',
      '-perm -644',
      '-newer words',
      '-user root',
      '-links 1',
      '-print0',
      '-depth',
      '-quit',
    ),
    pick("'*.txt'", "'[ab]*'", "'*'", "'?.md'", 'sub', "'*.TXT'").map((glob) => `-name ${glob}`),
    pick("'*.TXT'", "'A*'").map((glob) => `-iname ${glob}`),
    pick("'dir/*'", "'*sub*'", "'*/c.txt'").map((glob) => `-path ${glob}`),
    tie('p').map((p) => `! ${p}`),
    fc.tuple(tie('p'), pick('', '-o', '-a'), tie('p')).map((parts) => parts.join(' ')),
    tie('p').map((p) => `\\( ${p} \\)`),
    pick('-exec echo {} \\;', '-exec echo {} +', '-exec true \\; -print'),
  ),
})).p;
const dateFormat = fc
  .array(
    pick(
      '%Y',
      '%m',
      '%d',
      '%H',
      '%M',
      '%S',
      '%j',
      '%a',
      '%A',
      '%b',
      '%B',
      '%y',
      '%s',
      '%T',
      '%D',
      '%F',
      '%u',
      '%w',
      '%Z',
      '%z',
      '%e',
      '%%',
      '%c',
      '%x',
      '%X',
      '%I',
      '%p',
      '%k',
      '%l',
      '%C',
      '%n',
      '%h',
      '%R',
      '%V',
      '%U',
      '%G',
    ),
    { minLength: 1, maxLength: 3 },
  )
  .map((parts) => `+${parts.join('-')}`);

const COMMANDS: readonly Text[] = [
  line(pick('sort'), options('-n', '-r', '-u', '-f', '-b', '-s', '-c', '-M', '-t :', '-t,'), maybe(sortKey), maybe(sortKey), files),
  line(
    pick('cut'),
    fc.oneof(
      ranges.map((r) => `-f ${r}`),
      ranges.map((r) => `-c${r}`),
      ranges.map((r) => `-b ${r}`),
    ),
    options('-d:', "-d ' '", '-d,', '-s'),
    files,
  ),
  line(pick('tr'), options('-d', '-s', '-c'), quoted(set), maybe(quoted(set)), pick('<')).chain((head) => file.map((name) => `${head} ${name}`)),
  line(pick('uniq'), options('-c', '-d', '-u', '-i', '-f 1', '-s 1', '-w 2'), file),
  line(
    pick('grep'),
    options('-n', '-c', '-v', '-i', '-o', '-l', '-h', '-H', '-w', '-x', '-A 1', '-B1', '-m 1', '-q', '-s', '-L'),
    quoted(expression(false)),
    files,
  ),
  line(pick('grep -E', 'egrep'), options('-n', '-c', '-v', '-i', '-o', '-w', '-x', '-C1'), quoted(expression(true)), files),
  line(pick('grep -F'), options('-n', '-c', '-v', '-i', '-o', '-w', '-x'), pick('a', 'an', '.', "'a b'", "''"), files),
  line(
    pick('sed'),
    options('-n', '-r'),
    sedScript.map((script) => `'${script.replaceAll("'", '')}'`),
    files,
  ).map((text) => (text.includes('-r') ? text.replaceAll('\\(', '(').replaceAll('\\)', ')') : text)),
  line(
    pick('sed'),
    options('-n'),
    sedScript.map((script) => `'${script.replaceAll("'", '')}'`),
    files,
  ),
  line(
    pick('awk'),
    options('-F:', "-F ','", "-F '\\t'", '-v x=3', '-F a'),
    awkProgram.map((program) => `'${program.replaceAll("'", '')}'`),
    files,
  ),
  line(
    pick('awk'),
    awkProgram.map((program) => `'${program.replaceAll("'", '')}'`),
    file,
  ),
  line(pick('printf'), quoted(printfFormat), printfValue, maybe(printfValue), maybe(printfValue)),
  line(pick('echo'), options('-n', '-e', '-E', '-ne'), quoted(pick('a\\tb', 'x\\n', '\\101', '\\0101', '\\x41', 'a\\cb', '\\\\', '-', 'é', '\\e[1m', 'a  b'))),
  testExpression.map((text) => `test ${text}; echo $?`),
  testExpression.map((text) => `[ ${text} ]; echo $?`),
  exprLine.map((text) => `expr ${text}; echo $?`),
  line(pick('find'), pick('dir', '.', 'dir nosuch', 'words', ''), findTest).map((text) => `${text} | sort`),
  line(pick('head', 'tail'), options('-n 2', '-c 5', '-n -2', '-n +2', '-c +3', '-q', '-v', '-3', '-c -2'), files),
  line(pick('wc'), options('-l', '-w', '-c', '-m', '-L'), files),
  line(pick('cat'), options('-n', '-e', '-t', '-v', '-A', '-b'), fc.oneof(files, binary)),
  line(pick('nl'), options('-b a', '-w 3', '-s :', '-v 5', '-i 2'), file),
  line(pick('fold'), options('-w 10', '-s', '-w 5', '-b'), file),
  line(
    pick('od'),
    options('-c', '-x', '-b', '-d', '-An', '-t x1', '-N 5', '-v', '-t d2', '-t x4', '-j 2', '-t o1', '-A d', '-t c', '-t u1', '-t a', '-i', '-o', '-t x2'),
    binary,
  ),
  line(pick('hexdump'), options('-C', '-n 5', '-v', '-s 2', '-c', '-b', '-d', '-x', '-o'), binary),
  line(pick('xxd'), options('-p', '-l 5', '-s 2', '-g 1', '-c 8'), binary),
  line(
    pick('diff'),
    options('-u', '-q', '-b', '-i', '-w', '-U 1', '-s', '-r', '-N'),
    pick('words words2', 'sorted sorted2', 'words words', 'dupes sorted', 'words nosuch', 'dir dir', 'table table', 'mixed words', 'gaps tabs'),
  ).map((text) => `${text} | sed 's/\\t[12].*//'`),
  line(pick('cmp'), options('-s', '-l'), pick('words words2', 'words words', 'sorted sorted2', 'words nosuch', 'dupes sorted')),
  line(pick('paste'), options('-d :', '-s', '-d ,'), pick('words words2', 'sorted sorted2', 'numbers - < words', 'words')),
  line(
    pick('seq'),
    options('-w', '-s :', '-s ,'),
    pick('3', '1 3', '3 1', '1 2 7', '0 0.5 2', '5 -2 1', '-1 1', '1 0.1 1.3', '8 11', '1.5', '0.1 0.1 0.5', '10 -5 -10', 'x', '1e1'),
  ),
  line(
    pick('date -u -d'),
    pick(
      '@0',
      '@1700000000',
      '2024-02-29',
      "'2024-02-29 12:34:56'",
      "'2024-02-29 12:34'",
      '202402291234',
      '12:30',
      "'@86399'",
      'nonsense',
      "'2023-12-31 23:59:59'",
    ),
    dateFormat,
  ).map((text) => (text.includes('12:30 ') ? text.replace('12:30', '@5') : text)),
  line(pick('basename', 'dirname'), pick('/a/b/c.txt', 'a', '/', 'a/', '/a', 'a//b/', "''", 'a/b', '.', '..', './a'), maybe(pick('.txt', 'c.txt', '/'))).map(
    (text) => (text.startsWith('dirname') ? text.split(' ').slice(0, 2).join(' ') : text),
  ),
  line(
    pick('cat'),
    file,
    pick('| xargs'),
    options('-n 1', '-n 2', '-t', '-r', '-I {}', '-s 20', '-0'),
    pick('', 'echo', 'echo a', 'echo {}', "sh -c 'echo $0 $#'"),
  ),
  line(pick('md5sum', 'sha256sum', 'sha1sum', 'sha512sum'), files),
  line(pick('base64'), options('-w 10', '-d', '-w 0'), binary),
  line(pick('rev', 'tac', 'strings', 'unexpand', 'unexpand -a', 'expand', 'expand -t 4', 'shuf -n 0'), file),
  line(
    pick(
      'tar cf - dir | tar tf - | sort',
      'tar cf a.tar numbers words; tar tf a.tar',
      'tar cf a.tar words; rm words; tar xvf a.tar',
      'tar cf a.tar dir; tar xOf a.tar dir/a.txt',
      'tar cvf a.tar words numbers',
      'tar xf nosuch.tar',
      'tar cf a.tar nosuch',
      'tar cf a.tar -C dir a.txt; tar tf a.tar',
      'tar czf a.tgz words numbers; tar tzf a.tgz',
      'tar cf a.tar dir; tar xf a.tar -C /nosuch',
      'tar cf a.tar words; tar tvf a.tar | wc -l',
    ),
  ),
  line(pick('ls'), options('-1', '-a', '-A', '-d', '-F', '-p', '-r', '-R', '-S', '-m'), pick('', 'dir', 'words', 'nosuch', '.', 'dir words', 'dir/sub')),
  pick(
    'cp words x; cat x',
    'cp dir x',
    'cp -r dir x; ls -R x',
    'mv words x; ls',
    'mv nosuch x',
    'rm nosuch',
    'rm dir',
    'rm -r dir; ls',
    'rm -f nosuch',
    'mkdir dir',
    'mkdir -p a/b/c; find a',
    'mkdir a/b',
    'rmdir dir',
    'rmdir nosuch',
    'touch x; ls x',
    'ln -s words l; readlink l; cat l',
    'ln words l; cat l',
    'ln -s nosuch l; cat l',
    'cp -a dir y; ls y',
    'mv dir y; ls y',
    'cp words words2 dir; ls dir',
    'cp words words2 x',
    'cp nosuch x',
    'tee x < words; cat x',
    'tee -a words < numbers; cat words',
    'readlink words',
    'readlink -f dir/../words',
    'realpath dir',
    'stat -c %s words',
    "stat -c '%n %F %a' words dir",
    'chmod 600 words; stat -c %a words',
    'chmod u+x,go-r words; stat -c %a words',
    'chmod a=r words; stat -c %a words',
    'chmod +X dir; stat -c %a dir',
    'chmod 9 words',
    'chmod z+x words',
    'truncate -s 3 words; cat words',
    'dd if=words bs=1 count=3 2>/dev/null',
    'dd if=words bs=2 skip=1 count=2 2>/dev/null',
    'install -m 600 words x; stat -c %a x',
    'mktemp -u /tmp/a.XXXXXX | wc -c',
    'which sh',
    'which nosuch; echo $?',
    'yes | head -n 2',
    'yes a b | head -n 1',
    'env -i A=1 env',
    'env nosuch; echo $?',
    'nice echo a',
    'timeout 1 echo a',
    'timeout 0.1 sleep 5; echo $?',
    'true; echo $?',
    'sleep x',
    'sleep',
    'usleep 1',
    'id -u',
    'whoami',
    'groups',
    'tty',
    'logname',
    'uname -s',
    'cal 2 2024',
    'rev nosuch',
    'cat nosuch dir',
    'wc nosuch words',
    'head nosuch words',
    'sort -o x words; cat x',
    'uniq words x; cat x',
    'tail -n 1 words numbers',
    'cut words',
    'cut -f',
    'tr',
    'tr a',
    'expr',
    'seq',
    'basename',
    'printf',
    'test',
    '[ a',
    'xargs -n 1 false < words; echo $?',
    'xargs nosuch < words; echo $?',
    "xargs -n1 sh -c 'exit 255' < words; echo $?",
    'sync',
    'du -s nosuch',
    'unlink words; ls words',
    'gzip -c words | gunzip',
    'gzip words; ls',
    'zcat nosuch',
    'setsid echo a',
    'nohup echo a',
    'time true 2>/dev/null',
    'kill',
    'kill -l 9',
    'kill -l TERM',
    'kill 999999',
    'killall nosuch',
    'pidof nosuch; echo $?',
  ),
];

/** The same for the same seed; each applet as often as another. */
export function generateAppletLines(count: number, seed: number): string[] {
  return COMMANDS.flatMap((command, index) => fc.sample(command, { numRuns: Math.ceil(count / COMMANDS.length), seed: seed + index })).slice(0, count);
}
