/**
 * The older WebSocket protocols of the API server (k8s.io/apimachinery/pkg/util/httpstream/wsstream and kubelet's
 * remotecommand), spoken here on top of what the simulator speaks, v5.channel.k8s.io.
 */
const CHANNEL_PROTOCOLS = ['v5.channel.k8s.io', 'v4.channel.k8s.io', 'v4.base64.channel.k8s.io', 'channel.k8s.io', 'base64.channel.k8s.io'];
const READER_PROTOCOLS = ['binary.k8s.io', 'base64.binary.k8s.io'];
const ERROR_CHANNEL = 3;

export interface Frames {
  /** To be named in the answer; undefined when the client named none. */
  protocol: string | undefined;
  /** A message of the simulator as the client wants it; undefined: nothing is sent. */
  out(message: Uint8Array): Uint8Array | string | undefined;
  /** A message of the client as the simulator wants it. */
  in(message: Uint8Array): Uint8Array;
}

/** For exec and attach; undefined when none of the offered protocols is known. */
export function channelFrames(offered: readonly string[]): Frames | undefined {
  const protocol = offered.find((name) => CHANNEL_PROTOCOLS.includes(name));
  if (protocol === undefined && offered.length > 0) return undefined;
  const base64 = protocol?.includes('base64') ?? false;
  const withStatus = protocol?.startsWith('v') ?? false;
  return {
    protocol,
    out(message) {
      const shown = !withStatus && message[0] === ERROR_CHANNEL ? plainError(message) : message;
      if (!shown || !base64) return shown;
      return String(shown[0]) + Buffer.from(shown.subarray(1)).toString('base64');
    },
    in(message) {
      if (!base64) return message;
      const text = Buffer.from(message).toString('latin1');
      return Uint8Array.of(Number(text[0]), ...Buffer.from(text.slice(1), 'base64'));
    },
  };
}

/** Before v4 success says nothing, and failure says its message. */
function plainError(message: Uint8Array): Uint8Array | undefined {
  const status = JSON.parse(Buffer.from(message.subarray(1)).toString('utf8')) as { status?: string; message?: string };
  return status.status === 'Success' ? undefined : Uint8Array.of(ERROR_CHANNEL, ...Buffer.from(status.message ?? ''));
}

/** For logs (bytes as they come) and watches (an event a frame, as text). */
export function readerFrames(offered: readonly string[], isWatch: boolean): Frames {
  const protocol = offered.find((name) => READER_PROTOCOLS.includes(name));
  const out = (message: Uint8Array): Uint8Array | string => {
    if (isWatch) return Buffer.from(message).toString('utf8');
    return protocol?.startsWith('base64') ? Buffer.from(message).toString('base64') : message;
  };
  return { protocol, out, in: (message) => message };
}
