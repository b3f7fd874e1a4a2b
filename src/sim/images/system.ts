import { program } from '../../applets/applet.ts';
import { acceptLoop, serveConnection } from '../../applets/web-server.ts';
import { DisposableStore, type Kernel } from '../../kernel/index.ts';
import { installPrograms } from '../../unix/index.ts';
import { Errno } from '../../unix/types.ts';
import type { Client } from '../client/types.ts';
import { CorefileError, createDnsServer } from '../dns/index.ts';
import { buildRoot, busyboxImage } from './base.ts';
import type { ImageDefinition } from './types.ts';

/** How often CoreDNS looks whether its Corefile changed (plugin reload: 30 s with a jitter of 15 s). */
const RELOAD_MS = 30_000;

/** CoreDNS 1.14.7 as a program: reads its Corefile, serves UDP and TCP, health, readiness and metrics. */
function corednsImage(kernel: Kernel, client: Client): ImageDefinition {
  const coredns = program('[-conf FILE]', async (applet) => {
    const { process, fs } = applet;
    const { net } = process.machine;
    const at = applet.args.indexOf('-conf');
    const path = at >= 0 ? (applet.args[at + 1] ?? 'Corefile') : 'Corefile';
    const readFile = (name: string): string | undefined => {
      try {
        return fs.readText(name);
      } catch (error) {
        if (!(error instanceof Errno)) throw error;
        return undefined;
      }
    };
    const missing: string[] = [];
    const glob = (pattern: string): readonly string[] => {
      const [directory = '', suffix = ''] = [pattern.slice(0, pattern.lastIndexOf('/')), pattern.slice(pattern.lastIndexOf('*') + 1)];
      const names = fs.exists(directory) ? fs.readdir(directory).filter((name) => name.endsWith(suffix) && !name.startsWith('..')) : [];
      if (names.length === 0) missing.push(`[WARNING] No files matching import glob pattern: ${pattern}\n`);
      return names.map((name) => fs.readText(`${directory}/${name}`));
    };
    let corefile = readFile(path);
    if (corefile === undefined) {
      await process.out(`loading Caddyfile via flag: open ${path}: no such file or directory\n`);
      return 1;
    }
    let server: ReturnType<typeof createDnsServer>;
    try {
      server = createDnsServer({
        kernel,
        client,
        corefile,
        readFile,
        glob,
        localIps: () => [net.ip],
        log: (line) => void process.out(`${line}\n`).catch(() => {}),
      });
    } catch (error) {
      if (!(error instanceof CorefileError)) throw error;
      await process.out(`${error.message}\n`);
      return 1;
    }
    await process.out(missing.splice(0).join(''));
    await process.out(
      `${server.listening().join('\n')}\n[INFO] plugin/reload: Running configuration SHA512 = ${digest(corefile)}\nCoreDNS-1.14.7\nlinux/amd64, go1.26.8, 4cba7a1\n`,
    );
    const answer = async (payload: Uint8Array, port: number): Promise<Uint8Array | undefined> => {
      // Questions that arrive together are answered by goroutines of their own: now one, now another is first.
      await kernel.sleep(kernel.random.int(2));
      return server.answer(payload, { port });
    };
    const sockets = new DisposableStore();
    for (const port of server.ports()) {
      sockets.add(net.listenDatagrams(port, (payload) => answer(payload, port)));
      void acceptLoop(applet, port, async (socket) => {
        let buffer = new Uint8Array();
        for (;;) {
          const chunk = await process.guard(socket.read());
          if (!chunk) break;
          buffer = Uint8Array.of(...buffer, ...chunk);
          const length = (buffer[0] ?? 0) * 256 + (buffer[1] ?? 0);
          if (buffer.length < 2 || buffer.length < length + 2) continue;
          const reply = await server.answer(buffer.slice(2, length + 2), { overTcp: true, port });
          buffer = buffer.slice(length + 2);
          if (reply) await process.guard(socket.write(Uint8Array.of(reply.length >> 8, reply.length & 255, ...reply)));
        }
        socket.close();
      }).catch(() => {});
    }
    let lameDuck = false;
    const page = (port: number, body: () => { status: number; body: string }): void => {
      void acceptLoop(applet, port, (socket) =>
        serveConnection(applet, socket, { root: '/nowhere', handle: async () => ({ ...body(), type: 'text/plain; charset=utf-8' }) }),
      ).catch(() => {});
    };
    if (/^\s*health\b/m.test(corefile)) page(8080, () => (lameDuck ? { status: 503, body: 'Service Unavailable' } : { status: 200, body: 'OK' }));
    if (/^\s*ready\b/m.test(corefile)) page(8181, () => ({ status: 200, body: 'OK' }));
    if (/^\s*prometheus\b/m.test(corefile))
      page(9153, () => ({
        status: 200,
        body: '# TYPE coredns_build_info gauge\ncoredns_build_info{goversion="go1.26.8",revision="4cba7a1",version="1.14.7"} 1\n',
      }));
    let stopping = false;
    let wake = (): void => undefined;
    const stop = (): void => {
      stopping = true;
      wake();
    };
    process.onSignal('SIGTERM', () => {
      lameDuck = true;
      stop();
    });
    process.onSignal('SIGINT', stop);
    try {
      while (!stopping) {
        await process.guard(
          new Promise<void>((resolve) => {
            const timer = process.kernel.timer(RELOAD_MS, resolve);
            wake = () => {
              timer.dispose();
              resolve();
            };
          }),
        );
        if (stopping || !/^\s*reload\b/m.test(corefile)) continue;
        const now = readFile(path);
        if (now === undefined || now === corefile) continue;
        try {
          await process.out('[INFO] Reloading\n');
          server.reload(now);
          corefile = now;
          await process.out(`${missing.splice(0).join('')}[INFO] plugin/reload: Running configuration SHA512 = ${digest(now)}\n[INFO] Reloading complete\n`);
        } catch (error) {
          if (!(error instanceof CorefileError)) throw error;
          await process.out(`[ERROR] Restart failed: ${error.message}\n[ERROR] plugin/reload: Corefile changed but reload failed: ${error.message}\n`);
          corefile = now;
        }
      }
      await process.out('[INFO] SIGTERM: Shutting down servers then terminating\n');
      return 0;
    } finally {
      sockets.dispose();
      server.dispose();
    }
  });
  return {
    repository: 'docker.io/rancher/mirrored-coredns-coredns',
    steadyProbes: true,
    tags: ['1.14.7', '1.12.0', '1.11.3'],
    sizeBytes: 21_166_088,
    entrypoint: ['/coredns'],
    programs: { '/coredns': coredns },
    build(fs) {
      buildRoot(fs);
      installPrograms(fs, ['/coredns'], 60_000_000);
    },
    usage: { cpuMillicores: 3, memoryBytes: 24 << 20 },
  };
}

/** 128 hexadecimal digits that stand for a text. Not SHA-512: only its sameness matters. */
function digest(text: string): string {
  let out = '';
  for (let round = 0; round < 16; round++) {
    let hash = (0x811c9dc5 ^ (round * 0x9e3779b9)) >>> 0;
    for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193) >>> 0;
    out += hash.toString(16).padStart(8, '0');
  }
  return out;
}

/** A component whose work the simulator does elsewhere (controllers): its container only runs. */
const idle = program('', async ({ process }) => {
  await process.guard(new Promise<void>((resolve) => process.onSignal('SIGTERM', resolve)));
  return 0;
});

export function systemImages(kernel: Kernel, client: Client): ImageDefinition[] {
  return [
    corednsImage(kernel, client),
    { ...corednsImage(kernel, client), repository: 'registry.k8s.io/coredns/coredns', tags: ['v1.14.7', 'v1.12.0', 'v1.11.3'] },
    busyboxImage({
      repository: 'docker.io/rancher/local-path-provisioner',
      tags: ['v0.0.37', 'v0.0.30', 'v0.0.31'],
      sizeBytes: 20_461_211,
      cmd: ['local-path-provisioner'],
      programs: { '/usr/bin/local-path-provisioner': idle },
      usage: { cpuMillicores: 1, memoryBytes: 10 << 20 },
    }),
    busyboxImage({
      repository: 'docker.io/rancher/mirrored-metrics-server',
      tags: ['v0.7.2', 'v0.8.0'],
      sizeBytes: 19_494_617,
      cmd: ['/metrics-server'],
      programs: { '/metrics-server': idle },
      usage: { cpuMillicores: 4, memoryBytes: 22 << 20 },
    }),
    busyboxImage({
      repository: 'docker.io/rancher/mirrored-library-busybox',
      tags: ['1.36.1', '1.37.0'],
      sizeBytes: 2130691,
      cmd: ['sh'],
    }),
  ];
}
