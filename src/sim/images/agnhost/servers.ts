import { type Applet, toByteText } from '../../../applets/applet.ts';
import { acceptLoop, serveConnection } from '../../../applets/web-server.ts';
import { answerGrpcHealth } from '../../../unix/handshake.ts';
import { encodeText } from '../../../unix/index.ts';
import { askHttp, firstAddress, forever, json, log, notFound, type Request, redirect, type Subcommand, serve, text } from './common.ts';

/** The servers of agnhost that upstream's specs talk to. */
export const serveHostname: Subcommand = async (applet, flags) => {
  const { machine } = applet.process;
  const port = Number(flags.get('port') ?? 9376);
  const useTcp = flags.get('tcp') === 'true';
  const useUdp = flags.get('udp') === 'true';
  if (useUdp) machine.net.listenDatagrams(port, () => encodeText(machine.hostname));
  if (useTcp) {
    void acceptLoop(applet, port, async (socket) => {
      await socket.write(encodeText(`${machine.hostname}\n`));
      socket.close();
    }).catch(() => {});
  }
  if (flags.get('http') === 'true' || (!useTcp && !useUdp)) serve(applet, port, () => text(machine.hostname));
  await log(applet, `Serving on port ${port}.`);
  return forever(applet);
};

/** Well for ten seconds. */
export const liveness: Subcommand = async (applet) => {
  const startedMs = applet.process.kernel.now();
  serve(applet, 8080, ({ path, query }) => {
    const seconds = (applet.process.kernel.now() - startedMs) / 1000;
    if (path === '/started') return text(`${seconds}s`);
    if (path === '/healthz') return seconds > 10 ? text(`error: ${seconds}`, 500) : text('ok');
    if (path === '/redirect') return redirect(decodeURIComponent(query.get('loc') ?? ''));
    return notFound;
  });
  return forever(applet);
};

/** Every variable SERVE_PORT_<n> is a port that answers with its value; SERVE_TLS_PORT_<n> over TLS, SERVE_UDP_PORT_<n> over UDP. */
export const porter: Subcommand = async (applet, flags) => {
  for (const [name, value] of applet.process.env) {
    const match = /^SERVE_(TCP_|TLS_|UDP_)?PORT_(\d+)$/.exec(name);
    const port = Number(match?.[2]);
    if (match?.[1] === 'UDP_') applet.process.machine.net.listenDatagrams(port, () => encodeText(value));
    else if (match) {
      // Go's server looks at what it sends to tell its type.
      const type = /^\s*<(a|p|html|h1|div|body|!doctype html)[\s>]/i.test(value) ? 'text/html; charset=utf-8' : 'text/plain; charset=utf-8';
      const answer = ({ method }: Request) =>
        flags.get('json-response') === 'true'
          ? { ...json({ Method: method, Body: value }), type: 'application/json' }
          : { status: 200, body: toByteText(value), type };
      serve(applet, port, answer, match[1] === 'TLS_');
    }
  }
  return forever(applet);
};

export const testWebserver: Subcommand = async (applet, flags) => {
  void acceptLoop(applet, Number(flags.get('port') ?? 80), (socket) => serveConnection(applet, socket, { root: '', listing: true })).catch(() => {});
  return forever(applet);
};

/** Health over gRPC on one port, switched over HTTP on another. */
export const grpcHealthChecking: Subcommand = async (applet, flags) => {
  const startedMs = applet.process.kernel.now();
  const delaySeconds = Number(flags.get('delay-unhealthy-sec') ?? -1);
  let forced: boolean | undefined;
  const seconds = (): number => (applet.process.kernel.now() - startedMs) / 1000;
  serve(applet, Number(flags.get('http-port') ?? 8080), ({ path }) => {
    if (path !== '/make-serving' && path !== '/make-not-serving') return notFound;
    forced = path === '/make-not-serving';
    return text(`${seconds()}s`);
  });
  const healthOf = (service: string) => {
    if (service !== (flags.get('service') ?? '')) return 'NOT_FOUND';
    return forced || (delaySeconds >= 0 && seconds() >= delaySeconds) ? 'NOT_SERVING' : 'SERVING';
  };
  const port = Number(flags.get('port') ?? 5000);
  void acceptLoop(applet, port, async (socket) => {
    await answerGrpcHealth(socket, healthOf);
    socket.close();
  }).catch(() => {});
  await log(applet, `gRPC server starting to listen on :${port}`);
  return forever(applet);
};

/** Notes who wrote to it (/write) and tells (/read). Left out: looking for its peers. */
export const nettest: Subcommand = async (applet, flags) => {
  const state = {
    Hostname: applet.process.machine.hostname,
    Sent: null,
    Received: null as Record<string, number> | null,
    Errors: null as string[] | null,
    Log: null,
    StillContactingPeers: true,
  };
  serve(applet, Number(flags.get('port') ?? 8080), ({ path, body }) => {
    if (path === '/read') return text(JSON.stringify(state, null, '\t'));
    if (path === '/status') return text('running');
    if (path !== '/write') return notFound;
    let source = '';
    try {
      source = String((JSON.parse(body) as { Source?: string }).Source ?? '');
    } catch (error) {
      state.Errors = [...(state.Errors ?? []), (error as Error).message];
    }
    if (source === '') state.Errors = [...(state.Errors ?? []), `${state.Hostname}: Got request with no source`];
    else state.Received = { ...state.Received, [source]: (state.Received?.[source] ?? 0) + 1 };
    return text(`${JSON.stringify({ Hostname: state.Hostname })}\n`);
  });
  return forever(applet);
};

/** The guestbook: a primary, replicas that register with it, and a front that asks them. */
export const guestbook: Subcommand = async (applet, flags) => {
  let store: Record<string, string> = {};
  const replicas: string[] = [];
  const backendPort = Number(flags.get('backend-port') ?? 6379);
  serve(applet, Number(flags.get('http-port') ?? 80), async ({ path, query }) => {
    const key = query.get('key') ?? '';
    const value = query.get('value') ?? '';
    const failed = (error: unknown) => text(`encountered error: ${(error as Error).message}\n`, 417);
    switch (path) {
      case '/register':
        replicas.push(query.get('host') ?? '');
        await log(applet, `Node '${query.get('host')}' registered.`);
        return json({ data: store });
      case '/get':
        return json({ data: key === '' ? store : (store[key] ?? '') });
      case '/set':
        if (key === '') return text('cannot set with empty key.\n', 400);
        store[key] = value;
        try {
          for (const replica of replicas) await askHttp(applet, replica, backendPort, `/set?key=${encodeURIComponent(key)}&value=${encodeURIComponent(value)}`);
        } catch (error) {
          return failed(error);
        }
        return json({ message: 'Updated' });
      case '/guestbook': {
        const command = (query.get('cmd') ?? '').toLowerCase();
        if (command !== 'get' && command !== 'set') return text(`unsupported cmd: '${command}'\n`, 400);
        try {
          const host = command === 'get' ? 'agnhost-replica' : 'agnhost-primary';
          return text(await askHttp(applet, host, backendPort, `/${command}?key=${encodeURIComponent(key)}&value=${encodeURIComponent(value)}`));
        } catch (error) {
          return failed(error);
        }
      }
      default:
        return notFound;
    }
  });
  const primary = flags.get('replicaof');
  if (primary === undefined) return forever(applet);
  const registered = await register(applet, primary, backendPort);
  if (registered === undefined) {
    await log(applet, 'Timed out while registering to primary.');
    return 1;
  }
  store = registered;
  await log(applet, `Registered to node: ${primary}`);
  return forever(applet);
};

/** Tries for 15 seconds. */
async function register(applet: Applet, primary: string, port: number): Promise<Record<string, string> | undefined> {
  for (let attempt = 0; attempt < 15; attempt++) {
    try {
      await firstAddress(applet, primary);
      return (JSON.parse(await askHttp(applet, primary, port, `/register?host=${applet.process.machine.net.ip}`)) as { data: Record<string, string> }).data;
    } catch (error) {
      await log(applet, `encountered error while registering to primary: ${(error as Error).message}. Retrying in 1s.`);
      await applet.process.sleep(1000);
    }
  }
  return undefined;
}
