import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';

/** Cycles among value imports (type imports vanish and cannot hurt), each as `a → b → a`. */
export function findCycles(files: readonly string[]): string[] {
  const graph = new Map(files.map((file) => [normalize(file), importsOf(file)]));
  const cycles: string[] = [];
  const state = new Map<string, 'open' | 'done'>();
  const path: string[] = [];
  const visit = (file: string): void => {
    state.set(file, 'open');
    path.push(file);
    for (const next of graph.get(file) ?? []) {
      if (state.get(next) === 'open') cycles.push([...path.slice(path.indexOf(next)), next].join(' → '));
      else if (!state.has(next) && graph.has(next)) visit(next);
    }
    path.pop();
    state.set(file, 'done');
  };
  for (const file of graph.keys()) if (!state.has(file)) visit(file);
  return cycles;
}

function importsOf(file: string): string[] {
  const text = readFileSync(file, 'utf8');
  // Dynamic imports are left out: they run later, so a cycle through one is harmless.
  return [...text.matchAll(/^(?:import|export)\s+(?!type\b)[^;]*?from\s+'(\.[^']+)'/gm)]
    .map((match) => normalize(join(dirname(file), match[1] ?? '')))
    .filter((path) => existsSync(path));
}
