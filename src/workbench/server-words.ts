import { type Document, isMap, isScalar, type Node, parseAllDocuments } from 'yaml';

/** A refusal at its place in the text (character offsets): what it means, and the words kubectl or the API server use. */
export interface Refusal {
  from: number;
  to: number;
  means: string;
  words: string;
}

/** What a refusal means, by the words it is made of. `name` is the last part of the field's path. */
const MEANINGS: readonly [RegExp, (name: string, match: RegExpExecArray) => string][] = [
  [/unknown field/, (name) => `這裡沒有 ${name} 這個欄位，看看是不是打錯字，或是縮排到別層了。`],
  [/duplicate field/, (name) => `${name} 寫了兩次。`],
  [/Required value/, (name) => `少了必填的 ${name}。`],
  [/Not found:/, (name) => `${name} 提到的東西不存在，對一下名字。`],
  [/Unsupported value|must be '/, (name) => `${name} 只能用列出來的值。`],
  [/Duplicate value/, (name) => `${name} 不能重複。`],
  [/does not match template/, () => 'selector 和樣板裡的標籤要一致，不然它找不到自己的 Pod。'],
  [/cannot unmarshal (\w+) .* of type (\S+)/, (name, match) => `${name} 的型別不對：寫的是 ${match[1]}，要的是 ${match[2]}。`],
  [/Invalid value/, (name) => `${name} 的值不合規則。`],
  [/Forbidden/, (name) => `${name} 不能這樣寫。`],
  [/Too (long|many)/, (name) => `${name} 太長或太多了。`],
  [/(apiVersion|kind) not set/, (_, match) => `還沒寫 ${match[1]}。`],
  [/tab character|cannot start any token/, () => 'YAML 的縮排不能用 Tab，請改成空白。'],
  [/error converting YAML to JSON/, () => '這裡不是合法的 YAML。'],
];

const FIELD = /(?:\* |is invalid: )([A-Za-z][\w.[\]-]*): /;
const UNKNOWN = /(?:unknown|duplicate) field "([^"]+)"/g;
const GO_FIELD = /Go struct field \w+\.([\w.]+) of type/;

/** Places kubectl's and the API server's words (lines of stderr) in the text they speak of. */
export function placeRefusals(text: string, lines: readonly string[]): Refusal[] {
  const documents = parseAllDocuments(text).filter((document): document is Document.Parsed => 'contents' in document);
  const found: Refusal[] = [];
  let about: { kind: string; name?: string } | undefined;
  for (const line of lines) {
    const named = /^The (\w+) "([^"]*)" is invalid:/.exec(line);
    const decoding = /: (\w+) in version "/.exec(line);
    if (named) about = { kind: named[1] ?? '', name: named[2] };
    else if (decoding) about = { kind: decoding[1] ?? '' };
    if (/is invalid: $/.test(line)) continue;
    const paths = [...line.matchAll(UNKNOWN)].map((match) => match[1] ?? '');
    const field = FIELD.exec(line)?.[1] ?? GO_FIELD.exec(line)?.[1];
    if (field) paths.push(field);
    const place = (path: string, whole: boolean): { from: number; to: number } => {
      const at = /yaml: line (\d+):/.exec(line)?.[1];
      if (at) return lineAt(text, Number(at));
      const document = documents.find((each) => isAbout(each, about)) ?? documents[0];
      return document ? nodeAt(document, path, whole) : { from: 0, to: Math.min(1, text.length) };
    };
    for (const path of paths.length > 0 ? paths : ['']) {
      const name =
        path
          .split(/[.[]/)
          .filter((part) => !/^\d*\]?$/.test(part))
          .at(-1) ?? path;
      found.push({ ...place(path, line.includes(' field "')), means: meaning(line, name), words: line.replace(/^\* /, '') });
    }
  }
  return found;
}

function meaning(line: string, name: string): string {
  for (const [pattern, say] of MEANINGS) {
    const match = pattern.exec(line);
    if (match) return say(name, match);
  }
  return '這份設定不會被接受。';
}

function isAbout(document: Document.Parsed, about: { kind: string; name?: string } | undefined): boolean {
  if (!isMap(document.contents)) return false;
  if (about === undefined) return true;
  return document.get('kind') === about.kind && (about.name === undefined || document.getIn(['metadata', 'name']) === about.name);
}

function lineAt(text: string, line: number): { from: number; to: number } {
  const lines = text.split('\n');
  const from = lines.slice(0, line - 1).reduce((sum, each) => sum + each.length + 1, 0);
  return { from: Math.min(from, text.length), to: Math.min(from + Math.max(1, lines[line - 1]?.length ?? 1), text.length) };
}

/** The value (or key) that a path such as "spec.containers[0].name" leads to, or the nearest key above it that is written. */
function nodeAt(document: Document.Parsed, path: string, key: boolean): { from: number; to: number } {
  const steps = path
    .split(/[.[\]]+/)
    .filter(Boolean)
    .map((step) => (/^\d+$/.test(step) ? Number(step) : step));
  let node: unknown = document.contents;
  let range = (document.contents as Node | null)?.range;
  for (const [index, step] of steps.entries()) {
    // Go's names of fields leave list indices out: the first item stands for all.
    if (!isMap(node) && typeof step === 'string') node = (node as { get?(key: number, keep: boolean): unknown } | null)?.get?.(0, true);
    if (isMap(node)) {
      const pair = node.items.find((each) => isScalar(each.key) && String(each.key.value) === String(step));
      if (!pair) break;
      range = (!key && index === steps.length - 1 && isScalar(pair.value) ? pair.value : (pair.key as Node)).range;
      node = pair.value;
    } else {
      const item = (node as { get?(key: unknown, keep: boolean): unknown } | null)?.get?.(step, true) as Node | undefined;
      if (!item) break;
      range = item.range;
      node = item;
    }
  }
  const [from = 0, to = 1] = range ?? [];
  return { from, to: Math.max(from + 1, to) };
}
