import { compileRegex } from '../unix/regex.ts';
import { RegexError } from '../unix/regex-error.ts';
import { ShellFailure } from './control.ts';
import { evaluate, expandPattern, expandText } from './expand.ts';
import { shellPattern } from './glob.ts';
import type { Shell } from './shell.ts';
import type { TestToken } from './syntax.ts';
import { compareNumbers, fileTest, type TestContext, testContext } from './test-expression.ts';

/** `[[ … ]]`: 0 when it holds, 1 when not, 2 when it cannot be understood. */
export async function conditionalExpression(shell: Shell, tokens: readonly TestToken[]): Promise<number> {
  let position = 0;
  let malformed = false;
  const context: TestContext = testContext(shell);
  const operator = (): string | undefined => {
    const token = tokens[position];
    return token && 'operator' in token ? token.operator : undefined;
  };
  const fail = (): never => {
    throw new ShellFailure(`${shell.errorPrefix()}syntax error in conditional expression`, 2);
  };
  const wordText = async (): Promise<string> => {
    const token = tokens[position++];
    if (!token || !('word' in token)) return fail();
    return expandText(shell, token.word);
  };
  /** An unquoted word as text, for operators such as -f and ==. */
  const literal = (): string | undefined => {
    const token = tokens[position];
    if (!token) return undefined;
    if ('operator' in token) return token.operator;
    const part = token.word.length === 1 ? token.word[0]! : undefined;
    return part?.type === 'text' && !part.quoted ? part.text : undefined;
  };

  async function or(evaluated: boolean): Promise<boolean> {
    let value = await and(evaluated);
    while (operator() === '||') {
      position++;
      const right = await and(evaluated && !value);
      value = value || right;
    }
    return value;
  }
  async function and(evaluated: boolean): Promise<boolean> {
    let value = await not(evaluated);
    while (operator() === '&&') {
      position++;
      const right = await not(evaluated && value);
      value = value && right;
    }
    return value;
  }
  async function not(evaluated: boolean): Promise<boolean> {
    if (operator() === '!') {
      position++;
      return !(await not(evaluated));
    }
    if (operator() === '(') {
      position++;
      const value = await or(evaluated);
      if (operator() !== ')') fail();
      position++;
      return value;
    }
    return primary(evaluated);
  }
  async function primary(evaluated: boolean): Promise<boolean> {
    const first = literal();
    const next = tokens[position + 1];
    if (first && /^-[a-zA-Z]$/.test(first) && next && 'word' in next) {
      const third = tokens[position + 2];
      const binaryFollows = third && 'word' in third;
      if (!binaryFollows) {
        position++;
        const operand = await wordText();
        if (first === '-v') return shell.getElement(operand) !== undefined;
        return evaluated && fileTest(context, first, operand);
      }
    }
    const left = await wordText();
    const binary = literal();
    if (binary === undefined || !/^(=|==|!=|=~|<|>|-eq|-ne|-lt|-le|-gt|-ge|-nt|-ot|-ef)$/.test(binary)) return left !== '';
    position++;
    const token = tokens[position++];
    if (!token || !('word' in token)) return fail();
    if (!evaluated) return false;
    switch (binary) {
      case '=':
      case '==':
      case '!=':
        return shellPattern(await expandPattern(shell, token.word)).test(left, shell.process) === (binary !== '!=');
      case '=~': {
        const source = (
          await Promise.all(
            token.word.map(async (part) => {
              const text = await expandText(shell, [part]);
              return part.quoted && part.type === 'text' ? text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&') : text;
            }),
          )
        ).join('');
        let groups: readonly (string | undefined)[] | undefined;
        try {
          groups = compileRegex(source, { extended: true, process: shell.process }).exec(left)?.groups;
        } catch (error) {
          if (!(error instanceof RegexError)) throw error;
          malformed = true;
          return false;
        }
        shell.variables.declare('BASH_REMATCH').array = new Map((groups ?? []).map((text, index) => [String(index), text ?? '']));
        return groups !== undefined;
      }
      case '<':
        return left < (await expandText(shell, token.word));
      case '>':
        return left > (await expandText(shell, token.word));
      default: {
        const right = await expandText(shell, token.word);
        if (/^-[no]t$|^-ef$/.test(binary)) return context.compareFiles(left, binary, right);
        return compareNumbers(evaluate(shell, left), binary, evaluate(shell, right));
      }
    }
  }
  const value = await or(true);
  if (position < tokens.length) fail();
  return malformed ? 2 : value ? 0 : 1;
}
