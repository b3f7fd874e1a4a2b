const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

/** UTF-8 bytes of a text. */
export function encodeText(text: string): Uint8Array {
  return encoder.encode(text);
}

/** Text of UTF-8 bytes; what is not UTF-8 becomes U+FFFD. */
export function decodeText(bytes: Uint8Array): string {
  return decoder.decode(bytes);
}

/** One array of all the chunks. */
export function concatBytes(chunks: readonly Uint8Array[]): Uint8Array {
  if (chunks.length === 1) return chunks[0]!;
  let length = 0;
  for (const chunk of chunks) length += chunk.length;
  const out = new Uint8Array(length);
  let offset = 0;
  for (const chunk of chunks) {
    out.set(chunk, offset);
    offset += chunk.length;
  }
  return out;
}

/** Decodes a stream whose chunks may cut characters in two. */
export class StreamDecoder {
  #decoder = new TextDecoder('utf-8', { ignoreBOM: true });
  decode(chunk: Uint8Array): string {
    return this.#decoder.decode(chunk, { stream: true });
  }
  /** What is left at the end (U+FFFD for a cut character, or nothing). */
  flush(): string {
    return this.#decoder.decode();
  }
}

/** Text that a process may read at once before it is killed for its hunger. */
export const READ_ALL_LIMIT_BYTES = 128 << 20;

/** All of a source as bytes. Throws what `limit` says when there is more than that. */
export async function readFully(source: { read(): Promise<Uint8Array | null> }, limitBytes = 256 << 20): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for (;;) {
    const chunk = await source.read();
    if (!chunk) return concatBytes(chunks);
    chunks.push(chunk);
    length += chunk.length;
    if (length > limitBytes) throw new RangeError('too much input');
  }
}

/** A byte above 127 inside a text (from an escape such as `\\xff`) is kept as a lone surrogate until it is written. */
export function byteCharacter(byte: number): string {
  return String.fromCharCode(byte < 128 ? byte : 0xdc00 + byte);
}

/** UTF-8 of a text in which lone surrogates from `byteCharacter` stand for single bytes. */
export function encodeWithBytes(text: string): Uint8Array {
  if (!/(?<![\ud800-\udbff])[\udc80-\udcff]/.test(text)) return encoder.encode(text);
  const pieces = text.split(/((?<![\ud800-\udbff])[\udc80-\udcff]+)/);
  return concatBytes(
    pieces.map((piece, index) => (index % 2 === 1 ? Uint8Array.from(piece, (character) => character.charCodeAt(0) & 255) : encoder.encode(piece))),
  );
}
