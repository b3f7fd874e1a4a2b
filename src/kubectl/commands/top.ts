import type { Session } from '../session.ts';
import { CliError } from '../util/errors.ts';

/** kubectl top node and top pod: a cluster without metrics-server has nothing to show. */
export async function top(session: Session): Promise<void> {
  const sortBy = session.flags.text('sort-by');
  if (sortBy !== '' && sortBy !== 'cpu' && sortBy !== 'memory') throw new CliError('--sort-by accepts only cpu or memory');
  const { discovery } = await session.mapper();
  if (!discovery.groups.some((group) => group.name === 'metrics.k8s.io')) throw new CliError('Metrics API not available');
  throw new CliError('kubectl top with a metrics API is not simulated yet');
}
