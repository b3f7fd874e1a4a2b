import { typeParts } from './column-values.ts';
import type { SelectStatement, SqlExpression } from './sql-ast.ts';
import { type Decimal, type SqlValue, toDecimal, toNumber, toText } from './sql-value.ts';

/** What a column or expression is before any row is seen: how it is aligned, and how many digits behind the point it shows. */
export interface StaticType {
  kind: 'null' | 'int' | 'decimal' | 'double' | 'date' | 'time' | 'datetime' | 'string';
  scale: number;
  /** The words of an ENUM, in the order it sorts by. */
  choices?: readonly string[];
}

const type = (kind: StaticType['kind'], scale = 0): StaticType => ({ kind, scale });
export const isNumericType = ({ kind }: StaticType): boolean => kind === 'int' || kind === 'decimal' || kind === 'double' || kind === 'null';

/** Of a column's declaration: "decimal(6,2)", "int unsigned". */
export function declaredType(text: string): StaticType {
  const [, base = '', argument = ''] = /^(\w+)(?:\(([^)]*)\))?/.exec(text) ?? [];
  if (/int$|^year$|^bit$/.test(base)) return type('int');
  if (base === 'decimal') return type('decimal', Number(argument.split(',')[1] ?? 0));
  if (base === 'float' || base === 'double') return type('double');
  if (base === 'date' || base === 'time') return type(base);
  if (base === 'datetime' || base === 'timestamp') return type('datetime');
  return base === 'enum' ? { ...type('string'), choices: typeParts(text).args } : type('string');
}

const FUNCTION_TYPES: Readonly<Record<string, StaticType['kind']>> = Object.fromEntries(
  (
    [
      [
        'int',
        'count length char_length character_length octet_length bit_length instr locate ascii ord field find_in_set strcmp year month day dayofmonth hour minute second quarter week weekday dayofweek dayofyear datediff timestampdiff to_days unix_timestamp sign connection_id last_insert_id row_count isnull crc32 sleep microsecond values bit_count uuid_short yearweek found_rows time_to_sec is_uuid',
      ],
      ['double', 'rand sqrt pow power exp ln log log2 log10 pi sin cos tan asin acos atan atan2 cot degrees radians std stddev variance'],
      ['date', 'curdate current_date date last_day makedate from_days str_to_date utc_date'],
      ['time', 'curtime current_time time sec_to_time timediff maketime utc_time'],
      ['datetime', 'now current_timestamp sysdate localtime localtimestamp timestamp from_unixtime utc_timestamp'],
    ] as const
  ).flatMap(([kind, names]) => names.split(' ').map((name) => [name, kind])),
);

/** The type that holds both: of CASE, COALESCE, UNION and the like. */
export function unify(types: readonly StaticType[]): StaticType {
  const known = types.filter(({ kind }) => kind !== 'null');
  const [first = type('null')] = known;
  if (known.every(({ kind }) => kind === first.kind)) return type(first.kind, Math.max(0, ...known.map(({ scale }) => scale)));
  if (known.every(isNumericType))
    return known.some(({ kind }) => kind === 'double') ? type('double') : type('decimal', Math.max(...known.map(({ scale }) => scale)));
  if (known.every(({ kind }) => kind === 'date' || kind === 'datetime')) return type('datetime');
  return type('string');
}

/** A value as the type shows it. */
export function coerce(value: SqlValue, { kind, scale }: StaticType): SqlValue {
  if (value === null) return null;
  if (kind === 'decimal') return toDecimal(value).showing(scale);
  if (kind === 'double') return toNumber(value);
  if (kind === 'string' || kind === 'date' || kind === 'time') return typeof value === 'string' ? value : toText(value);
  if (kind === 'datetime') return typeof value === 'string' && value.length === 10 ? `${value} 00:00:00` : value;
  return value;
}

function literalType(value: SqlValue): StaticType {
  if (value === null) return type('null');
  if (typeof value === 'bigint') return type('int');
  if (typeof value === 'number') return type('double');
  return typeof value === 'string' ? type('string') : type('decimal', (value as Decimal).shown);
}

/** What the types of columns, variables and subqueries are, which only the query knows. */
export interface TypeSource {
  column(expression: SqlExpression & { kind: 'column' }): StaticType;
  variable(expression: SqlExpression & { kind: 'variable' }): SqlValue;
  query(statement: SelectStatement): StaticType;
}

export function typeOf(expression: SqlExpression, source: TypeSource): StaticType {
  const of = (one: SqlExpression | undefined): StaticType => (one ? typeOf(one, source) : type('null'));
  switch (expression.kind) {
    case 'literal':
      return literalType(expression.value);
    case 'column':
      return source.column(expression);
    case 'variable':
      return literalType(source.variable(expression));
    case 'assign':
      return of(expression.value);
    case 'query':
      return expression.exists ? type('int') : source.query(expression.query);
    case 'unary': {
      const operand = of(expression.operand);
      if (expression.operator === 'binary') return type('string');
      return expression.operator === '-' ? (isNumericType(operand) ? operand : type('double')) : type('int');
    }
    case 'case':
      return unify([...expression.branches.map(({ result }) => of(result)), ...(expression.otherwise ? [of(expression.otherwise)] : [])]);
    case 'binary':
      return binaryType(expression.operator, of(expression.left), of(expression.right));
    case 'call':
      return callType(expression, of);
    default:
      return type('int');
  }
}

function binaryType(operator: string, left: StaticType, right: StaticType): StaticType {
  if (!/^(\+|-|\*|\/|%)$/.test(operator)) return type('int');
  const [a, b] = [left, right].map((one) => (isNumericType(one) ? one : type('double'))) as [StaticType, StaticType];
  if (a.kind === 'double' || b.kind === 'double') return type('double');
  if (operator === '/') return type('decimal', Math.min(30, a.scale + 4));
  if (a.kind !== 'decimal' && b.kind !== 'decimal') return type('int');
  return type('decimal', operator === '*' ? Math.min(30, a.scale + b.scale) : Math.max(a.scale, b.scale));
}

function callType(expression: SqlExpression & { kind: 'call' }, of: (one: SqlExpression | undefined) => StaticType): StaticType {
  const { name, args } = expression;
  const [first, second, third] = args;
  const digits = second?.kind === 'literal' ? Math.max(0, toNumber(second.value)) : 0;
  switch (name) {
    case 'sum':
    case 'avg': {
      const inner = of(first);
      if (inner.kind === 'double' || !isNumericType(inner)) return type('double');
      return type('decimal', name === 'sum' ? inner.scale : inner.scale + 4);
    }
    case 'min':
    case 'max':
    case 'any_value':
    case 'nullif':
    case 'default':
      return of(first);
    case 'abs':
      return isNumericType(of(first)) ? of(first) : type('double');
    case 'if':
      return unify([of(second), of(third)]);
    case 'ifnull':
    case 'coalesce':
    case 'greatest':
    case 'least':
      return unify(args.map(of));
    case 'round':
    case 'truncate': {
      const inner = of(first);
      if (inner.kind === 'decimal' || inner.kind === 'null') return type('decimal', digits);
      return inner.kind === 'int' ? inner : type('double');
    }
    case 'ceil':
    case 'ceiling':
    case 'floor':
      return of(first).kind === 'int' || of(first).kind === 'decimal' ? type('int') : type('double');
    case 'mod':
      return binaryType('%', of(first), of(second));
    case 'date_add':
    case 'date_sub':
    case 'adddate':
    case 'subdate': {
      const unit = third?.kind === 'literal' ? String(third.value) : 'day';
      const inner = of(first).kind;
      if (inner === 'date') return type(/^(day|week|month|quarter|year)$/.test(unit) ? 'date' : 'datetime');
      return type(inner === 'datetime' ? 'datetime' : 'string');
    }
    case 'cast': {
      const target = second?.kind === 'literal' ? String(second.value) : '';
      if (/^(signed|unsigned|year)/.test(target)) return type('int');
      if (target.startsWith('decimal')) return type('decimal', Number(/,(\d+)/.exec(target)?.[1] ?? 0));
      if (/^(double|float|real)/.test(target)) return type('double');
      return declaredType(target);
    }
    default:
      return type(FUNCTION_TYPES[name] ?? 'string');
  }
}
