/**
 * A stand-in for WebContainers, for tests without the vendor's network: it is NOT a WebContainer. It speaks the protocol
 * of @webcontainer/api (an iframe at /headless that hands over a Comlink port) and runs what is spawned as real Node.js
 * processes of this machine.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { type WebSocket, WebSocketServer } from 'ws';

/** How the stand-in fails, when it is to fail. */
export type Failure = 'silent' | 'licence' | 'spawn' | undefined;

export interface StandIn {
  readonly url: string;
  failure: Failure;
  /** Processes that are running now. */
  running(): number;
  /** Port on which the session's API really listens. */
  readonly apiPort: number;
  /** Kills what runs, as when the tab's memory is gone. */
  killAll(): void;
  close(): Promise<void>;
}

const HEADERS = { 'Cross-Origin-Embedder-Policy': 'require-corp', 'Cross-Origin-Resource-Policy': 'cross-origin', 'Cross-Origin-Opener-Policy': 'same-origin' };
const VENDOR = join(import.meta.dirname, '../../../node_modules/@webcontainer/api/dist/vendor/index.js');

const PAGE = `<!doctype html><script type="module">
import { Comlink } from './vendor.js';
const failure = FAILURE;
if (failure !== 'silent') {
  const socket = new WebSocket('ws://' + location.host);
  await new Promise((resolve) => { socket.onopen = resolve; });
  const waiting = new Map(); const outputs = new Map(); const exits = new Map(); const listeners = []; let next = 1;
  const ask = (method, params) => new Promise((resolve, reject) => { const id = next++; waiting.set(id, { resolve, reject }); socket.send(JSON.stringify({ id, method, params })); });
  socket.onmessage = ({ data }) => {
    const message = JSON.parse(data);
    if (message.id) { const { resolve, reject } = waiting.get(message.id); waiting.delete(message.id); if (message.error) reject(new Error(message.error)); else resolve(message.value); }
    else if (message.output) outputs.get(message.process)?.(new TextEncoder().encode(message.output));
    else if (message.exit !== undefined) { outputs.get(message.process)?.(null); exits.get(message.process)?.(message.exit); }
    else if (message.event) for (const listener of listeners) if (listener.event === message.event) listener.call(...message.values);
  };
  const instance = {
    fs: () => Comlink.proxy({ writeFile: (path, text) => ask('write', { path, text }), readFile: (path) => ask('read', { path }) }),
    previewScript: () => Comlink.proxy({}),
    runtimeInfo: () => ({ path: '/usr/bin', cwd: '/home/chartroom' }),
    loadFiles: (bytes) => ask('mount', { tree: new TextDecoder().decode(bytes) }),
    async run(options, stdout, stderr, output) {
      const { id } = await ask('spawn', options);
      outputs.set(id, output);
      const onExit = new Promise((resolve) => exits.set(id, resolve));
      await ask('listen', { id });
      return Comlink.proxy({ write: (data) => ask('input', { id, data }), kill: () => ask('kill', { id }), resize: (size) => ask('resize', { id, size }), onExit });
    },
    on(event, call) { const listener = { event, call }; listeners.push(listener); return Comlink.proxy(() => { listeners.splice(listeners.indexOf(listener), 1); }); },
    teardown: () => ask('teardown', {}),
  };
  const channel = new MessageChannel();
  Comlink.expose({ build() { if (failure === 'licence') throw new Error('not licensed for this origin'); return Comlink.proxy(instance); } }, channel.port1);
  parent.postMessage({ type: 'init' }, '*', [channel.port2]);
}
</script>`;

interface InternalTree {
  d?: Record<string, InternalTree>;
  f?: { c?: string };
}

export async function startStandIn(): Promise<StandIn> {
  const children = new Map<number, ChildProcess>();
  const directory = mkdtempSync(join(tmpdir(), 'stand-in-'));
  const apiPort = await freePort();
  let failure: Failure;
  const server = createServer((request, response) => {
    const path = new URL(request.url ?? '/', 'http://host').pathname;
    if (path === '/headless') response.writeHead(200, { ...HEADERS, 'Content-Type': 'text/html' }).end(PAGE.replace('FAILURE', JSON.stringify(failure ?? '')));
    else if (path === '/vendor.js') response.writeHead(200, { ...HEADERS, 'Content-Type': 'text/javascript' }).end(readFileSync(VENDOR));
    else response.writeHead(404, HEADERS).end();
  });
  const sockets = new WebSocketServer({ server });
  sockets.on('connection', (socket) => serve(socket));

  function serve(socket: WebSocket): void {
    const held = new Map<number, string[]>();
    const tell = (message: object): void => {
      if (socket.readyState === socket.OPEN) socket.send(JSON.stringify(message));
    };
    const stopAll = (): void => {
      for (const child of children.values()) child.kill('SIGKILL');
    };
    const methods: Record<string, (params: never) => unknown> = {
      mount({ tree }: { tree: string }) {
        unpack(JSON.parse(tree) as InternalTree, directory);
      },
      write({ path, text }: { path: string; text: string }) {
        mkdirSync(dirname(join(directory, path)), { recursive: true });
        writeFileSync(join(directory, path), text);
      },
      read: ({ path }: { path: string }) => readFileSync(join(directory, path), 'utf8'),
      spawn({ command, args }: { command: string; args: string[] }) {
        if (failure === 'spawn') throw new Error('cannot spawn');
        const child = spawn(command === 'node' ? process.execPath : command, args, { cwd: directory, env: { ...process.env, PORT: String(apiPort) } });
        const id = child.pid ?? 0;
        children.set(id, child);
        held.set(id, []);
        for (const stream of [child.stdout, child.stderr]) {
          stream.setEncoding('utf8').on('data', (output: string) => {
            const queue = held.get(id);
            if (queue) queue.push(output);
            else tell({ process: id, output });
          });
        }
        child.on('close', (code) => {
          children.delete(id);
          tell({ process: id, exit: code ?? 137 });
        });
        void announce(apiPort, child, () => tell({ event: 'server-ready', values: [8001, `http://127.0.0.1:${apiPort}`] }));
        return { id };
      },
      listen({ id }: { id: number }) {
        for (const output of held.get(id) ?? []) tell({ process: id, output });
        held.delete(id);
      },
      // As a terminal does, what is typed is shown.
      input({ id, data }: { id: number; data: string }) {
        tell({ process: id, output: data });
        children.get(id)?.stdin?.write(data);
      },
      resize: () => undefined,
      kill: ({ id }: { id: number }) => children.get(id)?.kill('SIGKILL'),
      teardown: stopAll,
    };
    socket.on('message', (data) => {
      const { id, method, params } = JSON.parse(String(data)) as { id: number; method: string; params: never };
      try {
        tell({ id, value: methods[method]!(params) ?? null });
      } catch (error) {
        tell({ id, error: (error as Error).message });
      }
    });
    socket.on('close', stopAll);
  }

  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    get failure() {
      return failure;
    },
    set failure(value) {
      failure = value;
    },
    running: () => children.size,
    apiPort,
    killAll() {
      for (const child of children.values()) child.kill('SIGKILL');
    },
    async close() {
      for (const child of children.values()) child.kill('SIGKILL');
      for (const socket of sockets.clients) socket.terminate();
      await new Promise<void>((resolve) => server.close(() => resolve()));
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

function unpack(tree: InternalTree, directory: string): void {
  mkdirSync(directory, { recursive: true });
  for (const [name, entry] of Object.entries(tree.d ?? {})) {
    if (entry.d) unpack(entry, join(directory, name));
    else writeFileSync(join(directory, name), entry.f?.c ?? '');
  }
}

async function freePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', resolve));
  const { port } = probe.address() as AddressInfo;
  await new Promise<void>((resolve) => probe.close(() => resolve()));
  return port;
}

/** Calls back once something listens on the port, as WebContainers' server-ready does. */
async function announce(port: number, child: ChildProcess, ready: () => void): Promise<void> {
  while (child.exitCode === null && child.signalCode === null) {
    const open = await new Promise<boolean>((resolve) => {
      const socket = connect(port, '127.0.0.1', () => {
        socket.destroy();
        resolve(true);
      });
      socket.on('error', () => resolve(false));
    });
    if (open) return ready();
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
