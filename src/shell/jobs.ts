import { Aborted } from '../kernel/index.ts';
import { type ExitStatus, type Process, SIGNAL_MESSAGES, SIGNAL_NUMBERS } from '../unix/index.ts';
import { Interrupted } from './control.ts';
import type { Shell } from './shell.ts';
import type { Dialect } from './syntax.ts';

export interface Job {
  id: number;
  processes: Process[];
  source: string;
  state: 'Running' | 'Stopped' | 'Done';
  status: ExitStatus | undefined;
  /** Told to the reader already. */
  announced: boolean;
}

/** Background jobs of a shell, `%1` and so on. */
export class JobTable {
  #jobs: Job[] = [];
  /** Exit codes of children that ended, for `wait PID` later. */
  readonly ended = new Map<number, number>();

  add(processes: Process[], source: string, state: Job['state'] = 'Running'): Job {
    const id = Math.max(0, ...this.#jobs.map((job) => job.id)) + 1;
    const job: Job = { id, processes, source, state, status: undefined, announced: false };
    this.#jobs.push(job);
    const last = processes[processes.length - 1]!;
    last.exited.then((status) => {
      job.state = 'Done';
      job.status = status;
      this.ended.set(last.pid, status.code);
      if (this.ended.size > 1000) this.ended.delete(this.ended.keys().next().value!);
    });
    return job;
  }

  all(): readonly Job[] {
    for (const job of this.#jobs) {
      if (job.state === 'Done') continue;
      job.state = job.processes.some((process) => process.stopped && !process.status) ? 'Stopped' : 'Running';
    }
    return this.#jobs;
  }

  remove(job: Job): void {
    this.#jobs = this.#jobs.filter((other) => other !== job);
  }

  current(): Job | undefined {
    return this.#jobs.findLast((job) => job.state !== 'Done') ?? this.#jobs.at(-1);
  }

  /** `%1`, `%%`, `%+`, `%-`, `%name`, `%?text`. */
  find(text: string): Job | undefined {
    const name = text.replace(/^%/, '');
    if (name === '' || name === '%' || name === '+') return this.current();
    if (name === '-') return this.#jobs.at(-2) ?? this.current();
    if (/^\d+$/.test(name)) return this.#jobs.find((job) => job.id === Number(name));
    return this.#jobs.findLast((job) => (name.startsWith('?') ? job.source.includes(name.slice(1)) : job.source.startsWith(name)));
  }

  findByPid(pid: number): Job | undefined {
    return this.#jobs.find((job) => job.processes.some((process) => process.pid === pid));
  }

  /** A line of `jobs`. */
  describe(job: Job, dialect: Dialect, long = false): string {
    const current = this.current();
    const previous = this.#jobs.filter((other) => other !== current && other.state !== 'Done').at(-1);
    const mark = job === current ? '+' : job === previous ? '-' : ' ';
    let state: string = job.state;
    if (job.state === 'Done' && job.status) {
      if (job.status.signal) state = SIGNAL_MESSAGES[job.status.signal] ?? job.status.signal.slice(3);
      else if (job.status.code !== 0) state = dialect === 'ash' ? `Done(${job.status.code})` : `Exit ${job.status.code}`;
    }
    const pid = long ? `${job.processes[0]!.pid} ` : '';
    const head = `[${job.id}]${mark}  ${pid}${state}`;
    if (dialect === 'ash') return `${head.padEnd(33)}${job.source}`;
    return `${`[${job.id}]${mark}  ${pid}${state.padEnd(24)}`}${job.source}${job.state === 'Running' ? ' &' : ''}`;
  }
}

/** Says that a child died of a signal, as shells do for all but the expected ones. */
export async function announceDeath(shell: Shell, status: ExitStatus, child: Process, source: string): Promise<void> {
  if (!status.signal) return;
  if (status.signal === 'SIGINT') {
    // The terminal shows ^C; the prompt goes to a line of its own.
    if (shell.interactive) await shell.process.err('\n');
    return;
  }
  const message = SIGNAL_MESSAGES[status.signal];
  if (!message) return;
  if (shell.dialect === 'ash' || shell.interactive) await shell.complain(message);
  else if (status.signal !== 'SIGTERM' || !shell.isSubshell)
    await shell.complain(`${shell.errorPrefix()}${String(child.pid).padStart(5)} ${message.padEnd(23)} ${source}`);
}

/** Waits for a foreground child through trapped signals; its status in shell terms. */
export async function finishChild(shell: Shell, child: Process, source: string, quiet = false): Promise<number> {
  for (;;) {
    try {
      const change = await shell.awaitChild(child);
      if (change === 'stopped') {
        if (!shell.jobControl) {
          await shell.process.guard(child.exited);
          continue;
        }
        const job = shell.jobs.add([child], source, 'Stopped');
        await shell.process.err(`\n${shell.jobs.describe(job, shell.dialect)}\n`);
        return 128 + SIGNAL_NUMBERS.SIGTSTP;
      }
      if (!quiet) await announceDeath(shell, change, child, source);
      return change.code;
    } catch (error) {
      if (!(error instanceof Aborted)) throw error;
      // A trapped signal: the trap runs when the child has ended.
      if (shell.interrupted && !shell.jobControl) throw new Interrupted();
      shell.interrupted = false;
    }
  }
}
