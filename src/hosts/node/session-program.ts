import type { createServer } from 'node:http';
import type { FromSession, ToSession } from '../../lab/protocol.ts';
import { createSession } from '../../lab/session.ts';
import { frameMessage, MessageReader } from '../webcontainer/framing.ts';
import { nodeClock } from './clock.ts';
import { createHttpServer } from './http-server.ts';

/**
 * A lab's session as a Node program that is spoken to over standard input and output: what runs inside a WebContainer.
 * The cluster's API answers at http://localhost:8001 (PORT), so that Node scripts beside it can use it.
 */
const port = Number(process.env.PORT ?? 8001);
const tell = (message: FromSession | { kind: 'ready' }): void => void process.stdout.write(frameMessage(message));

let server: ReturnType<typeof createServer> | undefined;
const session = createSession({
  host: nodeClock,
  notify: (notice) => tell({ kind: 'notice', notice }),
  onEnvironment({ kernel, cluster }) {
    server?.close();
    server?.closeAllConnections();
    server = createHttpServer({ kernel, transport: cluster.transport });
    // A taken port costs the Node extras, not the lab.
    server.on('error', (error) => process.stderr.write(`${error.message}\n`));
    server.listen(port, '127.0.0.1');
  },
});

const reader = new MessageReader((raw) => {
  const { id, request } = raw as ToSession;
  session.handle(request).then(
    (value) => tell({ kind: 'answer', id, ok: true, value }),
    (error: unknown) => tell({ kind: 'answer', id, ok: false, error: error instanceof Error ? error.message : String(error) }),
  );
});

// A terminal on the other side must not echo or edit what is sent.
if (process.stdin.isTTY) process.stdin.setRawMode(true);
process.stdin.setEncoding('utf8');
process.stdin.on('data', (text: string) => reader.feed(text.replaceAll('\r', '\n')));
process.stdin.on('end', () => {
  session.dispose();
  server?.close();
  process.exit(0);
});
tell({ kind: 'ready' });
