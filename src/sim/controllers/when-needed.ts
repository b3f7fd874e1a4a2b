import { type Disposable, DisposableStore } from '../../kernel/index.ts';
import type { ApiObject, ResourceId } from '../client/types.ts';
import type { ControllerContext } from './controller.ts';

type Start = (context: ControllerContext) => Disposable;

/**
 * A controller that is fetched and started when the first object of its kinds appears: who learns of StatefulSets need not
 * wait for the Job controller. Time stands still while its code is on the way, and nothing of the instant is lost: a controller
 * begins by looking at what exists. `matters` tells which objects of the kinds count.
 */
export function whenNeeded(resources: readonly ResourceId[], load: () => Promise<Start>, matters: (object: ApiObject) => boolean = () => true): Start {
  return (context) => {
    const owned = new DisposableStore();
    const waiting = new DisposableStore();
    const start = (): void => {
      waiting.dispose();
      const hold = context.kernel.hold();
      load()
        .then((found) => owned.add(found(context)))
        .catch((error: unknown) => context.kernel.onError(error))
        .finally(() => hold.dispose());
    };
    const informers = resources.map((resource) => context.client.informer(resource));
    if (informers.some((informer) => informer.list().some(matters))) start();
    else
      for (const informer of informers)
        waiting.add(
          informer.onEvent(({ object }) => {
            if (matters(object)) start();
          }),
        );
    owned.add(waiting);
    return owned;
  };
}
