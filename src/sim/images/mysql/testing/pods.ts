import assert from 'node:assert/strict';
import { testKernel } from '../../../../kernel/testing/index.ts';
import { callbackSink, createMachine, createVolume, decodeText, nullFile, type Volume, volumeFileSystem } from '../../../../unix/index.ts';
import { createClusterNetwork } from '../../../network/index.ts';
import { FakeClient } from '../../../network/testing/fake-client.ts';
import { createImageCatalog } from '../../index.ts';

export const GTID = '[mysqld]\ngtid-mode=ON\nenforce-gtid-consistency=ON\nlog-bin=binlog\n';

export interface PodOptions {
  /** /etc/mysql/conf.d/server.cnf. */
  cnf?: string;
  env?: Record<string, string>;
  /** Other files of the container. */
  files?: Record<string, string>;
  args?: string[];
  capacityBytes?: number;
}

export type Pod = ReturnType<ReturnType<typeof setup>['start']>;

/** MySQL containers on one network, each with a volume that outlives it. */
export function setup(seed = 'mysql') {
  const kernel = testKernel(seed);
  const client = new FakeClient(kernel);
  const image = createImageCatalog({ kernel, client }).find('mysql:8.1');
  assert.ok(image);
  const layer = createVolume({ id: 'mysql', kernel });
  image.build(volumeFileSystem(layer));
  const network = createClusterNetwork({ kernel, client });
  network.addNode({ name: 'node', ip: '172.18.0.2' });
  const volumes = new Map<string, Volume>();
  const start = (name: string, options: PodOptions = {}) => {
    const volume = volumes.get(name) ?? createVolume({ id: name, kernel });
    volume.capacityBytes = options.capacityBytes;
    volumes.set(name, volume);
    const attachment = network.attachPod({ node: 'node', namespace: 'default', name, uid: name });
    const stack = attachment.openStack();
    const machine = createMachine({
      kernel,
      hostname: name,
      layers: [layer, createVolume({ id: `${name}-top`, kernel })],
      programs: image.programs,
      net: stack,
    });
    machine.fs.mount('/var/lib/mysql', volume);
    machine.fs.writeFile('/etc/hosts', '127.0.0.1 localhost\n');
    if (options.cnf) machine.fs.writeFile('/etc/mysql/conf.d/server.cnf', options.cnf);
    for (const [path, text] of Object.entries(options.files ?? {})) {
      machine.fs.mkdir(path.replace(/\/[^/]*$/, '') || '/', { recursive: true });
      machine.fs.writeFile(path, text);
    }
    let log = '';
    const run = (argv: readonly string[], sink: (text: string) => void, env: Record<string, string>) =>
      machine.start(argv, {
        env: new Map(Object.entries({ ...image.env, ...env })),
        cwd: '/',
        stdin: nullFile(),
        stdout: callbackSink((chunk) => sink(decodeText(chunk))),
        stderr: callbackSink((chunk) => sink(decodeText(chunk))),
      });
    const main = run(['docker-entrypoint.sh', ...(options.args ?? ['mysqld'])], (text) => (log += text), options.env ?? { MYSQL_ROOT_PASSWORD: 'secret' });
    void main.exited.then(() => stack.dispose());
    return {
      ip: attachment.ip,
      main,
      machine,
      log: () => log,
      /** Begins a command and gives its output when it ends. */
      begin(...argv: string[]): { output(): string; ended(): boolean; wait(): Promise<string> } {
        let output = '';
        const process = run(argv, (text) => (output += text), { MYSQL_PWD: 'secret' });
        const ended = (): boolean => process.status !== undefined;
        return {
          output: () => output,
          ended,
          async wait() {
            await kernel.advance({ untilMs: kernel.now() + 200_000, until: ended });
            await kernel.settle();
            return output;
          },
        };
      },
      exec(...argv: string[]): Promise<string> {
        return this.begin(...argv).wait();
      },
      sql(text: string): Promise<string> {
        return this.exec('mysql', '-N', '-e', text);
      },
      async stop(): Promise<void> {
        main.kill('SIGTERM');
        await kernel.advance({ untilMs: kernel.now() + 5000, until: () => main.status !== undefined });
        machine.killAll();
        stack.dispose();
        attachment.detach();
      },
      async crash(): Promise<void> {
        machine.killAll();
        stack.dispose();
        attachment.detach();
        await kernel.settle();
      },
    };
  };
  const wait = (ms: number): Promise<boolean> => kernel.advance({ untilMs: kernel.now() + ms });
  return { kernel, start, wait, volumes };
}
