import { type Applet, Failure, getopt, program } from './applet.ts';

/** base64, od, hexdump: bytes as text. */

const BASE64 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';

async function base64(applet: Applet): Promise<void> {
  const options = getopt(applet.args, 'dw:i', { decode: 'd', wrap: 'w' });
  const file = await applet.tryOpen(options.rest[0] ?? '-', (name, why) => `${name}: ${why}`);
  if (!file) return;
  const text = await applet.readText(file);
  if (options.has('d')) {
    const clean = text.replace(/\s/g, '');
    let bits = 0;
    let count = 0;
    let out = '';
    for (const char of clean.replace(/=+$/, '')) {
      const value = BASE64.indexOf(char);
      if (value < 0) {
        await applet.put(out);
        throw new Failure('truncated input');
      }
      bits = (bits << 6) | value;
      count += 6;
      if (count >= 8) {
        count -= 8;
        out += String.fromCharCode((bits >> count) & 255);
      }
    }
    await applet.put(out);
    return;
  }
  const width = Number(options.get('w') ?? 76);
  const encoded = btoa(text);
  if (encoded === '') return;
  await applet.put(width > 0 ? encoded.replace(new RegExp(`.{1,${width}}`, 'g'), '$&\n') : encoded);
}

/** od and hexdump with the formats people use: -c -x -d -o -b (-A n -t x1/c/o1/d1), -C. */
async function od(applet: Applet): Promise<void> {
  const canonical = applet.name === 'hd' || (applet.name === 'hexdump' && applet.args.some((word) => /^-\w*C/.test(word)));
  const options = getopt(applet.args, applet.name === 'od' ? 'aBbcDdeFfhIiLlOoXxsvN:A:t:j:w:' : 'bcdoxCve:f:n:s:');
  const format =
    options.get('t') ??
    (options.has('c')
      ? 'c'
      : options.has('x') || options.has('h')
        ? 'x2'
        : options.has('b')
          ? 'o1'
          : options.has('d')
            ? 'u2'
            : applet.name === 'od'
              ? 'o2'
              : 'x2');
  const limit = Number(options.get('N') ?? options.get('n') ?? Number.POSITIVE_INFINITY);
  const skip = Number(options.get('j') ?? options.get('s') ?? 0);
  const paths = options.rest.length > 0 ? options.rest : ['-'];
  let text = '';
  for (const path of paths) {
    const file = await applet.tryOpen(path, (name, why) => `${name}: ${why}`);
    if (file) text += await applet.readText(file);
  }
  text = text.slice(skip, skip + Math.min(limit, text.length));
  const radix = options.get('A') ?? (applet.name === 'od' ? 'o' : 'x');
  const address = (at: number): string =>
    radix === 'n'
      ? ''
      : canonical
        ? (at + skip).toString(16).padStart(8, '0')
        : (at + skip).toString(radix === 'o' ? 8 : radix === 'd' ? 10 : 16).padStart(7, '0');
  const cell = (chunk: string): string => {
    const code = chunk.charCodeAt(0);
    const word = code + (chunk.length > 1 ? chunk.charCodeAt(1) * 256 : 0);
    const named = { '\0': '\\0', '\x07': '\\a', '\b': '\\b', '\t': '\\t', '\n': '\\n', '\v': '\\v', '\f': '\\f', '\r': '\\r' }[chunk];
    switch (format) {
      case 'c':
        return (named ?? (code < 32 || code > 126 ? code.toString(8).padStart(3, '0') : chunk)).padStart(4);
      case 'x1':
        return ` ${code.toString(16).padStart(2, '0')}`;
      case 'o1':
        return ` ${code.toString(8).padStart(3, '0')}`;
      case 'd1':
        return String(code > 127 ? code - 256 : code).padStart(5);
      case 'u1':
        return String(code).padStart(4);
      case 'o2':
        return ` ${word.toString(8).padStart(6, '0')}`;
      case 'u2':
        return ` ${String(word).padStart(5)}`;
      default:
        return ` ${word.toString(16).padStart(4, '0')}`;
    }
  };
  const step = /2$/.test(format) ? 2 : 1;
  let previous = '';
  let starred = false;
  for (let at = 0; at < text.length; at += 16) {
    const row = text.slice(at, at + 16);
    if (row === previous && row.length === 16 && !options.has('v')) {
      if (!starred) await applet.put('*\n');
      starred = true;
      continue;
    }
    previous = row;
    starred = false;
    if (canonical) {
      const hex = [...row].map((char) => char.charCodeAt(0).toString(16).padStart(2, '0'));
      await applet.put(
        `${address(at)}  ${hex.slice(0, 8).join(' ').padEnd(23)}  ${hex.slice(8).join(' ').padEnd(23)}  |${row.replace(/[^\x20-\x7e]/g, '.')}|\n`,
      );
    } else {
      let line = '';
      for (let i = 0; i < row.length; i += step) line += cell(row.slice(i, i + step));
      await applet.put(`${address(at)}${applet.name === 'hexdump' && step === 2 ? line.padEnd(40) : line}\n`);
    }
  }
  if (radix !== 'n' && (text.length > 0 || applet.name === 'od')) await applet.put(`${address(text.length)}\n`);
}

export const dumpApplets = {
  base64: program('[-d] [-w COL] [FILE]', base64),
  od: program('[-aBbcDdeFfHhIiLlOovXx] [-t TYPE] [-A RADIX] [-N SIZE] [FILE]...', od),
  hexdump: program('[-bcdoxCv] [-n LEN] [-s OFS] [FILE]...', od),
  hd: program('[-n LEN] [-s OFS] [FILE]...', od),
};
