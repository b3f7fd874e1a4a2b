// biome-ignore-all lint/suspicious/noTemplateCurlyInString: shell text, not templates
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { testKernel } from '../kernel/testing/index.ts';
import type { Program } from '../unix/index.ts';
import { Parser } from './parser.ts';
import { createReaderMachine, type Terminal } from './reader-machine.ts';

const kubectl: Program = async (process) => {
  await process.out(`kubectl ${process.argv.slice(1).join('|')}\n`);
  return 0;
};

function setUp(files: Record<string, string> = { 'a.yaml': 'x: 1\n', 'dir/b.yaml': 'y: 2\n' }) {
  const kernel = testKernel();
  const reader = createReaderMachine({
    kernel,
    kubectl,
    files,
    completer: (words) => (words[0] === 'kubectl' ? ['get', 'describe', 'delete', 'deploy/web'] : undefined),
  });
  const run = async (line: string, stdin = '') => {
    const work = reader.execute(line, { stdin });
    let done = false;
    work.finally(() => {
      done = true;
    });
    await kernel.advance({ until: () => done, untilMs: kernel.now() + 600_000 });
    assert.ok(done, `${line}: still running`);
    return work;
  };
  return { kernel, reader, run };
}

/** A terminal with what it shows, escape sequences removed. */
function openTerminal(setup: ReturnType<typeof setUp>, columns = 80) {
  const { kernel, reader } = setup;
  const terminal: Terminal = reader.openTerminal(columns, 24);
  let shown = '';
  const statuses: number[] = [];
  const outputs: { line: string; output: string }[] = [];
  let inCommand = false;
  terminal.onOutput((text) => {
    shown += text;
    if (inCommand) outputs.at(-1)!.output += text;
  });
  terminal.onCommand((line) => {
    inCommand = true;
    outputs.push({ line, output: '' });
  });
  terminal.onPrompt((status) => {
    inCommand = false;
    statuses.push(status);
  });
  const type = async (keys: string, ms = 3000) => {
    kernel.input(() => terminal.input(keys));
    await kernel.advance({ untilMs: kernel.now() + ms });
  };
  return { terminal, type, statuses, outputs, plain: () => shown.replace(/\x1b\[[?0-9;]*[A-Za-z]/g, ''), raw: () => shown };
}

test('runs command lines as bash -c does', async () => {
  const { run } = setUp();
  const cases: [string, string, string, number][] = [
    ['kubectl get pods -l "a in"', 'kubectl get|pods|-l|a in\n', '', 0],
    [`kubectl get po -o jsonpath='{range .items[*]}{.a}{"\\t"}{end}'`, 'kubectl get|po|-o|jsonpath={range .items[*]}{.a}{"\\t"}{end}\n', '', 0],
    ['[ "$(kubectl get x)" = "kubectl get|x" ] && echo same', 'same\n', '', 0],
    ['! kubectl get nodes | grep -q NotReady; echo $?', '0\n', '', 0],
    [
      'for i in 0 1; do kubectl exec m-$i -- sh -c "echo I am $i > /x"; done',
      'kubectl exec|m-0|--|sh|-c|echo I am 0 > /x\nkubectl exec|m-1|--|sh|-c|echo I am 1 > /x\n',
      '',
      0,
    ],
    ['printf "b\\na\\nb\\n" | sort | uniq -c', '      1 a\n      2 b\n', '', 0],
    ['echo {1..3} {a,b}.yaml', '1 2 3 a.yaml b.yaml\n', '', 0],
    ['a=(x "y z"); echo ${#a[@]} "${a[1]}"; for i in "${a[@]}"; do echo "<$i>"; done', '2 y z\n<x>\n<y z>\n', '', 0],
    ['cat <<< hi; cat <(echo sub)', 'hi\nsub\n', '', 0],
    ['[[ abc =~ ^a(.)c$ ]] && echo ${BASH_REMATCH[1]}; [[ abc == a* && ! -f nope ]] && echo yes', 'b\nyes\n', '', 0],
    ['for ((i=0; i<3; i++)); do echo -n $i; done; ((i > 2)) && echo " $i"', '012 3\n', '', 0],
    ['nope', '', 'bash: line 1: nope: command not found\n', 127],
    ['./nope', '', 'bash: line 1: ./nope: No such file or directory\n', 127],
    ['cd /nope; echo $?', '1\n', 'bash: line 1: cd: /nope: No such file or directory\n', 0],
    ['cat < nope', '', 'bash: line 1: nope: No such file or directory\n', 1],
    ['echo "unclosed', '', 'bash: -c: line 1: unexpected EOF while looking for matching `"\'\n', 2],
    ['fi', '', "bash: -c: line 1: syntax error near unexpected token `fi'\nbash: -c: line 1: `fi'\n", 2],
    ['echo $((1/0))', '', 'bash: line 1: 1/0: division by 0 (error token is "0")\n', 1],
    ['set -eu; echo a; false; echo b', 'a\n', '', 1],
    ['type ls | head -1; pwd; echo ~', 'ls is /usr/bin/ls\n/home/reader\n/home/reader\n', '', 0],
    ['x=${1:-default}; echo ${x^^} ${x:0:3} ${x//e/E}', 'DEFAULT def dEfault\n', '', 0],
    ['sleep 0.2 & wait $!; echo $?; sleep 5 & kill %1 2>/dev/null || kill $!; wait $! 2>/dev/null; echo $?', '0\n143\n', '', 0],
  ];
  for (const [line, stdout, stderr, exit] of cases) assert.deepEqual(await run(line), { stdout, stderr, exit }, line);
  assert.equal((await run('cat; read x; echo "[$x]"', 'in\n')).stdout, 'in\n[]\n');
});

test('every command line of the recordings parses', () => {
  const directory = new URL('../../tests/conformance/corpus/', import.meta.url);
  let count = 0;
  for (const name of readdirSync(directory).filter((file) => file.endsWith('.json'))) {
    const { steps = [] } = JSON.parse(readFileSync(new URL(name, directory), 'utf8')) as { steps?: Record<string, string>[] };
    for (const step of steps) {
      const line = step.run ?? step.wait ?? step.quiet ?? step.background;
      if (line === undefined) continue;
      count++;
      assert.ok(new Parser(line, { dialect: 'bash' }).all().items.length > 0, line);
    }
  }
  assert.ok(count > 100);
});

test('a background command can be interrupted and reports how it ended', async () => {
  const { kernel, reader } = setUp();
  let text = '';
  const job = reader.startBackground('while sleep 1; do echo tick; done', (chunk) => {
    text += chunk;
  });
  await kernel.advance({ untilMs: kernel.now() + 3500 });
  assert.equal(text, 'tick\ntick\ntick\n');
  job.interrupt();
  await kernel.advance({ untilMs: kernel.now() + 100 });
  assert.deepEqual(await job.ended, { code: 130, signal: 'SIGINT' });
});

test('what lies between onCommand and onPrompt is the output of the command', async () => {
  const setup = setUp();
  const { type, outputs, statuses } = openTerminal(setup);
  await type('echo one; echo two >&2\r');
  await type('k get po\r');
  await type('nope\r');
  assert.deepEqual(outputs, [
    { line: 'echo one; echo two >&2', output: 'one\r\ntwo\r\n' },
    { line: 'k get po', output: 'kubectl get|po\r\n' },
    { line: 'nope', output: 'bash: nope: command not found\r\n' },
  ]);
  assert.deepEqual(statuses, [0, 0, 0, 127]);
});

test('Ctrl-C gives the prompt back with status 130, whatever runs', async () => {
  for (const line of [
    'sleep 1000',
    'while :; do :; done',
    'yes',
    'cat',
    'cat /dev/zero > /dev/null',
    'yes | cat > /dev/null',
    'while true; do sleep 1; done',
    'read x',
    'wait_for() { while :; do sleep 5; done; }; wait_for',
    'echo $(sleep 100)',
    '(sleep 100; echo no)',
    'until false; do kubectl get; done',
    'echo "unclosed',
    "bash -c 'while :; do :; done'",
    'sh',
  ]) {
    const setup = setUp();
    const { type, statuses, plain } = openTerminal(setup);
    await type(`${line}\r`, 300);
    await type('\x03', 1000);
    if (line === 'sh') await type('\x04', 1000);
    assert.equal(statuses.at(-1), 130, `${line}: ${plain().slice(-200)}`);
    await type('echo alive $?\r', 1000);
    assert.match(plain(), /alive 130\r\n/, line);
    setup.reader.dispose();
  }
});

test('what never ends, or never fits, gives the prompt back within bounded memory', async () => {
  const line = "head -c 50000 /dev/zero | tr '\\0' a";
  for (const command of [
    'dd if=/dev/zero of=/tmp/big bs=1M count=1024',
    'sort /dev/zero',
    'tail -f /etc/hosts',
    'seq 1 1000000000000 > /dev/null',
    "awk 'BEGIN { while (1); }'",
    `awk 'BEGIN { s = "x"; for (;;) s = s s }'`,
    `awk 'BEGIN { printf "%1000000000d", 1 }'`,
    "echo a | sed ':a;ba'",
    "echo a | sed ':a;s/.*/&&/;ta'",
    'cat /dev/zero | grep x',
    'cat /dev/zero | awk 1',
    'yes | xargs -n 1 echo > /dev/null',
    'f() { f; }; f',
    'x=a; while :; do x=$x$x; done',
    'while :; do a+=(1 2 3 4); done',
    'for ((i = 0; ; i++)); do :; done',
    'echo $((2 ** 1000000))',
    'echo {1..1000000000} > /dev/null',
    'x=$(yes)',
    'read x < /dev/zero',
    'ls /*/../*/../*/../*/../*/../*/../* > /dev/null',
    'rm -rf /tmp/../*',
    `${line} | grep -E '(a+)+$b'`,
    `${line} | grep '\\(a*\\)*\\1b'`,
    `x=$(${line}); [[ $x =~ ^(a+)+b$ ]]`,
    `x=$(${line}); case $x in *a*a*a*a*a*a*b) ;; esac`,
    `x=$(${line}); echo \${x//a*b/} \${x%%a*b} > /dev/null`,
    "printf '\\033[?1049h\\033]0;title\\007\\033[?25l'; head -c 3000 /dev/urandom",
  ]) {
    const setup = setUp();
    const { type, plain } = openTerminal(setup);
    const before = process.memoryUsage().rss;
    await type(`${command}\r`, 400);
    await type('\x03', 500);
    await type('echo al""ive\r', 500);
    assert.match(plain(), /alive\r\n/, command);
    assert.ok(process.memoryUsage().rss - before < 500 << 20, command);
    setup.reader.dispose();
  }
});

test('a fork bomb and 10 MB of output leave a working prompt', async () => {
  const setup = setUp();
  const { type, plain } = openTerminal(setup);
  await type('b() { b | b & }; b 2>/dev/null\r', 2000);
  assert.ok(setup.reader.machine.processes.size <= 256);
  await type('\x03', 1000);
  for (const process of [...setup.reader.machine.processes.values()]) if (process.pid > 2) process.kill('SIGKILL');
  const big = setUp();
  const screen = openTerminal(big);
  await screen.type('head -c 10000000 /dev/zero | tr "\\0" x; echo; echo end\r', 60_000);
  assert.ok(screen.outputs.at(-1)!.output.length >= 10_000_000);
  assert.match(screen.plain().slice(-200), /end\r\n.*\$ $/s);
  await type('echo alive\r', 20_000);
  assert.match(plain(), /\nalive\r\n/);
});

test('edits lines: cursor, history, search, kill and yank, wide characters', async () => {
  const { type, outputs } = openTerminal(setUp());
  await type('echo ac\x1b[Db\r');
  await type('echo second\r');
  await type('\x1b[A\x1b[A\r');
  await type('\x12seco\r');
  await type('word echo\x17\x01echo \x05tail\x15\x19\r');
  await type('echo 中文字\x1b[D\x7f\r');
  await type('echo xyz\x02\x02\x0b\r');
  await type('echo one two\x1bb\x1bd2\r');
  assert.deepEqual(
    outputs.map((entry) => entry.output),
    ['abc\r\n', 'second\r\n', 'abc\r\n', 'second\r\n', 'word tail\r\n', '中字\r\n', 'x\r\n', 'one 2\r\n'],
  );
});

test('a program that leaves the screen in an odd state does not take the prompt with it', async () => {
  const { type, outputs, raw } = openTerminal(setUp());
  await type("printf '\\033[?1049h\\033[?25l\\016lqk'\r");
  assert.match(raw(), /\x1b\\\x1b\[\?1049l.*\x1b\[!p.*\x0f\x1b\[\?2004hreader@/s);
  const before = raw().length;
  await type("printf '\\033[31mred\\033[0m\\n'; head -c 300 /dev/urandom > bin\r");
  assert.doesNotMatch(raw().slice(before), /\x1b\[!p/);
  await type('cat bin; echo; echo still here\r');
  assert.match(outputs.at(-1)!.output, /still here\r\n$/);
});

test('repeats earlier commands by ! as bash does', async () => {
  const { type, outputs } = openTerminal(setUp());
  await type('echo one two\r');
  await type('!!\r');
  await type('echo =!$ "${!x}" [!a] \'!!\'\r');
  await type('!nope\r');
  await type('!ec; echo wow!\r');
  assert.deepEqual(
    outputs.map((entry) => entry.output),
    ['one two\r\n', 'one two\r\n', '=two  [!a] !!\r\n', 'bash: !nope: event not found\r\n', '=two  [!a] !!\r\nwow!\r\n'],
  );
});

test('completes commands, files and what the completer offers', async () => {
  const { type, outputs, plain } = openTerminal(setUp());
  await type('cat a.\t\r');
  await type('ls di\t\r');
  await type('k de\tl\t x\r');
  await type('kubectl de\t\t');
  assert.match(plain(), /delete\s+deploy\/web\s+describe\r\n/);
  await type('\x03');
  await type('histo\t\r');
  assert.deepEqual(
    outputs.slice(0, 3).map((entry) => entry.line),
    ['cat a.yaml ', 'ls dir/', 'k delete  x'],
  );
  assert.match(outputs[3]!.output, /1 {2}cat a.yaml/);
});

test('asks for more until a command is whole, takes pastes as one, and redraws after a resize', async () => {
  const setup = setUp();
  const { type, outputs, terminal, plain } = openTerminal(setup, 20);
  await type('cat <<E\rline\rE\r');
  await type('\x1b[200~echo a\necho b\n\x1b[201~\r');
  await type('for i in 1 2\rdo echo $i\rdone\r');
  await type('echo 0123456789012345678901234567890');
  setup.kernel.input(() => terminal.resize(60, 10));
  await type('\x7f1\r');
  assert.deepEqual(
    outputs.map((entry) => entry.output),
    ['line\r\n', 'a\r\nb\r\n', '1\r\n2\r\n', '0123456789012345678901234567891\r\n'],
  );
  assert.match(plain(), /\r\n> /);
});

test('job control: stop, list, background and foreground', async () => {
  const { type, outputs } = openTerminal(setUp());
  await type('sleep 50\r', 1000);
  await type('\x1a', 500);
  await type('jobs\r');
  await type('bg\r');
  await type('jobs\r');
  await type('fg\r', 1000);
  await type('\x03', 500);
  await type('jobs; echo $?\r');
  assert.match(outputs[0]!.output, /^\^Z\r\n\[1\]\+ {2}Stopped {17}sleep 50\r\n$/);
  assert.match(outputs[1]!.output, /^\[1\]\+ {2}Stopped/);
  assert.match(outputs[2]!.output, /^\[1\]\+ sleep 50 &\r\n$/);
  assert.match(outputs[3]!.output, /^\[1\]\+ {2}Running {17}sleep 50 &\r\n$/);
  assert.equal(outputs[4]!.output, 'sleep 50\r\n^C\r\n');
  assert.equal(outputs[5]!.output, '0\r\n');
});

test('run types a command, after Ctrl-C when something is running', async () => {
  const setup = setUp();
  const { terminal, type, outputs } = openTerminal(setup);
  await type('half typed');
  setup.kernel.input(() => terminal.run('echo clean'));
  await type('');
  await type('sleep 1000\r');
  setup.kernel.input(() => terminal.run('echo next'));
  await type('');
  assert.deepEqual(
    outputs.map((entry) => [entry.line, entry.output]),
    [
      ['echo clean', 'clean\r\n'],
      ['sleep 1000', '^C\r\n'],
      ['echo next', 'next\r\n'],
    ],
  );
});

test('leaving the shell gives a new one; files and edits are told', async () => {
  const setup = setUp();
  const { type, plain, outputs } = openTerminal(setup);
  let changes = 0;
  const edited: string[] = [];
  setup.reader.onFilesChanged(() => changes++);
  setup.reader.onEdit((path) => edited.push(path));
  await type('\x04');
  await type('echo again > new.txt; vi new.txt\r');
  assert.match(plain(), /exit\r\n.*reader@chartroom:~\$ echo again/s);
  assert.ok(changes > 0);
  assert.deepEqual(edited, ['/home/reader/new.txt']);
  assert.match(outputs.at(-1)!.output, /已在編輯器中打開 new.txt/);
  assert.deepEqual(
    setup.reader.listFiles().map((file) => file.path),
    ['a.yaml', 'dir/b.yaml', 'new.txt'],
  );
});

test('bytes that are not text pass through files and pipes unchanged', async () => {
  const { run, reader } = setUp();
  reader.machine.fs.writeFile(
    '/home/reader/bin',
    Uint8Array.from({ length: 256 }, (_, index) => index),
  );
  assert.equal((await run('cat bin | cat > copy; cmp bin copy 2>/dev/null || wc -c < copy')).exit, 0);
  assert.deepEqual(reader.machine.fs.readFile('/home/reader/copy'), reader.machine.fs.readFile('/home/reader/bin'));
  await run("printf '\\xe4\\xb8\\xad\\xff' > out");
  assert.deepEqual([...reader.machine.fs.readFile('/home/reader/out')], [0xe4, 0xb8, 0xad, 0xff]);
});
