import { globSync, readFileSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { parseLab } from '../src/lab/parse.ts';
import type { Lab } from '../src/lab/schema.ts';

/** Names of all labs. */
export function labNames(): string[] {
  return globSync('labs/*/lab.yaml')
    .map((path) => basename(dirname(path)))
    .sort();
}

/** A lab and the files its reader starts with. Throws LabError with file, line and fix. */
export function loadLab(name: string): { lab: Lab; files: Record<string, string> } {
  const lab = parseLab(readFileSync(`labs/${name}/lab.yaml`, 'utf8'), `labs/${name}/lab.yaml`);
  return { lab, files: Object.fromEntries(lab.files.map((file) => [file, readFileSync(`labs/${name}/manifests/${file}`, 'utf8')])) };
}
