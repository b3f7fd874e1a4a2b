export { type Disposable, DisposableStore, toDisposable } from './disposable.ts';
export { fnv32, fnv32a, randomHex, randomSuffix, randomUid, safeEncode } from './ids.ts';
export { Aborted, type AdvanceOptions, type HostClock, Kernel, Player } from './kernel.ts';
export { Random } from './random.ts';
export { WorkQueue } from './work-queue.ts';
