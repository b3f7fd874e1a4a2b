/** One part of a page that search can land on (scripts/search-index.ts writes them). */
export interface SearchEntry {
  url: string;
  page: string;
  heading: string;
  text: string;
}

export interface SearchResult {
  entry: SearchEntry;
  score: number;
  /** The text around the first place that matches; parts in odd positions are the matches. */
  excerpt: string[];
}

/** Other words that readers use for what the lessons call differently. */
const ALSO: Record<string, readonly string[]> = {
  無頭服務: ['headless service', 'headless'],
  持久化: ['persistentvolume', 'pvc', '儲存'],
  滾動更新: ['rollingupdate', '更新'],
  有狀態: ['statefulset'],
  有狀態集: ['statefulset'],
  集群: ['叢集'],
  節點: ['node'],
  容器: ['container'],
  副本: ['replicas'],
  解析: ['nslookup', 'dns'],
  卷: ['volume', 'pv'],
};
const EXCERPT = 70;

/** Where a word stands in a text: any stretch of characters counts, as Chinese has no spaces. */
function find(text: string, word: string): { at: number; length: number } | undefined {
  const at = text.indexOf(word);
  if (at >= 0) return { at, length: word.length };
  for (const other of ALSO[word] ?? []) {
    const place = text.indexOf(other);
    if (place >= 0) return { at: place, length: other.length };
  }
  return undefined;
}

/** Entries that hold every word of the query, best first. */
export function searchEntries(entries: readonly SearchEntry[], query: string, limit = 30): SearchResult[] {
  const words = query
    .toLowerCase()
    .split(/[\s　]+/)
    .filter((word) => word !== '');
  if (words.length === 0) return [];
  const results: SearchResult[] = [];
  for (const entry of entries) {
    const fields: [string, number][] = [
      [entry.page.toLowerCase(), 6],
      [entry.heading.toLowerCase(), 9],
      [entry.text.toLowerCase(), 1],
    ];
    let score = 0;
    let complete = true;
    for (const word of words) {
      let best = 0;
      for (const [text, weight] of fields) {
        const place = find(text, word);
        if (place) best += weight * (text.startsWith(word, place.at) ? 2 : 1) + (weight === 1 ? Math.min(3, text.split(word).length - 1) * 0.3 : 0);
      }
      if (best === 0) complete = false;
      score += best;
    }
    if (complete) results.push({ entry, score, excerpt: excerptOf(entry.text, words) });
  }
  return results.sort((a, b) => b.score - a.score).slice(0, limit);
}

function excerptOf(text: string, words: readonly string[]): string[] {
  const lower = text.toLowerCase();
  const first = words.map((word) => find(lower, word)).find((place) => place !== undefined);
  const from = Math.max(0, (first?.at ?? 0) - 24);
  const piece = text.slice(from, from + EXCERPT + 24);
  const parts: string[] = [];
  let rest = piece;
  let lead = from > 0 ? '…' : '';
  while (rest !== '') {
    const place = words
      .map((word) => find(rest.toLowerCase(), word))
      .filter((each) => each !== undefined)
      .sort((a, b) => a.at - b.at)[0];
    if (!place) break;
    parts.push(lead + rest.slice(0, place.at), rest.slice(place.at, place.at + place.length));
    lead = '';
    rest = rest.slice(place.at + place.length);
  }
  parts.push(lead + rest + (from + EXCERPT + 24 < text.length ? '…' : ''));
  return parts;
}
