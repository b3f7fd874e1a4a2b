import { type Applet, toByteText } from '../../../applets/applet.ts';
import { Errno } from '../../../unix/types.ts';
import { box } from './client-format.ts';
import { ClientError, type ClientOptions, connect, parseOptions } from './client-options.ts';
import type { Connection } from './connection.ts';
import { isNumberType } from './packets.ts';

/** mysqladmin and mysqldump. */

export async function mysqladmin(applet: Applet): Promise<number> {
  const options = parseOptions(applet);
  const commands = [...options.rest];
  const silent = options.flags.has('s') || options.flags.has('silent');
  if (commands.length === 0) {
    await applet.put('mysqladmin  Ver 8.1.0 for Linux on x86_64 (MySQL Community Server - GPL)\nUsage: mysqladmin [OPTIONS] command command....\n');
    return 1;
  }
  let open: Awaited<ReturnType<typeof connect>>;
  const attempts = options.flags.has('wait') || options.flags.has('w') ? 60 : 1;
  for (let attempt = 1; ; attempt++) {
    try {
      open = await connect(applet, options);
      break;
    } catch (error) {
      if (!(error instanceof ClientError)) throw error;
      // A server that refuses a password is alive all the same.
      if (commands[0] === 'ping' && error.message.startsWith('ERROR 1045')) {
        const reason = error.message.replace(/^ERROR \d+ \([^)]*\): /, '');
        await applet.err(`mysqladmin: connect to server at '${options.host}' failed\nerror: '${reason}'\n`);
        if (!silent) await applet.put('mysqld is alive\n');
        return 0;
      }
      if (attempt >= attempts) return refused(applet, options, error);
      await applet.process.sleep(1000);
    }
  }
  try {
    while (commands.length > 0) {
      const failed = await adminCommand(applet, open.connection, commands.shift() ?? '', commands, silent);
      if (failed !== undefined) {
        await applet.err(toByteText(`mysqladmin: ${failed}\n`));
        return 1;
      }
    }
    return 0;
  } finally {
    open.socket.close();
  }
}

async function refused(applet: Applet, options: ClientOptions, error: ClientError): Promise<number> {
  const { host, port } = options;
  const reason = error.message.replace(/^ERROR \d+ \([^)]*\): /, '');
  const hint = /^ERROR 20/.test(error.message)
    ? `Check that mysqld is running${host === 'localhost' ? " and that the socket: '/var/run/mysqld/mysqld.sock' exists!" : ` on ${host} and that the port is ${port}.\nYou can check this by doing 'telnet ${host} ${port}'`}\n`
    : '';
  await applet.err(`mysqladmin: connect to server at '${host}' failed\nerror: '${reason}'\n${hint}`);
  return 1;
}

/** What went wrong, if anything did. */
async function adminCommand(applet: Applet, connection: Connection, command: string, rest: string[], silent: boolean): Promise<string | undefined> {
  const run = async (sql: string, table: boolean): Promise<string | undefined> => {
    const reply = await connection.query(sql);
    if (!reply) return `${command} failed; error: 'Lost connection to MySQL server during query'`;
    if ('error' in reply) return `${command} failed; error: '${reply.error[2]}'`;
    if (table && 'rows' in reply)
      await applet.put(
        toByteText(
          box(
            reply.columns.map(({ title, type }) => ({ title, numeric: isNumberType(type) })),
            reply.rows,
            true,
          ),
        ),
      );
    return undefined;
  };
  const name = (): string => `\`${(rest.shift() ?? '').replace(/`/g, '``')}\``;
  switch (command) {
    case 'ping':
      if (!(await connection.ping())) return 'ping failed';
      if (!silent) await applet.put('mysqld is alive\n');
      return undefined;
    case 'status':
      await applet.put(`${await connection.statistics()}\n`);
      return undefined;
    case 'version': {
      const statistics = await connection.statistics();
      await applet.put(
        `mysqladmin  Ver 8.1.0 for Linux on x86_64 (MySQL Community Server - GPL)\nCopyright (c) 2000, 2023, Oracle and/or its affiliates.\n\nServer version\t\t${connection.greeting.version}\nProtocol version\t10\nConnection\t\tLocalhost via UNIX socket\nUNIX socket\t\t/var/run/mysqld/mysqld.sock\nUptime:\t\t\t${/Uptime: (\d+)/.exec(statistics)?.[1]} sec\n\n${statistics.replace(/^Uptime: \d+ {2}/, '')}\n`,
      );
      return undefined;
    }
    case 'shutdown':
      return run('SHUTDOWN', false);
    case 'variables':
      return run('SHOW GLOBAL VARIABLES', true);
    case 'extended-status':
      return run('SHOW GLOBAL STATUS', true);
    case 'processlist':
      return run('SHOW PROCESSLIST', true);
    case 'flush-logs':
      return run('FLUSH LOGS', false);
    case 'reload':
    case 'refresh':
    case 'flush-privileges':
      return run('FLUSH PRIVILEGES', false);
    case 'start-replica':
    case 'stop-replica':
      return run(command.replace('-', ' '), false);
    case 'create':
      return run(`CREATE DATABASE ${name()}`, false);
    case 'drop':
      return run(`DROP DATABASE ${name()}`, false);
    case 'kill':
      return run(`KILL ${rest.shift() ?? ''}`, false);
    case 'password':
      return run(`ALTER USER CURRENT_USER() IDENTIFIED BY '${(rest.shift() ?? '').replace(/\\/g, '\\\\').replace(/'/g, "\\'")}'`, false);
    default:
      return `Unknown command: '${command}'`;
  }
}

const HEADER = [
  '/*!40101 SET @OLD_CHARACTER_SET_CLIENT=@@CHARACTER_SET_CLIENT */;',
  '/*!50503 SET NAMES utf8mb4 */;',
  '/*!40103 SET @OLD_TIME_ZONE=@@TIME_ZONE */;',
  "/*!40103 SET TIME_ZONE='+00:00' */;",
  '/*!40014 SET @OLD_UNIQUE_CHECKS=@@UNIQUE_CHECKS, UNIQUE_CHECKS=0 */;',
  '/*!40014 SET @OLD_FOREIGN_KEY_CHECKS=@@FOREIGN_KEY_CHECKS, FOREIGN_KEY_CHECKS=0 */;',
  "/*!40101 SET @OLD_SQL_MODE=@@SQL_MODE, SQL_MODE='NO_AUTO_VALUE_ON_ZERO' */;",
];
const FOOTER = [
  '/*!40103 SET TIME_ZONE=@OLD_TIME_ZONE */;',
  '/*!40101 SET SQL_MODE=@OLD_SQL_MODE */;',
  '/*!40014 SET FOREIGN_KEY_CHECKS=@OLD_FOREIGN_KEY_CHECKS */;',
  '/*!40014 SET UNIQUE_CHECKS=@OLD_UNIQUE_CHECKS */;',
];
const PARTIAL =
  "Warning: A partial dump from a server that has GTIDs will by default include the GTIDs of all transactions, even those that changed suppressed parts of the database. If you don't want to restore GTIDs, pass --set-gtid-purged=OFF. To make a complete dump, pass --all-databases --triggers --routines --events. \n";
/** Rows of one INSERT: the real one counts bytes. */
const ROWS_TOGETHER = 500;

/** A dump of tables as SQL. The system schema's accounts come as CREATE USER and GRANT instead of as rows of mysql.user. */
class Dump {
  readonly #applet: Applet;
  readonly #options: ClientOptions;
  readonly #connection: Connection;

  constructor(applet: Applet, options: ClientOptions, connection: Connection) {
    this.#applet = applet;
    this.#options = options;
    this.#connection = connection;
  }

  #has(...names: string[]): boolean {
    return names.some((name) => this.#options.flags.has(name));
  }

  async #ask(sql: string, when: string): Promise<(string | null)[][]> {
    const reply = await this.#connection.query(sql);
    if (!reply) throw new ClientError(`mysqldump: Got error: 2013: Lost connection to MySQL server during query when ${when}`, 2);
    if ('error' in reply) throw new ClientError(`mysqldump: Got error: ${reply.error[0]}: ${reply.error[2]} when ${when}`, 2);
    return 'rows' in reply ? reply.rows : [];
  }

  #line(text = ''): Promise<void> | undefined {
    return this.#applet.put(toByteText(`${text}\n`));
  }

  async #title(text: string): Promise<void> {
    await this.#line(`\n--\n-- ${text}\n--\n`);
  }

  async run(): Promise<void> {
    const { rest } = this.#options;
    const all = this.#has('all-databases', 'A');
    const many = all || this.#has('databases', 'B');
    if (!many && rest.length === 0)
      throw new ClientError(
        'Usage: mysqldump [OPTIONS] database [tables]\nOR     mysqldump [OPTIONS] --databases [OPTIONS] DB1 [DB2 DB3...]\nOR     mysqldump [OPTIONS] --all-databases [OPTIONS]\nFor more options, use mysqldump --help',
      );
    const system = ['information_schema', 'performance_schema', 'mysql', 'sys'];
    const found = all ? (await this.#ask('SHOW DATABASES', 'trying to list databases')).map(([name]) => name ?? '') : [];
    const databases = all ? found.filter((name) => !system.includes(name)) : many ? rest : rest.slice(0, 1);
    if (this.#has('single-transaction')) await this.#ask('START TRANSACTION WITH CONSISTENT SNAPSHOT', 'starting the transaction');
    await this.#line(`-- MySQL dump 10.13  Distrib 8.1.0, for Linux (x86_64)\n--\n-- Host: ${this.#options.host}    Database: ${databases[0] ?? ''}`);
    await this.#line(`-- ------------------------------------------------------\n-- Server version\t${this.#connection.greeting.version}\n`);
    for (const line of HEADER) await this.#line(line);
    const withGtids = await this.#gtids(all);
    for (const database of databases) await this.#database(database, many, many ? [] : rest.slice(1));
    if (all) await this.#accounts();
    if (withGtids) await this.#line('SET @@SESSION.SQL_LOG_BIN = @MYSQLDUMP_TEMP_LOG_BIN;');
    for (const line of FOOTER) await this.#line(line);
    await this.#line(`\n-- Dump completed on ${new Date(this.#applet.process.kernel.now()).toISOString().slice(0, 19).replace('T', ' ')}`);
  }

  async #gtids(all: boolean): Promise<boolean> {
    const wanted = (this.#options.flags.get('set-gtid-purged')?.[0] ?? 'AUTO').toUpperCase();
    const [mode, executed] = (await this.#ask('SELECT @@gtid_mode, @@gtid_executed', 'reading GTIDs'))[0] ?? [];
    if (wanted === 'ON' && mode !== 'ON') throw new ClientError('mysqldump: Error: Server has GTIDs disabled.\n', 2);
    if (wanted === 'OFF' || mode !== 'ON') return false;
    if (!all && wanted === 'AUTO') await this.#applet.err(PARTIAL);
    await this.#line('SET @MYSQLDUMP_TEMP_LOG_BIN = @@SESSION.SQL_LOG_BIN;\nSET @@SESSION.SQL_LOG_BIN= 0;');
    await this.#title('GTID state at the beginning of the backup ');
    await this.#line(`SET @@GLOBAL.GTID_PURGED=/*!80000 '+'*/ '${executed ?? ''}';`);
    return true;
  }

  async #database(database: string, many: boolean, chosen: readonly string[]): Promise<void> {
    const quoted = `\`${database.replace(/`/g, '``')}\``;
    await this.#ask(`USE ${quoted}`, 'selecting the database');
    if (many && !this.#has('no-create-db', 'n')) {
      await this.#title(`Current Database: ${quoted}`);
      if (this.#has('add-drop-database')) await this.#line(`/*!40000 DROP DATABASE IF EXISTS ${quoted}*/;\n`);
      await this.#line(
        `CREATE DATABASE /*!32312 IF NOT EXISTS*/ ${quoted} /*!40100 DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_0900_ai_ci */ /*!80016 DEFAULT ENCRYPTION='N' */;\n`,
      );
    }
    if (many) await this.#line(`USE ${quoted};`);
    const ignored = new Set(this.#options.flags.get('ignore-table') ?? []);
    const tables = chosen.length > 0 ? chosen : (await this.#ask('SHOW TABLES', 'listing tables')).map(([name]) => name ?? '');
    for (const table of tables) if (!ignored.has(`${database}.${table}`)) await this.#table(table);
  }

  async #table(name: string): Promise<void> {
    const quoted = `\`${name.replace(/`/g, '``')}\``;
    if (!this.#has('no-create-info', 't')) {
      const created = (await this.#ask(`SHOW CREATE TABLE ${quoted}`, `using show create table ${quoted}`))[0]?.[1];
      await this.#title(`Table structure for table ${quoted}`);
      if (!this.#has('skip-add-drop-table')) await this.#line(`DROP TABLE IF EXISTS ${quoted};`);
      await this.#line(`/*!50503 SET character_set_client = utf8mb4 */;\n${created};`);
    }
    if (this.#has('no-data', 'd')) return;
    const where = this.#options.flags.get('where')?.[0];
    const reply = await this.#connection.query(`SELECT * FROM ${quoted}${where === undefined ? '' : ` WHERE ${where}`}`);
    if (!reply || !('rows' in reply)) throw new ClientError(`mysqldump: Couldn't execute 'SELECT * FROM ${quoted}'`, 2);
    const literal = (cell: string | null, i: number): string =>
      cell === null
        ? 'NULL'
        : isNumberType(reply.columns[i]?.type ?? 253)
          ? cell
          : `'${cell.replace(/\\/g, '\\\\').replace(/'/g, "\\'").replace(/\n/g, '\\n').replace(/\0/g, '\\0').replace(/"/g, '\\"')}'`;
    await this.#title(`Dumping data for table ${quoted}`);
    await this.#line(`LOCK TABLES ${quoted} WRITE;\n/*!40000 ALTER TABLE ${quoted} DISABLE KEYS */;`);
    for (let at = 0; at < reply.rows.length; at += ROWS_TOGETHER)
      await this.#line(
        `INSERT INTO ${quoted} VALUES ${reply.rows
          .slice(at, at + ROWS_TOGETHER)
          .map((row) => `(${row.map(literal).join(',')})`)
          .join(',')};`,
      );
    await this.#line(`/*!40000 ALTER TABLE ${quoted} ENABLE KEYS */;\nUNLOCK TABLES;`);
  }

  async #accounts(): Promise<void> {
    await this.#title('Current Database: `mysql`');
    for (const [user = '', host = ''] of await this.#ask("SELECT User, Host FROM mysql.user WHERE User NOT LIKE 'mysql.%'", 'listing accounts')) {
      const name = `'${user}'@'${host}'`;
      const created = (await this.#ask(`SHOW CREATE USER ${name}`, 'reading an account'))[0]?.[0] ?? '';
      await this.#line(`${created.replace('CREATE USER', 'CREATE USER IF NOT EXISTS')};`);
      for (const [grant] of await this.#ask(`SHOW GRANTS FOR ${name}`, 'reading grants')) await this.#line(`${grant};`);
    }
  }
}

export async function mysqldump(applet: Applet): Promise<number> {
  const options = parseOptions(applet);
  let open: Awaited<ReturnType<typeof connect>>;
  try {
    open = await connect(applet, options);
  } catch (error) {
    if (!(error instanceof ClientError)) throw error;
    throw new ClientError(`mysqldump: Got error: ${error.message.replace(/^ERROR (\d+) \([^)]*\): /, '$1: ')} when trying to connect`, 2);
  }
  try {
    await new Dump(applet, options, open.connection).run();
    return 0;
  } catch (error) {
    if (!(error instanceof Errno)) throw error;
    throw new ClientError(`mysqldump: Got errno 32 on write`, 5);
  } finally {
    open.socket.close();
  }
}
