import { type Disposable, DisposableStore } from '../../kernel/index.ts';
import type { ResourceId } from '../client/types.ts';
import type { ControllerContext } from './controller.ts';

type Start = (context: ControllerContext) => Disposable;

/**
 * A controller that is fetched and started when the first object of its kind appears: the Job controller is no part of a
 * lesson on StatefulSets. Time stands still while its code is on the way, and nothing of the instant is lost: a controller
 * begins by looking at what exists.
 */
export function whenNeeded(resource: ResourceId, load: () => Promise<Start>): Start {
  return (context) => {
    const owned = new DisposableStore();
    const informer = context.client.informer(resource);
    let waiting: Disposable | undefined;
    const start = (): void => {
      waiting?.dispose();
      waiting = undefined;
      const hold = context.kernel.hold();
      load()
        .then((found) => owned.add(found(context)))
        .catch((error: unknown) => context.kernel.onError(error))
        .finally(() => hold.dispose());
    };
    if (informer.list().length > 0) start();
    else waiting = owned.add(informer.onEvent(start));
    return owned;
  };
}
