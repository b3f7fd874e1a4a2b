import { callbackSink, createPipe, createTty, Errno, nullFile, type OpenFile, type Process } from '../../unix/index.ts';
import type { ExecOptions } from '../apiserver/pod-access.ts';
import type { Pod } from '../kinds/types.ts';
import type { ChannelSocket } from '../transport.ts';
import { CHANNEL, type ChannelServer, channelPair } from './channel-pair.ts';
import { execFailure, taskNotFound } from './exec-in-container.ts';
import { containerSpec } from './kill.ts';
import type { Kubelet } from './kubelet.ts';
import type { OutputListener } from './launcher.ts';
import type { ContainerInput, RuntimeContainer } from './runtime.ts';

const SUCCESS = { metadata: {}, status: 'Success' };

/** Size in a resize message: {"Width":80,"Height":24}. */
function parseSize(bytes: Uint8Array): { columns: number; rows: number } | undefined {
  const size = JSON.parse(new TextDecoder().decode(bytes)) as { Width?: number; Height?: number };
  return size.Width && size.Height ? { columns: size.Width, rows: size.Height } : undefined;
}

/** Hands the client's messages to an input: bytes, end of input, terminal size. */
function wireInput(server: ChannelServer, input: ContainerInput | undefined, resize: ((columns: number, rows: number) => void) | undefined): void {
  server.onMessage = (channel, bytes) => {
    if (channel === CHANNEL.stdin) input?.write(bytes);
    else if (channel === CHANNEL.close && bytes[0] === CHANNEL.stdin) input?.end();
    else if (channel === CHANNEL.resize) {
      const size = parseSize(bytes);
      if (size) resize?.(size.columns, size.rows);
    }
  };
}

/** Models the kubelet's exec: runs a command in a running container over a v5.channel.k8s.io conversation. */
export function startExec(kubelet: Kubelet, container: RuntimeContainer, options: ExecOptions): ChannelSocket {
  const { client, server } = channelPair();
  run(kubelet, container, options, server);
  return client;
}

function run(kubelet: Kubelet, container: RuntimeContainer, options: ExecOptions, server: ChannelServer): void {
  if (container.state !== 'running' || !container.process) {
    server.finish(internalError(`error executing command in container: ${taskNotFound(container)}`));
    return;
  }
  const machine = container.process.machine();
  const sink = (channel: number): OpenFile => callbackSink((chunk) => server.send(channel, chunk));
  let stdin: OpenFile = nullFile();
  let stdout: OpenFile;
  let stderr: OpenFile;
  let input: ContainerInput | undefined;
  let resize: ((columns: number, rows: number) => void) | undefined;
  let hangUp: () => void = () => {};
  const env = new Map(container.environment);
  if (options.tty) {
    env.set('TERM', 'xterm');
    const terminal = createTty({ kernel: kubelet.kernel, columns: 80, rows: 24, output: (chunk) => server.send(CHANNEL.stdout, chunk) });
    stdin = terminal.tty.openSlave();
    stdout = stdin;
    stderr = stdin;
    input = { write: (chunk) => terminal.input(chunk), end: () => {} };
    resize = (columns, rows) => terminal.resize(columns, rows);
    hangUp = () => terminal.hangUp();
  } else {
    stdout = sink(CHANNEL.stdout);
    stderr = sink(CHANNEL.stderr);
    if (options.stdin) {
      const [readEnd, writeEnd] = createPipe();
      stdin = readEnd;
      input = { write: (chunk) => void writeEnd.write(chunk).catch(() => {}), end: () => writeEnd.close() };
    }
  }
  wireInput(server, input, resize);
  let process: Process;
  try {
    process = machine.start(options.command, {
      env,
      cwd: container.cwd,
      stdin,
      stdout,
      stderr,
      uid: container.user.uid,
      gid: container.user.gid,
      asInit: false,
    });
  } catch (error) {
    if (!(error instanceof Errno)) throw error;
    server.finish(internalError(`error executing command in container: ${execFailure(kubelet, options.command, error)}`));
    return;
  }
  server.onClose = () => {
    input?.end();
    hangUp();
  };
  void process.exited.then((status) => {
    if (status.code === 0) server.finish(SUCCESS);
    else server.finish(exitStatus(status.code));
  });
}

/** As it reaches a WebSocket client: the API server wraps the kubelet's own internal error once more. */
function internalError(message: string): object {
  return {
    metadata: {},
    status: 'Failure',
    message: `Internal error occurred: Internal error occurred: ${message}`,
    reason: 'InternalError',
    details: { causes: [{ message: `Internal error occurred: ${message}` }] },
    code: 500,
  };
}

function exitStatus(code: number): object {
  return {
    metadata: {},
    status: 'Failure',
    message: `command terminated with non-zero exit code: command terminated with exit code ${code}`,
    reason: 'NonZeroExitCode',
    details: { causes: [{ reason: 'ExitCode', message: String(code) }] },
  };
}

/** Models the kubelet's attach: joins the streams of a container's own process. */
export function attachToContainer(kubelet: Kubelet, pod: Pod, container: RuntimeContainer, options: Omit<ExecOptions, 'command'>): ChannelSocket {
  const { client, server } = channelPair();
  const spec = containerSpec(pod, container.name);
  const input = options.stdin ? container.process?.stdin : undefined;
  const listener: OutputListener = (stream, chunk) => {
    if (stream === 'stderr' && options.stderr && !spec?.tty) server.send(CHANNEL.stderr, chunk);
    else if (options.stdout) server.send(CHANNEL.stdout, chunk);
  };
  container.listeners.add(listener);
  wireInput(server, input, (columns, rows) => container.process?.terminal?.resize(columns, rows));
  server.onClose = () => {
    container.listeners.delete(listener);
    if (spec?.stdinOnce) input?.end();
  };
  void kubelet.exitOf(container).then(() => {
    container.listeners.delete(listener);
    server.finish(SUCCESS);
  });
  return client;
}
