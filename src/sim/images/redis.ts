import { type Applet, byteText, getopt, program } from '../../applets/applet.ts';
import { SocketReader, sendText } from '../../applets/http.ts';
import { dial, hostAddress } from '../../applets/net-clients.ts';
import { acceptLoop } from '../../applets/web-server.ts';
import { shellPattern } from '../../shell/glob.ts';
import type { Socket } from '../../unix/types.ts';
import { untilStopped } from './until-stopped.ts';

/** A thin redis: strings, counters, expiry, lists of keys, over RESP. Left out: every other type, persistence beside dump.rdb. */
type Reply = string | number | null | { error: string } | { status: string } | Reply[];

class Store {
  #values = new Map<string, { value: string; expiresMs: number | undefined }>();
  #now: () => number;

  constructor(now: () => number) {
    this.#now = now;
  }

  #get(key: string): string | undefined {
    const entry = this.#values.get(key);
    if (entry?.expiresMs !== undefined && entry.expiresMs <= this.#now()) {
      this.#values.delete(key);
      return undefined;
    }
    return entry?.value;
  }

  dump(): string {
    return JSON.stringify([...this.#values].map(([key, { value }]) => [key, value]));
  }

  load(text: string): void {
    for (const [key, value] of JSON.parse(text) as [string, string][]) this.#values.set(key, { value, expiresMs: undefined });
  }

  run(words: readonly string[], hostname: string): Reply {
    const [name = '', ...args] = words;
    const [key = '', value = ''] = args;
    switch (name.toUpperCase()) {
      case 'PING':
        return args.length > 0 ? key : { status: 'PONG' };
      case 'ECHO':
        return key;
      case 'SET': {
        const ex = args.findIndex((word) => word.toUpperCase() === 'EX');
        this.#values.set(key, { value, expiresMs: ex > 0 ? this.#now() + Number(args[ex + 1]) * 1000 : undefined });
        return { status: 'OK' };
      }
      case 'GET':
        return this.#get(key) ?? null;
      case 'DEL':
        return args.filter((one) => this.#values.delete(one)).length;
      case 'EXISTS':
        return args.filter((one) => this.#get(one) !== undefined).length;
      case 'INCR':
      case 'DECR':
      case 'INCRBY': {
        const old = this.#get(key) ?? '0';
        if (!/^-?\d+$/.test(old)) return { error: 'ERR value is not an integer or out of range' };
        const next = Number(old) + (name.toUpperCase() === 'DECR' ? -1 : name.toUpperCase() === 'INCR' ? 1 : Number(value));
        this.#values.set(key, { value: String(next), expiresMs: this.#values.get(key)?.expiresMs });
        return next;
      }
      case 'EXPIRE': {
        const entry = this.#values.get(key);
        if (!entry) return 0;
        entry.expiresMs = this.#now() + Number(value) * 1000;
        return 1;
      }
      case 'TTL': {
        const entry = this.#get(key) === undefined ? undefined : this.#values.get(key);
        if (!entry) return -2;
        return entry.expiresMs === undefined ? -1 : Math.ceil((entry.expiresMs - this.#now()) / 1000);
      }
      case 'KEYS': {
        const pattern = shellPattern(key);
        return [...this.#values.keys()].filter((one) => this.#get(one) !== undefined && pattern.test(one));
      }
      case 'DBSIZE':
        return [...this.#values.keys()].filter((one) => this.#get(one) !== undefined).length;
      case 'FLUSHALL':
      case 'FLUSHDB':
        this.#values.clear();
        return { status: 'OK' };
      case 'INFO':
        return `# Server\r\nredis_version:7.2.4\r\nredis_mode:standalone\r\nos:Linux x86_64\r\ntcp_port:6379\r\nhostname:${hostname}\r\n`;
      case 'CONFIG':
      case 'COMMAND':
      case 'CLIENT':
        return [];
      default:
        return { error: `ERR unknown command '${name}', with args beginning with: ${args.map((one) => `'${one}' `).join('')}` };
    }
  }
}

function encode(reply: Reply): string {
  if (reply === null) return '$-1\r\n';
  if (typeof reply === 'number') return `:${reply}\r\n`;
  if (typeof reply === 'string') return `$${reply.length}\r\n${reply}\r\n`;
  if (Array.isArray(reply)) return `*${reply.length}\r\n${reply.map(encode).join('')}`;
  return 'error' in reply ? `-${reply.error}\r\n` : `+${reply.status}\r\n`;
}

/** One RESP value, or an inline command as words. Undefined at the end. */
async function decode(reader: SocketReader): Promise<Reply | undefined> {
  const line = await reader.line();
  if (line === undefined) return undefined;
  const rest = line.slice(1);
  switch (line[0]) {
    case '+':
      return { status: rest };
    case '-':
      return { error: rest };
    case ':':
      return Number(rest);
    case '$': {
      if (Number(rest) < 0) return null;
      let text = '';
      for await (const piece of reader.body(Number(rest))) text += piece;
      await reader.line();
      return text;
    }
    case '*': {
      const items: Reply[] = [];
      for (let i = 0; i < Number(rest); i++) items.push((await decode(reader)) ?? null);
      return items;
    }
    default:
      return line.trim().split(/\s+/);
  }
}

const server = program('[/path/to/redis.conf] [options]', async (applet) => {
  const { process, fs } = applet;
  const { kernel } = process;
  const store = new Store(() => kernel.now());
  const file = '/data/dump.rdb';
  if (fs.exists(file)) store.load(fs.readText(file));
  const stamp = (): string => {
    const [, day, month, year, clock] = /^\w+, (\d+) (\w+) (\d+) ([\d:]+)/.exec(new Date(kernel.now()).toUTCString()) ?? [];
    return `${process.pid}:M ${day} ${month} ${year} ${clock}.${String(kernel.now() % 1000).padStart(3, '0')}`;
  };
  await process.out(`${stamp()} * Server initialized\n${stamp()} * Ready to accept connections tcp\n`);
  const serve = async (socket: Socket): Promise<void> => {
    const reader = new SocketReader(socket, process.guard.bind(process));
    for (;;) {
      const words = await decode(reader);
      if (words === undefined) break;
      if (Array.isArray(words)) await sendText(socket, process.guard.bind(process), encode(store.run(words.map(String), process.machine.hostname)));
    }
    socket.close();
  };
  const port = applet.args.indexOf('--port');
  void acceptLoop(applet, port >= 0 ? Number(applet.args[port + 1]) : 6379, serve).catch(() => {});
  await untilStopped(process);
  await process.out(`${stamp()} * User requested shutdown...\n`);
  if (fs.exists('/data')) fs.writeFile(file, store.dump());
  await process.out(`${stamp()} # Redis is now ready to exit, bye bye...\n`);
  return 0;
});

function printReply(reply: Reply, onTty: boolean): string {
  if (reply === null) return onTty ? '(nil)\n' : '\n';
  if (typeof reply === 'number') return onTty ? `(integer) ${reply}\n` : `${reply}\n`;
  if (typeof reply === 'string') return onTty ? `${JSON.stringify(reply)}\n` : `${reply}\n`;
  if (Array.isArray(reply)) {
    if (reply.length === 0) return onTty ? '(empty array)\n' : '\n';
    return reply.map((one, i) => (onTty ? `${i + 1}) ` : '') + printReply(one, onTty)).join('');
  }
  return 'error' in reply ? `${onTty ? '(error) ' : ''}${reply.error}\n` : `${reply.status}\n`;
}

async function cli(applet: Applet): Promise<number> {
  const options = getopt(applet.args, '+h:p:n:a:');
  const host = options.get('h') ?? '127.0.0.1';
  const port = Number(options.get('p') ?? 6379);
  const guard = applet.process.guard.bind(applet.process);
  let socket: Socket;
  try {
    socket = await dial(applet, await hostAddress(applet, host), port);
  } catch {
    await applet.err(`Could not connect to Redis at ${host}:${port}: Connection refused\n`);
    return 1;
  }
  const onTty = applet.process.stdout.kind === 'tty';
  try {
    const reader = new SocketReader(socket, guard);
    const ask = async (words: readonly string[]): Promise<void> => {
      await sendText(socket, guard, encode([...words]));
      await applet.put(printReply((await decode(reader)) ?? null, onTty));
      await applet.flush();
    };
    if (options.rest.length > 0) await ask(options.rest);
    else {
      for (;;) {
        if (onTty) await applet.put(`${host}:${port}> `);
        await applet.flush();
        const chunk = await applet.process.stdin.read();
        if (!chunk) break;
        for (const line of byteText(chunk).split('\n')) {
          if (line.trim() === 'quit' || line.trim() === 'exit') return 0;
          if (line.trim()) await ask(line.trim().split(/\s+/));
        }
      }
    }
    return 0;
  } finally {
    socket.close();
  }
}

export const redisPrograms = { server, cli: program('[OPTIONS] [cmd [arg [arg ...]]]', cli) };
