import { driveUntilSettled, type Environment } from './environment.ts';
import type { ReplayTarget } from './replay.ts';

const HOME = '/home/reader';

/** Plays on the simulated laptop, with the built-in kubectl, in virtual time. */
export function simulatedTarget(environment: Environment): ReplayTarget {
  const { kernel, reader, cluster } = environment;
  const stopped: string[] = [];
  return {
    nowMs: () => kernel.now(),
    execute: (command, stdin) => driveUntilSettled(kernel, reader.execute(command, stdin === undefined ? {} : { stdin })),
    background(command, onLine) {
      let rest = '';
      const job = reader.startBackground(command, (text) => {
        const lines = (rest + text).split('\n');
        rest = lines.pop() ?? '';
        for (const line of lines) onLine(line);
      });
      return {
        async stop() {
          job.interrupt();
          await driveUntilSettled(kernel, job.ended);
        },
      };
    },
    writeFile: (name, text) => reader.machine.fs.writeFile(`${HOME}/${name}`, text),
    async sleep(ms) {
      await kernel.advance({ untilMs: kernel.now() + ms });
    },
    async nodeAction(action, pod) {
      if (action === 'stop-kubelet') {
        const node = cluster.client.resource('v1/pods').get('default', pod) as { spec?: { nodeName?: string } } | undefined;
        const name = node?.spec?.nodeName;
        if (!name) throw new Error(`Pod ${pod} is on no node`);
        stopped.push(name);
        cluster.nodes.stopKubelet(name);
      } else if (action === 'start-kubelet') {
        for (const name of stopped.splice(0)) cluster.nodes.startKubelet(name);
      } else throw new Error(`unknown action ${action}`);
    },
  };
}
