import type { HostClock } from '../../kernel/index.ts';

const channel = new MessageChannel();
const waiting: (() => void)[] = [];
channel.port1.onmessage = () => waiting.shift()?.();

/** Runs `job` in a later macrotask, without the delay that browsers add to nested timers. */
function later(job: () => void): void {
  waiting.push(job);
  channel.port2.postMessage(0);
}

/** Wall time and macrotasks of a browser: for the worker, and for pages without one. */
export const browserClock: HostClock = {
  wallNowMs: () => performance.now(),
  hop: () => new Promise((resolve) => later(resolve)),
  wake(ms, callback) {
    let live = true;
    const run = (): void => {
      if (live) callback();
    };
    const handle = ms <= 0 ? undefined : setTimeout(run, ms);
    if (handle === undefined) later(run);
    return {
      dispose() {
        live = false;
        clearTimeout(handle);
      },
    };
  },
};
