import type { Kernel } from '../../kernel/index.ts';
import type { LogOptions } from '../apiserver/pod-access.ts';
import type { ContainerLog, LogLine } from './container-log.ts';

const encoder = new TextEncoder();

/** Streams a container's log as the kubelet serves it (models `kuberuntime/logs`). */
export async function* readLog(kernel: Kernel, log: ContainerLog, options: LogOptions): AsyncGenerator<Uint8Array> {
  let sinceMs = options.sinceTimeMs ?? Number.NEGATIVE_INFINITY;
  if (options.sinceSeconds !== undefined) sinceMs = kernel.now() - options.sinceSeconds * 1000;
  let left = options.limitBytes ?? Number.POSITIVE_INFINITY;
  let position = log.dropped;
  if (options.tailLines !== undefined) position = Math.max(position, log.dropped + log.lines.length - options.tailLines);
  for (;;) {
    if (position < log.dropped) position = log.dropped;
    while (position - log.dropped < log.lines.length) {
      const line = log.lines[position - log.dropped] as LogLine;
      position++;
      if (line.atMs < sinceMs) continue;
      const bytes = render(line, options.timestamps);
      if (bytes.length >= left) {
        if (left > 0) yield bytes.subarray(0, left);
        return;
      }
      left -= bytes.length;
      yield bytes;
    }
    if (!options.follow || log.closed || options.signal?.aborted) return;
    await Promise.race([log.changed(), aborted(options.signal)]);
    if (options.signal?.aborted) return;
  }
}

function render(line: LogLine, timestamps: boolean): Uint8Array {
  if (!timestamps) return line.bytes;
  const stamp = encoder.encode(`${new Date(line.atMs).toISOString().slice(0, 23)}${fraction(line)}Z `);
  const out = new Uint8Array(stamp.length + line.bytes.length);
  out.set(stamp);
  out.set(line.bytes, stamp.length);
  return out;
}

/** The digits below a millisecond: made up, but always the same for a line. */
function fraction(line: LogLine): string {
  let hash = line.atMs % 999_983;
  for (const byte of line.bytes.subarray(0, 32)) hash = (hash * 31 + byte) % 999_983;
  return String(hash).padStart(6, '0');
}

function aborted(signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted) resolve();
    else signal?.addEventListener('abort', () => resolve(), { once: true });
  });
}
