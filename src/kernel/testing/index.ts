import { nodeClock } from '../../hosts/node/clock.ts';
import { Kernel } from '../kernel.ts';

/** A kernel for unit tests. */
export function testKernel(seed = 'test'): Kernel {
  return new Kernel({ seed, host: nodeClock });
}
