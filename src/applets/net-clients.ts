import { parseIPv4 } from '../sim/network/address.ts';
import { startTls } from '../unix/handshake.ts';
import { Errno, type OpenFile, type Socket } from '../unix/types.ts';
import { type Applet, bytesOf, Failure, fromByteText, getopt, program, UsageError } from './applet.ts';
import { parseUrl, SocketReader, sendText } from './http.ts';
import { libcOf, resolveHost } from './resolver.ts';

/** wget, ping, nc, telnet, traceroute: clients of the simulated network. */

/** First address as BusyBox' xhost2sockaddr takes it; dies with "bad address". */
export async function hostAddress(applet: Applet, host: string): Promise<string> {
  const found = await resolveHost(applet.process, fromByteText(host));
  if ('failure' in found || found.addresses[0] === undefined) throw new Failure(`bad address '${host}'`);
  return found.addresses[0];
}

/** Dies with "can't connect to remote host (IP): why". */
export async function dial(applet: Applet, ip: string, port: number, timeoutMs?: number): Promise<Socket> {
  try {
    return await applet.process.guard(
      applet.process.machine.net.connect(ip, port, { signal: applet.process.signal, ...(timeoutMs === undefined ? {} : { timeoutMs }) }),
    );
  } catch (error) {
    if (!(error instanceof Errno)) throw error;
    throw new Failure(`can't connect to remote host (${ip}): ${error.message}`);
  }
}

async function wget(applet: Applet): Promise<number | undefined> {
  const { process } = applet;
  const options = getopt(applet.args, 'cqSO:o:P:U:Y:T:t:h:d:f:snb', {
    spider: 's',
    header: 'h',
    'post-data': 'd',
    'post-file': 'f',
    'no-check-certificate': 'n',
    quiet: 'q',
    'output-document': 'O',
    'directory-prefix': 'P',
    'user-agent': 'U',
    'server-response': 'S',
    timeout: 'T',
    tries: 't',
    continue: 'c',
  });
  if (options.rest.length === 0) throw new UsageError();
  const quiet = options.has('q');
  const say = async (text: string): Promise<void> => {
    if (!quiet) await applet.err(text);
  };
  // The build in the reference cluster's busybox image (Debian 1.35, without FEATURE_WGET_TIMEOUT) dies of -T; the recording
  // shows it (corpus dns-clusterip-vs-headless.json, exit 139). The long form, which that build does not know, works here,
  // because the Kubernetes documentation uses it; so does -T in images with another build.
  if (applet.args.some((word) => /^-[a-zA-Z]*T/.test(word)) && libcOf(process.machine) === 'glibc') {
    process.kill('SIGSEGV');
    await process.sleep(0);
  }
  const timeoutSeconds = Number(options.get('T') ?? 0);
  const deadline = timeoutSeconds > 0 ? process.kernel.now() + timeoutSeconds * 1000 : undefined;
  const inTime = async <T>(work: (timeoutMs: number | undefined) => Promise<T>): Promise<T> => {
    if (deadline === undefined) return work(undefined);
    let timer: { dispose(): void } | undefined;
    try {
      return await Promise.race([
        work(Math.max(1, deadline - process.kernel.now() + 1)),
        new Promise<never>((_, reject) => {
          timer = process.kernel.timer(Math.max(0, deadline - process.kernel.now()), () => reject(new Failure('download timed out')));
        }),
      ]);
    } finally {
      timer?.dispose();
    }
  };
  for (const target of options.rest) {
    let address = target;
    for (let redirects = 0; ; redirects++) {
      const url = parseUrl(address);
      if (!url) throw new Failure(`not an http or ftp url: ${address}`);
      const ip = await inTime(() => hostAddress(applet, url.host));
      await say(`Connecting to ${url.host}${/:\d+/.test(address.replace(/^\w+:\/\//, '')) ? `:${url.port}` : ''} (${ip}:${url.port})\n`);
      const socket = await inTime((timeoutMs) => dial(applet, ip, url.port, timeoutMs));
      try {
        if (url.scheme === 'https') {
          if (!options.has('n')) await say('wget: note: TLS certificate validation not implemented\n');
          const met = await inTime(() => process.guard(startTls(socket)));
          if (met === 'plain') throw new Failure('got bad TLS record (len:0) while expecting handshake record');
          if (met === 'closed') throw new Failure('error getting response: Connection reset by peer');
        }
        const next = await inTime(() => exchange(applet, socket, url, options, say));
        if (next === undefined) break;
        if (redirects >= 5) throw new Failure('too many redirections');
        address = next.startsWith('/') ? `${url.scheme}://${url.host}:${url.port}${next}` : next;
      } finally {
        socket.close();
      }
    }
  }
  return undefined;
}

/** One request and its answer; resolves to the address to go to next when it was a redirection. */
async function exchange(
  applet: Applet,
  socket: Socket,
  url: NonNullable<ReturnType<typeof parseUrl>>,
  options: ReturnType<typeof getopt>,
  say: (text: string) => Promise<void>,
): Promise<string | undefined> {
  const guard = applet.process.guard.bind(applet.process);
  const file = options.get('f');
  const post = options.get('d') ?? (file === undefined ? undefined : await applet.readText(applet.open(file)));
  const host = url.port === (url.scheme === 'https' ? 443 : 80) ? url.host : `${url.host}:${url.port}`;
  let request = `${post === undefined ? 'GET' : 'POST'} ${url.path} HTTP/1.1\r\nHost: ${host}\r\nUser-Agent: ${options.get('U') ?? 'Wget'}\r\nConnection: close\r\n`;
  if (url.user !== undefined) request += `Authorization: Basic ${btoa(url.user)}\r\n`;
  for (const header of options.all('h')) request += `${header}\r\n`;
  if (post !== undefined) {
    if (!options.all('h').some((header) => /^content-type:/i.test(header))) request += 'Content-Type: application/x-www-form-urlencoded\r\n';
    request += `Content-Length: ${post.length}\r\n`;
  }
  await sendText(socket, guard, `${request}\r\n${post ?? ''}`);
  const reader = new SocketReader(socket, guard);
  const head = await reader.head();
  if (!head) throw new Failure('error getting response');
  const match = /^HTTP\/\d\.\d +(\d+)/.exec(head.line);
  if (!match) throw new Failure('error getting response');
  if (options.has('S')) for (const line of [head.line, ...head.raw, '']) await applet.err(`  ${line}\n`);
  const status = Number(match[1]);
  const location = head.headers.get('location');
  if (status >= 300 && status < 400 && location !== undefined && [301, 302, 303, 307, 308].includes(status)) return location;
  if (status < 200 || status >= 300) throw new Failure(`server returned error: ${head.line}`);
  if (options.has('s')) {
    await say('remote file exists\n');
    return undefined;
  }
  const named = options.get('O');
  const base = url.path.split('?')[0]?.split('/').pop() || 'index.html';
  const name = named ?? (options.get('P') === undefined ? base : `${options.get('P')}/${base}`);
  let output: OpenFile = applet.process.stdout;
  if (name !== '-') {
    try {
      output = applet.process.open(applet.path(name), named === undefined && !options.has('c') ? 'wx' : 'w');
    } catch (error) {
      if (!(error instanceof Errno)) throw error;
      throw new Failure(`can't open '${name}': ${error.message}`);
    }
  }
  await say(name === '-' ? 'writing to stdout\n' : `saving to '${name}'\n`);
  const total = Number(head.headers.get('content-length') ?? 0);
  let received = 0;
  for await (const piece of reader.bodyOf(head)) {
    received += piece.length;
    await output.write(bytesOf(piece));
  }
  if (total > received) throw new Failure('connection closed prematurely');
  const label = name === '-' ? '-' : (name.split('/').pop() ?? name);
  const size = received < 100_000 ? String(received) : `${Math.floor(received / 1024)}k`;
  await say(`${label.slice(0, 20).padEnd(20)} 100% |${'*'.repeat(32)}| ${size.padStart(5)}  0:00:00 ETA\n`);
  await say(name === '-' ? 'written to stdout\n' : `'${name}' saved\n`);
  return undefined;
}

async function ping(applet: Applet): Promise<number> {
  const { process } = applet;
  const options = getopt(applet.args, '46qAc:s:t:w:W:I:i:p:');
  const [host] = options.rest;
  if (host === undefined) throw new UsageError();
  const count = options.get('c') === undefined ? Number.POSITIVE_INFINITY : Number(options.get('c'));
  const size = Number(options.get('s') ?? 56);
  const waitMs = Number(options.get('W') ?? 10) * 1000;
  const intervalMs = Number(options.get('i') ?? 1) * 1000;
  const deadlineMs = options.get('w') === undefined ? Number.POSITIVE_INFINITY : process.kernel.now() + Number(options.get('w')) * 1000;
  const ip = await hostAddress(applet, host);
  await applet.put(`PING ${host} (${ip}): ${size} data bytes\n`);
  await applet.flush();
  // Pods of one node share a bridge; between nodes two routers take one each.
  const subnet = process.machine.net.ip.replace(/\d+$/, '');
  const hops = ip.startsWith('127.') || ip.startsWith(subnet) ? 0 : 2;
  let sent = 0;
  const times: number[] = [];
  const summary = async (): Promise<number> => {
    const loss = sent === 0 ? 0 : Math.floor(((sent - times.length) * 100) / sent);
    await applet.put(`\n--- ${host} ping statistics ---\n${sent} packets transmitted, ${times.length} packets received, ${loss}% packet loss\n`);
    if (times.length > 0) {
      const average = times.reduce((sum, time) => sum + time, 0) / times.length;
      await applet.put(`round-trip min/avg/max = ${Math.min(...times).toFixed(3)}/${average.toFixed(3)}/${Math.max(...times).toFixed(3)} ms\n`);
    }
    await applet.flush();
    return times.length === 0 ? 1 : 0;
  };
  let interrupted: (() => void) | undefined;
  let stop = false;
  process.onSignal('SIGINT', () => {
    stop = true;
    interrupted?.();
  });
  /** Waits, but not beyond Ctrl-C. */
  const wait = (ms: number): Promise<void> => {
    if (stop || ms <= 0) return Promise.resolve();
    return process.guard(
      new Promise<void>((resolve) => {
        const timer = process.kernel.timer(ms, resolve);
        interrupted = () => {
          timer.dispose();
          resolve();
        };
      }),
    );
  };
  for (let seq = 0; seq < count && !stop && process.kernel.now() < deadlineMs; seq++) {
    const startedMs = process.kernel.now();
    sent++;
    let answered = false;
    const echo = process.machine.net
      .ping(ip, { timeoutMs: Math.min(waitMs, deadlineMs - startedMs), signal: process.signal })
      .then(async (ms) => {
        answered = true;
        times.push(ms);
        if (!options.has('q')) await applet.put(`${size + 8} bytes from ${ip}: seq=${seq} ttl=${hops === 0 ? 64 : 62} time=${ms.toFixed(3)} ms\n`);
        await applet.flush();
        interrupted?.();
      })
      .catch((error) => {
        if (!(error instanceof Errno)) throw error;
      });
    const last = seq + 1 >= count;
    if (last) {
      await Promise.race([process.guard(echo), wait(waitMs)]);
      if (!answered) await wait(Math.min(waitMs, deadlineMs - startedMs) - (process.kernel.now() - startedMs));
    } else {
      await process.guard(Promise.race([echo, wait(intervalMs)]));
      await wait(Math.min(intervalMs, deadlineMs - startedMs) - (process.kernel.now() - startedMs));
    }
  }
  return summary();
}

/** Copies both ways between a socket and this process until the other side ends. */
export async function relay(applet: Applet, socket: Socket, until?: () => void): Promise<void> {
  const { process } = applet;
  const upward = (async () => {
    for (;;) {
      const chunk = await process.stdin.read();
      if (!chunk) break;
      await process.guard(socket.write(chunk));
    }
    socket.end();
  })().catch((error) => {
    if (!(error instanceof Errno)) throw error;
  });
  void upward.catch(() => {});
  for (;;) {
    const chunk = await process.guard(socket.read());
    if (!chunk) break;
    await process.stdout.write(chunk);
    until?.();
  }
}

async function nc(applet: Applet): Promise<number | undefined> {
  const { process } = applet;
  const options = getopt(applet.args, '+lp:w:i:f:e:zvuns:t');
  const udp = options.has('u');
  if (options.has('l')) {
    const port = Number(options.get('p') ?? options.rest[0] ?? 0);
    const listener = process.machine.net.listen(port);
    try {
      do {
        const socket = await process.guard(listener.accept());
        try {
          await relayOrRun(applet, socket, options.get('e'), options.rest);
        } finally {
          socket.close();
        }
      } while (options.count('l') > 1);
    } finally {
      listener.dispose();
    }
    return undefined;
  }
  const [host, portText] = options.rest;
  if (host === undefined || portText === undefined) throw new UsageError();
  const [first = 0, last = first] = portText.split('-').map(Number);
  const ip = await hostAddress(applet, host);
  const timeoutMs = options.get('w') === undefined ? undefined : Number(options.get('w')) * 1000;
  if (udp) {
    if (options.has('z')) return undefined;
    const question = bytesOf(await applet.readText(process.stdin));
    try {
      await process.stdout.write(
        await process.guard(process.machine.net.datagram(ip, first, question, { timeoutMs: timeoutMs ?? 5000, signal: process.signal })),
      );
    } catch (error) {
      if (!(error instanceof Errno)) throw error;
      throw new Failure(error.message);
    }
    return undefined;
  }
  for (let port = first; port <= last; port++) {
    let socket: Socket;
    try {
      socket = await process.guard(process.machine.net.connect(ip, port, { signal: process.signal, ...(timeoutMs === undefined ? {} : { timeoutMs }) }));
    } catch (error) {
      if (!(error instanceof Errno)) throw error;
      applet.code = 1;
      if (timeoutMs !== undefined && error.code === 'ETIMEDOUT') throw new Failure('timed out');
      const message =
        options.has('z') || options.has('v') ? `${host} (${ip}:${port}): ${error.message}` : `can't connect to remote host (${ip}): ${error.message}`;
      if (!options.has('z') || options.has('v')) await applet.complain(message);
      continue;
    }
    try {
      if (options.has('v')) await applet.err(`${host} (${ip}:${port}) open\n`);
      if (!options.has('z')) await relayOrRun(applet, socket, options.get('e'), options.rest.slice(2));
    } finally {
      socket.close();
    }
  }
  return undefined;
}

async function relayOrRun(applet: Applet, socket: Socket, command: string | undefined, args: readonly string[]): Promise<void> {
  if (command === undefined) return relay(applet, socket);
  const { process } = applet;
  const file: OpenFile = {
    kind: 'socket',
    read: () => socket.read(),
    write: (chunk) => socket.write(chunk),
    close: () => {},
  };
  const child = process.spawn([command, ...args].map(fromByteText), {
    fds: new Map([
      [0, file],
      [1, file],
    ]),
  });
  await process.guard(child.exited);
}

async function telnet(applet: Applet): Promise<void> {
  const options = getopt(applet.args, '+al:');
  const [host, port = '23'] = options.rest;
  if (host === undefined) throw new UsageError();
  const ip = await hostAddress(applet, host);
  const socket = await dial(applet, ip, Number(port));
  try {
    await applet.put(`Connected to ${host}\n`);
    if (applet.process.stdin.kind === 'tty') await applet.put("\nEntering character mode\nEscape character is '^]'.\n\n");
    await applet.flush();
    await relay(applet, socket);
    await applet.err('Connection closed by foreign host\r\n');
    applet.code = 1;
  } finally {
    socket.close();
  }
}

async function traceroute(applet: Applet): Promise<void> {
  const { process } = applet;
  const options = getopt(applet.args, 'FIlnrdvxt:i:m:p:q:s:w:z:f:');
  const [host] = options.rest;
  if (host === undefined) throw new UsageError();
  const ip = await hostAddress(applet, host);
  const limit = Number(options.get('m') ?? 30);
  await applet.put(`traceroute to ${host} (${ip}), ${limit} hops max, 46 byte packets\n`);
  const own = parseIPv4(process.machine.net.ip) ?? 0;
  const gateway = process.machine.net.ip.replace(/\d+$/, '1');
  const sameNode = Math.floor((parseIPv4(ip) ?? 0) / 256) === Math.floor(own / 256);
  const hops = ip === process.machine.net.ip || sameNode ? [ip] : [gateway, ip];
  let line = 0;
  for (const hop of hops) {
    await applet.put(`${String(++line).padStart(2)}  ${hop}${options.has('n') ? '' : ` (${hop})`}`);
    for (let probe = 0; probe < Number(options.get('q') ?? 3); probe++) {
      try {
        const ms = await process.guard(
          process.machine.net.ping(hop === gateway ? '127.0.0.1' : hop, { timeoutMs: Number(options.get('w') ?? 3) * 1000, signal: process.signal }),
        );
        await applet.put(`  ${ms.toFixed(3)} ms`);
      } catch (error) {
        if (!(error instanceof Errno)) throw error;
        await applet.put('  *');
      }
      await applet.flush();
    }
    await applet.put('\n');
  }
}

export const netClientApplets = {
  wget: program('[-cqS] [--spider] [-O FILE] [-o LOGFILE] [--header STR] [--post-data STR | --post-file FILE] [-T SEC] [-P DIR] [-U AGENT] URL...', wget),
  ping: program('[OPTIONS] HOST', ping),
  nc: program('[-zvu] [-wN] [-l] [-p PORT] IPADDR PORT [-e PROG]', nc),
  telnet: program('[-a] [-l USER] HOST [PORT]', telnet),
  traceroute: program('[-FIlnrv] [-m MAXTTL] [-q PROBES] [-w SEC] HOST', traceroute),
};
