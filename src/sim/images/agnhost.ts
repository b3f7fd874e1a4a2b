import { type Applet, fromByteText, program, toByteText } from '../../applets/applet.ts';
import { modeString } from '../../applets/file-list.ts';
import { SocketReader, sendText } from '../../applets/http.ts';
import { dial } from '../../applets/net-clients.ts';
import { readResolvConf, resolveHost } from '../../applets/resolver.ts';
import { acceptLoop, type HttpAnswer, serveConnection } from '../../applets/web-server.ts';
import { decodeText, encodeText } from '../../unix/index.ts';
import { Errno } from '../../unix/types.ts';
import { untilStopped } from './until-stopped.ts';

/**
 * registry.k8s.io/e2e-test-images/agnhost: the subcommands that upstream's conformance specs use. Others say that they
 * are not simulated yet. Left out: TLS, SCTP, WebSockets.
 */
type Flags = Map<string, string>;
type Subcommand = (applet: Applet, flags: Flags, operands: readonly string[]) => Promise<number>;

function parseFlags(args: readonly string[]): { flags: Flags; operands: string[] } {
  const flags: Flags = new Map();
  const operands: string[] = [];
  for (let i = 0; i < args.length; i++) {
    const match = /^--?([a-z][\w-]*)(?:=(.*))?$/s.exec(args[i] as string);
    if (!match) operands.push(args[i] as string);
    else if (match[2] !== undefined) flags.set(match[1] as string, match[2]);
    else if (args[i + 1] !== undefined && !(args[i + 1] as string).startsWith('-') && !['http', 'tcp', 'udp', 'close'].includes(match[1] as string))
      flags.set(match[1] as string, args[++i] as string);
    else flags.set(match[1] as string, 'true');
  }
  return { flags, operands };
}

const text = (body: string, status = 200): HttpAnswer => ({ status, body, type: 'text/plain; charset=utf-8' });

/** Until the process is told to end. */
async function forever(applet: Applet): Promise<number> {
  await untilStopped(applet.process);
  return 0;
}

function serve(applet: Applet, port: number, handle: (path: string, query: URLSearchParams, client: string) => Promise<HttpAnswer> | HttpAnswer): void {
  void acceptLoop(applet, port, (socket) =>
    serveConnection(applet, socket, {
      root: '/nowhere',
      headers: '',
      handle: async ({ path, query }) => handle(path, new URLSearchParams(query), `${socket.remote.ip}:${socket.remote.port}`),
    }),
  ).catch(() => {});
}

const netexec: Subcommand = async (applet, flags) => {
  const { machine, kernel } = applet.process;
  const httpPort = Number(flags.get('http-port') ?? 8080);
  const udpPort = Number(flags.get('udp-port') ?? 8081);
  const delayMs = Number(flags.get('delay-shutdown') ?? 0) * 1000;
  let exitCode: number | undefined;
  let exit: (code: number) => void = () => {};
  const reply = (request: string, client: string): string => {
    const [word = '', ...rest] = request.trim().split(' ');
    switch (word.toLowerCase()) {
      case 'hostname':
        return machine.hostname;
      case 'clientip':
        return client;
      case 'echo':
        return rest.join(' ');
      default:
        return '';
    }
  };
  serve(applet, httpPort, async (path, query, client) => {
    switch (path) {
      case '/':
        return text(`NOW: ${new Date(kernel.now()).toISOString()}`);
      case '/hostname':
      case '/hostName':
        return text(machine.hostname);
      case '/clientip':
        return text(client);
      case '/echo':
        return text(query.get('msg') ?? '', Number(query.get('code') ?? 200));
      case '/healthz':
        return text('');
      case '/header':
        return text('');
      case '/exit':
        exit(Number(query.get('code') ?? 0));
        return text('');
      case '/shell':
      case '/shutdown': {
        if (path === '/shutdown') {
          exit(0);
          return text('');
        }
        const [reader, writer] = applet.process.pipe();
        const child = applet.process.spawn(['/bin/sh', '-c', query.get('shellCommand') ?? query.get('cmd') ?? ''], {
          fds: new Map([
            [1, writer],
            [2, writer],
          ]),
        });
        writer.close();
        let output = '';
        for (let chunk = await reader.read(); chunk; chunk = await reader.read()) output += decodeText(chunk);
        const status = await applet.process.guard(child.exited);
        return text(toByteText(JSON.stringify(status.code === 0 ? { output } : { error: `exit status ${status.code}`, output })));
      }
      case '/dial':
        return text(toByteText(JSON.stringify(await dialAround(applet, query))));
      default:
        return text('404 page not found\n', 404);
    }
  });
  machine.net.listenDatagrams(udpPort, (payload, from) => encodeText(reply(decodeText(payload), `${from.ip}:${from.port}`)));
  await applet.process.err(`Started HTTP server on port ${httpPort}\nStarted UDP server on port  ${udpPort}\n`);
  const stopped = untilStopped(applet.process).then(() => true);
  const exited = new Promise<boolean>((resolve) => {
    exit = (code) => {
      exitCode = code;
      resolve(false);
    };
  });
  if ((await applet.process.guard(Promise.race([stopped, exited]))) && delayMs > 0) await applet.process.sleep(delayMs);
  return exitCode ?? 0;
};

/** /dial: asks another Pod over HTTP or UDP and collects what answered. */
async function dialAround(applet: Applet, query: URLSearchParams): Promise<{ responses?: string[]; errors?: string[] }> {
  const host = query.get('host') ?? '';
  const port = Number(query.get('port') ?? 0);
  const request = query.get('request') ?? 'hostname';
  const tries = Number(query.get('tries') ?? 1);
  const responses: string[] = [];
  const errors: string[] = [];
  for (let i = 0; i < tries; i++) {
    try {
      responses.push(query.get('protocol') === 'udp' ? await askUdp(applet, host, port, request) : await askHttp(applet, host, port, `/${request}`));
    } catch (error) {
      errors.push(error instanceof Error ? error.message : String(error));
    }
  }
  return { ...(responses.length > 0 ? { responses } : {}), ...(errors.length > 0 ? { errors } : {}) };
}

async function firstAddress(applet: Applet, host: string): Promise<string> {
  const found = await resolveHost(applet.process, host);
  if ('failure' in found || !found.addresses[0]) throw new Error(`lookup ${host}: no such host`);
  return found.addresses[0];
}

async function askUdp(applet: Applet, host: string, port: number, request: string): Promise<string> {
  const { process } = applet;
  return decodeText(
    await process.guard(process.machine.net.datagram(await firstAddress(applet, host), port, encodeText(request), { timeoutMs: 5000, signal: process.signal })),
  );
}

async function askHttp(applet: Applet, host: string, port: number, path: string): Promise<string> {
  const guard = applet.process.guard.bind(applet.process);
  const socket = await dial(applet, await firstAddress(applet, host), port, 5000);
  try {
    await sendText(socket, guard, `GET ${path} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`);
    const reader = new SocketReader(socket, guard);
    const head = await reader.head();
    if (!head) throw new Error('EOF');
    let body = '';
    for await (const piece of reader.bodyOf(head)) body += piece;
    return fromByteText(body);
  } finally {
    socket.close();
  }
}

const serveHostname: Subcommand = async (applet, flags) => {
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
  await applet.process.err(`Serving on port ${port}.\n`);
  return forever(applet);
};

const liveness: Subcommand = async (applet) => {
  const startedMs = applet.process.kernel.now();
  serve(applet, 8080, (path) => {
    const seconds = (applet.process.kernel.now() - startedMs) / 1000;
    if (path === '/started') return text(`${seconds}s`);
    if (path === '/healthz') return seconds > 10 ? text(`error: ${seconds}`, 500) : text('ok');
    return text('404 page not found\n', 404);
  });
  return forever(applet);
};

/** Every variable SERVE_PORT_<n> is a port that answers with its value. */
const porter: Subcommand = async (applet) => {
  for (const [name, value] of applet.process.env) {
    const port = /^SERVE_PORT_(\d+)$/.exec(name)?.[1];
    if (port) serve(applet, Number(port), () => text(toByteText(value)));
  }
  return forever(applet);
};

const testWebserver: Subcommand = async (applet, flags) => {
  void acceptLoop(applet, Number(flags.get('port') ?? 80), (socket) => serveConnection(applet, socket, { root: '' })).catch(() => {});
  return forever(applet);
};

const connect: Subcommand = async (applet, flags, operands) => {
  const [host = '', port = ''] = (operands[0] ?? '').split(':');
  const timeoutMs = parseGoDuration(flags.get('timeout') ?? '0') || 127_000;
  const found = await resolveHost(applet.process, fromByteText(host));
  const fail = async (word: string): Promise<number> => {
    await applet.err(`${word}\n`);
    return 1;
  };
  if ('failure' in found || !found.addresses[0]) return fail(`DNS: lookup ${host}: no such host`);
  try {
    if (flags.get('protocol') === 'udp') {
      await applet.process.guard(
        applet.process.machine.net.datagram(found.addresses[0], Number(port), encodeText('echo hello'), { timeoutMs, signal: applet.process.signal }),
      );
      return 0;
    }
    const socket = await applet.process.guard(
      applet.process.machine.net.connect(found.addresses[0], Number(port), { timeoutMs, signal: applet.process.signal }),
    );
    socket.close();
    return 0;
  } catch (error) {
    if (!(error instanceof Errno)) throw error;
    return fail(error.code === 'ECONNREFUSED' ? 'REFUSED' : error.code === 'ETIMEDOUT' ? 'TIMEOUT' : `OTHER: ${error.message}`);
  }
};

function parseGoDuration(duration: string): number {
  let ms = 0;
  for (const [, amount, unit] of duration.matchAll(/([\d.]+)(ms|s|m|h)/g)) ms += Number(amount) * { ms: 1, s: 1000, m: 60_000, h: 3_600_000 }[unit as 's'];
  return ms;
}

const mounttest: Subcommand = async (applet, flags) => {
  const { fs } = applet;
  const say = (line: string): Promise<void> => applet.process.out(`${line}\n`);
  const retryMs = Number(flags.get('retry_time') ?? 180) * 1000;
  const write = (path: string, mode: number): void => {
    applet.process.open(path, 'w', mode).close();
    fs.writeFile(path, 'mount-tester new file\n');
    fs.chmod(path, mode);
  };
  for (const [flag, value] of flags) {
    const path = fromByteText(value);
    try {
      if (flag === 'fs_type') {
        const mount = fs.mounts().find((one) => one.path === path);
        await say(`mount type of "${path}": ${mount?.type ?? 'overlay'}`);
      } else if (flag === 'file_mode') await say(`mode of file "${path}": ${modeString(fs.lstat(path))}`);
      else if (flag === 'file_perm') await say(`perms of file "${path}": ${modeString(fs.stat(path))}`);
      else if (flag === 'file_owner') await say(`owner UID of "${path}": ${fs.stat(path).uid}\nowner GID of "${path}": ${fs.stat(path).gid}`);
      else if (flag === 'new_file_0644') write(path, 0o644);
      else if (flag === 'new_file_0660') write(path, 0o660);
      else if (flag === 'new_file_0666') write(path, 0o666);
      else if (flag === 'new_file_0777') write(path, 0o777);
      else if (flag === 'file_content') await say(`content of file "${path}": ${fs.readText(path)}`);
      else if (flag === 'file_content_in_loop') {
        for (let waited = 0; waited < retryMs; waited += 1000) {
          await say(`content of file "${path}": ${fs.exists(path) ? fs.readText(path) : ''}`);
          await applet.process.sleep(1000);
        }
      }
    } catch (error) {
      if (!(error instanceof Errno)) throw error;
      await say(`error reading file content for "${path}": open ${path}: ${error.message.toLowerCase()}`);
      return 1;
    }
  }
  return 0;
};

const SUBCOMMANDS: Readonly<Record<string, Subcommand>> = {
  netexec,
  'serve-hostname': serveHostname,
  liveness,
  porter,
  connect,
  mounttest,
  'test-webserver': testWebserver,
  pause: async (applet) => {
    await applet.process.err('Paused\n');
    return forever(applet);
  },
  help: async (applet) => {
    await applet.process.out(
      `Usage:\n  app [command]\n\nAvailable Commands:\n${Object.keys(SUBCOMMANDS)
        .sort()
        .map((name) => `  ${name}\n`)
        .join('')}`,
    );
    return 0;
  },
  'dns-suffix': async (applet) => {
    await applet.process.out(`${readResolvConf(applet.process.machine).search.join(',')}\n`);
    return 0;
  },
  'dns-server-list': async (applet) => {
    await applet.process.out(`${readResolvConf(applet.process.machine).servers.join(',')}\n`);
    return 0;
  },
  'etc-hosts': async (applet) => {
    await applet.process.out(applet.fs.readText('/etc/hosts'));
    return 0;
  },
  'entrypoint-tester': async (applet) => {
    await applet.process.out(`[${applet.process.argv.join(' ')}]\n`);
    return 0;
  },
};

export const agnhostProgram = program('[command]', async (applet) => {
  const [name = 'help', ...rest] = applet.args;
  const command = SUBCOMMANDS[name];
  if (!command) {
    await applet.err(`error: agnhost ${name} is not simulated yet\n`);
    return 1;
  }
  const { flags, operands } = parseFlags(rest);
  return command(applet, flags, operands);
});
