import { type Applet, getopt, parseNumber, program } from './applet.ts';

/** expand and unexpand: tabs to blanks and back. */

/** unexpand: blanks at the beginning of a line as tabs, with -a all where two or more end at a tab stop. */
async function unexpand(applet: Applet): Promise<void> {
  const options = getopt(applet.args, 'ft:a', { 'first-only': 'f', tabs: 't', all: 'a' });
  const size = parseNumber(options.get('t') ?? '8');
  const everywhere = (options.has('a') || options.has('t')) && !options.has('f');
  for (const path of options.rest.length > 0 ? options.rest : ['-']) {
    const file = await applet.tryOpen(path, (name, why) => `${name}: ${why}`);
    if (!file) continue;
    for await (const { text, terminated } of applet.lines(file)) {
      let out = '';
      let column = 0;
      let blanks = 0;
      for (let i = 0; i <= text.length; i++) {
        const char = text[i];
        if (char === ' ' || char === '\t') {
          blanks += char === ' ' ? 1 : size - ((column + blanks) % size);
          continue;
        }
        const end = column + blanks;
        const tabs = Math.floor(end / size) - Math.floor(column / size);
        out += tabs > 0 ? '\t'.repeat(tabs) + ' '.repeat(end % size) : ' '.repeat(blanks);
        column = end;
        blanks = 0;
        if (char === undefined) break;
        out += char;
        column++;
        if (!everywhere) {
          out += text.slice(i + 1);
          break;
        }
      }
      await applet.put(out + (terminated ? '\n' : ''));
    }
  }
}

async function expand(applet: Applet): Promise<void> {
  const options = getopt(applet.args, 'it:');
  const size = parseNumber(options.get('t') ?? '8');
  for (const path of options.rest.length > 0 ? options.rest : ['-']) {
    const file = await applet.tryOpen(path, (name, why) => `${name}: ${why}`);
    if (!file) continue;
    for await (const { text, terminated } of applet.lines(file)) {
      let out = '';
      for (const char of text) out += char === '\t' && !(options.has('i') && out.trim() !== '') ? ' '.repeat(size - (out.length % size)) : char;
      await applet.put(out + (terminated ? '\n' : ''));
    }
  }
}

export const expandApplets = {
  expand: program('[-i] [-t N] [FILE]...', expand),
  unexpand: program('[-fa][-t N] [FILE]...', unexpand),
};
