import type { HostClock } from '../../kernel/index.ts';

/** Wall time and macrotasks of Node.js. */
export const nodeClock: HostClock = {
  wallNowMs: () => performance.now(),
  hop: () => new Promise((resolve) => setImmediate(resolve)),
  wake(ms, callback) {
    const handle = ms <= 0 ? undefined : setTimeout(callback, ms);
    const immediate = handle ? undefined : setImmediate(callback);
    return {
      dispose() {
        clearTimeout(handle);
        if (immediate) clearImmediate(immediate);
      },
    };
  },
};
