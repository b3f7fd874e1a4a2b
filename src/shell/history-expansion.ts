/** What `!!`, `!$`, `!n`, `!-n` and `!text` stand for in an interactive bash; undefined and the word when nothing fits. */
export function expandHistory(line: string, history: readonly string[]): { text: string; missing?: string } {
  let missing: string | undefined;
  let out = '';
  let quoted = false;
  for (let i = 0; i < line.length; i++) {
    const character = line[i]!;
    if (character === '\\') {
      out += line.slice(i, i + 2);
      i++;
      continue;
    }
    if (character === "'") quoted = !quoted;
    const event = character === '!' && !quoted ? /^!(?:!|\$|-?\d+|\?[^?\s]+\??|[A-Za-z_./][^\s;|&"'<>()]*)/.exec(line.slice(i))?.[0] : undefined;
    // `${!x}`, `[!a]` and `!=` are no events.
    if (event === undefined || '{[$'.includes(line[i - 1] ?? ' ')) {
      out += character;
      continue;
    }
    const found = lookUp(event.slice(1), history);
    if (found === undefined) missing ??= event;
    out += found ?? event;
    i += event.length - 1;
  }
  return missing === undefined ? { text: out } : { text: line, missing };
}

function lookUp(name: string, history: readonly string[]): string | undefined {
  if (name === '!') return history.at(-1);
  if (name === '$') return history.at(-1)?.trim().split(/\s+/).at(-1);
  if (/^-?\d+$/.test(name)) return Number(name) < 0 ? history.at(Number(name)) : history[Number(name) - 1];
  if (name.startsWith('?')) return history.findLast((line) => line.includes(name.replace(/^\?|\?$/g, '')));
  return history.findLast((line) => line.startsWith(name));
}
