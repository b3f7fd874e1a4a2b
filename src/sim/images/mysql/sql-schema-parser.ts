import type { AlterAction, ColumnDefinition, ColumnPlace, Constraints, ForeignKey, ReferenceAction, SqlExpression, SqlStatement } from './sql-ast.ts';
import { notSimulated } from './sql-error.ts';
import { SelectParser } from './sql-select-parser.ts';

const SYNONYMS: Readonly<Record<string, string>> = {
  integer: 'int',
  int4: 'int',
  int8: 'bigint',
  bool: 'tinyint(1)',
  boolean: 'tinyint(1)',
  numeric: 'decimal',
  dec: 'decimal',
  fixed: 'decimal',
  real: 'double',
  serial: 'bigint unsigned',
};
const TYPES =
  /^(tinyint(\(1\))?|smallint|mediumint|int|bigint( unsigned)?|decimal|float|double|bit|char|varchar|binary|varbinary|(tiny|medium|long)?(text|blob)|date|datetime|timestamp|time|year|enum|set|json)$/;

export const noConstraints = (): Constraints => ({ keys: [], foreignKeys: [], checks: [] });

/** CREATE, ALTER, DROP and RENAME of databases and tables. */
export class SchemaParser extends SelectParser {
  protected createTable(): SqlStatement {
    const tolerant = this.takeWord('if', 'not', 'exists');
    const table = this.tableName();
    const base = { kind: 'create-table', table, tolerant } as const;
    if (this.isSymbol('(') && this.ahead()?.text.toLowerCase() === 'like') this.at++;
    if (this.takeWord('like')) {
      const source = this.tableName();
      this.takeSymbol(')');
      return { ...base, columns: [], constraints: noConstraints(), like: source };
    }
    if (this.isWord('as') || this.isSelect()) throw notSimulated('CREATE TABLE … SELECT');
    this.expectSymbol('(');
    const columns: ColumnDefinition[] = [];
    const constraints = noConstraints();
    this.list(() => {
      if (!this.#constraint(constraints)) columns.push(this.#column(constraints));
    });
    this.expectSymbol(')');
    const start = this.at;
    this.skipStatement();
    const counter = /\bAUTO_INCREMENT\s*=?\s*(\d+)/i.exec(this.written(start))?.[1];
    return { ...base, columns, constraints, ...(counter ? { autoIncrement: BigInt(counter) } : {}) };
  }

  /** A key, foreign key or check; false: a column stands here. */
  #constraint(into: Constraints): boolean {
    let name: string | undefined;
    if (this.takeWord('constraint') && this.isName()) name = this.name();
    if (this.takeWord('primary')) {
      this.expectWord('key');
      into.keys.push({ name: 'PRIMARY', kind: 'primary', columns: this.names() });
    } else if (this.takeWord('foreign')) {
      this.expectWord('key');
      if (!this.isSymbol('(')) name ??= this.name();
      into.foreignKeys.push({ name: name ?? '', columns: this.names(), ...this.#references() });
    } else if (this.takeWord('check')) into.checks.push(this.#check(name));
    else {
      const kind = this.takeWord('unique') ? 'unique' : this.takeOneOf('key', 'index', 'fulltext', 'spatial') ? 'index' : undefined;
      if (!kind) return name === undefined ? false : this.fail();
      this.takeOneOf('key', 'index');
      if (!this.isSymbol('(')) name = this.name();
      if (this.takeWord('using')) this.at++;
      const columns = this.names();
      if (this.takeWord('using')) this.at++;
      into.keys.push({ name: name ?? '', kind, columns });
    }
    return true;
  }

  #check(name: string | undefined) {
    this.expectSymbol('(');
    const start = this.at;
    const condition = this.expression();
    const text = this.written(start);
    this.expectSymbol(')');
    this.takeWord('enforced');
    return { name: name ?? '', text, condition };
  }

  #references(): Omit<ForeignKey, 'name' | 'columns'> {
    this.expectWord('references');
    const table = this.tableName();
    const references = this.names();
    const actions: { onDelete: ReferenceAction; onUpdate: ReferenceAction } = { onDelete: 'no action', onUpdate: 'no action' };
    while (this.takeWord('on')) {
      const event = this.takeOneOf('delete', 'update') ?? this.fail();
      const action = this.takeWord('set', 'null')
        ? 'set null'
        : this.takeWord('no', 'action')
          ? 'no action'
          : (this.takeOneOf('cascade', 'restrict') ?? this.fail());
      actions[event === 'delete' ? 'onDelete' : 'onUpdate'] = action;
    }
    return { table, references, ...actions };
  }

  #type(): string {
    const token = this.next();
    let type = SYNONYMS[token.text.toLowerCase()] ?? token.text.toLowerCase();
    if (type === 'double') this.takeWord('precision');
    if (token.type !== 'word' || !TYPES.test(type)) {
      this.at--;
      this.fail();
    }
    if (this.takeSymbol('(')) {
      const args = this.list(() => {
        const argument = this.next();
        if (argument.type !== 'number' && argument.type !== 'string') this.fail();
        return argument.type === 'string' ? `'${argument.text.replace(/'/g, "''")}'` : argument.text;
      });
      this.expectSymbol(')');
      // Display widths of integers are gone since 8.0.19.
      if (!/^(smallint|mediumint|int|bigint|tinyint|year)$/.test(type) || (type === 'tinyint' && args[0] === '1'))
        type += `(${type === 'decimal' && args.length === 1 ? `${args[0]},0` : args.join(',')})`;
    } else if (type === 'decimal') type = 'decimal(10,0)';
    else if (type === 'char' || type === 'binary' || type === 'bit') type += '(1)';
    else if (type === 'varchar' || type === 'varbinary' || type === 'enum' || type === 'set') this.fail();
    return type;
  }

  #column(into: Constraints): ColumnDefinition {
    const name = this.name();
    const column: ColumnDefinition = { name, type: this.#type(), nullable: true, autoIncrement: false, onUpdateNow: false };
    for (;;) {
      if (this.takeWord('unsigned')) column.type += ' unsigned';
      else if (this.takeWord('zerofill') || this.takeWord('signed')) continue;
      else if (this.takeWord('not')) {
        this.expectWord('null');
        column.nullable = false;
      } else if (this.takeWord('null')) column.nullable = true;
      else if (this.takeWord('auto_increment')) column.autoIncrement = true;
      else if (this.takeWord('primary', 'key') || this.takeWord('key')) into.keys.push({ name: 'PRIMARY', kind: 'primary', columns: [name] });
      else if (this.takeWord('unique')) {
        this.takeWord('key');
        into.keys.push({ name, kind: 'unique', columns: [name] });
      } else if (this.takeWord('default')) column.default = this.unary();
      else if (this.takeWord('on', 'update')) {
        this.unary();
        column.onUpdateNow = true;
      } else if (this.takeWord('check')) into.checks.push(this.#check(undefined));
      else if (this.takeWord('comment') || this.takeWord('collate') || this.takeWord('character', 'set') || this.takeWord('charset')) this.at++;
      else if (this.isWord('references')) this.#references();
      else if (this.isWord('generated') || this.isWord('as')) throw notSimulated('a generated column');
      else return column;
    }
  }

  protected createIndex(unique: boolean): SqlStatement {
    const name = this.name();
    this.expectWord('on');
    const table = this.tableName();
    const key = { name, kind: unique ? ('unique' as const) : ('index' as const), columns: this.names() };
    return { kind: 'alter-table', table, actions: [{ kind: 'add-constraints', constraints: { ...noConstraints(), keys: [key] } }] };
  }

  protected alterTable(): SqlStatement {
    const table = this.tableName();
    const actions: AlterAction[] = [];
    this.list(() => {
      const action = this.#alterAction(actions);
      if (action) actions.push(action);
    });
    return { kind: 'alter-table', table, actions };
  }

  #place(): { place?: ColumnPlace } {
    if (this.takeWord('first')) return { place: 'first' };
    return this.takeWord('after') ? { place: { after: this.name() } } : {};
  }

  #addColumn(): AlterAction {
    const constraints = noConstraints();
    return { kind: 'add-column', column: this.#column(constraints), constraints, ...this.#place() };
  }

  #alterAction(actions: AlterAction[]): AlterAction | undefined {
    if (this.takeWord('add')) {
      const constraints = noConstraints();
      if (this.#constraint(constraints)) return { kind: 'add-constraints', constraints };
      this.takeWord('column');
      if (!this.takeSymbol('(')) return this.#addColumn();
      this.list(() => actions.push(this.#addColumn()));
      this.expectSymbol(')');
      return undefined;
    }
    if (this.takeWord('drop')) {
      if (this.takeWord('primary', 'key')) return { kind: 'drop-key', name: 'PRIMARY' };
      if (this.takeOneOf('key', 'index')) return { kind: 'drop-key', name: this.name() };
      if (this.takeWord('foreign', 'key')) return { kind: 'drop-foreign-key', name: this.name() };
      if (this.takeOneOf('check', 'constraint')) return { kind: 'drop-check', name: this.name() };
      this.takeWord('column');
      return { kind: 'drop-column', name: this.name() };
    }
    if (this.isWord('modify') || this.isWord('change')) {
      const change = this.next().text.toLowerCase() === 'change';
      this.takeWord('column');
      const old = change ? this.name() : this.token.text;
      const constraints = noConstraints();
      return { kind: 'change-column', name: old, column: this.#column(constraints), constraints, ...this.#place() };
    }
    if (this.takeWord('rename')) {
      if (this.takeWord('column')) {
        const name = this.name();
        this.expectWord('to');
        return { kind: 'rename-column', name, to: this.name() };
      }
      this.takeOneOf('to', 'as');
      return { kind: 'rename', table: this.tableName() };
    }
    if (this.takeWord('alter')) {
      this.takeWord('column');
      const name = this.name();
      if (this.takeWord('drop', 'default')) return { kind: 'set-default', name };
      this.expectWord('set', 'default');
      return { kind: 'set-default', name, value: this.unary() };
    }
    if (this.takeWord('auto_increment')) {
      this.takeSymbol('=');
      return { kind: 'auto-increment', value: BigInt(this.integer()) };
    }
    if (this.takeWord('disable', 'keys') || this.takeWord('enable', 'keys')) return undefined;
    if (this.takeOneOf('engine', 'comment', 'charset', 'collate', 'row_format')) {
      this.takeSymbol('=');
      this.at++;
      return undefined;
    }
    return this.fail();
  }

  protected renameTables(): SqlStatement {
    const pairs = this.list(() => {
      const from = this.tableName();
      this.expectWord('to');
      return { from, to: this.tableName() };
    });
    return { kind: 'rename-table', pairs };
  }

  protected createDatabase(): SqlStatement {
    const tolerant = this.takeWord('if', 'not', 'exists');
    const name = this.name();
    this.takeWord('default');
    if (!this.ended && !this.isWord('character') && !this.isWord('charset') && !this.isWord('collate') && !this.isWord('encryption')) this.fail();
    this.skipStatement();
    return { kind: 'create-database', name, tolerant };
  }

  protected dropTables(): SqlStatement {
    const tolerant = this.takeWord('if', 'exists');
    const tables = this.list(() => this.tableName());
    this.takeOneOf('restrict', 'cascade');
    return { kind: 'drop-table', tolerant, tables };
  }

  protected assignments(): [string, SqlExpression][] {
    return this.list((): [string, SqlExpression] => {
      let name = this.name();
      while (this.takeSymbol('.')) name = this.name();
      if (!this.takeSymbol('=')) this.expectSymbol(':=');
      return [name, this.takeWord('default') ? { kind: 'call', name: 'default', args: [{ kind: 'column', name }], distinct: false } : this.expression()];
    });
  }
}
