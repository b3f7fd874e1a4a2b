import { SIGNAL_NUMBERS, signalFromText } from '../unix/index.ts';
import { Errno, type ExitStatus, type OpenFile, type Process } from '../unix/types.ts';
import { type Applet, Failure, fromByteText, getopt, parseDurationMs, parseNumber, program, toByteText, UsageError } from './applet.ts';

/** Applets about processes, users and the machine: sleep, env, ps, kill, id, hostname, uname, date, timeout, xargs … */

async function sleep(applet: Applet): Promise<void> {
  const options = getopt(applet.args, '');
  if (options.rest.length === 0) throw new UsageError();
  if (options.rest.includes('infinity') || options.rest.includes('inf')) for (;;) await applet.process.sleep(86_400_000);
  await applet.process.sleep(options.rest.reduce((sum, text) => sum + parseDurationMs(text), 0));
}

async function hostname(applet: Applet): Promise<number | undefined> {
  const options = getopt(applet.args, 'sfidF:');
  const { machine } = applet.process;
  const name = toByteText(machine.hostname);
  if (options.rest.length > 0) {
    if (applet.process.uid !== 0) throw new Failure('sethostname: Operation not permitted');
    throw new Failure('sethostname: Operation not permitted');
  }
  if (options.has('s')) await applet.put(`${name.split('.')[0]}\n`);
  else if (options.has('f') || options.has('d') || options.has('i')) {
    const entry = hostsEntry(applet, name);
    if (!entry) throw new Failure(`${name}: Host name lookup failure`);
    const full = entry.names[0] ?? name;
    if (options.has('f')) await applet.put(`${full}\n`);
    else if (options.has('d')) await applet.put(full.includes('.') ? `${full.slice(full.indexOf('.') + 1)}\n` : '\n');
    else await applet.put(`${entry.ip}\n`);
  } else await applet.put(`${name}\n`);
  return undefined;
}

function hostsEntry(applet: Applet, name: string): { ip: string; names: string[] } | undefined {
  let text = '';
  try {
    text = applet.fs.readText('/etc/hosts');
  } catch (error) {
    if (!(error instanceof Errno)) throw error;
  }
  for (const line of text.split('\n')) {
    const [ip, ...names] = line.replace(/#.*/, '').trim().split(/\s+/);
    if (ip && !ip.includes(':') && names.includes(name)) return { ip, names };
  }
  return undefined;
}

async function uname(applet: Applet): Promise<void> {
  const options = getopt(applet.args, 'snrvmpioa');
  if (options.rest.length > 0) throw new UsageError();
  const { machine } = applet.process;
  const parts: [string, string][] = [
    ['s', 'Linux'],
    ['n', toByteText(machine.hostname)],
    ['r', machine.facts.kernelRelease],
    ['v', '#1 SMP PREEMPT_DYNAMIC'],
    ['m', 'x86_64'],
    ['p', 'unknown'],
    ['i', 'unknown'],
    ['o', 'GNU/Linux'],
  ];
  const all = options.has('a');
  const wanted = parts.filter(([letter, value]) => (all ? value !== 'unknown' : options.has(letter)));
  await applet.put(`${(wanted.length > 0 ? wanted : parts.slice(0, 1)).map(([, value]) => value).join(' ')}\n`);
}

async function env(applet: Applet): Promise<number | undefined> {
  const options = getopt(applet.args, '+iu:0');
  const variables = options.has('i') || options.rest[0] === '-' ? new Map<string, string>() : new Map(applet.process.env);
  const words = options.rest[0] === '-' ? options.rest.slice(1) : [...options.rest];
  for (const name of options.all('u')) variables.delete(fromByteText(name));
  while (words[0]?.includes('=')) {
    const word = fromByteText(words.shift() as string);
    variables.set(word.slice(0, word.indexOf('=')), word.slice(word.indexOf('=') + 1));
  }
  if (words.length === 0) {
    for (const [name, value] of variables) await applet.put(`${toByteText(`${name}=${value}`)}${options.has('0') ? '\0' : '\n'}`);
    return undefined;
  }
  return runCommand(applet, words, { env: variables }, true);
}

async function printenv(applet: Applet): Promise<void> {
  const names = getopt(applet.args, '+').rest;
  if (names.length === 0) for (const [name, value] of applet.process.env) await applet.put(`${toByteText(`${name}=${value}`)}\n`);
  for (const name of names) {
    const value = applet.process.env.get(fromByteText(name));
    if (value === undefined) applet.code = 1;
    else await applet.put(`${toByteText(value)}\n`);
  }
}

/** execvp with BusyBox' complaint: 127 when there is no such command, 126 when it cannot be run. */
async function runCommand(applet: Applet, words: readonly string[], options: { env?: Map<string, string> } = {}, replace = false): Promise<number> {
  const argv = words.map(fromByteText);
  await applet.flush();
  try {
    if (replace) return await applet.process.exec(argv, options);
    const child = applet.process.spawn(argv, options);
    return statusCode(await applet.process.guard(child.exited));
  } catch (error) {
    if (!(error instanceof Errno) || error.code === 'EPIPE') throw error;
    await applet.complain(`can't execute '${words[0]}': ${error.message}`);
    return error.code === 'ENOENT' ? 127 : 126;
  }
}

const statusCode = (status: ExitStatus): number => (status.signal ? 128 + SIGNAL_NUMBERS[status.signal] : status.code);

async function timeout(applet: Applet): Promise<number> {
  const options = getopt(applet.args, '+s:k:');
  const [duration, ...words] = options.rest;
  if (duration === undefined || words.length === 0) throw new UsageError();
  const signal = signalFromText(options.get('s') ?? 'TERM');
  if (!signal) throw new Failure(`bad signal name '${options.get('s')}'`);
  const ms = parseDurationMs(duration);
  const killAfter = options.get('k');
  let child: Process;
  try {
    child = applet.process.spawn(words.map(fromByteText));
  } catch (error) {
    if (!(error instanceof Errno)) throw error;
    await applet.complain(`can't execute '${words[0]}': ${error.message}`);
    return error.code === 'ENOENT' ? 127 : 126;
  }
  const { kernel } = applet.process;
  let timedOut = false;
  const timers = [
    kernel.timer(ms, () => {
      timedOut = true;
      child.kill(signal);
    }),
  ];
  if (killAfter !== undefined) timers.push(kernel.timer(ms + parseDurationMs(killAfter), () => child.kill('SIGKILL')));
  try {
    const status = await applet.process.guard(child.exited);
    // BusyBox reports the signal that ended the command, not 124.
    return timedOut && !status.signal ? status.code : statusCode(status);
  } finally {
    for (const timer of timers) timer.dispose();
  }
}

async function time(applet: Applet): Promise<number> {
  const options = getopt(applet.args, '+vpao:f:');
  if (options.rest.length === 0) throw new UsageError();
  const began = applet.process.kernel.now();
  const code = await runCommand(applet, options.rest);
  const seconds = (applet.process.kernel.now() - began) / 1000;
  const clock = (value: number): string => `${Math.floor(value / 60)}m ${(value % 60).toFixed(2)}s`;
  await applet.err(options.has('p') ? `real ${seconds.toFixed(2)}\nuser 0.00\nsys 0.00\n` : `real\t${clock(seconds)}\nuser\t${clock(0)}\nsys\t${clock(0)}\n`);
  return code;
}

function userNames(applet: Applet, file: string): Map<number, string> {
  const names = new Map<number, string>();
  try {
    for (const line of applet.fs.readText(file).split('\n')) {
      const [name, , id] = line.split(':');
      if (name && id !== undefined && !names.has(Number(id))) names.set(Number(id), name);
    }
  } catch (error) {
    if (!(error instanceof Errno)) throw error;
  }
  return names;
}

export function userName(applet: Applet, uid: number): string {
  return userNames(applet, '/etc/passwd').get(uid) ?? String(uid);
}

export function groupName(applet: Applet, gid: number): string {
  return userNames(applet, '/etc/group').get(gid) ?? String(gid);
}

/** A name or number of /etc/passwd or /etc/group. */
export function lookUpId(applet: Applet, file: '/etc/passwd' | '/etc/group', text: string): number {
  for (const [id, name] of userNames(applet, file)) if (name === text) return id;
  if (/^\d+$/.test(text)) return Number(text);
  throw new Failure(`unknown ${file === '/etc/passwd' ? 'user' : 'group'} ${text}`);
}

async function id(applet: Applet): Promise<void> {
  const options = getopt(applet.args, 'ugGnr');
  const { uid, gid } = applet.process;
  const users = userNames(applet, '/etc/passwd');
  const groups = userNames(applet, '/etc/group');
  if (options.rest.length > 0 && ![...users.values()].includes(options.rest[0] as string)) throw new Failure(`unknown user ${options.rest[0]}`);
  const all = [gid, ...(applet.process.machine.facts.groups ?? []).filter((one) => one !== gid)];
  const named = (id: number, names: Map<number, string>): string => (options.has('n') ? (names.get(id) ?? String(id)) : String(id));
  if (options.has('u')) await applet.put(`${named(uid, users)}\n`);
  else if (options.has('g')) await applet.put(`${named(gid, groups)}\n`);
  else if (options.has('G')) await applet.put(`${all.map((one) => named(one, groups)).join(' ')}\n`);
  else {
    const both = (id: number, names: Map<number, string>): string => `${id}${names.has(id) ? `(${names.get(id)})` : ''}`;
    await applet.put(`uid=${both(uid, users)} gid=${both(gid, groups)} groups=${all.map((one) => both(one, groups)).join(',')}\n`);
  }
}

async function whoami(applet: Applet): Promise<void> {
  const { uid } = applet.process;
  const name = userNames(applet, '/etc/passwd').get(uid);
  if (name === undefined) throw new Failure(`unknown uid ${uid}`);
  await applet.put(`${name}\n`);
}

async function which(applet: Applet): Promise<void> {
  const options = getopt(applet.args, 'a');
  for (const name of options.rest) {
    const found = applet.process.which(fromByteText(name));
    if (found === undefined) applet.code = 1;
    else await applet.put(`${toByteText(found)}\n`);
  }
}

async function free(applet: Applet): Promise<void> {
  const options = getopt(applet.args, 'bkmgh');
  const { machine } = applet.process;
  const unit = options.has('b') ? 1 : options.has('m') ? 1 << 20 : options.has('g') ? 1 << 30 : 1024;
  const total = machine.facts.memoryBytes;
  const used = Math.min(total, Math.round(total * 0.21) + machine.memoryBytes());
  const cache = Math.round(total * 0.33);
  const show = (bytes: number): string => (options.has('h') ? humanSize(bytes) : String(Math.floor(bytes / unit))).padStart(12);
  await applet.put(`              total        used        free      shared  buff/cache   available\n`);
  await applet.put(`Mem:  ${[total, used, total - used - cache, 0, cache, total - used].map(show).join('')}\n`);
  await applet.put(`Swap: ${[0, 0, 0].map(show).join('')}\n`);
}

/** make_human_readable_str: "1.0K", "15.5M", "8.0G". */
export function humanSize(bytes: number): string {
  if (bytes < 1024) return String(bytes);
  let value = bytes / 1024;
  let unit = 0;
  while (value >= 1023.95 && unit < 5) {
    value /= 1024;
    unit++;
  }
  return `${value.toFixed(1)}${'KMGTPE'[unit]}`;
}

async function uptime(applet: Applet): Promise<void> {
  const { kernel, machine } = applet.process;
  const now = new Date(kernel.now()).toISOString().slice(11, 19);
  const minutes = Math.floor((kernel.now() - machine.facts.bootMs) / 60_000);
  const days = Math.floor(minutes / 1440);
  const hours = Math.floor(minutes / 60) % 24;
  const since = `${days > 0 ? `${days} day${days === 1 ? '' : 's'}, ` : ''}${hours > 0 ? `${String(hours).padStart(2)}:${String(minutes % 60).padStart(2, '0')}` : `${minutes % 60} min`}`;
  await applet.put(` ${now} up ${since},  0 users,  load average: 0.00, 0.00, 0.00\n`);
}

async function watch(applet: Applet): Promise<number> {
  const options = getopt(applet.args, '+n:t');
  if (options.rest.length === 0) throw new UsageError();
  const period = Math.max(0.1, Number(options.get('n') ?? 2));
  for (;;) {
    if (!options.has('t')) {
      const title = `Every ${period.toFixed(1)}s: ${options.rest.join(' ')}`;
      await applet.put(`\x1b[H\x1b[J${title}\n\n`);
    } else await applet.put('\x1b[H\x1b[J');
    await applet.flush();
    await runCommand(applet, ['sh', '-c', options.rest.join(' ')]);
    await applet.process.sleep(period * 1000);
  }
}

async function nproc(applet: Applet): Promise<void> {
  await applet.put(`${applet.process.machine.facts.cpus}\n`);
}

async function nohup(applet: Applet): Promise<number> {
  if (applet.args.length === 0) throw new UsageError();
  applet.process.onSignal('SIGHUP', 'ignore');
  return runCommand(applet, applet.args, {}, true);
}

async function nice(applet: Applet): Promise<number | undefined> {
  const options = getopt(applet.args, '+n:');
  if (options.rest.length > 0) return runCommand(applet, options.rest, {}, true);
  await applet.put('0\n');
  return undefined;
}

async function usleep(applet: Applet): Promise<void> {
  await applet.process.sleep(parseNumber(applet.args[0] ?? '') / 1000);
}

export const processApplets = {
  sleep: program('[N]...', sleep),
  usleep: program('N', usleep),
  hostname: program('[-sidf] [HOSTNAME | -F FILE]', hostname),
  uname: program('[-amnrspvio]', uname),
  env: program('[-iu] [-] [NAME=VALUE]... [PROG ARGS]', env),
  printenv: program('[VARIABLE]...', printenv),
  timeout: program('[-s SIG] [-k KILL_SECS] SECS PROG ARGS', timeout),
  time: program('[-vpa] [-o FILE] PROG ARGS', time),
  id: program('[-ugGnr] [USER]', id),
  whoami: program('', whoami),
  which: program('[-a] COMMAND...', which),
  free: program('[-bkmgh]', free),
  uptime: program('', uptime),
  watch: program('[-n SEC] [-t] PROG ARGS', watch),
  nproc: program('', nproc),
  nohup: program('PROG ARGS', nohup),
  nice: program('[-n ADJUST] [PROG ARGS]', nice),
  setsid: program('PROG ARGS', nohup),
};
