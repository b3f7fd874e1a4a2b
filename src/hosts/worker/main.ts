import type { FromSession, Ping, Pong, Prepare, ToSession } from '../../lab/protocol.ts';
import { createSession } from '../../lab/session.ts';
import { browserClock } from './clock.ts';

/** The lab's session in a Web Worker: requests come in as messages, answers and notices go out. */
const tell = (message: FromSession | Pong): void => postMessage(message);
const session = createSession({ host: browserClock, notify: (notice) => tell({ kind: 'notice', notice }) });

addEventListener('message', (event: MessageEvent<ToSession | Ping | Prepare>) => {
  if (event.data.kind === 'ping') return tell({ kind: 'pong' });
  if (event.data.kind === 'prepare') return session.prepare(event.data.seed, event.data.cluster);
  const { id, request } = event.data;
  session.handle(request).then(
    (value) => tell({ kind: 'answer', id, ok: true, value }),
    (error: unknown) => tell({ kind: 'answer', id, ok: false, error: error instanceof Error ? error.message : String(error) }),
  );
});
