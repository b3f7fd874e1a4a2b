import { commandName, SIGNAL_NUMBERS, signalFromText } from '../unix/index.ts';
import { compileRegex } from '../unix/regex.ts';
import { Errno, type Process } from '../unix/types.ts';
import { type Applet, Failure, getopt, program, toByteText } from './applet.ts';
import { groupName, userName } from './process-applets.ts';

/** Applets that look at processes or signal them: ps, kill, killall, pidof, pgrep, pkill. */

async function ps(applet: Applet): Promise<void> {
  const options = getopt(
    applet.args.filter((word) => !/^(aux?|ax|-?ef?|-A|-w+|-?auxw*)$/.test(word)),
    'o:T',
  );
  const processes = [...applet.process.machine.processes.values()].sort((a, b) => a.pid - b.pid);
  const shown = (one: Process): string => toByteText(one.argv.length > 0 ? one.argv.join(' ') : `{${commandName(one)}}`);
  const clock = (ms: number): string => `${Math.floor(ms / 60_000)}:${String(Math.floor(ms / 1000) % 60).padStart(2, '0')}`;
  const state = (one: Process): string => (one.stopped ? 'T' : one === applet.process ? 'R' : 'S');
  const columns: Record<string, [title: string, width: number, value: (one: Process) => string]> = {
    user: ['USER', -8, (one) => userName(applet, one.uid).slice(0, 8)],
    group: ['GROUP', -8, (one) => groupName(applet, one.gid).slice(0, 8)],
    comm: ['COMMAND', -16, (one) => commandName(one)],
    args: ['COMMAND', -256, shown],
    pid: ['PID', 5, (one) => String(one.pid)],
    ppid: ['PPID', 5, (one) => String(one.ppid)],
    pgid: ['PGID', 5, (one) => String(one.pgid)],
    tty: ['TT', -6, () => '?'],
    vsz: ['VSZ', -4, (one) => String(Math.floor(one.memoryBytes / 1024))],
    rss: ['RSS', -4, (one) => String(Math.floor(one.memoryBytes / 1024))],
    time: ['TIME', -5, (one) => clock(one.cpuMs)],
    etime: ['ELAPSED', -7, (one) => clock(applet.process.kernel.now() - one.startMs)],
    stat: ['STAT', -4, state],
    nice: ['NI', -5, () => '0'],
  };
  const wanted = options
    .all('o')
    .join(',')
    .split(',')
    .filter(Boolean)
    .map((name) => {
      const [key = '', title] = name.split('=');
      const column = columns[key];
      if (!column) throw new Failure(`bad -o argument '${name}', supported arguments: ${Object.keys(columns).join(',')}`);
      return title === undefined ? column : ([title, ...column.slice(1)] as typeof column);
    });
  if (wanted.length === 0) {
    await applet.put('  PID USER       VSZ STAT COMMAND\n');
    for (const one of processes) {
      const size = String(Math.floor(one.memoryBytes / 1024)).padStart(5);
      await applet.put(`${String(one.pid).padStart(5)} ${userName(applet, one.uid).slice(0, 8).padEnd(8)} ${size} ${state(one).padEnd(4)} ${shown(one)}\n`);
    }
    return;
  }
  const row = (cells: string[]): string =>
    `${cells
      .map((cell, i) => {
        const width = wanted[i]?.[1] ?? 0;
        if (width > 0) return cell.padStart(width);
        return i === cells.length - 1 ? cell : cell.padEnd(-width);
      })
      .join(' ')}\n`;
  await applet.put(row(wanted.map(([title]) => title)));
  for (const one of processes) await applet.put(row(wanted.map(([, , value]) => value(one))));
}

const SIGNAL_LIST = Object.entries(SIGNAL_NUMBERS).map(([name, number]) => [number, name.slice(3)] as const);

async function kill(applet: Applet): Promise<void> {
  const [first = '', ...more] = applet.args;
  if (first === '-l' || first === '-L') {
    if (more.length === 0) for (const [number, name] of SIGNAL_LIST) await applet.put(`${String(number).padStart(2)}) ${name}\n`);
    for (const word of more) {
      const signal = signalFromText(String(Number(word) > 128 ? Number(word) - 128 : word));
      if (!signal) throw new Failure(`unknown signal '${word}'`);
      await applet.put(/^\d/.test(word) ? `${signal.slice(3)}\n` : `${SIGNAL_NUMBERS[signal]}\n`);
    }
    return;
  }
  const byFlag = first === '-s' ? more[0] : first.startsWith('-') && first !== '--' ? first.slice(1) : undefined;
  const targets = first === '-s' ? more.slice(1) : byFlag === undefined ? applet.args.filter((word) => word !== '--') : more.filter((word) => word !== '--');
  const signal = byFlag === '0' ? 0 : signalFromText(byFlag ?? 'TERM');
  if (signal === undefined) throw new Failure(`bad signal name '${byFlag}'`);
  if (targets.length === 0) throw new Failure('you need to specify whom to kill');
  const byName = applet.name === 'killall';
  for (const target of targets) {
    const pids = byName ? pidsOf(applet, target) : [Number(target)];
    if (byName && pids.length === 0) {
      await applet.complain(`${target}: no process killed`);
      continue;
    }
    if (!byName && !/^-?\d+$/.test(target)) throw new Failure(`invalid number '${target}'`);
    for (const pid of pids) {
      try {
        applet.process.sendSignal(pid, signal);
      } catch (error) {
        if (!(error instanceof Errno)) throw error;
        await applet.complain(`can't kill pid ${pid}: ${error.message}`);
      }
    }
  }
}

function pidsOf(applet: Applet, name: string): number[] {
  return [...applet.process.machine.processes.values()].filter((one) => one !== applet.process && commandName(one) === name).map((one) => one.pid);
}

async function pidof(applet: Applet): Promise<void> {
  const options = getopt(applet.args, 'so:');
  const pids = options.rest.flatMap((name) => pidsOf(applet, name)).reverse();
  if (pids.length === 0) applet.code = 1;
  else await applet.put(`${(options.has('s') ? pids.slice(0, 1) : pids).join(' ')}\n`);
}

async function pgrep(applet: Applet): Promise<void> {
  const options = getopt(applet.args, 'flnovxs:P:');
  const pattern = compileRegex(options.rest[0] ?? '', { extended: true, process: applet.process });
  const found = [...applet.process.machine.processes.values()].filter((one) => {
    if (one === applet.process) return false;
    const text = options.has('f') ? one.argv.join(' ') : commandName(one);
    return (options.has('x') ? pattern.exec(text)?.groups[0] === text : pattern.test(text)) !== options.has('v');
  });
  if (found.length === 0) applet.code = 1;
  for (const one of found) {
    if (applet.name === 'pkill') applet.process.sendSignal(one.pid, 'SIGTERM');
    else await applet.put(options.has('l') ? `${one.pid} ${toByteText(commandName(one))}\n` : `${one.pid}\n`);
  }
}

export const processListApplets = {
  ps: program('[-o COL1,COL2=HEADER] [-T]', ps),
  kill: program('[-l] [-SIG] PID...', kill),
  killall: program('[-l] [-q] [-SIG] PROCESS_NAME...', kill),
  pidof: program('[-s] [-o PID] [NAME]...', pidof),
  pgrep: program('[-flanovx] [-s SID|-P PPID|PATTERN]', pgrep),
  pkill: program('[-l|-SIGNAL] [-xfvnoe] [-s SID|-P PPID|PATTERN]', pgrep),
};
