import { type Difference, difference } from './compare.ts';
import { FILES } from './files.ts';
import { fixture, World } from './world.ts';

/** The command lines of a file: comments out, `kubectl` in front. */
export function readLines(text = fixture('lines.txt')): string[] {
  return text
    .split('\n')
    .filter((line) => line.trim() !== '' && !line.startsWith('#'))
    .map((line) => (/^kubectl$|kubectl /.test(line) ? line : `kubectl ${line}`));
}

/** A cluster with an object of nearly every kind, seven minutes old. */
export async function startFixture(kubectl: string, seed: string): Promise<World> {
  const world = await World.start({ seed, kubectl, files: FILES });
  // Twice: a Pod names a priority class that stands further down.
  await world.builtin('kubectl apply -f kinds.yaml; kubectl apply -f kinds.yaml');
  await world.pass(3000);
  await world.builtin('kubectl apply -f ships.yaml');
  await world.pass(420_000);
  return world;
}

/** The built-in one first, then the real one at the instant at which it ended. */
export async function compareReads(world: World, command: string): Promise<Difference | undefined> {
  const waits = /(-w|--watch|--watch-only|-wA|wait|rollout status|--timeout|exec|logs|attach|debug|cp|port-forward)\b/.test(command);
  const builtin = await world.builtin(command);
  const real = await world.real(command, waits ? 4 : 0);
  return difference(command, builtin, real, world);
}
