import type { Json, Obj } from '../util/object.ts';
import { type Mark, type Token, YamlError, YamlScanner } from './yaml-scan.ts';

/**
 * The parser of libyaml and the decoding of go-yaml v2 into JSON values: YAML 1.1 booleans and numbers, timestamps left
 * as text, merge keys, aliases; a key that comes twice keeps its last value.
 */
export function parseYaml(text: string): Json {
  return new YamlParser(text).document();
}

const TAG_PREFIX = 'tag:yaml.org,2002:';

/** A mapping while it is read: merge keys have to be seen after the others. */
interface Node {
  kind: 'scalar' | 'sequence' | 'mapping';
  tag: string;
  value: string;
  plain: boolean;
  items: Node[];
}

class YamlParser {
  readonly #scanner: YamlScanner;
  readonly #anchors = new Map<string, Node>();
  #tagDirectives = new Map<string, string>();
  #expansions = 0;

  constructor(text: string) {
    this.#scanner = new YamlScanner(text === '' ? '\n' : text);
  }

  /** The first document. */
  document(): Json {
    this.#scanner.next();
    let token = this.#scanner.peek();
    if (token.type === 'stream-end') return null;
    this.#directives();
    token = this.#scanner.peek();
    let root: Node;
    if (token.type === 'document-start') {
      this.#scanner.next();
      token = this.#scanner.peek();
      root = ['version-directive', 'tag-directive', 'document-start', 'document-end', 'stream-end'].includes(token.type)
        ? emptyNode()
        : this.#node(true, false);
    } else {
      if (this.#explicit) throw new YamlError('did not find expected <document start>', { mark: token.start });
      root = this.#node(true, false);
    }
    // The token that ends the document is looked at, so that what follows a complete node is told.
    const after = this.#scanner.peek();
    if (after.type === 'document-end') this.#scanner.next();
    else if (after.type !== 'stream-end' && after.type !== 'document-start') {
      this.#next = after;
    }
    if (this.#next) throw new YamlError('did not find expected <document start>', { mark: this.#next.start });
    return this.#decode(root, new Set());
  }

  #explicit = false;
  #next: Token | undefined;

  #directives(): void {
    let token = this.#scanner.peek();
    let version = false;
    this.#tagDirectives = new Map();
    while (token.type === 'version-directive' || token.type === 'tag-directive') {
      this.#explicit = true;
      if (token.type === 'version-directive') {
        if (version) throw new YamlError('found duplicate %YAML directive', { mark: token.start });
        if (token.value !== '1.1') throw new YamlError('found incompatible YAML document', { mark: token.start });
        version = true;
      } else {
        if (this.#tagDirectives.has(token.value)) throw new YamlError('found duplicate %TAG directive', { mark: token.start });
        this.#tagDirectives.set(token.value, token.suffix);
      }
      this.#scanner.next();
      token = this.#scanner.peek();
    }
    if (!this.#tagDirectives.has('!')) this.#tagDirectives.set('!', '!');
    if (!this.#tagDirectives.has('!!')) this.#tagDirectives.set('!!', TAG_PREFIX);
  }

  #node(block: boolean, indentless: boolean): Node {
    let token = this.#scanner.peek();
    if (token.type === 'alias') {
      this.#scanner.next();
      const target = this.#anchors.get(token.value);
      if (!target) throw new YamlError(`unknown anchor '${token.value}' referenced`);
      return target;
    }
    const start = token.start;
    let anchor = '';
    let tag = '';
    let tagToken: Token | undefined;
    for (let i = 0; i < 2; i++) {
      if (token.type === 'anchor' && anchor === '') anchor = token.value;
      else if (token.type === 'tag' && !tagToken) tagToken = token;
      else break;
      this.#scanner.next();
      token = this.#scanner.peek();
    }
    if (tagToken) {
      if (tagToken.value === '') tag = tagToken.suffix;
      else {
        const prefix = this.#tagDirectives.get(tagToken.value);
        if (prefix === undefined) throw new YamlError('found undefined tag handle', { context: start, mark: tagToken.start });
        tag = prefix + tagToken.suffix;
      }
    }
    const node: Node = { kind: 'scalar', tag, value: '', plain: true, items: [] };
    if (anchor !== '') this.#anchors.set(anchor, node);
    if (indentless && token.type === 'block-entry') {
      node.kind = 'sequence';
      this.#indentlessSequence(node);
    } else if (token.type === 'scalar') {
      this.#scanner.next();
      node.value = token.value;
      node.plain = (tag === '' && token.plain) || tag === '!';
    } else if (token.type === 'flow-sequence-start') {
      node.kind = 'sequence';
      this.#flowSequence(node);
    } else if (token.type === 'flow-mapping-start') {
      node.kind = 'mapping';
      this.#flowMapping(node);
    } else if (block && token.type === 'block-sequence-start') {
      node.kind = 'sequence';
      this.#blockSequence(node);
    } else if (block && token.type === 'block-mapping-start') {
      node.kind = 'mapping';
      this.#blockMapping(node);
    } else if (anchor === '' && tag === '') throw new YamlError('did not find expected node content', { context: start, mark: token.start });
    return node;
  }

  #blockSequence(node: Node): void {
    const { start } = this.#scanner.next();
    for (;;) {
      const token = this.#scanner.peek();
      if (token.type === 'block-end') {
        this.#scanner.next();
        return;
      }
      if (token.type !== 'block-entry') throw new YamlError("did not find expected '-' indicator", { context: start, mark: token.start });
      this.#scanner.next();
      const next = this.#scanner.peek().type;
      node.items.push(next === 'block-entry' || next === 'block-end' ? emptyNode() : this.#node(true, false));
    }
  }

  #indentlessSequence(node: Node): void {
    while (this.#scanner.peek().type === 'block-entry') {
      this.#scanner.next();
      const next = this.#scanner.peek().type;
      node.items.push(next === 'block-entry' || next === 'key' || next === 'value' || next === 'block-end' ? emptyNode() : this.#node(true, false));
    }
  }

  #blockMapping(node: Node): void {
    const { start } = this.#scanner.next();
    const absent = (): boolean => ['key', 'value', 'block-end'].includes(this.#scanner.peek().type);
    for (;;) {
      const token = this.#scanner.peek();
      if (token.type === 'block-end') {
        this.#scanner.next();
        return;
      }
      if (token.type !== 'key') throw new YamlError('did not find expected key', { context: start, mark: token.start });
      this.#scanner.next();
      node.items.push(absent() ? emptyNode() : this.#node(true, true));
      if (this.#scanner.peek().type === 'value') {
        this.#scanner.next();
        node.items.push(absent() ? emptyNode() : this.#node(true, true));
      } else node.items.push(emptyNode());
    }
  }

  #flowSequence(node: Node): void {
    const { start } = this.#scanner.next();
    for (let first = true; ; first = false) {
      let token = this.#scanner.peek();
      if (token.type !== 'flow-sequence-end') {
        if (!first) token = this.#separator(start, token, "did not find expected ',' or ']'");
        if (token.type === 'key') {
          this.#scanner.next();
          node.items.push(this.#singlePair());
          continue;
        }
        if (token.type !== 'flow-sequence-end') {
          node.items.push(this.#node(false, false));
          continue;
        }
      }
      this.#scanner.next();
      return;
    }
  }

  #separator(start: Mark, token: Token, problem: string): Token {
    if (token.type !== 'flow-entry') throw new YamlError(problem, { context: start, mark: token.start });
    this.#scanner.next();
    return this.#scanner.peek();
  }

  #singlePair(): Node {
    const node: Node = { kind: 'mapping', tag: '', value: '', plain: true, items: [] };
    const ends = (...types: string[]): boolean => types.includes(this.#scanner.peek().type);
    if (ends('value', 'flow-entry', 'flow-sequence-end')) {
      this.#scanner.next();
      node.items.push(emptyNode());
    } else node.items.push(this.#node(false, false));
    if (this.#scanner.peek().type === 'value') {
      this.#scanner.next();
      node.items.push(ends('flow-entry', 'flow-sequence-end') ? emptyNode() : this.#node(false, false));
    } else node.items.push(emptyNode());
    return node;
  }

  #flowMapping(node: Node): void {
    const { start } = this.#scanner.next();
    const ends = (...types: string[]): boolean => types.includes(this.#scanner.peek().type);
    for (let first = true; ; first = false) {
      let token = this.#scanner.peek();
      if (token.type !== 'flow-mapping-end') {
        if (!first) token = this.#separator(start, token, "did not find expected ',' or '}'");
        if (token.type === 'key') {
          this.#scanner.next();
          node.items.push(ends('value', 'flow-entry', 'flow-mapping-end') ? emptyNode() : this.#node(false, false));
          if (this.#scanner.peek().type === 'value') {
            this.#scanner.next();
            node.items.push(ends('flow-entry', 'flow-mapping-end') ? emptyNode() : this.#node(false, false));
          } else node.items.push(emptyNode());
          continue;
        }
        if (token.type !== 'flow-mapping-end') {
          node.items.push(this.#node(false, false), emptyNode());
          continue;
        }
      }
      this.#scanner.next();
      return;
    }
  }

  #decode(node: Node, inside: Set<Node>): Json {
    if (node.kind === 'scalar') return resolve(node);
    if (inside.has(node)) throw new YamlError('anchor value contains itself');
    // Aliases of aliases can grow without bound.
    if (++this.#expansions > 400_000) throw new YamlError('document contains excessive aliasing');
    const within = new Set(inside).add(node);
    if (node.kind === 'sequence') return node.items.map((item) => this.#decode(item, within));
    const out: Obj = {};
    const merges: Node[] = [];
    for (let i = 0; i < node.items.length; i += 2) {
      const key = node.items[i] as Node;
      const value = node.items[i + 1] as Node;
      if (key.kind === 'scalar' && key.value === '<<' && key.plain) merges.push(value);
      else {
        const name = keyText(this.#decode(key, within));
        Object.defineProperty(out, name, { value: this.#decode(value, within), writable: true, enumerable: true, configurable: true });
      }
    }
    for (const merge of merges) this.#merge(out, merge, within);
    return out;
  }

  #merge(out: Obj, node: Node, inside: Set<Node>): void {
    const value = this.#decode(node, inside);
    const sources = Array.isArray(value) ? value : [value];
    for (const source of sources) {
      if (typeof source !== 'object' || source === null || Array.isArray(source))
        throw new YamlError('map merge requires map or sequence of maps as the value');
      for (const [key, item] of Object.entries(source)) if (!Object.hasOwn(out, key)) out[key] = item;
    }
  }
}

function emptyNode(): Node {
  return { kind: 'scalar', tag: '', value: '', plain: true, items: [] };
}

/** Keys that are no strings become text, as sigs.k8s.io/yaml converts them. */
function keyText(key: Json): string {
  if (typeof key === 'string') return key;
  if (typeof key === 'number' || typeof key === 'boolean') return String(key);
  if (key === null) throw new Error('unsupported map key of type: <nil>, key: <nil>, value: ');
  throw new YamlError(`invalid map key: ${JSON.stringify(key)}`);
}

const WORDS = new Map<string, Json>();
for (const word of 'y Y yes Yes YES true True TRUE on On ON'.split(' ')) WORDS.set(word, true);
for (const word of 'n N no No NO false False FALSE off Off OFF'.split(' ')) WORDS.set(word, false);
for (const word of ['', '~', 'null', 'Null', 'NULL']) WORDS.set(word, null);

function resolve(node: Node): Json {
  const { value } = node;
  const tag = node.tag.startsWith(TAG_PREFIX) ? node.tag.slice(TAG_PREFIX.length) : node.tag;
  if (tag === 'binary') return atob(value.replace(/\s/g, ''));
  if (tag === 'str' || (!node.plain && tag === '') || tag === '!') return value;
  if (tag !== '' && !['int', 'float', 'bool', 'null', 'timestamp'].includes(tag)) return value;
  if (WORDS.has(value)) return WORDS.get(value);
  if (/^[-+.\d]/.test(value)) {
    const number = numberOf(value);
    if (number !== undefined) return number;
  }
  if (tag !== '' && tag !== 'timestamp') throw new YamlError(`cannot decode !!str \`${value}\` as a !!${tag}`);
  return value;
}

function numberOf(text: string): number | undefined {
  if (text.startsWith('.')) return /^\.\d+([eE][-+]?\d+)?$/.test(text) ? Number(text) : undefined;
  const plain = text.replaceAll('_', '');
  const integer = /^([+-]?)(0[xX][0-9a-fA-F]+|0[bB][01]+|0[oO][0-7]+|0[0-7]*|[1-9]\d*)$/.exec(plain);
  if (integer) {
    const digits = (integer[2] as string).replace(/^0(?=[0-7])/, '0o');
    const value = Number(digits);
    return integer[1] === '-' ? -value : value;
  }
  return /^[-+]?(\.\d+|\d+(\.\d*)?)([eE][-+]?\d+)?$/.test(plain) ? Number(plain) : undefined;
}
