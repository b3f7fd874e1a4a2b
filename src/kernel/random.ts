/**
 * Seeded pseudo-random numbers (sfc32). The simulation has no other source of chance,
 * so that a session is its seed plus its inputs.
 */
export class Random {
  #a: number;
  #b: number;
  #c: number;
  #d: number;

  constructor(seed: string) {
    // FNV-1a over the seed text, four times with different offsets, gives the 128-bit start state.
    const word = (offset: number): number => {
      let hash = (0x811c9dc5 ^ offset) >>> 0;
      for (let i = 0; i < seed.length; i++) hash = Math.imul(hash ^ seed.charCodeAt(i), 0x01000193) >>> 0;
      return hash;
    };
    this.#a = word(0x9e3779b9);
    this.#b = word(0x243f6a88);
    this.#c = word(0xb7e15162);
    this.#d = word(0x1);
    for (let i = 0; i < 16; i++) this.uint32();
  }

  uint32(): number {
    const t = (this.#a + this.#b + this.#d) >>> 0;
    this.#d = (this.#d + 1) >>> 0;
    this.#a = (this.#b ^ (this.#b >>> 9)) >>> 0;
    this.#b = (this.#c + (this.#c << 3)) >>> 0;
    this.#c = ((this.#c << 21) | (this.#c >>> 11)) >>> 0;
    this.#c = (this.#c + t) >>> 0;
    return t;
  }

  /** A number in [0, 1). */
  float(): number {
    return this.uint32() / 0x1_0000_0000;
  }

  /** An integer in [0, bound). */
  int(bound: number): number {
    return Math.floor(this.float() * bound);
  }

  /** A number in [min, max). */
  between(min: number, max: number): number {
    return min + this.float() * (max - min);
  }

  pick<T>(items: readonly T[]): T {
    const item = items[this.int(items.length)];
    if (item === undefined) throw new Error('pick from an empty list');
    return item;
  }

  /** A shuffled copy (Fisher-Yates). */
  shuffle<T>(items: readonly T[]): T[] {
    const out = [...items];
    for (let i = out.length - 1; i > 0; i--) {
      const j = this.int(i + 1);
      [out[i], out[j]] = [out[j] as T, out[i] as T];
    }
    return out;
  }

  /** A generator of its own, so that one component's draws do not shift another's. */
  fork(name: string): Random {
    return new Random(`${name}:${this.uint32()}:${this.uint32()}`);
  }
}
