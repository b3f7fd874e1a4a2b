/** Begins each message, so that a terminal's echo and stray prints are told apart from messages. */
const MARK = '\x1e';

/** A message as one line of a process' standard input or output. */
export function frameMessage(message: unknown): string {
  return `${MARK}${JSON.stringify(message)}\n`;
}

/** Finds messages in what a process prints; everything else goes to `onOther` line by line. */
export class MessageReader {
  #rest = '';
  #onMessage: (message: unknown) => void;
  #onOther: (line: string) => void;

  constructor(onMessage: (message: unknown) => void, onOther: (line: string) => void = () => undefined) {
    this.#onMessage = onMessage;
    this.#onOther = onOther;
  }

  feed(text: string): void {
    const lines = (this.#rest + text).split('\n');
    this.#rest = lines.pop() ?? '';
    for (const line of lines) {
      const mark = line.indexOf(MARK);
      const parsed = mark < 0 ? undefined : parse(line.slice(mark + 1));
      if (parsed === undefined) this.#onOther(line);
      else this.#onMessage(parsed);
    }
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
