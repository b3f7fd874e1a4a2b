import { Aborted } from '../kernel/index.ts';
import type { UnixMachine } from './machine.ts';
import type { UnixProcess } from './process.ts';
import { Errno, Killed, type OpenFile, type Program, type SignalName } from './types.ts';

/** What a process begins with. */
export interface ProcessOptions {
  machine: UnixMachine;
  pid: number;
  parent: UnixProcess | undefined;
  argv: readonly string[];
  env: ReadonlyMap<string, string>;
  cwd: string;
  uid: number;
  gid: number;
  pgid?: number;
  isInit: boolean;
  fds: ReadonlyMap<number, OpenFile>;
}

/** kill(2) by a process. Throws ESRCH, EPERM. */
export function sendSignalFrom(sender: UnixProcess, pid: number, signal: SignalName | 0): void {
  const all = sender.machine.processes as ReadonlyMap<number, UnixProcess>;
  let targets: UnixProcess[];
  if (pid > 0) targets = [all.get(pid)].filter((process) => process !== undefined);
  else if (pid === -1) targets = [...all.values()].filter((process) => !process.isInit && process !== sender);
  else {
    const group = pid === 0 ? sender.pgid : -pid;
    targets = [...all.values()].filter((process) => process.pgid === group);
  }
  if (targets.length === 0) throw new Errno('ESRCH');
  const allowed = targets.filter((process) => sender.uid === 0 || sender.uid === process.uid);
  if (allowed.length === 0) throw new Errno('EPERM');
  if (signal === 0) return;
  for (const process of allowed) process.deliver(signal, true);
}

/** Starts running; the exit code becomes the status. Errors other than Killed and EPIPE are programmer errors. */
export function runProgram(process: UnixProcess, program: Program): void {
  const running = (async () => {
    // A child begins after its parent's present step, as after a real fork.
    await null;
    return program(process);
  })();
  running.then(
    (code) => process.finish({ code: code & 255 }),
    (error) => {
      if (error instanceof Killed || (error instanceof Errno && error.code === 'EPIPE') || error instanceof Aborted) {
        // A program that let it pass: as if the default action of the signal had ended it.
        process.terminate(error instanceof Killed ? error.signal : error instanceof Errno ? 'SIGPIPE' : 'SIGTERM');
        return;
      }
      // A stack too deep, a text too long: what a real program dies of, too.
      if (error instanceof RangeError) {
        process.terminate('SIGSEGV');
        return;
      }
      const message = `${process.argv[0] ?? ''}: ${error instanceof Error ? error.message : String(error)}\n`;
      const end = (): void => {
        process.finish({ code: 1 });
        if (!(error instanceof Errno)) process.kernel.onError(error);
      };
      process.err(message).then(end, end);
    },
  );
}
