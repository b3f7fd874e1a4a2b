import type { Word, WordPart } from './syntax.ts';

/** Bash's `{a,b}` and `{1..3}`: the words that a word stands for, before anything else is expanded; undefined: too many. */
export function braceExpand(word: Word): Word[] | undefined {
  if (!word.some((part) => part.type === 'text' && !part.quoted && part.text.includes('{'))) return [word];
  const words = expand(atomsOf(word));
  return words.length > LIMIT ? undefined : words.map(join);
}

/** One unquoted character, or a part that braces do not look into. */
type Atom = string | WordPart;

function atomsOf(word: Word): Atom[] {
  return word.flatMap((part): Atom[] => (part.type === 'text' && !part.quoted ? [...part.text] : [part]));
}

function join(atoms: Atom[]): Word {
  const out: WordPart[] = [];
  for (const atom of atoms) {
    const last = out[out.length - 1];
    if (typeof atom !== 'string') out.push(atom);
    else if (last?.type === 'text' && !last.quoted) out[out.length - 1] = { ...last, text: last.text + atom };
    else out.push({ type: 'text', text: atom, quoted: false });
  }
  return out;
}

const LIMIT = 200_000;

function expand(atoms: Atom[]): Atom[][] {
  for (let start = 0; start < atoms.length; start++) {
    if (atoms[start] !== '{') continue;
    const found = braceAt(atoms, start);
    if (!found) continue;
    const before = atoms.slice(0, start);
    const rests = expand(atoms.slice(found.end + 1));
    const out: Atom[][] = [];
    for (const alternative of found.alternatives) {
      for (const rest of rests) {
        if (out.length > LIMIT) return out;
        out.push([...before, ...alternative, ...rest]);
      }
    }
    return out;
  }
  return [atoms];
}

function braceAt(atoms: Atom[], start: number): { alternatives: Atom[][]; end: number } | undefined {
  let depth = 0;
  const commas: number[] = [];
  for (let i = start; i < atoms.length; i++) {
    const atom = atoms[i];
    if (atom === '{') depth++;
    else if (atom === ',' && depth === 1) commas.push(i);
    else if (atom === '}' && --depth === 0) {
      if (commas.length === 0) {
        const sequence = sequenceOf(atoms.slice(start + 1, i));
        return sequence && { alternatives: sequence, end: i };
      }
      const edges = [start, ...commas, i];
      const alternatives = edges.slice(1).flatMap((edge, index) => expand(atoms.slice(edges[index]! + 1, edge)));
      return { alternatives, end: i };
    }
  }
  return undefined;
}

function sequenceOf(atoms: Atom[]): Atom[][] | undefined {
  if (atoms.some((atom) => typeof atom !== 'string')) return undefined;
  const match = /^(?:(-?\d+)\.\.(-?\d+)|([A-Za-z])\.\.([A-Za-z]))(?:\.\.(-?\d+))?$/.exec(atoms.join(''));
  if (!match) return undefined;
  const [, from, to, first, last, by] = match;
  const letters = first !== undefined;
  const start = letters ? first.charCodeAt(0) : Number(from);
  const end = letters ? last!.charCodeAt(0) : Number(to);
  const step = Math.max(1, Math.abs(Number(by ?? 1)));
  const width = !letters && (/^-?0\d/.test(from!) || /^-?0\d/.test(to!)) ? Math.max(from!.length, to!.length) : 0;
  const out: Atom[][] = [];
  for (let value = start; start <= end ? value <= end : value >= end; value += start <= end ? step : -step) {
    if (out.length > LIMIT) break;
    const text = letters ? String.fromCharCode(value) : value < 0 ? `-${String(-value).padStart(width - 1, '0')}` : String(value).padStart(width, '0');
    out.push([...text]);
  }
  return out;
}
