/** Read from /dev/zero and used for holes. Shared by everybody: never written to. */
export const ZEROS = new Uint8Array(65_536);

/** Largest small write that is copied into a growing tail instead of kept as a chunk of its own. */
const SMALL_BYTES = 4096;

/**
 * What a file holds, as a list of chunks that are never changed in place. A copy (of an image layer, on first write)
 * shares the chunks, and a gigabyte of zeros is the same chunk many times.
 */
export class FileContent {
  #chunks: Uint8Array[] = [];
  /** Where each chunk begins. */
  #starts: number[] = [];
  /** Buffer of the last chunk when it may still grow in place behind its end. */
  #tail: Uint8Array | undefined;
  size = 0;

  static of(bytes: Uint8Array): FileContent {
    const content = new FileContent();
    content.append(bytes);
    return content;
  }

  clone(): FileContent {
    const copy = new FileContent();
    copy.#chunks = [...this.#chunks];
    copy.#starts = [...this.#starts];
    copy.size = this.size;
    return copy;
  }

  /** Bytes from `offset` on, at most `limit`; may be fewer than there are (one chunk); empty at the end. */
  read(offset: number, limit: number): Uint8Array {
    if (offset >= this.size) return new Uint8Array(0);
    const index = this.#find(offset);
    const chunk = this.#chunks[index]!;
    const from = offset - this.#starts[index]!;
    return chunk.subarray(from, Math.min(chunk.length, from + limit));
  }

  /** All of it as one array. */
  bytes(): Uint8Array {
    if (this.#chunks.length === 0) return new Uint8Array(0);
    if (this.#chunks.length > 1) {
      const all = new Uint8Array(this.size);
      this.#chunks.forEach((chunk, index) => {
        all.set(chunk, this.#starts[index]!);
      });
      this.#chunks = [all];
      this.#starts = [0];
      this.#tail = undefined;
    }
    return this.#chunks[0]!;
  }

  append(chunk: Uint8Array): void {
    if (chunk.length === 0) return;
    const last = this.#chunks.length - 1;
    if (chunk.length <= SMALL_BYTES && last >= 0) {
      const current = this.#chunks[last]!;
      const used = current.length;
      if (this.#tail && used + chunk.length <= this.#tail.length) {
        this.#tail.set(chunk, used);
        this.#chunks[last] = this.#tail.subarray(0, used + chunk.length);
        this.size += chunk.length;
        return;
      }
      if (used <= 65_536 && current.buffer !== ZEROS.buffer) {
        const tail = new Uint8Array(Math.max(256, (used + chunk.length) * 2));
        tail.set(current);
        tail.set(chunk, used);
        this.#tail = tail;
        this.#chunks[last] = tail.subarray(0, used + chunk.length);
        this.size += chunk.length;
        return;
      }
    }
    this.#chunks.push(chunk);
    this.#starts.push(this.size);
    this.#tail = undefined;
    this.size += chunk.length;
  }

  write(offset: number, chunk: Uint8Array): void {
    while (this.size < offset) this.append(ZEROS.subarray(0, Math.min(ZEROS.length, offset - this.size)));
    if (offset === this.size) {
      this.append(chunk);
      return;
    }
    const after = this.#tailFrom(offset + chunk.length);
    this.truncate(offset);
    this.#push(chunk);
    for (const piece of after) this.#push(piece);
  }

  truncate(size: number): void {
    if (size >= this.size) {
      while (this.size < size) this.#push(ZEROS.subarray(0, Math.min(ZEROS.length, size - this.size)));
      return;
    }
    const index = this.#find(size);
    const cut = size - this.#starts[index]!;
    const first = this.#chunks[index]!;
    this.#chunks.length = index;
    this.#starts.length = index;
    this.size = size - cut;
    this.#tail = undefined;
    this.#push(first.subarray(0, cut));
  }

  /** Bytes of memory really taken: holes and zeros cost nothing. */
  costBytes(): number {
    let cost = 0;
    for (const chunk of this.#chunks) if (chunk.buffer !== ZEROS.buffer) cost += chunk.length;
    return cost;
  }

  #push(chunk: Uint8Array): void {
    if (chunk.length === 0) return;
    this.#chunks.push(chunk);
    this.#starts.push(this.size);
    this.size += chunk.length;
    this.#tail = undefined;
  }

  #tailFrom(offset: number): Uint8Array[] {
    if (offset >= this.size) return [];
    const index = this.#find(offset);
    return [this.#chunks[index]!.subarray(offset - this.#starts[index]!), ...this.#chunks.slice(index + 1)];
  }

  /** The chunk that holds the byte at `offset` (which is below the size). */
  #find(offset: number): number {
    let low = 0;
    let high = this.#starts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.#starts[middle]! <= offset) low = middle;
      else high = middle - 1;
    }
    return low;
  }
}
