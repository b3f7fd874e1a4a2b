/**
 * sort.Sort of Go's standard library (pattern-defeating quicksort). It is not stable, and kubectl shows the order of
 * equal elements, so the algorithm has to be the same.
 */
export function goSort<T>(items: T[], isLess: (a: T, b: T) => boolean): T[] {
  const data = items;
  const less = (i: number, j: number): boolean => isLess(data[i] as T, data[j] as T);
  const swap = (i: number, j: number): void => {
    const held = data[i] as T;
    data[i] = data[j] as T;
    data[j] = held;
  };

  function insertionSort(a: number, b: number): void {
    for (let i = a + 1; i < b; i++) for (let j = i; j > a && less(j, j - 1); j--) swap(j, j - 1);
  }
  function siftDown(lo: number, hi: number, first: number): void {
    let root = lo;
    for (;;) {
      let child = 2 * root + 1;
      if (child >= hi) return;
      if (child + 1 < hi && less(first + child, first + child + 1)) child++;
      if (!less(first + root, first + child)) return;
      swap(first + root, first + child);
      root = child;
    }
  }
  function heapSort(a: number, b: number): void {
    const hi = b - a;
    for (let i = Math.floor((hi - 1) / 2); i >= 0; i--) siftDown(i, hi, a);
    for (let i = hi - 1; i >= 0; i--) {
      swap(a, a + i);
      siftDown(0, i, a);
    }
  }
  function breakPatterns(a: number, b: number): void {
    const length = b - a;
    if (length < 8) return;
    let random = BigInt(length);
    const mask = BigInt(2 ** Math.floor(Math.log2(length) + 1) - 1);
    const all = (1n << 64n) - 1n;
    const index = a + Math.floor(length / 4) * 2 - 1;
    for (let i = 0; i < 3; i++) {
      random ^= (random << 13n) & all;
      random ^= random >> 7n;
      random ^= (random << 17n) & all;
      let other = Number(random & mask);
      if (other >= length) other -= length;
      swap(index + i, a + other);
    }
  }
  function choosePivot(a: number, b: number): [pivot: number, hint: 'unknown' | 'increasing' | 'decreasing'] {
    const l = b - a;
    let swaps = 0;
    let i = a + Math.floor(l / 4);
    let j = a + Math.floor(l / 4) * 2;
    let k = a + Math.floor(l / 4) * 3;
    const order2 = (x: number, y: number): [number, number] => {
      if (less(y, x)) {
        swaps++;
        return [y, x];
      }
      return [x, y];
    };
    const median = (x: number, y: number, z: number): number => {
      let [p, q, r] = [x, y, z];
      [p, q] = order2(p, q);
      [q, r] = order2(q, r);
      [p, q] = order2(p, q);
      return q;
    };
    if (l >= 8) {
      if (l >= 50) {
        i = median(i - 1, i, i + 1);
        j = median(j - 1, j, j + 1);
        k = median(k - 1, k, k + 1);
      }
      j = median(i, j, k);
    }
    if (swaps === 0) return [j, 'increasing'];
    if (swaps === 12) return [j, 'decreasing'];
    return [j, 'unknown'];
  }
  function partialInsertionSort(a: number, b: number): boolean {
    let i = a + 1;
    for (let step = 0; step < 5; step++) {
      while (i < b && !less(i, i - 1)) i++;
      if (i === b) return true;
      if (b - a < 50) return false;
      swap(i, i - 1);
      if (i - a >= 2) {
        for (let j = i - 1; j >= 1; j--) {
          if (!less(j, j - 1)) break;
          swap(j, j - 1);
        }
      }
      if (b - i >= 2) {
        for (let j = i + 1; j < b; j++) {
          if (!less(j, j - 1)) break;
          swap(j, j - 1);
        }
      }
    }
    return false;
  }
  function partitionEqual(a: number, b: number, pivot: number): number {
    swap(a, pivot);
    let i = a + 1;
    let j = b - 1;
    for (;;) {
      while (i <= j && !less(a, i)) i++;
      while (i <= j && less(a, j)) j--;
      if (i > j) break;
      swap(i, j);
      i++;
      j--;
    }
    return i;
  }
  function partition(a: number, b: number, pivot: number): [mid: number, alreadyPartitioned: boolean] {
    swap(a, pivot);
    let i = a + 1;
    let j = b - 1;
    while (i <= j && less(i, a)) i++;
    while (i <= j && !less(j, a)) j--;
    if (i > j) {
      swap(j, a);
      return [j, true];
    }
    swap(i, j);
    i++;
    j--;
    for (;;) {
      while (i <= j && less(i, a)) i++;
      while (i <= j && !less(j, a)) j--;
      if (i > j) break;
      swap(i, j);
      i++;
      j--;
    }
    swap(j, a);
    return [j, false];
  }
  function pdq(from: number, to: number, badAllowed: number): void {
    let [a, b, limit] = [from, to, badAllowed];
    let wasBalanced = true;
    let wasPartitioned = true;
    for (;;) {
      const length = b - a;
      if (length <= 12) return insertionSort(a, b);
      if (limit === 0) return heapSort(a, b);
      if (!wasBalanced) {
        breakPatterns(a, b);
        limit--;
      }
      let [pivot, hint] = choosePivot(a, b);
      if (hint === 'decreasing') {
        for (let i = a, j = b - 1; i < j; i++, j--) swap(i, j);
        pivot = b - 1 - (pivot - a);
        hint = 'increasing';
      }
      if (wasBalanced && wasPartitioned && hint === 'increasing' && partialInsertionSort(a, b)) return;
      if (a > 0 && !less(a - 1, pivot)) {
        a = partitionEqual(a, b, pivot);
        continue;
      }
      const [mid, already] = partition(a, b, pivot);
      wasPartitioned = already;
      const leftLength = mid - a;
      const rightLength = b - mid;
      const balance = Math.floor(length / 8);
      if (leftLength < rightLength) {
        wasBalanced = leftLength >= balance;
        pdq(a, mid, limit);
        a = mid + 1;
      } else {
        wasBalanced = rightLength >= balance;
        pdq(mid + 1, b, limit);
        b = mid;
      }
    }
  }
  const n = data.length;
  pdq(0, n, n === 0 ? 0 : Math.floor(Math.log2(n)) + 1);
  return data;
}
