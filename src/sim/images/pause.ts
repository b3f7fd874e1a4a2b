import { program } from '../../applets/applet.ts';
import { installPrograms } from '../../unix/index.ts';
import { buildRoot } from './base.ts';
import type { ImageDefinition } from './types.ts';

/** Does nothing until it is told to end: exit code 0 on SIGINT and SIGTERM, as pause.c has it. */
const pauseProgram = program('', async (applet) => {
  const { process } = applet;
  return process.guard(
    new Promise<number>((resolve) => {
      const end = (): void => resolve(0);
      process.onSignal('SIGTERM', end);
      process.onSignal('SIGINT', end);
    }),
  );
});

const pauseImage = (repository: string): ImageDefinition => ({
  repository,
  tags: ['latest', '3.1', '3.2', '3.5', '3.6', '3.9', '3.10', '3.10.1', '3.10.2'],
  sizeBytes: 320_368,
  entrypoint: ['/pause'],
  env: { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' },
  user: { uid: 65535, gid: 65535 },
  programs: { '/pause': pauseProgram },
  build(fs) {
    buildRoot(fs);
    installPrograms(fs, ['/pause'], 514_000);
  },
});

export const pauseImages = [pauseImage('registry.k8s.io/pause'), pauseImage('docker.io/rancher/mirrored-pause')];
