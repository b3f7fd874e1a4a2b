/** An expression that cannot be evaluated; the message is the shell's. */
export class ArithmeticError extends Error {}

export interface ArithmeticVariables {
  get(name: string): string | undefined;
  set(name: string, value: string): void;
  /** Called for a name that has no value under `set -u`. */
  unset?(name: string): never;
}

/** A value that may be assigned to. */
interface Operand {
  value: bigint;
  name?: string;
}

const BINARY: readonly (readonly string[])[] = [
  ['||'],
  ['&&'],
  ['|'],
  ['^'],
  ['&'],
  ['==', '!='],
  ['<=', '>=', '<', '>'],
  ['<<', '>>'],
  ['+', '-'],
  ['*', '/', '%'],
];
const TOKEN =
  /\s*(?:(0[xX][0-9a-fA-F]+|\d+#[\w@]+|\d+)|([A-Za-z_]\w*(?:\[[^\]]*\])?)|(\*\*|<<=|>>=|[-+*/%&|^<>=!]=|\+\+|--|&&|\|\||<<|>>|[-+*/%&|^<>=!~?:(),]))/y;

/** Evaluates shell arithmetic in 64-bit integers. Throws ArithmeticError. */
export function evaluateArithmetic(text: string, variables: ArithmeticVariables, dialect: 'ash' | 'bash', depth = 0): bigint {
  if (depth > 64) throw new ArithmeticError('expression recursion loop detected');
  const tokens: string[] = [];
  const starts: number[] = [];
  TOKEN.lastIndex = 0;
  const trimmed = text.trimEnd();
  while (TOKEN.lastIndex < trimmed.length) {
    const at = TOKEN.lastIndex;
    const match = TOKEN.exec(trimmed);
    if (!match) throw syntaxError(trimmed.slice(at).trim());
    tokens.push(match[0].trim());
    starts.push(TOKEN.lastIndex - match[0].trimStart().length);
  }
  if (tokens.length === 0) return 0n;
  let position = 0;
  let skipping = 0;

  function syntaxError(token: string): ArithmeticError {
    if (dialect === 'ash') return new ArithmeticError('arithmetic syntax error');
    return new ArithmeticError(
      token === '' || tokens.length === 0
        ? `${text.trim()}: syntax error: operand expected (error token is "${token || (tokens.at(-1) ?? '')}")`
        : `${text.trim()}: syntax error in expression (error token is "${token}")`,
    );
  }
  const rest = (): string => trimmed.slice(starts[position] ?? trimmed.length);

  function variableValue(name: string): bigint {
    if (skipping > 0) return 0n;
    const value = variables.get(name);
    if (value === undefined) variables.unset?.(name);
    if (value === undefined || value.trim() === '') return 0n;
    if (/^\s*-?(?:0|[1-9]\d*)\s*$/.test(value)) return wrap(BigInt(value.trim()));
    return evaluateArithmetic(value, variables, dialect, depth + 1);
  }
  function assign(operand: Operand, value: bigint): bigint {
    if (operand.name === undefined)
      throw dialect === 'ash' ? syntaxError('') : new ArithmeticError(`${text.trim()}: attempted assignment to non-variable (error token is "${rest()}")`);
    const wrapped = wrap(value);
    if (skipping === 0) variables.set(operand.name, String(wrapped));
    return wrapped;
  }
  function comma(): bigint {
    let value = assignment().value;
    while (tokens[position] === ',') {
      position++;
      value = assignment().value;
    }
    return value;
  }
  function assignment(): Operand {
    const left = ternary();
    const operator = tokens[position];
    if (operator === undefined || !/^(?:[-+*/%&|^]|<<|>>)?=$/.test(operator)) return left;
    position++;
    const right = assignment().value;
    return { value: assign(left, operator === '=' ? right : apply(operator.slice(0, -1), left.value, right)) };
  }
  function ternary(): Operand {
    const test = binary(0);
    if (tokens[position] !== '?') return test;
    position++;
    const holds = test.value !== 0n;
    const branch = (active: boolean): bigint => {
      if (!active) skipping++;
      const { value } = assignment();
      if (!active) skipping--;
      return value;
    };
    const consequent = branch(holds);
    if (tokens[position] !== ':') throw syntaxError(rest());
    position++;
    const alternate = branch(!holds);
    return { value: holds ? consequent : alternate };
  }
  function binary(level: number): Operand {
    const operators = BINARY[level];
    if (!operators) return power();
    let left = binary(level + 1);
    for (;;) {
      const operator = tokens[position];
      if (operator === undefined || !operators.includes(operator)) return left;
      position++;
      if (operator === '&&' || operator === '||') {
        const decided = (left.value !== 0n) === (operator === '||');
        if (decided) skipping++;
        const right = binary(level + 1).value;
        if (decided) skipping--;
        left = { value: (operator === '&&' ? left.value !== 0n && right !== 0n : left.value !== 0n || right !== 0n) ? 1n : 0n };
      } else left = { value: apply(operator, left.value, binary(level + 1).value) };
    }
  }
  function power(): Operand {
    const base = unary();
    if (tokens[position] !== '**') return base;
    position++;
    const exponent = power().value;
    if (exponent < 0n)
      throw new ArithmeticError(dialect === 'ash' ? 'exponent less than 0' : `${text.trim()}: exponent less than 0 (error token is "${rest()}")`);
    // 64 bits are left of the result: a huge exponent need not be computed exactly.
    let result = 1n;
    let factor = base.value;
    for (let left = exponent; left > 0n; left >>= 1n) {
      if (left & 1n) result = wrap(result * factor);
      factor = wrap(factor * factor);
    }
    return { value: result };
  }
  function unary(): Operand {
    const token = tokens[position];
    if (token === '++' || token === '--') {
      position++;
      const operand = unary();
      if (operand.name === undefined) return { value: operand.value };
      return { value: assign(operand, operand.value + (token === '++' ? 1n : -1n)) };
    }
    if (token === '-' || token === '+' || token === '!' || token === '~') {
      position++;
      const { value } = unary();
      return { value: wrap(token === '-' ? -value : token === '!' ? (value === 0n ? 1n : 0n) : token === '~' ? ~value : value) };
    }
    return postfix();
  }
  function postfix(): Operand {
    const operand = primary();
    const token = tokens[position];
    if ((token === '++' || token === '--') && operand.name !== undefined) {
      position++;
      const { value } = operand;
      assign(operand, value + (token === '++' ? 1n : -1n));
      return { value };
    }
    return operand;
  }
  function primary(): Operand {
    const token = tokens[position];
    if (token === undefined) throw syntaxError('');
    if (token === '(') {
      position++;
      const value = comma();
      if (tokens[position] !== ')')
        throw dialect === 'ash' ? syntaxError('') : new ArithmeticError(`${text.trim()}: missing \`)' (error token is "${tokens.at(-1)}")`);
      position++;
      return { value };
    }
    if (/^\d/.test(token)) {
      position++;
      return { value: parseNumber(token) };
    }
    if (/^[A-Za-z_]/.test(token)) {
      position++;
      // Read when it is needed: a variable that is only assigned to may hold any text.
      return {
        name: token,
        get value() {
          return variableValue(token);
        },
      };
    }
    if (dialect === 'ash') throw syntaxError('');
    throw new ArithmeticError(`${text.trim()}: syntax error: operand expected (error token is "${rest()}")`);
  }
  function parseNumber(token: string): bigint {
    const based = /^(\d+)#(.+)$/.exec(token);
    if (based) return inBase(based[2]!, Number(based[1]), token);
    if (/^0[xX]/.test(token)) return wrap(BigInt(token));
    if (/^0\d/.test(token)) {
      if (/[89]/.test(token))
        throw new ArithmeticError(dialect === 'ash' ? 'arithmetic syntax error' : `${token}: value too great for base (error token is "${token}")`);
      return wrap(BigInt(`0o${token.slice(1)}`));
    }
    return wrap(BigInt(token));
  }
  function inBase(digits: string, base: number, token: string): bigint {
    let value = 0n;
    for (const digit of digits) {
      const weight = '0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ@_'.indexOf(base <= 36 ? digit.toLowerCase() : digit);
      if (base < 2 || base > 64 || weight < 0 || weight >= base)
        throw new ArithmeticError(dialect === 'ash' ? 'arithmetic syntax error' : `${token}: value too great for base (error token is "${token}")`);
      value = value * BigInt(base) + BigInt(weight);
    }
    return wrap(value);
  }
  function apply(operator: string, left: bigint, right: bigint): bigint {
    switch (operator) {
      case '+':
        return wrap(left + right);
      case '-':
        return wrap(left - right);
      case '*':
        return wrap(left * right);
      case '/':
      case '%':
        if (right === 0n) {
          if (skipping > 0) return 0n;
          throw new ArithmeticError(
            dialect === 'ash' ? 'divide by zero' : `${text.trim()}: division by 0 (error token is "${trimmed.slice(starts[position - 1])}")`,
          );
        }
        return wrap(operator === '/' ? left / right : left % right);
      case '<<':
        return wrap(left << (right & 63n));
      case '>>':
        return left >> (right & 63n);
      case '&':
        return left & right;
      case '|':
        return left | right;
      case '^':
        return left ^ right;
      case '==':
        return left === right ? 1n : 0n;
      case '!=':
        return left !== right ? 1n : 0n;
      case '<':
        return left < right ? 1n : 0n;
      case '>':
        return left > right ? 1n : 0n;
      case '<=':
        return left <= right ? 1n : 0n;
      default:
        return left >= right ? 1n : 0n;
    }
  }

  const value = comma();
  if (position < tokens.length) throw syntaxError(rest());
  return value;
}

function wrap(value: bigint): bigint {
  return BigInt.asIntN(64, value);
}
