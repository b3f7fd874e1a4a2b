import { isMap, isScalar, LineCounter, type Node, parseDocument } from 'yaml';
import { resourceByName } from './checks.ts';
import type { Lab, LabCheck, LabCommand, LabStep, LabTwins } from './schema.ts';

/** A mistake in a lab file: where, what, and how to mend it. */
export class LabError extends Error {
  constructor(file: string, line: number, problem: string) {
    super(`${file}:${line}: ${problem}`);
    this.name = 'LabError';
  }
}

/** Reads a lab.yaml strictly: unknown keys, missing keys and wrong types are `LabError`s with file and line. */
export function parseLab(text: string, file: string): Lab {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines });
  const first = document.errors[0];
  if (first) throw new LabError(file, lines.linePos(first.pos[0]).line, first.message.split('\n')[0] ?? 'not YAML');
  const reader = new Reader(file, (path) => {
    const parent = document.getIn(path.slice(0, -1), true) as Node | undefined;
    const key = isMap(parent) ? (parent.items.find((pair) => isScalar(pair.key) && pair.key.value === path.at(-1))?.key as Node | undefined) : undefined;
    const range = (key ?? (document.getIn(path, true) as Node | undefined) ?? parent)?.range;
    return range ? lines.linePos(range[0]).line : 1;
  });
  const lab = readLab(reader, document.toJS() as unknown);
  const seen = new Set<string>();
  lab.steps.forEach((step, i) => {
    if (seen.has(step.id)) throw reader.error(['steps', i, 'id'], `two steps have the id "${step.id}"; ids must differ within a lab`);
    if (step.after !== undefined && !seen.has(step.after))
      throw reader.error(['steps', i, 'after'], `"after" names no earlier step; before "${step.id}" come: ${[...seen].join(', ') || 'none'}`);
    seen.add(step.id);
  });
  return lab;
}

type Path = (string | number)[];

class Reader {
  #file: string;
  #lineOf: (path: Path) => number;

  constructor(file: string, lineOf: (path: Path) => number) {
    this.#file = file;
    this.#lineOf = lineOf;
  }

  error(path: Path, problem: string): LabError {
    return new LabError(this.#file, this.#lineOf(path), problem);
  }

  record(value: unknown, path: Path, known: readonly string[]): Record<string, unknown> {
    if (typeof value !== 'object' || value === null || Array.isArray(value))
      throw this.error(path, `${at(path)} must be a mapping with the keys ${known.join(', ')}`);
    for (const key of Object.keys(value)) {
      if (!known.includes(key)) throw this.error([...path, key], `unknown key "${key}" in ${at(path)}; known: ${known.join(', ')}`);
    }
    return value as Record<string, unknown>;
  }

  text(value: unknown, path: Path): string {
    if (typeof value !== 'string' || value === '') throw this.error(path, `${at(path)} must be a text`);
    return value;
  }

  optionalText(value: unknown, path: Path): string | undefined {
    if (value === undefined) return undefined;
    // Numbers and booleans are what YAML makes of an unquoted value that is compared as text.
    if (typeof value === 'number' || typeof value === 'boolean') return String(value);
    if (typeof value !== 'string') throw this.error(path, `${at(path)} must be a text`);
    return value;
  }

  optionalNumber(value: unknown, path: Path): number | undefined {
    if (value === undefined) return undefined;
    if (typeof value !== 'number' || value < 0) throw this.error(path, `${at(path)} must be a number, zero or more`);
    return value;
  }

  optionalFlag(value: unknown, path: Path): boolean | undefined {
    if (value === undefined) return undefined;
    if (typeof value !== 'boolean') throw this.error(path, `${at(path)} must be true or false`);
    return value;
  }

  list<T>(value: unknown, path: Path, read: (item: unknown, path: Path) => T): T[] {
    if (value === undefined) return [];
    if (!Array.isArray(value)) throw this.error(path, `${at(path)} must be a list`);
    return value.map((item, i) => read(item, [...path, i]));
  }
}

function at(path: Path): string {
  return path.length === 0 ? 'the lab' : path.join('.');
}

function readLab(r: Reader, value: unknown): Lab {
  const lab = r.record(value, [], ['name', 'title', 'cluster', 'setup', 'files', 'steps', 'twins']);
  const cluster = lab.cluster ?? 'k3d';
  if (cluster !== 'k3d' && cluster !== 'single') throw r.error(['cluster'], `cluster must be "k3d" or "single", not "${String(cluster)}"`);
  const text = (item: unknown, path: Path): string => r.text(item, path);
  const steps = r.list(lab.steps, ['steps'], (item, path) => readStep(r, item, path));
  return {
    name: r.text(lab.name, ['name']),
    title: r.text(lab.title, ['title']),
    cluster,
    setup: r.list(lab.setup, ['setup'], text),
    files: r.list(lab.files, ['files'], text),
    steps,
    twins: r.list(lab.twins, ['twins'], (item, path) => readTwins(r, item, path)),
  };
}

function readTwins(r: Reader, value: unknown, path: Path): LabTwins {
  const twins = r.record(value, path, ['id', 'title', 'setup', 'commands', 'sides']);
  const text = (item: unknown, where: Path): string => r.text(item, where);
  const sides = r.list(twins.sides, [...path, 'sides'], (item, where) => {
    const side = r.record(item, where, ['title', 'files', 'sees']);
    const files = (typeof side.files === 'object' && side.files !== null ? side.files : {}) as Record<string, unknown>;
    return {
      title: r.text(side.title, [...where, 'title']),
      files: Object.fromEntries(Object.entries(files).map(([name, manifest]) => [name, r.text(manifest, [...where, 'files', name])])),
      sees: r.list(side.sees, [...where, 'sees'], (pattern, at) => {
        readPattern(r, r.text(pattern, at), at);
        return String(pattern);
      }),
    };
  });
  if (sides.length !== 2) throw r.error([...path, 'sides'], `twins are two: give "sides" two items, not ${sides.length}`);
  return {
    id: r.text(twins.id, [...path, 'id']),
    title: r.text(twins.title, [...path, 'title']),
    setup: r.list(twins.setup, [...path, 'setup'], text),
    commands: r.list(twins.commands, [...path, 'commands'], text),
    sides,
  };
}

function readStep(r: Reader, value: unknown, path: Path): LabStep {
  const step = r.record(value, path, ['id', 'title', 'commands', 'checks', 'sees', 'after', 'hints', 'solution', 'alternative', 'wrong', 'misconceptions']);
  const id = r.text(step.id, [...path, 'id']);
  if (!/^[a-z0-9-]+$/.test(id)) throw r.error([...path, 'id'], `step id "${id}" must be lower-case letters, digits and "-"`);
  const text = (item: unknown, where: Path): string => r.text(item, where);
  const lines = (key: 'solution' | 'alternative' | 'wrong'): string[] | undefined =>
    step[key] === undefined ? undefined : r.list(step[key], [...path, key], text);
  if (step.checks === undefined && step.sees === undefined)
    throw r.error(path, `step "${id}" can never be reached: give it "checks" (a state of the cluster) or "sees" (what a command prints)`);
  return {
    id,
    title: r.text(step.title, [...path, 'title']),
    commands: r.list(step.commands, [...path, 'commands'], (item, where) => readCommand(r, item, where)),
    checks: r.list(step.checks, [...path, 'checks'], (item, where) => readCheck(r, item, where)),
    sees: r.list(step.sees, [...path, 'sees'], (item, where) => {
      const pattern = r.text(item, where);
      readPattern(r, pattern, where);
      return pattern;
    }),
    after: r.optionalText(step.after, [...path, 'after']),
    hints: r.list(step.hints, [...path, 'hints'], text),
    solution: lines('solution'),
    alternative: lines('alternative'),
    wrong: lines('wrong'),
    misconceptions: r.list(step.misconceptions, [...path, 'misconceptions'], (item, where) => {
      const rule = r.record(item, where, ['typed', 'printed', 'state', 'says']);
      const pattern = (key: 'typed' | 'printed'): string | undefined => {
        const found = r.optionalText(rule[key], [...where, key]);
        if (found !== undefined) readPattern(r, found, [...where, key]);
        return found;
      };
      if (rule.typed === undefined && rule.printed === undefined && rule.state === undefined)
        throw r.error(where, 'a misconception needs "typed", "printed" or "state" to recognise it by');
      return {
        typed: pattern('typed'),
        printed: pattern('printed'),
        state: rule.state === undefined ? undefined : readCheck(r, rule.state, [...where, 'state']),
        says: r.text(rule.says, [...where, 'says']),
      };
    }),
  };
}

function readCommand(r: Reader, value: unknown, path: Path): LabCommand {
  const command = r.record(value, path, ['run', 'stopWhen', 'stopAfterSeconds', 'waitFor', 'sleepSeconds', 'random', 'expectExit']);
  const check = (key: 'stopWhen' | 'waitFor'): LabCheck | undefined => (command[key] === undefined ? undefined : readCheck(r, command[key], [...path, key]));
  return {
    run: r.text(command.run, [...path, 'run']),
    stopWhen: check('stopWhen'),
    stopAfterSeconds: r.optionalNumber(command.stopAfterSeconds, [...path, 'stopAfterSeconds']),
    waitFor: check('waitFor'),
    sleepSeconds: r.optionalNumber(command.sleepSeconds, [...path, 'sleepSeconds']),
    random: r.optionalFlag(command.random, [...path, 'random']),
    expectExit: r.optionalNumber(command.expectExit, [...path, 'expectExit']),
  };
}

function readCheck(r: Reader, value: unknown, path: Path): LabCheck {
  const check = r.record(value, path, ['object', 'namespace', 'path', 'equals', 'matches', 'count', 'labels', 'absent', 'youngerThan']);
  const typeOf = (key: 'object' | 'youngerThan', name: string): void => {
    try {
      resourceByName(name.split('/')[0] ?? '');
    } catch (error) {
      throw r.error([...path, key], (error as Error).message);
    }
  };
  const object = r.text(check.object, [...path, 'object']);
  typeOf('object', object);
  const youngerThan = r.optionalText(check.youngerThan, [...path, 'youngerThan']);
  if (youngerThan !== undefined) {
    typeOf('youngerThan', youngerThan);
    if (!object.includes('/') || !youngerThan.includes('/')) throw r.error([...path, 'youngerThan'], '"youngerThan" compares two objects, such as "pod/web-1"');
  }
  const matches = r.optionalText(check.matches, [...path, 'matches']);
  if (matches !== undefined) readPattern(r, matches, [...path, 'matches']);
  return {
    object,
    namespace: r.optionalText(check.namespace, [...path, 'namespace']),
    path: r.optionalText(check.path, [...path, 'path']),
    equals: r.optionalText(check.equals, [...path, 'equals']),
    matches,
    count: r.optionalNumber(check.count, [...path, 'count']),
    labels: r.optionalText(check.labels, [...path, 'labels']),
    absent: r.optionalFlag(check.absent, [...path, 'absent']),
    youngerThan,
  };
}

function readPattern(r: Reader, pattern: string, path: Path): void {
  try {
    new RegExp(pattern);
  } catch (error) {
    throw r.error(path, `not a regular expression: ${(error as Error).message}`);
  }
}
