/** A Corefile, read as Caddy's parser reads it: server blocks of directives, nested braces, imports, quotes and comments. */
export interface ServerBlock {
  /** Zones with trailing dots, lower case. */
  zones: readonly string[];
  port: number;
  directives: readonly Directive[];
}

export interface Directive {
  name: string;
  args: readonly string[];
  /** Lines inside the directive's own braces. */
  block: readonly (readonly string[])[];
  line: number;
}

/** Startup fails with this; `message` is the line CoreDNS logs. */
export class CorefileError extends Error {}

interface Token {
  text: string;
  line: number;
}

/** `imports`: text of the files that match a glob, by name; empty when none does. */
export function parseCorefile(text: string, imports: (glob: string) => readonly string[]): ServerBlock[] {
  const tokens = tokenise(text);
  const blocks: ServerBlock[] = [];
  let at = 0;
  const peek = (): Token | undefined => tokens[at];
  while (at < tokens.length) {
    const first = tokens[at] as Token;
    if (first.text === 'import') {
      const glob = tokens[at + 1]?.text ?? '';
      at += 2;
      const included = imports(glob).flatMap((file) => tokenise(file));
      tokens.splice(at, 0, ...included);
      continue;
    }
    const keys: string[] = [];
    while (peek() && peek()?.text !== '{') {
      keys.push(...(peek() as Token).text.split(',').filter(Boolean));
      at++;
    }
    if (!peek()) throw new CorefileError(`Corefile:${first.line} - Error during parsing: Unexpected EOF`);
    at++;
    const directives: Directive[] = [];
    for (;;) {
      const token = peek();
      if (!token) throw new CorefileError(`/etc/coredns/Corefile:${tokens.at(-1)?.line ?? 1} - Error during parsing: Unexpected EOF`);
      at++;
      if (token.text === '}') break;
      const args: string[] = [];
      while (peek() && peek()?.line === token.line && peek()?.text !== '{' && peek()?.text !== '}') args.push((tokens[at++] as Token).text);
      if (token.text === 'import') {
        tokens.splice(at, 0, ...imports(args[0] ?? '').flatMap((file) => tokenise(file)));
        continue;
      }
      const block: string[][] = [];
      if (peek()?.text === '{' && peek()?.line === token.line) {
        at++;
        let lastLine = -1;
        for (let depth = 1; ; ) {
          const inner = tokens[at++];
          if (!inner) throw new CorefileError(`/etc/coredns/Corefile:${token.line} - Error during parsing: Unexpected EOF`);
          if (inner.text === '{') depth++;
          else if (inner.text === '}') {
            if (--depth === 0) break;
          } else if (inner.line === lastLine) block.at(-1)?.push(inner.text);
          else block.push([inner.text]);
          lastLine = inner.line;
        }
      }
      directives.push({ name: token.text, args, block, line: token.line });
    }
    const parsed = keys.map(parseKey);
    for (const port of new Set(parsed.map((key) => key.port))) {
      blocks.push({ zones: parsed.filter((key) => key.port === port).flatMap((key) => key.zones), port, directives });
    }
  }
  return blocks;
}

/** ".:53", "cluster.local", "dns://example.org:1053", "10.0.0.0/24". */
function parseKey(key: string): { zones: string[]; port: number } {
  const match = /^(?:dns:\/\/)?(.*?)(?::(\d+))?$/.exec(key);
  return { zones: normaliseZone(match?.[1] ?? '.'), port: match?.[2] ? Number(match[2]) : 53 };
}

export function normaliseZone(zone: string): string[] {
  const cidr = /^(\d+)\.(\d+)\.(\d+)\.\d+\/(8|16|24)$/.exec(zone);
  if (cidr) {
    return [
      `${cidr
        .slice(1, 1 + Number(cidr[4]) / 8)
        .reverse()
        .join('.')}.in-addr.arpa.`,
    ];
  }
  const lower = zone.toLowerCase();
  return [lower === '' || lower.endsWith('.') ? lower || '.' : `${lower}.`];
}

function tokenise(text: string): Token[] {
  const tokens: Token[] = [];
  const pattern = /#[^\n]*|"((?:[^"\\]|\\.)*)"|\n|[^\s"#][^\s]*|"/g;
  let line = 1;
  for (const match of text.matchAll(pattern)) {
    const word = match[0];
    if (word === '\n') line++;
    else if (match[1] !== undefined) tokens.push({ text: match[1].replace(/\\"/g, '"'), line });
    else if (!word.startsWith('#')) tokens.push({ text: word, line });
  }
  return tokens;
}
