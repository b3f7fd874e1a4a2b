import { Aborted } from '../../kernel/index.ts';
import { Errno, type Process, type Program, SIGNAL_NUMBERS, type SignalName, signalFromText } from '../../unix/index.ts';
import { announceDeath, type Job } from '../jobs.ts';
import type { Shell } from '../shell.ts';
import type { Builtin } from './index.ts';
import { complain, fail, print } from './support.ts';

const LINUX_SIGNALS =
  'HUP INT QUIT ILL TRAP ABRT BUS FPE KILL USR1 SEGV USR2 PIPE ALRM TERM STKFLT CHLD CONT STOP TSTP TTIN TTOU URG XCPU XFSZ VTALRM PROF WINCH POLL PWR SYS'.split(
    ' ',
  );

async function jobs(shell: Shell, words: readonly string[]): Promise<number> {
  const onlyPids = words.includes('-p');
  for (const job of [...shell.jobs.all()]) {
    await print(shell, onlyPids ? `${job.processes[0]!.pid}\n` : `${shell.jobs.describe(job, shell.dialect, words.includes('-l'))}\n`);
    if (job.state === 'Done') shell.jobs.remove(job);
  }
  return 0;
}

async function foreground(shell: Shell, words: readonly string[]): Promise<number> {
  const name = words[0]!;
  if (!shell.jobControl && shell.dialect === 'bash') return complain(shell, name, 'no job control');
  const job = words[1] === undefined ? shell.jobs.current() : shell.jobs.find(words[1]);
  if (!job || job.state === 'Done') {
    if (shell.dialect === 'ash') return fail(shell, name, words[1] === undefined ? 'No current job' : `${words[1]}: no such job`, 2);
    return complain(shell, name, words[1] === undefined ? 'current: no such job' : `${words[1]}: no such job`);
  }
  if (name === 'bg') {
    await print(shell, shell.dialect === 'ash' ? `[${job.id}] ${job.source}\n` : `[${job.id}]+ ${job.source} &\n`);
    resume(shell, job);
    return 0;
  }
  await print(shell, `${job.source}\n`);
  const result = shell.execution.foreground(job.processes, job.source);
  resume(shell, job);
  shell.jobs.remove(job);
  return result;
}

function resume(shell: Shell, job: Job): void {
  for (const process of job.processes) {
    try {
      shell.process.sendSignal(process.pid, 'SIGCONT');
    } catch (error) {
      if (!(error instanceof Errno)) throw error;
    }
  }
}

async function wait(shell: Shell, words: readonly string[]): Promise<number> {
  const names = words.slice(1).filter((word) => word !== '-n' && word !== '--');
  const targets: (Job | number)[] = [];
  let status = 0;
  if (names.length === 0) targets.push(...shell.jobs.all().filter((job) => job.state !== 'Done'));
  for (const name of names) {
    if (name.startsWith('%')) {
      const job = shell.jobs.find(name);
      if (job) targets.push(job);
      else {
        status = 127;
        await complain(shell, 'wait', `${name}: no such job`);
      }
      continue;
    }
    if (!/^\d+$/.test(name)) {
      if (shell.dialect === 'ash') return fail(shell, 'wait', `Illegal number: ${name}`, 2);
      return complain(shell, 'wait', `\`${name}': not a pid or valid job spec`);
    }
    targets.push(shell.jobs.findByPid(Number(name)) ?? Number(name));
  }
  for (const target of targets) {
    if (typeof target === 'number') {
      const known = shell.jobs.ended.get(target);
      if (known === undefined && shell.dialect === 'bash') await complain(shell, 'wait', `pid ${target} is not a child of this shell`);
      status = known ?? 127;
      continue;
    }
    try {
      for (const process of target.processes) {
        for (;;) {
          const change = await shell.awaitChild(process);
          if (change === 'stopped') {
            await shell.process.guard(process.exited);
            continue;
          }
          status = names.length > 0 ? change.code : 0;
          if (process === target.processes.at(-1) && names.length > 0 && shell.dialect === 'ash' && !shell.interactive)
            await announceDeath(shell, change, process, target.source);
          break;
        }
      }
    } catch (error) {
      if (!(error instanceof Aborted)) throw error;
      if (shell.interrupted) await shell.checkSignals();
      const signal = shell.pendingTraps[0];
      return signal ? 128 + SIGNAL_NUMBERS[signal] : 130;
    }
    if (!shell.interactive) shell.jobs.remove(target);
  }
  return status;
}

interface KillRequest {
  signal: SignalName | 0;
  targets: string[];
}

/** Reads kill's words; a text is a complaint. */
function parseKill(args: readonly string[]): KillRequest | { bad: string } {
  let signal: SignalName | 0 = 'SIGTERM';
  let index = 0;
  const first = args[0];
  if (first === '-s' || first === '-n') {
    const name = args[1] ?? '';
    const found = name === '0' ? 0 : signalFromText(name);
    if (found === undefined) return { bad: name };
    signal = found;
    index = 2;
  } else if (first !== undefined && /^-./.test(first) && first !== '--') {
    const found = first === '-0' ? 0 : signalFromText(first.slice(1));
    if (found === undefined) return { bad: first.slice(1) };
    signal = found;
    index = 1;
  }
  if (args[index] === '--') index++;
  return { signal, targets: args.slice(index) };
}

function listSignals(args: readonly string[], dialect: 'ash' | 'bash'): string {
  if (args.length > 0) {
    return args
      .map((text) => {
        if (/^\d+$/.test(text)) return `${LINUX_SIGNALS[(Number(text) & 127) - 1] ?? text}\n`;
        return `${LINUX_SIGNALS.indexOf(text.toUpperCase().replace(/^SIG/, '')) + 1}\n`;
      })
      .join('');
  }
  if (dialect === 'ash') return LINUX_SIGNALS.map((name, index) => `${String(index + 1).padStart(2)}) ${name}\n`).join('');
  return LINUX_SIGNALS.map(
    (name, index) => `${String(index + 1).padStart(2)}) SIG${name}${index % 5 === 4 || index === LINUX_SIGNALS.length - 1 ? '\n' : '\t'}`,
  ).join('');
}

async function kill(shell: Shell, words: readonly string[]): Promise<number> {
  const args = words.slice(1);
  if (args[0] === '-l' || args[0] === '-L') {
    await print(shell, listSignals(args.slice(1), shell.dialect));
    return 0;
  }
  const request = parseKill(args);
  const ash = shell.dialect === 'ash';
  if ('bad' in request) {
    await shell.complain(
      ash ? `${shell.appletName}: bad signal name '${request.bad}'` : `${shell.errorPrefix('kill')}${request.bad}: invalid signal specification`,
    );
    return 1;
  }
  if (request.targets.length === 0) {
    await shell.complain(
      ash
        ? `${shell.appletName}: you need to specify whom to kill`
        : 'kill: usage: kill [-s sigspec | -n signum | -sigspec] pid | jobspec ... or kill -l [sigspec]',
    );
    return ash ? 1 : 2;
  }
  let status = 0;
  for (const target of request.targets) {
    let pids: number[];
    if (target.startsWith('%')) {
      const job = shell.jobs.find(target);
      if (!job || job.state === 'Done') {
        status = await complain(shell, 'kill', `${target}: no such job`);
        continue;
      }
      pids = shell.jobControl ? [-job.processes[0]!.pgid] : job.processes.map((process) => process.pid);
    } else if (/^-?\d+$/.test(target)) pids = [Number(target)];
    else {
      await shell.complain(
        ash ? `${shell.appletName}: invalid number '${target}'` : `${shell.errorPrefix('kill')}${target}: arguments must be process or job IDs`,
      );
      status = 1;
      continue;
    }
    for (const pid of pids) {
      try {
        shell.process.sendSignal(pid, request.signal);
      } catch (error) {
        if (!(error instanceof Errno)) throw error;
        await shell.complain(ash ? `${shell.appletName}: can't kill pid ${pid}: ${error.message}` : `${shell.errorPrefix('kill')}(${pid}) - ${error.message}`);
        status = 1;
      }
    }
  }
  // A signal to the shell itself is seen to before the next command.
  await shell.process.guard(Promise.resolve());
  return status;
}

export const jobBuiltins: readonly (readonly [string, Builtin])[] = [
  ['jobs', { run: jobs }],
  ['fg', { run: foreground }],
  ['bg', { run: foreground }],
  ['wait', { run: wait }],
  ['kill', { run: kill }],
  ['disown', { run: async (shell, words) => disown(shell, words), dialect: 'bash' }],
];

async function disown(shell: Shell, words: readonly string[]): Promise<number> {
  const job = words[1] === undefined ? shell.jobs.current() : shell.jobs.find(words[1]);
  if (!job) return complain(shell, 'disown', `${words[1] ?? 'current'}: no such job`);
  shell.jobs.remove(job);
  return 0;
}

/** kill(1) outside of a shell. */
export const killProgram: Program = async (process: Process) => {
  const args = process.argv.slice(1);
  if (args[0] === '-l') {
    await process.out(listSignals(args.slice(1), 'ash'));
    return 0;
  }
  const request = parseKill(args);
  if ('bad' in request) {
    await process.err(`kill: bad signal name '${request.bad}'\n`);
    return 1;
  }
  if (request.targets.length === 0) {
    await process.err('kill: you need to specify whom to kill\n');
    return 1;
  }
  let status = 0;
  for (const target of request.targets) {
    if (!/^-?\d+$/.test(target)) {
      await process.err(`kill: invalid number '${target}'\n`);
      status = 1;
      continue;
    }
    try {
      process.sendSignal(Number(target), request.signal);
    } catch (error) {
      if (!(error instanceof Errno)) throw error;
      await process.err(`kill: can't kill pid ${target}: ${error.message}\n`);
      status = 1;
    }
  }
  return status;
};
