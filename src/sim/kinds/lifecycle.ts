import type { ApiObject } from '../client/types.ts';
import { ageOf } from './duration.ts';
import { semanticEqual } from './equal.ts';
import { formatLabelSelector } from './selector.ts';
import type { Cell, KindStrategy, StrategyContext } from './strategy.ts';
import type { Container, LabelSelector } from './types.ts';

/** An object with the usual halves; the parts are looked at without types here. */
interface Halves extends ApiObject {
  spec?: unknown;
  status?: unknown;
}

/** What `withStatus` needs to know of a kind. */
interface StatusOptions {
  /** Status of a new object. */
  initial?: () => unknown;
  /** Keeps `metadata.generation`: 1 at first, one more whenever this part changes. Kinds without it have no generation. */
  generation?: (object: Halves) => unknown;
}

/**
 * The usual `PrepareForCreate` and `PrepareForUpdate`: clients cannot write status, and a changed spec bumps the generation
 * (`pkg/registry/<group>/<kind>/strategy.go`).
 */
export function withStatus<T extends ApiObject>(options: StatusOptions = {}): Required<Pick<KindStrategy<T>, 'prepareForCreate' | 'prepareForUpdate'>> {
  const { initial = () => ({}), generation } = options;
  return {
    prepareForCreate(object) {
      (object as Halves).status = initial();
      setGeneration(object, generation ? 1 : undefined);
    },
    prepareForUpdate(object, old) {
      keep(object as Halves, old as Halves, 'status');
      const before = old.metadata?.generation;
      const changed = generation && !semanticEqual(generation(object as Halves), generation(old as Halves));
      setGeneration(object, changed ? (before ?? 0) + 1 : before);
    },
  };
}

/** Kinds whose spec changes are counted. */
export const withGeneration = <T extends ApiObject>(initial?: () => unknown) => withStatus<T>({ initial, generation: (object) => object.spec });

/** Kinds without status and generation: nothing to clear. */
export const plain = {
  prepareForCreate(object: ApiObject): void {
    setGeneration(object, undefined);
  },
  prepareForUpdate(object: ApiObject, old: ApiObject): void {
    setGeneration(object, old.metadata?.generation);
  },
};

export function setGeneration(object: ApiObject, generation: number | undefined): void {
  object.metadata ??= {};
  if (generation === undefined) delete object.metadata.generation;
  else object.metadata.generation = generation;
}

/** Takes a part over from the old object, or removes it. */
export function keep<T extends object>(object: T, old: T, key: keyof T): void {
  if (old[key] === undefined) delete object[key];
  else object[key] = structuredClone(old[key]);
}

/** Name and age: the first and the last column of most tables. */
export const nameOf = (object: ApiObject): string => object.metadata?.name ?? '';
export const age = (object: ApiObject, context: StrategyContext): string => ageOf(object.metadata?.creationTimestamp, context.nowMs);

/** A row of a name, some cells, and the age. */
export function row<T extends ApiObject>(cells: (object: T, context: StrategyContext) => Cell[]): (object: T, context: StrategyContext) => Cell[] {
  return (object, context) => [nameOf(object), ...cells(object, context), age(object, context)];
}

/** Kinds without columns of their own show when they were made. */
export const createdAtRow = (object: ApiObject): Cell[] => [nameOf(object), object.metadata?.creationTimestamp ?? null];

/** The CONTAINERS, IMAGES and SELECTOR columns of `-o wide`. */
export function workloadCells(containers: readonly Container[] | undefined, selector?: LabelSelector | null): Cell[] {
  const list = containers ?? [];
  const cells: Cell[] = [list.map(({ name }) => name ?? '').join(','), list.map(({ image }) => image ?? '').join(',')];
  if (selector !== undefined) cells.push(formatLabelSelector(selector));
  return cells;
}

/** Three of them, then "+ 2 more...". */
export function withMore(items: readonly string[], max = 3): string {
  const shown = items.slice(0, max).join(',');
  return items.length > max ? `${shown} + ${items.length - max} more...` : shown;
}
