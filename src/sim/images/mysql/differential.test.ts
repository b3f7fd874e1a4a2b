import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Reply } from './connection.ts';
import type { Answer } from './session.ts';
import { toText } from './sql-value.ts';
import { testInstance } from './testing/instance.ts';
import { startMariadb, whyNoMariadb } from './testing/mariadb.ts';

/** Where MySQL 8.1 is another than MariaDB: what MySQL answers, and why. */
const MYSQL_INSTEAD: Readonly<Record<string, string>> = {
  // MySQL knows that a primary key determines the other columns.
  'SELECT p.name, COUNT(s.id) FROM port p LEFT JOIN ship s ON s.home = p.id GROUP BY p.id ORDER BY p.id':
    'name | COUNT(s.id)\nKeelung | 1\nKaohsiung | 2\nTaichung | 0\nHualien | 0',
  // MySQL computes these as DOUBLE.
  'SELECT STD(id), VARIANCE(id) FROM port': 'STD(id) | VARIANCE(id)\n1.118033988749895 | 1.25',
  // ER_BAD_DB_ERROR is what MySQL says of a database that is not there.
  'SELECT * FROM missing.port': 'error 1049',
  // ER_DERIVED_MUST_HAVE_ALIAS; for MariaDB it is syntax.
  'SELECT * FROM (SELECT 1)': 'error 1248',
  // ER_FK_CANNOT_DROP_PARENT since 8.0.
  'DROP TABLE port': 'error 3730',
  // MariaDB has user-defined types, and an error for those it does not know.
  'CREATE TABLE bad (id NOTYPE)': 'error 1064',
};

/** Rows and error numbers, without what differs in wording. Without ORDER BY the order is nobody's promise. */
function shown(sql: string, answer: Answer | Reply | undefined): string {
  if (!answer) return 'lost';
  if ('error' in answer) return `error ${answer.error[0]}`;
  if (!('columns' in answer)) return `affected ${answer.affected}`;
  const rows = answer.rows.map((row) => row.map((cell) => (cell === null ? 'NULL' : toText(cell))).join(' | '));
  const titles = answer.columns.map(({ title }) => title).join(' | ');
  return [titles, ...(/order by/i.test(sql) ? rows : rows.sort())].join('\n');
}

const NUMBERS = ['0', '1', '2', '-3', '7', '12', '1.5', '0.25', '-2.75', '10.00', 'a', 'b', 'NULL'];
const TEXTS = ["''", "'5'", "'abc'", "'12x'", "'B'", "'1.50'", "'2024-02-29'", 'c', 'NULL'];
const DATES = ["'2024-01-31'", "'2023-12-31 23:59:59'", 'd', 'NULL', "'nonsense'"];

/** Expressions of numbers, text and dates over one small table. */
const { number } = fc.letrec<{ number: string; text: string; truth: string }>((tie) => {
  const [n, t, b] = [tie('number'), tie('text'), tie('truth')];
  const date = fc.constantFrom(...DATES);
  const of = (...parts: (string | fc.Arbitrary<string>)[]): fc.Arbitrary<string> =>
    fc.tuple(...parts.map((part) => (typeof part === 'string' ? fc.constant(part) : part))).map((all) => all.join(''));
  return {
    number: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      fc.constantFrom(...NUMBERS),
      of('(', n, fc.constantFrom(' + ', ' - ', ' * ', ' / ', ' % ', ' DIV '), n, ')'),
      of(fc.constantFrom('ABS(', 'CEIL(', 'FLOOR(', 'ROUND(', 'SIGN('), n, ')'),
      of(fc.constantFrom('ROUND(', 'TRUNCATE('), n, ', ', fc.constantFrom('0', '1', '2'), ')'),
      of(fc.constantFrom('LENGTH(', 'CHAR_LENGTH(', 'ASCII('), t, ')'),
      of(fc.constantFrom('YEAR(', 'DAYOFMONTH(', 'WEEKDAY(', 'QUARTER('), date, ')'),
      of('DATEDIFF(', date, ', ', date, ')'),
      of('IF(', b, ', ', n, ', ', n, ')'),
      of(fc.constantFrom('IFNULL(', 'NULLIF(', 'COALESCE(', 'GREATEST(', 'LEAST('), n, ', ', n, ')'),
      of('CASE WHEN ', b, ' THEN ', n, ' ELSE ', n, ' END'),
      of('CAST(', n, fc.constantFrom(' AS SIGNED)', ' AS DECIMAL(8,2))')),
      b.map((one) => `(${one})`),
    ),
    text: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      fc.constantFrom(...TEXTS),
      of(fc.constantFrom('UPPER(', 'LOWER(', 'REVERSE(', 'TRIM('), t, ')'),
      of('CONCAT(', t, ', ', t, ')'),
      of(fc.constantFrom('LEFT(', 'RIGHT(', 'SUBSTRING('), t, ', ', fc.constantFrom('-2', '0', '1', '2', '5'), ')'),
      of('REPLACE(', t, ", 'b', 'xy')"),
      of(fc.constantFrom('LPAD(', 'RPAD('), t, ", 4, 'z')"),
      of('IFNULL(', t, ', ', t, ')'),
    ),
    truth: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      of(n, fc.constantFrom(' = ', ' <> ', ' < ', ' >= ', ' <=> '), n),
      of(t, fc.constantFrom(' = ', ' < ', ' LIKE ', ' <=> '), t),
      of('(', b, fc.constantFrom(') AND (', ') OR (', ') XOR ('), b, ')'),
      of('NOT (', b, ')'),
      of(n, fc.constantFrom(' IS NULL', ' IS NOT NULL', ' IS TRUE')),
      of(n, fc.constantFrom(' BETWEEN ', ' NOT BETWEEN '), n, ' AND ', n),
      of(n, fc.constantFrom(' IN (', ' NOT IN ('), n, ', ', n, ')'),
    ),
  };
});

test('the taught SQL gives what a real server gives', { skip: whyNoMariadb }, async (context) => {
  const statements = readFileSync(new URL('testing/statements.txt', import.meta.url), 'utf8')
    .trimEnd()
    .split('\n');
  const real = await startMariadb();
  try {
    const connection = await real.connect();
    const { instance, session } = testInstance();
    const ours = session();
    const differences: string[] = [];
    const compare = async (sql: string): Promise<void> => {
      const [expected, got] = [shown(sql, await connection.query(sql)), shown(sql, await instance.query(ours, sql))];
      if ((MYSQL_INSTEAD[sql] ?? expected) !== got && expected !== got) differences.push(`${sql}\n  MariaDB: ${expected}\n  ours:    ${got}`);
    };
    for (const sql of statements) await compare(sql);
    context.diagnostic(
      `${statements.length} statements, ${differences.length} differ, ${Object.keys(MYSQL_INSTEAD).length} where MySQL is another than MariaDB`,
    );
    assert.equal(differences.join('\n'), '');
    for (const sql of ['CREATE DATABASE g', 'USE g', 'CREATE TABLE t (id INT PRIMARY KEY, a INT, b DECIMAL(6,2), c VARCHAR(10), d DATE)']) await compare(sql);
    await compare("INSERT INTO t VALUES (1, 3, 1.25, 'Abc', '2024-02-29'), (2, NULL, -7.50, '', NULL), (3, 0, NULL, '4x', '1999-12-31')");
    const expressions = fc.sample(number, { numRuns: 400, seed: 8_1 });
    for (const expression of expressions) await compare(`SELECT ${expression} AS x FROM t ORDER BY id`);
    context.diagnostic(`${expressions.length} generated expressions, ${differences.length} differ`);
    assert.equal(differences.join('\n'), '');
    connection.close();
  } finally {
    real.stop();
  }
});
