import type { ChannelSocket } from '../transport.ts';

const encoder = new TextEncoder();

/** Channels of v5.channel.k8s.io. */
export const CHANNEL = { stdin: 0, stdout: 1, stderr: 2, error: 3, resize: 4, close: 255 } as const;

/** The container's end of a conversation. */
export interface ChannelServer {
  /** Sends bytes on a channel. */
  send(channel: number, bytes: Uint8Array): void;
  /** Sends the final Status and ends the conversation. */
  finish(status: object): void;
  /** Called with every message of the client. */
  onMessage: (channel: number, bytes: Uint8Array) => void;
  /** Called once when the client has gone away. */
  onClose: () => void;
}

/** Two ends of one conversation: the client's socket and the container's. */
export function channelPair(): { client: ChannelSocket; server: ChannelServer } {
  const queue: Uint8Array[] = [];
  const waiting: ((message: Uint8Array | null) => void)[] = [];
  const early: Uint8Array[] = [];
  let ended = false;
  let closed = false;
  let onMessage: ChannelServer['onMessage'] | undefined;
  const deliver = (message: Uint8Array): void => {
    const next = waiting.shift();
    if (next) next(message);
    else queue.push(message);
  };
  const server: ChannelServer = {
    send(channel, bytes) {
      if (ended || closed) return;
      const message = new Uint8Array(bytes.length + 1);
      message[0] = channel;
      message.set(bytes, 1);
      deliver(message);
    },
    finish(status) {
      if (ended) return;
      server.send(CHANNEL.error, encoder.encode(JSON.stringify(status)));
      ended = true;
      for (const resolve of waiting.splice(0)) resolve(null);
    },
    get onMessage() {
      return onMessage ?? (() => {});
    },
    set onMessage(listener) {
      onMessage = listener;
      for (const message of early.splice(0)) listener(message[0] ?? 0, message.subarray(1));
    },
    onClose: () => {},
  };
  const client: ChannelSocket = {
    protocol: 'v5.channel.k8s.io',
    send(message) {
      if (closed || ended) return;
      if (onMessage) onMessage(message[0] ?? 0, message.subarray(1));
      else early.push(message);
    },
    receive() {
      const message = queue.shift();
      if (message) return Promise.resolve(message);
      if (ended || closed) return Promise.resolve(null);
      return new Promise((resolve) => waiting.push(resolve));
    },
    close() {
      if (closed) return;
      closed = true;
      for (const resolve of waiting.splice(0)) resolve(null);
      if (!ended) server.onClose();
    },
  };
  return { client, server };
}
