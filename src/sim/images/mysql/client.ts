import { type Applet, byteText, fromByteText, program, toByteText } from '../../../applets/applet.ts';
import { resolveHost } from '../../../applets/resolver.ts';
import { StreamDecoder } from '../../../unix/index.ts';
import { Errno, type Socket } from '../../../unix/types.ts';
import { batchCell, box, splitStatements, vertical } from './client-format.ts';
import type { SqlValue } from './sql-parser.ts';
import { type FromServer, Wire } from './wire.ts';

/** The command-line tools: mysql, mysqladmin, mysqldump. */

interface ConnectionOptions {
  host: string;
  port: number;
  user: string;
  password: string | undefined;
  askPassword: boolean;
  database: string | undefined;
  execute: string[];
  /** Single letters and long names without value. */
  flags: Set<string>;
  rest: string[];
}

class ClientError extends Error {
  readonly code: number;
  constructor(message: string, code = 1) {
    super(message);
    this.code = code;
  }
}

function parseOptions(applet: Applet): ConnectionOptions {
  const options: ConnectionOptions = {
    host: 'localhost',
    port: 3306,
    user: 'root',
    password: applet.process.env.get('MYSQL_PWD'),
    askPassword: false,
    database: undefined,
    execute: [],
    flags: new Set(),
    rest: [],
  };
  const args = applet.process.argv.slice(1);
  for (let i = 0; i < args.length; i++) {
    const word = args[i] as string;
    const long = /^--([a-z-]+)(?:=(.*))?$/s.exec(word);
    const short = /^-([hPuDe])(.*)$/s.exec(word);
    const key = long?.[1] ?? (short ? { h: 'host', P: 'port', u: 'user', D: 'database', e: 'execute' }[short[1] as 'h'] : undefined);
    if (
      key !== undefined &&
      [
        'host',
        'port',
        'user',
        'database',
        'execute',
        'protocol',
        'default-character-set',
        'connect-timeout',
        'socket',
        'defaults-file',
        'wait',
        'get-server-public-key',
      ].includes(key)
    ) {
      const value = long ? (long[2] ?? (['wait', 'get-server-public-key'].includes(key) ? '' : (args[++i] ?? ''))) : short?.[2] || (args[++i] ?? '');
      if (key === 'host') options.host = value;
      else if (key === 'port') options.port = Number(value);
      else if (key === 'user') options.user = value;
      else if (key === 'database') options.database = value;
      else if (key === 'execute') options.execute.push(value);
    } else if (word === '-p' || word === '--password') options.askPassword = true;
    else if (/^-p./.test(word)) options.password = word.slice(2);
    else if (long?.[1] === 'password') options.password = long[2] ?? '';
    else if (long) options.flags.add(long[1] as string);
    else if (/^-[A-Za-z]+$/.test(word)) for (const letter of word.slice(1)) options.flags.add(letter);
    else options.rest.push(word);
  }
  return options;
}

async function connect(applet: Applet, options: ConnectionOptions): Promise<Wire> {
  const { process } = applet;
  if (options.password !== undefined && applet.process.env.get('MYSQL_PWD') === undefined) {
    await applet.err(`${applet.name}: [Warning] Using a password on the command line interface can be insecure.\n`);
  }
  const local = options.host === 'localhost';
  const cannot = (code: string): ClientError =>
    new ClientError(
      local
        ? "ERROR 2002 (HY000): Can't connect to local MySQL server through socket '/var/run/mysqld/mysqld.sock' (2)"
        : `ERROR 2003 (HY000): Can't connect to MySQL server on '${options.host}:${options.port}' (${code === 'ECONNREFUSED' ? 111 : code === 'EHOSTUNREACH' ? 113 : 110})`,
    );
  const found = local ? { addresses: ['127.0.0.1'] } : await resolveHost(process, options.host);
  if (!('addresses' in found) || !found.addresses[0]) throw new ClientError(`ERROR 2005 (HY000): Unknown MySQL server host '${options.host}' (-2)`);
  let socket: Socket;
  try {
    socket = await process.guard(process.machine.net.connect(found.addresses[0], options.port, { signal: process.signal, timeoutMs: 30_000 }));
  } catch (error) {
    if (!(error instanceof Errno)) throw error;
    throw cannot(error.code);
  }
  const wire = new Wire(process, socket);
  if (!(await wire.readGreeting()))
    throw new ClientError("ERROR 2013 (HY000): Lost connection to MySQL server at 'reading initial communication packet', system error: 0");
  await wire.send({
    login: { user: options.user, password: options.password ?? '', ...(options.database === undefined ? {} : { database: options.database }) },
  });
  const answer = await wire.receive<FromServer>();
  if (!answer) throw new ClientError("ERROR 2013 (HY000): Lost connection to MySQL server at 'reading authorization packet', system error: 0");
  if ('error' in answer) {
    socket.close();
    throw new ClientError(errorLine(answer.error));
  }
  return wire;
}

const errorLine = ([number, state, message]: [number, string, string], line?: number): string =>
  `ERROR ${number} (${state})${line === undefined ? '' : ` at line ${line}`}: ${message}`;

async function runStatement(
  applet: Applet,
  wire: Wire,
  sql: string,
  style: { vertical: boolean; table: boolean; headings: boolean; interactive: boolean; line?: number },
): Promise<boolean> {
  await wire.send({ sql });
  const answer = await wire.receive<FromServer>();
  if (!answer) {
    await applet.err('ERROR 2013 (HY000): Lost connection to MySQL server during query\n');
    return false;
  }
  if ('error' in answer) {
    await applet.err(toByteText(`${errorLine(answer.error, style.line)}\n`));
    return false;
  }
  const out = (text: string): Promise<void> | undefined => applet.put(toByteText(text));
  if ('columns' in answer) {
    const { columns, rows } = answer;
    const count = `${rows.length === 0 ? 'Empty set' : `${rows.length} row${rows.length === 1 ? '' : 's'} in set`} (${answer.seconds.toFixed(2)} sec)\n\n`;
    if (rows.length > 0) {
      if (style.vertical) await out(vertical(columns, rows));
      else if (style.table) await out(box(columns, rows, style.headings));
      else
        await out(
          (style.headings ? `${columns.map(({ title }) => title).join('\t')}\n` : '') + rows.map((row) => `${row.map(batchCell).join('\t')}\n`).join(''),
        );
    }
    if (style.interactive) await out(count);
  } else if ('affected' in answer && style.interactive) {
    if (/^\s*use\b/i.test(sql)) await out('Database changed\n');
    else
      await out(
        `Query OK, ${answer.affected} row${answer.affected === 1 ? '' : 's'} affected (${answer.seconds.toFixed(2)} sec)\n${answer.info ? `${answer.info}\n` : ''}\n`,
      );
  }
  await applet.flush();
  return true;
}

async function mysql(applet: Applet): Promise<number> {
  const options = parseOptions(applet);
  options.database ??= options.rest[0];
  const { process } = applet;
  const { tty } = process.stdin;
  if (options.askPassword && options.password === undefined) options.password = await readPassword(applet);
  const wire = await connect(applet, options);
  const has = (...names: string[]): boolean => names.some((name) => options.flags.has(name));
  const interactive = options.execute.length === 0 && tty !== undefined;
  const style = {
    vertical: has('E', 'vertical'),
    table: has('t', 'table') || (!has('B', 'batch', 's', 'silent') && process.stdout.kind === 'tty'),
    headings: !has('N', 'skip-column-names'),
    interactive,
  };
  try {
    if (options.execute.length > 0) {
      const { statements, rest } = splitStatements(options.execute.join(';\n'));
      const all = rest.trim() === '' ? statements : [...statements, { sql: rest.trim(), vertical: false, line: 1 }];
      for (const { sql, vertical: tall, line } of all) {
        if (!(await runStatement(applet, wire, sql, { ...style, vertical: tall || style.vertical, line })) && !has('f', 'force')) return 1;
      }
      return 0;
    }
    if (!interactive) {
      const { statements, rest } = splitStatements(fromByteText(await applet.readText(process.stdin)));
      for (const { sql, vertical: tall, line } of rest.trim() === '' ? statements : [...statements, { sql: rest.trim(), vertical: false, line: 1 }]) {
        if (!(await runStatement(applet, wire, sql, { ...style, vertical: tall || style.vertical, line })) && !has('f', 'force')) return 1;
      }
      return 0;
    }
    return await converse(applet, wire, style);
  } finally {
    wire.socket.close();
  }
}

async function converse(applet: Applet, wire: Wire, style: { vertical: boolean; table: boolean; headings: boolean; interactive: boolean }): Promise<number> {
  await applet.put(
    "Welcome to the MySQL monitor.  Commands end with ; or \\g.\nYour MySQL connection id is 8\nServer version: 8.1.0 MySQL Community Server - GPL\n\nCopyright (c) 2000, 2023, Oracle and/or its affiliates.\n\nType 'help;' or '\\h' for help. Type '\\c' to clear the current input statement.\n\n",
  );
  let pending = '';
  let typed = '';
  const decoder = new StreamDecoder();
  for (;;) {
    await applet.put(pending.trim() === '' ? 'mysql> ' : '    -> ');
    await applet.flush();
    while (!typed.includes('\n')) {
      const chunk = await applet.process.stdin.read();
      if (!chunk) {
        await applet.put('Bye\n');
        return 0;
      }
      typed += decoder.decode(chunk);
    }
    const line = typed.slice(0, typed.indexOf('\n'));
    typed = typed.slice(typed.indexOf('\n') + 1);
    if (pending.trim() === '' && /^\s*(?:exit|quit|\\q)\s*;?\s*$/i.test(line)) {
      await applet.put('Bye\n');
      return 0;
    }
    if (/\\c\s*$/.test(line)) {
      pending = '';
      continue;
    }
    pending += `${line}\n`;
    if (/^\s*use\s+\S+\s*$/i.test(pending)) pending += ';';
    const { statements, rest } = splitStatements(pending);
    for (const { sql, vertical: tall } of statements) await runStatement(applet, wire, sql, { ...style, vertical: tall });
    pending = rest.trim() === '' ? '' : rest;
  }
}

async function readPassword(applet: Applet): Promise<string> {
  const { tty } = applet.process.stdin;
  await applet.put('Enter password: ');
  await applet.flush();
  if (tty) tty.echo = false;
  try {
    const chunk = await applet.process.stdin.read();
    return chunk ? fromByteText(byteText(chunk)).replace(/\r?\n[\s\S]*$/, '') : '';
  } finally {
    if (tty) tty.echo = true;
    await applet.put('\n');
  }
}

async function mysqladmin(applet: Applet): Promise<number> {
  const options = parseOptions(applet);
  const [command = 'ping'] = options.rest;
  try {
    const wire = await connect(applet, options);
    wire.socket.close();
  } catch (error) {
    if (!(error instanceof ClientError)) throw error;
    // A server that refuses a password is alive all the same.
    if (command === 'ping' && error.message.startsWith('ERROR 1045')) {
      if (!options.flags.has('silent') && !options.flags.has('s')) await applet.put('mysqld is alive\n');
      return 0;
    }
    const host = options.host;
    const reason = error.message.replace(/^ERROR \d+ \([^)]*\): /, '');
    await applet.err(
      `mysqladmin: connect to server at '${host}' failed\nerror: '${reason}'\nCheck that mysqld is running${host === 'localhost' ? " and that the socket: '/var/run/mysqld/mysqld.sock' exists!" : ` on ${host} and that the port is ${options.port}.\nYou can check this by doing 'telnet ${host} ${options.port}'`}\n`,
    );
    return 1;
  }
  if (command === 'ping') {
    if (!options.flags.has('silent') && !options.flags.has('s')) await applet.put('mysqld is alive\n');
  } else if (command === 'version' || command === 'status')
    await applet.put('Uptime: 60  Threads: 2  Questions: 5  Slow queries: 0  Opens: 119  Flush tables: 3  Open tables: 38  Queries per second avg: 0.083\n');
  else {
    await applet.err(`error: mysqladmin ${command} is not simulated yet\n`);
    return 1;
  }
  return 0;
}

async function mysqldump(applet: Applet): Promise<number> {
  const options = parseOptions(applet);
  const wire = await connect(applet, options);
  const ask = async (sql: string): Promise<SqlValue[][]> => {
    await wire.send({ sql });
    const answer = await wire.receive<FromServer>();
    if (!answer || 'error' in answer)
      throw new ClientError(
        `mysqldump: Got error: ${answer && 'error' in answer ? `${answer.error[0]}: "${answer.error[2]}"` : '2013'} when selecting the database`,
        2,
      );
    return 'columns' in answer ? answer.rows : [];
  };
  const all = options.flags.has('all-databases') || options.flags.has('A');
  const many = all || options.flags.has('databases') || options.flags.has('B');
  const databases = all
    ? (await ask('SHOW DATABASES')).map(([name]) => String(name)).filter((name) => !['mysql', 'sys', 'information_schema', 'performance_schema'].includes(name))
    : many
      ? options.rest
      : options.rest.slice(0, 1);
  const quoted = (value: SqlValue): string =>
    value === null ? 'NULL' : typeof value === 'number' ? String(value) : `'${value.replace(/\\/g, '\\\\').replace(/'/g, "\\'").replace(/\n/g, '\\n')}'`;
  const out = (text: string): Promise<void> | undefined => applet.put(toByteText(text));
  try {
    await out(
      '-- MySQL dump 10.13  Distrib 8.1.0, for Linux (x86_64)\n--\n-- Host: localhost    Database: '.concat(
        databases[0] ?? '',
        '\n-- ------------------------------------------------------\n-- Server version\t8.1.0\n\n',
      ),
    );
    for (const database of databases) {
      if (many)
        await out(
          `--\n-- Current Database: \`${database}\`\n--\n\nCREATE DATABASE /*!32312 IF NOT EXISTS*/ \`${database}\` /*!40100 DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_0900_ai_ci */;\n\nUSE \`${database}\`;\n\n`,
        );
      await ask(`USE \`${database}\``);
      const tables = many
        ? (await ask('SHOW TABLES')).map(([name]) => String(name))
        : options.rest.length > 1
          ? options.rest.slice(1)
          : (await ask('SHOW TABLES')).map(([name]) => String(name));
      for (const name of tables) {
        const created = (await ask(`SHOW CREATE TABLE \`${name}\``))[0]?.[1];
        await out(`--\n-- Table structure for table \`${name}\`\n--\n\nDROP TABLE IF EXISTS \`${name}\`;\n${created};\n\n`);
        if (options.flags.has('no-data') || options.flags.has('d')) continue;
        const rows = await ask(`SELECT * FROM \`${name}\``);
        await out(`--\n-- Dumping data for table \`${name}\`\n--\n\n`);
        if (rows.length > 0) await out(`INSERT INTO \`${name}\` VALUES ${rows.map((row) => `(${row.map(quoted).join(',')})`).join(',')};\n`);
        await out('\n');
      }
    }
    await out('-- Dump completed\n');
    return 0;
  } finally {
    wire.socket.close();
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
