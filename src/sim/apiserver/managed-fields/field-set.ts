/**
 * A set of field paths in the form it has on the wire (`fieldsV1`): keys are path elements ("f:name", "k:{…}",
 * "v:…"), a node is a member when it is empty or has ".". Trees are never changed once made, so revisions share them
 * (models `sigs.k8s.io/structured-merge-diff/fieldpath.Set`).
 */
export interface FieldTree {
  readonly [element: string]: FieldTree;
}

/** A member without children; the empty set at the top. */
export const LEAF: FieldTree = Object.freeze({});

export function hasChildren(tree: FieldTree): boolean {
  for (const key in tree) if (key !== '.') return true;
  return false;
}

function isMember(tree: FieldTree): boolean {
  return '.' in tree || !hasChildren(tree);
}

/** A node from its parts; undefined when nothing is left. */
export function makeNode(member: boolean, children: Record<string, FieldTree>): FieldTree | undefined {
  for (const _key in children) return member ? { '.': LEAF, ...children } : children;
  return member ? LEAF : undefined;
}

function childrenOf(tree: FieldTree): Record<string, FieldTree> {
  const { '.': _self, ...children } = tree;
  return children;
}

/** At the top of a set: no members but those below. */
export function isEmptySet(set: FieldTree): boolean {
  return !hasChildren(set);
}

function unionNode(a: FieldTree, b: FieldTree): FieldTree {
  if (a === b) return a;
  const children = childrenOf(a);
  for (const key in b) {
    if (key === '.') continue;
    const mine = children[key];
    children[key] = mine ? unionNode(mine, b[key] as FieldTree) : (b[key] as FieldTree);
  }
  return makeNode(isMember(a) || isMember(b), children) ?? LEAF;
}

export function union(a: FieldTree, b: FieldTree): FieldTree {
  if (isEmptySet(a)) return b;
  if (isEmptySet(b)) return a;
  const out = { ...a };
  for (const key in b) out[key] = out[key] ? unionNode(out[key] as FieldTree, b[key] as FieldTree) : (b[key] as FieldTree);
  return out;
}

function coversNode(a: FieldTree, b: FieldTree): boolean {
  if (isMember(b) && !isMember(a)) return false;
  return coversBelow(a, b);
}

function coversBelow(a: FieldTree, b: FieldTree): boolean {
  for (const key in b) if (key !== '.' && !(a[key] && coversNode(a[key], b[key] as FieldTree))) return false;
  return true;
}

/** The union; `a` itself when it holds all of `b` already, as it mostly does when a manager writes again. */
export const covering = (a: FieldTree, b: FieldTree): FieldTree => (coversBelow(a, b) ? a : union(b, a));

function differenceNode(a: FieldTree, b: FieldTree, recursive: boolean): FieldTree | undefined {
  const removed = isMember(b);
  if (removed && recursive) return undefined;
  const children: Record<string, FieldTree> = {};
  for (const key in a) {
    if (key === '.') continue;
    const mine = a[key] as FieldTree;
    const other = b[key];
    const left = other ? differenceNode(mine, other, recursive) : mine;
    if (left) children[key] = left;
  }
  return makeNode(isMember(a) && !removed, children);
}

function differenceOf(a: FieldTree, b: FieldTree, recursive: boolean): FieldTree {
  if (isEmptySet(b)) return a;
  const out: Record<string, FieldTree> = {};
  for (const key in a) {
    const mine = a[key] as FieldTree;
    const other = b[key];
    const left = other ? differenceNode(mine, other, recursive) : mine;
    if (left) out[key] = left;
  }
  return out;
}

/** Members of `a` that are not members of `b`. */
export function difference(a: FieldTree, b: FieldTree): FieldTree {
  return differenceOf(a, b, false);
}

/** Members of `a` that are neither members of `b` nor below one. */
export function recursiveDifference(a: FieldTree, b: FieldTree): FieldTree {
  return differenceOf(a, b, true);
}

function intersectionNode(a: FieldTree, b: FieldTree): FieldTree | undefined {
  const children: Record<string, FieldTree> = {};
  for (const key in a) {
    if (key === '.') continue;
    const other = b[key];
    const both = other && intersectionNode(a[key] as FieldTree, other);
    if (both) children[key] = both;
  }
  return makeNode(isMember(a) && isMember(b), children);
}

export function intersection(a: FieldTree, b: FieldTree): FieldTree {
  const out: Record<string, FieldTree> = {};
  for (const key in a) {
    const other = b[key];
    const both = other && intersectionNode(a[key] as FieldTree, other);
    if (both) out[key] = both;
  }
  return out;
}

/** True when the path is a member. */
export function hasPath(set: FieldTree, path: readonly string[]): boolean {
  let at: FieldTree | undefined = set;
  for (const element of path) at = at?.[element];
  return at !== undefined && path.length > 0 && isMember(at);
}

/** Calls back with every member's path. */
export function forEachPath(set: FieldTree, callback: (path: readonly string[]) => void, prefix: readonly string[] = []): void {
  for (const key of Object.keys(set).sort(compareElements)) {
    if (key === '.') continue;
    const path = [...prefix, key];
    const child = set[key] as FieldTree;
    if (isMember(child)) callback(path);
    forEachPath(child, callback, path);
  }
}

/** A path as `fieldpath.Path.String()` prints it: `.spec.containers[name="c"].image`. */
export function pathText(path: readonly string[]): string {
  return path
    .map((element) => {
      const rest = element.slice(2);
      if (element.startsWith('f:')) return `.${rest}`;
      if (element.startsWith('v:')) return `[=${rest}]`;
      if (element.startsWith('i:')) return `[${rest}]`;
      const keys = JSON.parse(rest) as Record<string, unknown>;
      return `[${Object.keys(keys)
        .map((key) => `${key}=${JSON.stringify(keys[key])}`)
        .join(',')}]`;
    })
    .join('');
}

/** "." first, then names, keys, values, indexes, each sorted (`PathElement.Less`). */
function compareElements(a: string, b: string): number {
  const first = a[0] as string;
  const second = b[0] as string;
  if (first !== second) return '.fkvi'.indexOf(first) - '.fkvi'.indexOf(second);
  return a < b ? -1 : a > b ? 1 : 0;
}

/** The same set with keys in the order the server writes them. What is frozen is in a stored object, and sorted. */
export function sortTree(tree: FieldTree): FieldTree {
  if (Object.isFrozen(tree)) return tree;
  const keys = Object.keys(tree);
  if (keys.length === 0) return LEAF;
  if (keys.length > 1) keys.sort(compareElements);
  const out: Record<string, FieldTree> = {};
  for (const key of keys) out[key] = sortTree(tree[key] as FieldTree);
  return out;
}

export function equalTrees(a: FieldTree, b: FieldTree): boolean {
  if (a === b) return true;
  const keys = Object.keys(a);
  if (keys.length !== Object.keys(b).length) return false;
  for (const key of keys) if (!b[key] || !equalTrees(a[key] as FieldTree, b[key])) return false;
  return true;
}
