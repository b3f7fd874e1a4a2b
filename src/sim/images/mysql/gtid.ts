/** Sets of global transaction identifiers: "uuid:1-5:7,\nuuid2:1". */
export class GtidSet {
  #intervals = new Map<string, [first: number, last: number][]>();

  /** Undefined when the text is no GTID set. */
  static parse(text: string): GtidSet | undefined {
    const set = new GtidSet();
    for (const part of text.split(',').map((one) => one.trim())) {
      if (part === '') continue;
      const [uuid = '', ...ranges] = part.split(':');
      if (!/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(uuid) || ranges.length === 0) return undefined;
      for (const range of ranges) {
        const found = /^(\d+)(?:-(\d+))?$/.exec(range.trim());
        if (!found) return undefined;
        set.add(uuid.toLowerCase(), Number(found[1]), Number(found[2] ?? found[1]));
      }
    }
    return set;
  }

  add(uuid: string, first: number, last = first): void {
    const ranges = [...(this.#intervals.get(uuid) ?? []), [first, last] as [number, number]].sort(([a], [b]) => a - b);
    const merged: [number, number][] = [];
    for (const [from, to] of ranges) {
      const previous = merged.at(-1);
      if (previous && from <= previous[1] + 1) previous[1] = Math.max(previous[1], to);
      else merged.push([from, to]);
    }
    this.#intervals.set(uuid, merged);
  }

  addAll(other: GtidSet): void {
    for (const [uuid, ranges] of other.#intervals) for (const [first, last] of ranges) this.add(uuid, first, last);
  }

  has(uuid: string, number: number): boolean {
    return (this.#intervals.get(uuid) ?? []).some(([first, last]) => first <= number && number <= last);
  }

  /** Whether every identifier of the other set is in this one. */
  includes(other: GtidSet): boolean {
    return [...other.#intervals].every(([uuid, ranges]) =>
      ranges.every(([first, last]) => (this.#intervals.get(uuid) ?? []).some(([from, to]) => from <= first && last <= to)),
    );
  }

  /** The highest number of a server. */
  last(uuid: string): number {
    return this.#intervals.get(uuid)?.at(-1)?.[1] ?? 0;
  }

  get isEmpty(): boolean {
    return this.#intervals.size === 0;
  }

  /** Those of this set that the other lacks. */
  without(other: GtidSet): GtidSet {
    const rest = new GtidSet();
    for (const [uuid, ranges] of this.#intervals)
      for (const [first, last] of ranges) for (let number = first; number <= last; number++) if (!other.has(uuid, number)) rest.add(uuid, number);
    return rest;
  }

  toString(): string {
    return [...this.#intervals]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([uuid, ranges]) => `${uuid}:${ranges.map(([first, last]) => (first === last ? `${first}` : `${first}-${last}`)).join(':')}`)
      .join(',\n');
  }
}
