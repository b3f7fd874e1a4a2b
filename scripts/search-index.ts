import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join, sep } from 'node:path';

/** One part of a page that search can land on. */
interface SearchEntry {
  /** Path below the site's base, with the heading's anchor. */
  url: string;
  page: string;
  heading: string;
  text: string;
}

const ENTITIES: Record<string, string> = { amp: '&', lt: '<', gt: '>', quot: '"', nbsp: ' ', '#39': "'", '#x27': "'" };

function textOf(html: string): string {
  return (
    html
      .replace(/<(script|style|template|svg|button)\b[\s\S]*?<\/\1>/g, ' ')
      .replace(/<[^>]+>/g, ' ')
      .replace(/&(#?\w+);/g, (whole, name: string) => ENTITIES[name] ?? (/^#\d+$/.test(name) ? String.fromCodePoint(Number(name.slice(1))) : whole))
      .replace(/\s+/g, ' ')
      // Markup between Han characters is not a space to the reader.
      .replace(/(?<=[\u3000-\u9fff\uff00-\uffef]) (?=[\u3000-\u9fff\uff00-\uffef])/g, '')
      .trim()
  );
}

/** Splits a page's text at its headings. Pages marked `data-pagefind-ignore` or without a main part give nothing. */
export function indexPage(html: string, url: string): SearchEntry[] {
  const main = /<main[^>]*>([\s\S]*?)<footer/.exec(html)?.[1] ?? /<main[^>]*>([\s\S]*)<\/main>/.exec(html)?.[1];
  if (main === undefined) return [];
  const page = textOf(/<h1[^>]*>([\s\S]*?)<\/h1>/.exec(main)?.[1] ?? '');
  const entries: SearchEntry[] = [];
  let anchor = '';
  let heading = '';
  let from = 0;
  const close = (to: number): void => {
    const text = textOf(main.slice(from, to));
    if (text !== '') entries.push({ url: anchor === '' ? url : `${url}#${anchor}`, page, heading, text });
  };
  for (const found of main.matchAll(/<(h[23]|dt)\b[^>]*\bid="([^"]+)"[^>]*>([\s\S]*?)<\/\1>/g)) {
    close(found.index);
    anchor = found[2] ?? '';
    heading = textOf(found[3] ?? '');
    from = found.index + found[0].length;
  }
  close(main.length);
  return entries;
}

/** Writes dist/search.json: every page but the front page's and the 404's chrome. */
export function writeSearchIndex(root: string): number {
  const entries: SearchEntry[] = [];
  const visit = (folder: string): void => {
    for (const name of readdirSync(folder)) {
      const path = join(folder, name);
      if (statSync(path).isDirectory()) visit(path);
      else if (name === 'index.html')
        entries.push(
          ...indexPage(
            readFileSync(path, 'utf8'),
            folder === root
              ? ''
              : `${folder
                  .slice(root.length + 1)
                  .split(sep)
                  .join('/')}/`,
          ),
        );
    }
  };
  visit(root);
  writeFileSync(join(root, 'search.json'), JSON.stringify(entries));
  return entries.length;
}
