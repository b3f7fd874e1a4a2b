import { existsSync, globSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { LabError, parseLab } from '../../lab/parse.ts';
import type { Lab } from '../../lab/schema.ts';
import type { LabTranscript } from '../../lab/transcript.ts';
import { HostError } from './cluster-host.ts';

/** labs/ of the package, wherever the command was called from. */
const ROOT = join(import.meta.dirname, '../../../labs');

export interface LabFolder {
  lab: Lab;
  files: Record<string, string>;
  /** What the simulator printed when the lab was published; undefined when nobody ran it yet. */
  transcript: LabTranscript | undefined;
}

/** Reads labs/<name>. Throws HostError with the names there are. */
export function readLabFolder(name: string): LabFolder {
  const folder = join(ROOT, name);
  if (!/^[a-z0-9-]+$/.test(name) || !existsSync(join(folder, 'lab.yaml'))) {
    const names = globSync(join(ROOT, '*/lab.yaml')).map((path) => basename(dirname(path)));
    throw new HostError(`no lab "${name}"; there are: ${names.sort().join(', ')}`);
  }
  try {
    const lab = parseLab(readFileSync(join(folder, 'lab.yaml'), 'utf8'), `labs/${name}/lab.yaml`);
    const files = Object.fromEntries(lab.files.map((file) => [file, readFileSync(join(folder, 'manifests', file), 'utf8')]));
    const transcript = join(folder, 'transcript.json');
    return { lab, files, transcript: existsSync(transcript) ? (JSON.parse(readFileSync(transcript, 'utf8')) as LabTranscript) : undefined };
  } catch (error) {
    if (error instanceof LabError) throw new HostError(error.message);
    throw error;
  }
}
