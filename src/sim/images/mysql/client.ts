import { type Applet, fromByteText, program, toByteText } from '../../../applets/applet.ts';
import { LineEditor } from '../../../shell/line-editor.ts';
import { Errno, type Socket } from '../../../unix/types.ts';
import { batchCell, box, type Split, splitStatements, vertical } from './client-format.ts';
import { ClientError, type ClientOptions, connect, errorLine, parseOptions } from './client-options.ts';
import { mysqladmin, mysqldump } from './client-tools.ts';
import type { Connection, Reply } from './connection.ts';
import { isNumberType } from './packets.ts';

/** The mysql client. */

const HELP = `
For information about MySQL products and services, visit:
   http://www.mysql.com/

List of all MySQL commands:
Note that all text commands must be first on line and end with ';'
?         (\\?) Synonym for \`help'.
clear     (\\c) Clear the current input statement.
delimiter (\\d) Set statement delimiter.
ego       (\\G) Send command to mysql server, display result vertically.
exit      (\\q) Exit mysql. Same as quit.
go        (\\g) Send command to mysql server.
help      (\\h) Display this help.
nowarning (\\w) Don't show warnings after every statement.
print     (\\p) Print current command.
quit      (\\q) Quit mysql.
source    (\\.) Execute an SQL script file. Takes a file name as an argument.
status    (\\s) Get status information from the server.
system    (\\!) Execute a system shell command.
use       (\\u) Use another database. Takes database name as argument.
warnings  (\\W) Show warnings after every statement.

`;

const COMMANDS: Readonly<Record<string, string>> = {
  ...{ '\\q': 'quit', exit: 'quit', '\\h': 'help', '\\?': 'help', '?': 'help', '\\s': 'status', '\\.': 'source', '\\d': 'delimiter', '\\u': 'use' },
  ...{ '\\W': 'warnings', '\\w': 'nowarning', '\\p': 'print', '\\!': 'system', '\\#': 'rehash' },
};
const WORDS = /^(quit|exit|help|status|source|delimiter|use|warnings|nowarning|print|system|rehash|clear|\?)$/i;

class Client {
  readonly #applet: Applet;
  readonly #options: ClientOptions;
  readonly #connection: Connection;
  readonly #interactive: boolean;
  readonly #silent: number;
  #buffer = '';
  #delimiter = ';';
  #showWarnings: boolean;
  /** Line of the input, and where what is gathered began. */
  #line = 0;
  #startLine = 1;
  #failed = false;

  constructor(applet: Applet, options: ClientOptions, connection: Connection) {
    this.#applet = applet;
    this.#options = options;
    this.#connection = connection;
    const { stdin, stdout } = applet.process;
    this.#interactive = options.execute.length === 0 && stdin.tty !== undefined;
    const quiet = this.#count('s', 'silent') + this.#count('B', 'batch');
    this.#silent = quiet > 0 ? quiet : stdout.kind === 'tty' ? 0 : 1;
    this.#delimiter = options.flags.get('delimiter')?.[0] ?? ';';
    this.#showWarnings = this.#count('show-warnings') > 0;
  }

  #count(...names: string[]): number {
    return names.reduce((sum, name) => sum + (this.#options.flags.get(name)?.length ?? 0), 0);
  }

  #out(text: string): Promise<void> | undefined {
    return this.#applet.put(toByteText(text));
  }

  async run(): Promise<number> {
    const { process } = this.#applet;
    if (this.#options.execute.length > 0) {
      for (const text of this.#options.execute) if (!(await this.#feedAll(text))) return 1;
      return this.#failed ? 1 : 0;
    }
    if (this.#interactive) return this.#converse();
    return (await this.#feedAll(fromByteText(await this.#applet.readText(process.stdin)))) && !this.#failed ? 0 : 1;
  }

  /** A whole text; what is left without a delimiter at its end is run too. False: stop. */
  async #feedAll(text: string): Promise<boolean> {
    // A text without commands of the client's own is cut at once.
    const lines = /^\s*(delimiter|source|use|\\[.duW])(\s|$)/im.test(text) ? text.split('\n') : [text];
    for (const line of lines) if ((await this.#feed(line)) === 'stop') return false;
    const rest = this.#buffer.trim();
    this.#buffer = '';
    return rest === '' || (await this.#statement(rest, false, this.#startLine)) !== 'stop';
  }

  /** One line (or more): a command of the client's, or a part of a statement. */
  async #feed(text: string): Promise<'stop' | 'quit' | Split['open']> {
    const blank = this.#buffer.trim() === '';
    if (blank) {
      this.#buffer = '';
      this.#startLine = this.#line + 1;
      const done = await this.#command(text);
      if (done) {
        this.#line++;
        return done === 'done' ? '' : done;
      }
    }
    this.#line += text.split('\n').length;
    const inline = /^([\s\S]*?)\\([qps])\s*$/.exec(text);
    this.#buffer += `${inline ? inline[1] : text}\n`;
    const { statements, rest, open, cleared } = splitStatements(this.#buffer, this.#delimiter);
    const began = this.#startLine;
    this.#buffer = rest === '' || (cleared && rest.trim() === '') ? '' : rest;
    if (statements.length > 0) this.#startLine = this.#line;
    for (const { sql, vertical: tall, line } of statements) if ((await this.#statement(sql, tall, began + line - 1)) === 'stop') return 'stop';
    if (inline?.[2] === 'q') return 'quit';
    if (inline?.[2] === 's') await this.#status();
    if (inline?.[2] === 'p') await this.#out(`--------------\n${this.#buffer.trim()}\n--------------\n\n`);
    return open;
  }

  /** Undefined: no command. */
  async #command(text: string): Promise<'done' | 'stop' | 'quit' | undefined> {
    const found = /^\s*(\\[.!#?hqsduwWp]|[A-Za-z?]+)(?:\s+([\s\S]*?))?\s*$/.exec(text);
    const word = found?.[1] ?? '';
    const bare = word.replace(/;$/, '');
    const name =
      COMMANDS[word] ??
      COMMANDS[bare.toLowerCase()] ??
      (WORDS.test(bare) ? bare.toLowerCase() : /^\s*(quit|exit|help|status|clear|warnings|nowarning|rehash)\s*;\s*$/i.exec(text)?.[1]?.toLowerCase());
    if (name === undefined) return undefined;
    const argument = (found?.[2] ?? '').replace(/;\s*$/, '').trim();
    switch (name) {
      case 'quit':
      case 'exit':
        return 'quit';
      case 'help':
        if (argument !== '') return undefined;
        await this.#out(HELP);
        return 'done';
      case 'status':
        await this.#status();
        return 'done';
      case 'delimiter':
        if ((found?.[2] ?? '') === '') await this.#applet.err("ERROR: DELIMITER must be followed by a 'delimiter' character or string\n");
        else this.#delimiter = found?.[2]?.trim().split(/\s/)[0] ?? ';';
        return 'done';
      case 'use': {
        if (argument.includes(';')) return undefined;
        const reply = await this.#connection.useDatabase(argument.replace(/^`(.*)`$/, '$1'));
        if (!reply || 'error' in reply) return (await this.#failure(reply, this.#interactive ? undefined : this.#line + 1)) ? 'done' : 'stop';
        if (this.#interactive) await this.#out('Database changed\n');
        return 'done';
      }
      case 'source':
        return this.#source(argument);
      case 'warnings':
      case 'nowarning':
        if (argument !== '') return undefined;
        this.#showWarnings = name === 'warnings';
        await this.#out(`Show warnings ${this.#showWarnings ? 'enabled' : 'disabled'}.\n`);
        return 'done';
      case 'system': {
        const { process } = this.#applet;
        await this.#applet.flush();
        await process.guard(process.spawn(['sh', '-c', argument]).exited);
        return 'done';
      }
      case 'clear':
      case 'print':
      case 'rehash':
        return argument === '' ? 'done' : undefined;
      default:
        return undefined;
    }
  }

  async #source(path: string): Promise<'done' | 'stop'> {
    let text: string;
    try {
      text = this.#applet.fs.readText(this.#applet.process.resolve(path));
    } catch (error) {
      if (!(error instanceof Errno)) throw error;
      await this.#applet.err(`ERROR: \nFailed to open file '${path}', error: 2\n`);
      return this.#interactive ? 'done' : 'stop';
    }
    const line = this.#line;
    this.#line = 0;
    const went = await this.#feedAll(text);
    this.#line = line;
    return went || this.#interactive ? 'done' : 'stop';
  }

  /** False: the run is to end. */
  async #failure(reply: Reply | undefined, line: number | undefined): Promise<boolean> {
    const error: [number, string, string] = reply && 'error' in reply ? reply.error : [2013, 'HY000', 'Lost connection to MySQL server during query'];
    await this.#applet.err(toByteText(`${errorLine(error, line)}\n`));
    if (this.#interactive) return true;
    this.#failed = true;
    return this.#count('f', 'force') > 0;
  }

  async #statement(sql: string, tall: boolean, line: number): Promise<'stop' | undefined> {
    const { kernel } = this.#applet.process;
    const began = kernel.now();
    if (this.#count('v', 'verbose') > 0) await this.#out(`--------------\n${sql}\n--------------\n\n`);
    const used = /^use\s+(\S+)$/i.exec(sql)?.[1];
    let reply: Reply | undefined;
    try {
      reply = used === undefined ? await this.#connection.query(sql) : await this.#connection.useDatabase(used.replace(/^`(.*)`$/, '$1'));
    } catch (error) {
      // The server hung up while it was being written to.
      if (!(error instanceof Errno)) throw error;
      reply = { error: [2006, 'HY000', 'MySQL server has gone away'] };
    }
    if (!reply || 'error' in reply) return (await this.#failure(reply, this.#interactive ? undefined : line)) ? undefined : 'stop';
    await this.#show(sql, reply, tall || this.#count('E', 'vertical') > 0, (kernel.now() - began) / 1000);
    if (this.#showWarnings && reply.warnings > 0) await this.#warnings();
    await this.#applet.flush();
    return undefined;
  }

  async #show(sql: string, reply: Exclude<Reply, { error: unknown }>, tall: boolean, seconds: number): Promise<void> {
    const time = `(${seconds.toFixed(2)} sec)`;
    const warnings = reply.warnings > 0 ? `, ${reply.warnings} warning${reply.warnings === 1 ? '' : 's'}` : '';
    if ('affected' in reply) {
      if (!this.#interactive) return;
      if (/^use\b/i.test(sql)) await this.#out('Database changed\n');
      else
        await this.#out(
          `Query OK, ${reply.affected} row${reply.affected === 1 ? '' : 's'} affected${warnings} ${time}\n${reply.info === '' ? '' : `${reply.info}\n`}\n`,
        );
      return;
    }
    const columns = reply.columns.map(({ title, type }) => ({ title, numeric: isNumberType(type) }));
    const { rows } = reply;
    const headings = this.#count('N', 'skip-column-names') === 0;
    const raw = this.#count('r', 'raw') > 0;
    if (rows.length > 0) {
      if (tall) await this.#out(vertical(columns, rows));
      else if (this.#count('t', 'table') > 0 || this.#silent === 0) await this.#out(box(columns, rows, headings));
      else {
        if (headings && this.#silent < 2) await this.#out(`${columns.map(({ title }) => title).join('\t')}\n`);
        for (const row of rows) await this.#out(`${row.map((cell) => batchCell(cell, raw)).join('\t')}\n`);
      }
    }
    if (this.#interactive)
      await this.#out(`${rows.length === 0 ? 'Empty set' : `${rows.length} row${rows.length === 1 ? '' : 's'} in set`}${warnings} ${time}\n\n`);
  }

  async #warnings(): Promise<void> {
    const reply = await this.#connection.query('SHOW WARNINGS');
    if (!reply || !('rows' in reply)) return;
    for (const [level, code, message] of reply.rows) await this.#out(`${level} (Code ${code}): ${message}\n`);
    if (this.#interactive) await this.#out('\n');
  }

  async #status(): Promise<void> {
    const reply = await this.#connection.query('SELECT DATABASE(), USER()');
    const [database, user] = reply && 'rows' in reply ? (reply.rows[0] ?? []) : [];
    const local = this.#options.host === 'localhost';
    const statistics = await this.#connection.statistics();
    const uptime = Number(/Uptime: (\d+)/.exec(statistics)?.[1] ?? 0);
    const parts = [
      `${Math.floor(uptime / 3600)} hour${uptime >= 7200 || uptime < 3600 ? 's' : ''}`,
      `${Math.floor((uptime % 3600) / 60)} min`,
      `${uptime % 60} sec`,
    ];
    const age = (uptime >= 3600 ? parts : uptime >= 60 ? parts.slice(1) : parts.slice(2)).join(' ');
    const lines: [string, string][] = [
      ['Connection id', String(this.#connection.greeting.connectionId)],
      ['Current database', database ?? ''],
      ['Current user', user ?? ''],
      ['SSL', 'Not in use'],
      ['Current pager', 'stdout'],
      ['Using outfile', "''"],
      ['Using delimiter', this.#delimiter],
      ['Server version', `${this.#connection.greeting.version} MySQL Community Server - GPL`],
      ['Protocol version', '10'],
      ['Connection', local ? 'Localhost via UNIX socket' : `${this.#options.host} via TCP/IP`],
      ['Server characterset', 'utf8mb4'],
      ['Db     characterset', 'utf8mb4'],
      ['Client characterset', 'utf8mb4'],
      ['Conn.  characterset', 'utf8mb4'],
      ...((local ? [['UNIX socket', '/var/run/mysqld/mysqld.sock']] : [['TCP port', String(this.#options.port)]]) as [string, string][]),
      ['Uptime', age],
    ];
    const text = lines.map(([name, value]) => `${`${name}:`.padEnd(24)}${value}\n`.replace(/^(.{1,23}) +/, (all) => all)).join('');
    await this.#out(
      `--------------\nmysql  Ver 8.1.0 for Linux on x86_64 (MySQL Community Server - GPL)\n\n${text}\n${statistics.replace(/^Uptime: \d+ {2}/, '')}\n--------------\n\n`,
    );
  }

  // ---- at the terminal ----

  async #converse(): Promise<number> {
    const { process } = this.#applet;
    const { tty } = process.stdin;
    if (this.#silent === 0)
      await this.#out(
        `Welcome to the MySQL monitor.  Commands end with ; or \\g.\nYour MySQL connection id is ${this.#connection.greeting.connectionId}\nServer version: ${this.#connection.greeting.version} MySQL Community Server - GPL\n\nCopyright (c) 2000, 2023, Oracle and/or its affiliates.\n\nOracle is a registered trademark of Oracle Corporation and/or its\naffiliates. Other names may be trademarks of their respective\nowners.\n\nType 'help;' or '\\h' for help. Type '\\c' to clear the current input statement.\n\n`,
      );
    const history: string[] = [];
    const editor = tty && new LineEditor({ owner: { process, dialect: 'ash', history }, tty, complete: async () => ({ start: 0, candidates: [], hidden: 0 }) });
    let open: Split['open'] = '';
    for (;;) {
      await this.#applet.flush();
      const prompt = this.#buffer.trim() === '' ? 'mysql> ' : `    ${{ "'": "'> ", '"': '"> ', '`': '`> ', '/*': '/*> ', '': '-> ' }[open]}`;
      const line = await editor?.readLine(prompt.padStart(7));
      if (line === 'interrupted') {
        this.#buffer = '';
        continue;
      }
      if (line === undefined) {
        await this.#out('Bye\n');
        await this.#applet.flush();
        return 0;
      }
      if (line.trim() !== '') history.push(line);
      const after = await this.#feed(line);
      if (after === 'quit') {
        await this.#out('Bye\n');
        await this.#applet.flush();
        return 0;
      }
      open = after === 'stop' ? '' : after;
    }
  }
}

async function mysql(applet: Applet): Promise<number> {
  const options = parseOptions(applet);
  options.database ??= options.rest[0];
  const { connection, socket } = await connect(applet, options);
  return ending(socket, () => new Client(applet, options, connection).run());
}

async function ending<T>(socket: Socket, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } finally {
    socket.close();
  }
}

/** Connection failures end a tool with its one line. */
function tool(main: (applet: Applet) => Promise<number>): ReturnType<typeof program> {
  return program('[OPTIONS] [database]', async (applet) => {
    try {
      return await main(applet);
    } catch (error) {
      if (!(error instanceof ClientError)) throw error;
      await applet.err(toByteText(`${error.message}\n`));
      return error.code;
    }
  });
}

export const clientPrograms = { mysql: tool(mysql), mysqladmin: tool(mysqladmin), mysqldump: tool(mysqldump) };
