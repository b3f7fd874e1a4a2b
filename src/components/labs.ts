import { parseLab } from '../lab/parse.ts';
import type { TwinSides } from '../lab/protocol.ts';
import type { Lab, LabStep, LabTwins } from '../lab/schema.ts';

/** What one command printed when the lab was run at build time. */
export interface CommandTranscript {
  run: string;
  exit: number;
  /** stdout and stderr in the order they appeared; a watch's lines up to where it was stopped. */
  output: string;
}

/** labs/<lab>/transcript.json, written by the build (scripts/build.ts). */
export interface LabTranscript {
  steps: readonly { id: string; commands: readonly CommandTranscript[] }[];
}

const labTexts = import.meta.glob<string>('/labs/*/lab.yaml', { query: '?raw', import: 'default', eager: true });
const manifests = import.meta.glob<string>('/labs/*/manifests/*', { query: '?raw', import: 'default', eager: true });
const transcripts = import.meta.glob<LabTranscript>('/labs/*/transcript.json', { import: 'default', eager: true });

/** Files that lie in the reader's home when the lab starts, by name. */
export function labFiles(name: string): Record<string, string> {
  const prefix = `/labs/${name}/manifests/`;
  return Object.fromEntries(Object.entries(manifests).flatMap(([path, text]) => (path.startsWith(prefix) ? [[path.slice(prefix.length), text]] : [])));
}

/** The lab of that folder name. Throws with the fix when there is none, or when its file is wrong. */
export function labNamed(name: string): Lab {
  const text = labTexts[`/labs/${name}/lab.yaml`];
  if (text === undefined) throw new Error(`There is no labs/${name}/lab.yaml. Write one, or mend the page's "lab:" line.`);
  const lab = parseLab(text, `labs/${name}/lab.yaml`);
  const there = labFiles(name);
  for (const file of [...lab.files, ...lab.twins.flatMap((twins) => twins.sides.flatMap((side) => Object.values(side.files)))])
    if (!(file in there)) throw new Error(`labs/${name}/lab.yaml names the file "${file}", which is not in labs/${name}/manifests/.`);
  return lab;
}

/** Every lab there is. */
export function allLabs(): Lab[] {
  return Object.keys(labTexts).map((path) => labNamed(path.split('/')[2] ?? ''));
}

/** The pair of clusters of that id, with the files' texts. Throws when the lab has none such. */
export function twinsOf(lab: Lab, id: string): { twins: LabTwins; request: { type: 'start-twins' } & TwinSides } {
  const twins = lab.twins.find((each) => each.id === id);
  if (!twins) throw new Error(`labs/${lab.name}/lab.yaml has no twins "${id}"; it has ${lab.twins.map((each) => each.id).join(', ') || 'none'}.`);
  const all = labFiles(lab.name);
  const sides = twins.sides.map(({ files }) => ({ files: Object.fromEntries(Object.entries(files).map(([name, manifest]) => [name, all[manifest] ?? ''])) }));
  return { twins, request: { type: 'start-twins', preset: lab.cluster, seed: `${lab.name}/${id}`, sides, setup: twins.setup } };
}

/** The step and its place (from 1). Throws when the lab has no such step. */
export function stepOf(lab: Lab, id: string): { step: LabStep; number: number } {
  const index = lab.steps.findIndex((step) => step.id === id);
  const step = lab.steps[index];
  if (!step) throw new Error(`labs/${lab.name}/lab.yaml has no step "${id}"; it has ${lab.steps.map((each) => each.id).join(', ')}.`);
  return { step, number: index + 1 };
}

/** What the step's commands printed at build time, or undefined when the lab was not run yet. */
export function transcriptOf(lab: string, step: string): readonly CommandTranscript[] | undefined {
  return transcripts[`/labs/${lab}/transcript.json`]?.steps.find((each) => each.id === step)?.commands;
}
