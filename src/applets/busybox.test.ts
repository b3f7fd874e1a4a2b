import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, test } from 'node:test';
import { createBox } from './testing/box.ts';
import { generateAppletLines } from './testing/generate.ts';

/**
 * Differential test: every command line of busybox-commands.txt in a real BusyBox and in ours gives the same stdout,
 * stderr and exit code. Usage texts are ours: of those only the complaint counts.
 */
const FILES: Readonly<Record<string, string>> = {
  words: 'banana\napple\ncherry\ndate\none two\n',
  words2: 'banana\napricot\ncherry\none two\nfig\n',
  numbers: '10\n9\n2\n33\n1\n',
  gaps: 'a\n\nb\n\n\nc\n',
  tabs: 'a\tb\tc\nd\te\tf\n',
  binary: 'ab\x01\x02héllo\x7f\nworld\n',
  long: 'the quick brown fox jumps over the lazy dog and then runs away from the big bad wolf in the forest\nshort\n',
  dupes: 'a\na\nb\nc\nc\nc\na\n',
  table: 'x banana 3\ny apple 1\nz cherry 2\nw banana 1\n',
  passwd: 'root:x:0:0\nbin:x:1:1\nnobody:x:65534:65534\nadm:x:3:4\n',
  mixed: 'Apple\napple\nBanana 12\n banana\n_x\n',
  sizes: '10K\n1M\n512\n2G\n',
  months: 'Mar\nJan\nDec\nfeb\n',
  versions: '1.10\n1.9\n1.2.3\n1.2\n',
  sorted: 'a\nb\nc\n',
  sorted2: 'b\nc\nd\n',
  dots: 'a.b\nab\n.\n',
  patterns: 'ban\ndat\n',
  copy: 'aaa\nbab\n',
  semi: 'one;two;three',
  csv: 'a,b;c\nd,e;f\n',
  'prog.awk': '# comment\n$3 >= 2 { n++ }\nEND { print n }\n',
  'dir/a.txt': 'alpha\n',
  'dir/b.md': 'beta\n',
  'dir/sub/c.txt': 'gamma a\n',
};

const commands = readFileSync(new URL('./busybox-commands.txt', import.meta.url), 'utf8')
  .split('\n')
  .filter((line) => line !== '' && !line.startsWith('#'));
const installed = spawnSync('busybox', ['true']).status === 0;
const root = installed ? mkdtempSync(join(tmpdir(), 'busybox-')) : '';
after(() => {
  if (root) rmSync(root, { recursive: true, force: true });
});

if (installed) {
  mkdirSync(join(root, 'bin'));
  spawnSync('busybox', ['--install', '-s', join(root, 'bin')]);
}

interface Result {
  stdout: string;
  stderr: string;
  code: number;
}

function real(line: string): Result {
  const work = join(root, 'work');
  rmSync(work, { recursive: true, force: true });
  for (const [name, text] of Object.entries(FILES)) {
    mkdirSync(dirname(join(work, name)), { recursive: true });
    writeFileSync(join(work, name), text);
  }
  const { stdout, stderr, status } = spawnSync(join(root, 'bin/sh'), ['-c', line], {
    cwd: work,
    env: { PATH: join(root, 'bin'), HOME: '/root' },
    input: '',
    timeout: 5000,
  });
  return { stdout: stdout.toString(), stderr: stderr.toString(), code: status ?? -1 };
}

/** Usage texts are cut; so are the numbers that no two runs share. */
function comparable({ stdout, stderr, code }: Result): Result {
  return { stdout, stderr: stderr.replace(/BusyBox v1[\s\S]*/, '<usage>\n'), code };
}

/** Different on purpose, each with its reason. */
const EXPECTED_DIFFERENCES: Readonly<Record<string, string>> = {
  'paste - - < numbers': 'a last row cut short loses its newline there',
  'sort -h sizes': "Debian's build lacks -h; the published image has it",
  "sed '2Q' words": 'Q, l and first~step are of GNU sed; ours has them too',
  'sed -n l tabs': 'as above',
  "sed '0~2d' words": 'as above',
  "sed '1~2d' words": 'as above',
  "sed -s -n '$p' words numbers": 'as above',
  "sed 's/b*/X/2' words": 'BusyBox counts the empty match right behind a match; POSIX does not',
  "printf '%5.1f|\\n' 2.25": 'ties round up here, to even in C',
  "awk 'BEGIN{print 1+2*3, 2^10, 7%3, -3/2}'": "Debian's build lacks awk's mathematics; the published image has it",
  "awk 'BEGIN{print int(3.9), int(-3.9), sqrt(16), exp(0), log(1)}'": 'as above',
};

/** Runs lines in both; gives those that differ. */
async function differing(lines: readonly string[]): Promise<string[]> {
  const box = createBox();
  const failures: string[] = [];
  for (const line of lines) {
    const expected = comparable(real(line));
    box.machine.fs.remove('/work', { recursive: true });
    for (const [name, text] of Object.entries(FILES)) {
      box.machine.fs.mkdir(dirname(`/work/${name}`), { recursive: true });
      box.machine.fs.writeFile(`/work/${name}`, text);
    }
    const actual = comparable(await box.sh(line, { stdin: '' }));
    if (JSON.stringify(actual) !== JSON.stringify(expected)) failures.push(`${line}\n  real ${JSON.stringify(expected)}\n  ours ${JSON.stringify(actual)}`);
  }
  return failures;
}

const skip = installed ? false : 'no busybox on this machine';

test('the same as a real BusyBox', { skip }, async () => {
  const chosen = commands.filter((line) => !(line in EXPECTED_DIFFERENCES));
  const failures = await differing(chosen);
  console.log(`${chosen.length - failures.length} of ${chosen.length} command lines behave alike`);
  assert.equal(failures.length, 0, `\n${failures.join('\n')}`);
});

test('generated command lines do what a real BusyBox does', { skip }, async () => {
  const lines = generateAppletLines(420, 20261123);
  const failures = await differing(lines);
  const rate = 1 - failures.length / lines.length;
  console.log(`generated: ${lines.length - failures.length} of ${lines.length} command lines behave alike (${(rate * 100).toFixed(1)} %)`);
  // What is left are oddities of BusyBox 1.35 that nobody should learn: two -s options, `test` with a lone parenthesis.
  assert.ok(rate >= 0.97, `\n${failures.join('\n')}`);
});
