/** A line of either text: kept, only on the left, or only on the right, with its places (from 0). */
export type Edit = { kind: ' ' | '-' | '+'; text: string; left: number; right: number };

/** Myers' shortest edit script; falls back to replacing everything when the texts have too little in common. */
export function editScript(left: readonly string[], right: readonly string[]): Edit[] {
  let prefix = 0;
  while (prefix < left.length && prefix < right.length && left[prefix] === right[prefix]) prefix++;
  let suffix = 0;
  while (suffix < left.length - prefix && suffix < right.length - prefix && left[left.length - 1 - suffix] === right[right.length - 1 - suffix]) suffix++;
  const a = left.slice(prefix, left.length - suffix);
  const b = right.slice(prefix, right.length - suffix);
  const edits: Edit[] = left.slice(0, prefix).map((text, i) => ({ kind: ' ', text, left: i, right: i }));
  edits.push(...middle(a, b).map((edit) => ({ ...edit, left: edit.left + prefix, right: edit.right + prefix })));
  for (let i = 0; i < suffix; i++)
    edits.push({ kind: ' ', text: left[left.length - suffix + i] as string, left: left.length - suffix + i, right: right.length - suffix + i });
  return edits;
}

function middle(a: readonly string[], b: readonly string[]): Edit[] {
  const limit = a.length + b.length;
  if (limit > 4000)
    return [
      ...a.map((text, i): Edit => ({ kind: '-', text, left: i, right: 0 })),
      ...b.map((text, i): Edit => ({ kind: '+', text, left: a.length, right: i })),
    ];
  const trace: Map<number, number>[] = [];
  let frontier = new Map<number, number>([[1, 0]]);
  for (let d = 0; d <= limit; d++) {
    trace.push(new Map(frontier));
    for (let k = -d; k <= d; k += 2) {
      const down = k === -d || (k !== d && (frontier.get(k - 1) ?? -1) < (frontier.get(k + 1) ?? -1));
      let x = down ? (frontier.get(k + 1) ?? 0) : (frontier.get(k - 1) ?? 0) + 1;
      while (x < a.length && x - k < b.length && a[x] === b[x - k]) x++;
      frontier.set(k, x);
      if (x >= a.length && x - k >= b.length) return backtrack(trace, a, b);
    }
    frontier = new Map(frontier);
  }
  return [];
}

function backtrack(trace: readonly Map<number, number>[], a: readonly string[], b: readonly string[]): Edit[] {
  const edits: Edit[] = [];
  let x = a.length;
  let y = b.length;
  for (let d = trace.length - 1; d >= 0; d--) {
    const frontier = trace[d] as Map<number, number>;
    const k = x - y;
    const down = k === -d || (k !== d && (frontier.get(k - 1) ?? -1) < (frontier.get(k + 1) ?? -1));
    const previous = down ? k + 1 : k - 1;
    const startX = frontier.get(previous) ?? 0;
    const startY = startX - previous;
    while (
      x > Math.max(0, startX) &&
      y > Math.max(0, startY) &&
      d >= 0 &&
      !(x === startX && y === startY) &&
      a[x - 1] === b[y - 1] &&
      x - 1 >= (down ? startX : startX + 1) &&
      y - 1 >= (down ? startY + 1 : startY)
    ) {
      x--;
      y--;
      edits.push({ kind: ' ', text: a[x] as string, left: x, right: y });
    }
    if (d === 0) break;
    if (down) {
      y--;
      edits.push({ kind: '+', text: b[y] as string, left: x, right: y });
    } else {
      x--;
      edits.push({ kind: '-', text: a[x] as string, left: x, right: y });
    }
  }
  return edits.reverse();
}
