import type { Json } from './object.ts';

/** JSON.parse; errors in the words of Go's encoding/json where kubectl shows them. */
export function parseJson(text: string): Json {
  try {
    return JSON.parse(text);
  } catch {
    throw new Error(goSyntaxError(text));
  }
}

/** The message of Go's json.SyntaxError for a text that JSON.parse refused. */
export function goSyntaxError(text: string): string {
  return scanJson(text, 0, false).problem ?? 'invalid JSON';
}

/** Walks over one JSON value as Go's scanner does; `end` is behind the value, or where the problem was found. */
export function scanJson(text: string, start: number, stream: boolean): { end: number; problem?: string } {
  let position = start;
  const fail = (message: string): never => {
    throw new Error(message);
  };
  const show = (char: string): string => (char === "'" ? `'\\''` : char === '"' ? `'"'` : `'${JSON.stringify(char).slice(1, -1)}'`);
  const space = (): void => {
    while (/[ \t\r\n]/.test(text[position] ?? '')) position++;
  };
  const end = (): boolean => position >= text.length;
  const unexpected = (context: string): never =>
    end() ? fail('unexpected end of JSON input') : fail(`invalid character ${show(text[position] as string)} ${context}`);
  const string = (): void => {
    position++;
    while (!end() && text[position] !== '"') {
      if (text[position] === '\\') position++;
      else if ((text[position] as string) < ' ') unexpected('in string literal');
      position++;
    }
    if (end()) unexpected('');
    position++;
  };
  const literal = (word: string): void => {
    for (let i = 0; i < word.length; i++, position++) {
      if (text[position] !== word[i]) unexpected(`in literal ${word} (expecting ${show(word[i] as string)})`);
    }
  };
  const value = (): void => {
    space();
    const char = text[position];
    if (char === '{') {
      position++;
      space();
      if (text[position] === '}') {
        position++;
        return;
      }
      for (;;) {
        space();
        if (text[position] !== '"') unexpected('looking for beginning of object key string');
        string();
        space();
        if (text[position] !== ':') unexpected('after object key');
        position++;
        value();
        space();
        if (text[position] === ',') {
          position++;
          continue;
        }
        if (text[position] !== '}') unexpected('after object key:value pair');
        position++;
        return;
      }
    }
    if (char === '[') {
      position++;
      space();
      if (text[position] === ']') {
        position++;
        return;
      }
      for (;;) {
        value();
        space();
        if (text[position] === ',') {
          position++;
          continue;
        }
        if (text[position] !== ']') unexpected('after array element');
        position++;
        return;
      }
    }
    if (char === '"') string();
    else if (char === 't') literal('true');
    else if (char === 'f') literal('false');
    else if (char === 'n') literal('null');
    else {
      const number = /^-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?/.exec(text.slice(position));
      if (!number) unexpected('looking for beginning of value');
      position += (number as RegExpExecArray)[0].length;
    }
  };
  try {
    value();
    if (stream) return { end: position };
    space();
    if (!end()) unexpected('after top-level value');
    return { end: position };
  } catch (error) {
    return { end: position, problem: error instanceof Error ? error.message : String(error) };
  }
}
