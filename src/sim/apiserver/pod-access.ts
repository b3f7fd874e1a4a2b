import type { ChannelSocket } from '../transport.ts';

/**
 * What the API server asks a Pod's kubelet for. Implemented by the kubelet; the API server only proxies, as in life.
 * Refusals are thrown as StatusError with the real kubelet's or API server's words.
 */
export interface PodAccess {
  logs(namespace: string, pod: string, options: LogOptions): AsyncIterable<Uint8Array>;
  /** Runs a command in a container and returns the server side of a v5.channel.k8s.io conversation. */
  exec(namespace: string, pod: string, options: ExecOptions): Promise<ChannelSocket>;
  attach(namespace: string, pod: string, options: Omit<ExecOptions, 'command'>): Promise<ChannelSocket>;
  /** One TCP stream to a port of the Pod. Rejects with Errno ECONNREFUSED. */
  portForward(namespace: string, pod: string, port: number): Promise<ByteDuplex>;
}

export interface LogOptions {
  container?: string;
  follow: boolean;
  previous: boolean;
  timestamps: boolean;
  tailLines?: number;
  sinceSeconds?: number;
  sinceTimeMs?: number;
  limitBytes?: number;
  signal?: AbortSignal;
}

export interface ExecOptions {
  container?: string;
  command: readonly string[];
  stdin: boolean;
  stdout: boolean;
  stderr: boolean;
  tty: boolean;
}

export interface ByteDuplex {
  read(): Promise<Uint8Array | null>;
  write(chunk: Uint8Array): Promise<void>;
  end(): void;
  close(): void;
}

/**
 * The kubelet says no in plain text, not as a Status (a container that is not there, for exec and attach). Over HTTP it is a
 * text/plain answer with `code`; client-go prints `unable to upgrade connection: <text>`.
 */
export class KubeletRefusal extends Error {
  readonly code: number;
  constructor(message: string, code = 404) {
    super(message);
    this.name = 'KubeletRefusal';
    this.code = code;
  }
}
