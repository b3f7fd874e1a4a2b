import type { Disposable, Kernel } from '../../kernel/index.ts';
import type { Client } from '../client/types.ts';
import { Scheduler } from './scheduler.ts';

/** Starts kube-scheduler. */
export function startScheduler(context: { kernel: Kernel; client: Client }): Disposable {
  return new Scheduler(context);
}
