import type { Helper } from '../resource/info.ts';
import type { Session } from '../session.ts';
import { CliError, StatusError } from './errors.ts';
import type { Obj } from './object.ts';

export interface ObjectEvent {
  type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'ERROR';
  object: Obj;
}

/** Thrown when the time is up (wait.ErrorInterrupted). */
export class WaitTimeout extends CliError {
  constructor() {
    super('timed out waiting for the condition');
  }
}

/**
 * watchtools.UntilWithSync for one object: lists it, gives what is there as ADDED, then watches; lists again when the
 * stream ends. Resolves with the object of the event for which `done` answers true.
 * `precondition` sees the listed object (undefined when it is missing); true ends the wait at once.
 */
export async function untilWithSync(
  session: Session,
  helper: Helper,
  namespace: string,
  name: string,
  options: {
    precondition?: (object: Obj | undefined) => boolean;
    done: (event: ObjectEvent) => Promise<boolean> | boolean;
    /** Virtual milliseconds; 0 waits for ever. */
    timeoutMs: number;
  },
): Promise<Obj | undefined> {
  const controller = new AbortController();
  let timedOut = false;
  const timer =
    options.timeoutMs > 0
      ? session.process.kernel.timer(options.timeoutMs, () => {
          timedOut = true;
          controller.abort();
        })
      : undefined;
  const path = helper.path(namespace);
  const query = { fieldSelector: `metadata.name=${name}` };
  let known: Obj | undefined;
  let first = true;
  try {
    for (;;) {
      if (timedOut) throw new WaitTimeout();
      const list = await session.client.request('GET', path, { query });
      const present = (list.items as Obj[] | undefined)?.[0];
      const typed: Obj | undefined = present && { apiVersion: helper.mapping.apiVersion, kind: helper.mapping.kind, ...present };
      if (first && options.precondition?.(typed)) return typed;
      if (typed && (!known || known.metadata?.resourceVersion !== typed.metadata?.resourceVersion)) {
        const type = known && known.metadata?.uid === typed.metadata?.uid ? 'MODIFIED' : 'ADDED';
        if (await options.done({ type, object: typed })) return typed;
      } else if (!typed && known && (await options.done({ type: 'DELETED', object: known }))) return known;
      known = typed;
      first = false;
      try {
        for await (const event of session.client.watch(path, { query: { ...query, resourceVersion: list.metadata?.resourceVersion } }, controller.signal)) {
          if (timedOut) throw new WaitTimeout();
          if (event.type === 'BOOKMARK') continue;
          if (event.type === 'ERROR') break;
          known = event.type === 'DELETED' ? undefined : event.object;
          if (await options.done({ type: event.type, object: event.object })) return event.object;
        }
      } catch (error) {
        if (timedOut) throw new WaitTimeout();
        if (error instanceof StatusError && error.code !== 410) throw error;
        if (!(error instanceof StatusError)) throw error;
      }
      if (timedOut) throw new WaitTimeout();
      // A server that closes watches at once must not make this spin at one instant.
      await session.process.sleep(10);
    }
  } finally {
    timer?.dispose();
    controller.abort();
  }
}
