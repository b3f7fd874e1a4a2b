import type { HostClock } from '../kernel/index.ts';
import { createEnvironment, driveUntilSettled, type Environment } from './environment.ts';

const HOME = '/home/reader';

/** A cluster of its own to ask, booted with the first question; the reader's stays untouched. */
let scratch: Promise<Environment> | undefined;
let queue: Promise<unknown> = Promise.resolve();

/**
 * What kubectl and the API server would say to a file: the lines on stderr of a server-side dry run in an empty cluster.
 * What only an empty cluster complains of (types and namespaces the reader made, objects being edited) is left out. Empty when all is well.
 */
export function checkManifest(host: HostClock, name: string, text: string): Promise<string[]> {
  const answer = queue.then(async () => {
    scratch ??= createEnvironment({ host, seed: 'scratch', preset: 'single', files: {} });
    const { kernel, reader } = await scratch;
    reader.machine.fs.writeFile(`${HOME}/${name}`, text);
    const { stderr } = await driveUntilSettled(kernel, reader.execute(`kubectl create --dry-run=server -f '${name}'`));
    reader.machine.fs.remove(`${HOME}/${name}`);
    return stderr
      .split('\n')
      .filter(
        (line) =>
          line !== '' &&
          !/no matches for kind|^ensure CRDs|\(AlreadyExists\)|namespaces "[^"]*" not found|resourceVersion should not be set|^Warning: /.test(line),
      );
  });
  queue = answer.catch(() => undefined);
  return answer;
}
