const digit = (c: number): boolean => c >= 48 && c <= 57;
const lower = (c: number): boolean => c >= 97 && c <= 122;
const upper = (c: number): boolean => c >= 65 && c <= 90;
const alpha = (c: number): boolean => lower(c) || upper(c);
const alnum = (c: number): boolean => alpha(c) || digit(c);
const graph = (c: number): boolean => c >= 33 && c <= 126;
const space = (c: number): boolean => c === 32 || (c >= 9 && c <= 13);

const MEMBERS = {
  alpha,
  digit,
  alnum,
  lower,
  upper,
  space,
  blank: (c: number): boolean => c === 32 || c === 9,
  punct: (c: number): boolean => graph(c) && !alnum(c),
  cntrl: (c: number): boolean => c < 32 || c === 127,
  xdigit: (c: number): boolean => digit(c) || (c >= 65 && c <= 70) || (c >= 97 && c <= 102),
  print: (c: number): boolean => c >= 32 && c <= 126,
  graph,
};

/** The character classes of POSIX in the C locale: name (as in `[[:alpha:]]`) → whether a code belongs to it. */
export const CLASSES: Readonly<Record<string, ((code: number) => boolean) | undefined>> & typeof MEMBERS = MEMBERS;
