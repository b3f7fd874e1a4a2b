import assert from 'node:assert/strict';
import { test } from 'node:test';
import { testKernel } from '../kernel/testing/index.ts';
import { bytesSource, createMachine, createTty, createVolume, installPrograms, nullFile, volumeFileSystem } from '../unix/index.ts';
import { viProgram } from './vi.ts';

/** Edits a file by keys; gives the file, and the screen without escape sequences. */
async function edit(text: string | undefined, keys: string[]): Promise<{ text: string | undefined; screen: string; exit: number | undefined }> {
  const kernel = testKernel();
  const image = createVolume({ id: 'image', kernel });
  installPrograms(volumeFileSystem(image), ['/bin/vi']);
  const machine = createMachine({ kernel, hostname: 'box', layers: [image], programs: { '/bin/vi': viProgram } });
  if (text !== undefined) machine.fs.writeFile('/f', text);
  let screen = '';
  const terminal = createTty({
    kernel,
    columns: 40,
    rows: 10,
    output: (chunk) => {
      screen += Buffer.from(chunk).toString();
    },
  });
  const slave = terminal.tty.openSlave();
  const process = machine.start(['/bin/vi', '/f'], { env: new Map(), cwd: '/', stdin: slave, stdout: slave, stderr: slave });
  for (const key of keys) {
    await kernel.advance({ untilMs: kernel.now() + 50 });
    terminal.input(key);
  }
  await kernel.advance({ untilMs: kernel.now() + 50 });
  return {
    text: machine.fs.exists('/f') ? machine.fs.readText('/f') : undefined,
    screen: screen.replace(/\x1b\[[?0-9;]*[A-Za-z]/g, ''),
    exit: process.status?.code,
  };
}

test('vi edits as vi does', async () => {
  const cases: [string, string[], string][] = [
    ['one\n', ['A two\x1b', ':wq\r'], 'one two\n'],
    ['one\ntwo\nthree\n', ['jdd', ':x\r'], 'one\nthree\n'],
    ['one\ntwo\n', ['yyp', 'ZZ'], 'one\none\ntwo\n'],
    ['one two three\n', ['wdw', ':wq\r'], 'one three\n'],
    ['one two\n', ['wcwTWO\x1b', ':wq\r'], 'one TWO\n'],
    ['abc\n', ['xp', ':wq\r'], 'bac\n'],
    ['abc\n', ['ohello\rworld\x1b', ':wq\r'], 'abc\nhello\nworld\n'],
    ['abc\n', ['x', 'u', 'ix\x7fy\x1b', ':wq\r'], 'yabc\n'],
    ['a b\na c\n', [':%s/a/Z/g\r', ':wq\r'], 'Z b\nZ c\n'],
    ['x\ny\nfind me\n', ['/me\r', 'D', ':wq\r'], 'x\ny\nfind \n'],
    ['中文字\n', ['lx', 'a海\x1b', ':wq\r'], '中字海\n'],
    ['keep\n', ['dd', ':q\r', ':q!\r'], 'keep\n'],
  ];
  for (const [before, keys, after] of cases) {
    const result = await edit(before, keys);
    assert.deepEqual([result.text, result.exit], [after, 0], JSON.stringify(keys));
  }
});

test('vi makes new files, keeps unsaved changes, and shows what is there', async () => {
  assert.deepEqual((await edit(undefined, ['ihello\x1b', ':wq\r'])).text, 'hello\n');
  const kept = await edit('a\n', ['x', ':q\r']);
  assert.match(kept.screen, /No write since last change/);
  assert.equal(kept.exit, undefined);
  assert.match((await edit('line\n', [':q\r'])).screen, /'\/f' 1L, 5C/);
});

test('vi without a terminal says so', async () => {
  const kernel = testKernel();
  const image = createVolume({ id: 'image', kernel });
  installPrograms(volumeFileSystem(image), ['/bin/vi']);
  const machine = createMachine({ kernel, hostname: 'box', layers: [image], programs: { '/bin/vi': viProgram } });
  const process = machine.start(['/bin/vi'], { env: new Map(), cwd: '/', stdin: bytesSource(new Uint8Array(0)), stdout: nullFile(), stderr: nullFile() });
  await kernel.advance({ untilMs: kernel.now() + 50 });
  assert.equal(process.status?.code, 1);
});
