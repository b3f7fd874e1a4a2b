import type { SignalName } from './types.ts';

/** Linux numbers (x86, arm). */
export const SIGNAL_NUMBERS: Readonly<Record<SignalName, number>> = {
  SIGHUP: 1,
  SIGINT: 2,
  SIGQUIT: 3,
  SIGKILL: 9,
  SIGUSR1: 10,
  SIGSEGV: 11,
  SIGUSR2: 12,
  SIGPIPE: 13,
  SIGALRM: 14,
  SIGTERM: 15,
  SIGCHLD: 17,
  SIGCONT: 18,
  SIGSTOP: 19,
  SIGTSTP: 20,
  SIGTTIN: 21,
  SIGTTOU: 22,
  SIGWINCH: 28,
};

const NAMES = new Map(Object.entries(SIGNAL_NUMBERS).map(([name, number]) => [number, name as SignalName]));

/** "TERM", "SIGTERM", "term" or "15" → SIGTERM; undefined when there is no such signal here. */
export function signalFromText(text: string): SignalName | undefined {
  if (/^\d+$/.test(text)) return NAMES.get(Number(text));
  const upper = text.toUpperCase();
  const name = (upper.startsWith('SIG') ? upper : `SIG${upper}`) as SignalName;
  return name in SIGNAL_NUMBERS ? name : undefined;
}

/** What bash and BusyBox print when a child died of it; undefined for those that are not announced. */
export const SIGNAL_MESSAGES: Readonly<Partial<Record<SignalName, string>>> = {
  SIGHUP: 'Hangup',
  SIGQUIT: 'Quit',
  SIGKILL: 'Killed',
  SIGUSR1: 'User defined signal 1',
  SIGUSR2: 'User defined signal 2',
  SIGSEGV: 'Segmentation fault',
  SIGALRM: 'Alarm clock',
  SIGTERM: 'Terminated',
};

export type DefaultAction = 'terminate' | 'ignore' | 'stop' | 'continue';

export function defaultAction(signal: SignalName): DefaultAction {
  switch (signal) {
    case 'SIGCHLD':
    case 'SIGWINCH':
      return 'ignore';
    case 'SIGCONT':
      return 'continue';
    case 'SIGSTOP':
    case 'SIGTSTP':
    case 'SIGTTIN':
    case 'SIGTTOU':
      return 'stop';
    default:
      return 'terminate';
  }
}
