import type { ChannelSocket } from '../../sim/transport.ts';
import type { Session } from '../session.ts';
import { CliError, ExitError } from '../util/errors.ts';
import { parseJson } from '../util/parse-json.ts';

const PROTOCOLS = ['v5.channel.k8s.io', 'v4.channel.k8s.io'];
const STDIN = 0;
const STDOUT = 1;
const STDERR = 2;
const ERROR = 3;
const RESIZE = 4;
const CLOSE = 255;

export interface StreamOptions {
  stdin: boolean;
  tty: boolean;
  /** Where what it prints goes; the process's own unless given. */
  out?: (data: Uint8Array) => Promise<void>;
  err?: (data: Uint8Array) => Promise<void>;
  /** What it reads instead of the process's input. */
  input?: Uint8Array;
  /** Bytes that leave the session without ending the command (ctrl-p ctrl-q). */
  detachKeys?: Uint8Array;
}

/** The terminal's answer to `-t`: off, with a note, when standard input is no terminal (StreamOptions.SetupTTY). */
export async function terminalWanted(session: Session, options: { stdin: boolean; tty: boolean; quiet: boolean }): Promise<boolean> {
  if (!options.stdin || !options.tty) return false;
  if (session.process.stdin.tty) return true;
  if (!options.quiet) await session.err('Unable to use a TTY - input is not a terminal or the right kind of file\n');
  return false;
}

function framed(channel: number, data: Uint8Array): Uint8Array {
  const message = new Uint8Array(data.length + 1);
  message[0] = channel;
  message.set(data, 1);
  return message;
}

/**
 * Runs one exec or attach over a channel socket: stdin, stdout, stderr and terminal sizes. Resolves when the remote
 * command has ended well; throws ExitError with its code otherwise. Resolves to 'detached' after the detach keys.
 */
export async function streamRemote(session: Session, path: string, query: [string, string][], options: StreamOptions): Promise<'ended' | 'detached'> {
  const socket = await session.client.upgrade(path, query, PROTOCOLS);
  const { process } = session;
  const tty = options.tty ? process.stdin.tty : undefined;
  const wasRaw = tty?.raw ?? false;
  const wasEcho = tty?.echo ?? true;
  let resize: { dispose(): void } | undefined;
  const stop = new AbortController();
  try {
    if (tty) {
      tty.raw = true;
      tty.echo = false;
      const send = (): void => socket.send(framed(RESIZE, new TextEncoder().encode(`{"Width":${tty.columns},"Height":${tty.rows}}\n`)));
      send();
      resize = tty.onResize(send);
    }
    let detached: (() => void) | undefined;
    const left = new Promise<'detached'>((resolve) => {
      detached = () => resolve('detached');
    });
    if (options.input) sendAll(socket, options.input);
    else if (options.stdin) void pumpStdin(session, socket, stop.signal, options.detachKeys, () => detached?.());
    return await process.guard(Promise.race([receive(session, socket, options), left]));
  } finally {
    stop.abort();
    resize?.dispose();
    if (tty) {
      tty.raw = wasRaw;
      tty.echo = wasEcho;
    }
    socket.close();
  }
}

async function pumpStdin(session: Session, socket: ChannelSocket, stop: AbortSignal, detachKeys: Uint8Array | undefined, detached: () => void): Promise<void> {
  try {
    let matched = 0;
    while (!stop.aborted) {
      const chunk = await session.process.stdin.read();
      if (stop.aborted) return;
      if (chunk === null) {
        if (socket.protocol === 'v5.channel.k8s.io') socket.send(new Uint8Array([CLOSE, STDIN]));
        return;
      }
      if (detachKeys && detachKeys.length > 0) {
        for (const byte of chunk) matched = byte === detachKeys[matched] ? matched + 1 : byte === detachKeys[0] ? 1 : 0;
        if (matched >= detachKeys.length) return detached();
      }
      socket.send(framed(STDIN, chunk));
    }
  } catch {
    // The process was killed or its input closed: the receiving side ends the command.
  }
}

/** All of the input, in pieces, and its end. */
function sendAll(socket: ChannelSocket, input: Uint8Array): void {
  for (let i = 0; i < input.length; i += 32_768) socket.send(framed(STDIN, input.subarray(i, i + 32_768)));
  socket.send(new Uint8Array([CLOSE, STDIN]));
}

async function receive(session: Session, socket: ChannelSocket, options: StreamOptions): Promise<'ended'> {
  const { process } = session;
  const out = options.out ?? ((data) => process.stdout.write(data));
  const err = options.err ?? ((data) => process.stderr.write(data));
  for (;;) {
    const message = await process.guard(socket.receive());
    if (message === null) return 'ended';
    const channel = message[0];
    const data = message.subarray(1);
    if (channel === STDOUT && data.length > 0) await out(data);
    else if (channel === STDERR && data.length > 0) await err(data);
    else if (channel === ERROR && data.length > 0) {
      // What is still on its way on the other channels was sent before this.
      decodeStatus(new TextDecoder().decode(data));
      return 'ended';
    }
  }
}

/** errorDecoderV4. */
function decodeStatus(text: string): void {
  const status = parseJson(text);
  if (status.status === 'Success') return;
  if (status.status !== 'Failure') throw new CliError('error stream protocol error: unknown error');
  if (status.reason === 'NonZeroExitCode') {
    if (!status.details) throw new CliError('error stream protocol error: details must be set');
    const cause = (status.details.causes ?? []).find((each: { reason?: string }) => each.reason === 'ExitCode');
    if (!cause) throw new CliError('error stream protocol error: no ExitCode cause given');
    throw new ExitError(Number(cause.message), `command terminated with exit code ${Number(cause.message)}`);
  }
  throw new CliError(status.message ?? '');
}
