/** `message` as regcomp(3) of glibc says it. Apart from the expressions themselves, which are loaded with the commands that use them. */
export class RegexError extends Error {
  pattern = '';
}
