/** An error as MySQL reports it: number, SQLSTATE and message ("ERROR 1146 (42S02): Table 'a.b' doesn't exist"). */
export class SqlError extends Error {
  readonly number: number;
  readonly state: string;
  constructor(number: number, state: string, message: string) {
    super(message);
    this.number = number;
    this.state = state;
  }
}

export function syntaxError(near: string, line: number): SqlError {
  return new SqlError(
    1064,
    '42000',
    `You have an error in your SQL syntax; check the manual that corresponds to your MySQL server version for the right syntax to use near '${near.slice(0, 80)}' at line ${line}`,
  );
}

/** What MySQL can do and this engine cannot. */
export function notSimulated(what: string): SqlError {
  return new SqlError(1235, '42000', `${what} is not simulated yet`);
}
