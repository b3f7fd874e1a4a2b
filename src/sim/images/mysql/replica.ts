import { resolveHost } from '../../../applets/resolver.ts';
import { Errno, type Socket } from '../../../unix/types.ts';
import { Connection } from './connection.ts';
import { isEnding } from './endings.ts';
import { GtidSet } from './gtid.ts';
import { COMMAND, decodeError, PayloadReader, PayloadWriter } from './packets.ts';
import { replicaStatusRow, type Trouble } from './replica-status.ts';
import type { DumpRequest } from './replication-source.ts';
import type { MysqlServer } from './server.ts';
import type { SqlStatement } from './sql-ast.ts';
import { notSimulated, SqlError } from './sql-error.ts';
import { type SqlValue, toNumber, toText } from './sql-value.ts';
import { type BinlogEvent, parseEvent, type SourceSettings } from './state.ts';
import { LockWait } from './store.ts';

const SAME_SERVER =
  'Fatal error: The replica I/O thread stops because source and replica have equal MySQL server ids; these ids must be different for replication to work (or the --replicate-same-server-id option must be used on replica but this does not always make sense; please check the manual before using it).';
const SAME_UUID =
  'Fatal error: The replica I/O thread stops because source and replica have equal MySQL server UUIDs; these UUIDs must be different for replication to work.';

/** Options of CHANGE REPLICATION SOURCE TO that change nothing here. */
const IGNORED_OPTION =
  /^(SOURCE_SSL.*|SOURCE_TLS.*|SOURCE_PUBLIC_KEY_PATH|SOURCE_RETRY_COUNT|SOURCE_HEARTBEAT_PERIOD|SOURCE_BIND|NETWORK_NAMESPACE|SOURCE_CONNECTION_AUTO_FAILOVER|REQUIRE_ROW_FORMAT|REQUIRE_TABLE_PRIMARY_KEY_CHECK|PRIVILEGE_CHECKS_USER|GTID_ONLY|SOURCE_ZSTD.*|SOURCE_COMPRESSION.*|IGNORE_SERVER_IDS|ASSIGN_GTIDS_TO_ANONYMOUS_TRANSACTIONS)$/;

/** The two replication threads of a server: one fetches from the source, one applies (MySQL 8.1, GTID auto-position). */
export class Replica {
  #server: MysqlServer;
  #ioRunning: 'No' | 'Connecting' | 'Yes' = 'No';
  #sqlRunning = false;
  #ioError: Trouble | undefined;
  #sqlError: Trouble | undefined;
  #relay: BinlogEvent[] = [];
  #retrieved = new GtidSet();
  #socket: Socket | undefined;
  #wake: (() => void) | undefined;
  #generation = 0;
  #sourceUuid = '';
  #sourceId = 0;
  /** SOURCE_DELAY: until when the next transaction waits. */
  #dueMs: number | undefined;

  constructor(server: MysqlServer) {
    this.#server = server;
  }

  get #state() {
    return this.#server.instance.state;
  }

  /** After a restart: goes on if it was running. */
  resume(): void {
    if (this.#state.replicaStarted) this.#start();
  }

  control(statement: SqlStatement & { kind: 'change-source' | 'replica' }): void {
    if (statement.kind === 'change-source') this.#change(statement.options);
    else if (statement.action === 'start') this.#startAll(statement.thread);
    else this.#end(statement);
    this.#server.instance.host.save();
  }

  #change(options: Readonly<Record<string, SqlValue>>): void {
    const { source } = this.#state;
    if (this.#ioRunning !== 'No' || this.#sqlRunning)
      throw new SqlError(
        3021,
        'HY000',
        "This operation cannot be performed with a running replica io thread; run STOP REPLICA IO_THREAD FOR CHANNEL '' first.",
      );
    const settings: SourceSettings = source ?? {
      host: '',
      port: 3306,
      user: '',
      password: '',
      autoPosition: false,
      retrySeconds: 60,
      delaySeconds: 0,
      getPublicKey: false,
    };
    const next = { ...settings };
    for (const [name, value] of Object.entries(options)) {
      const [text, number] = [toText(value ?? ''), toNumber(value)];
      if (name === 'SOURCE_HOST') next.host = text;
      else if (name === 'SOURCE_PORT') next.port = number;
      else if (name === 'SOURCE_USER') next.user = text;
      else if (name === 'SOURCE_PASSWORD') next.password = text;
      else if (name === 'SOURCE_AUTO_POSITION') next.autoPosition = number !== 0;
      else if (name === 'SOURCE_CONNECT_RETRY') next.retrySeconds = number;
      else if (name === 'SOURCE_DELAY') next.delaySeconds = number;
      else if (name === 'GET_SOURCE_PUBLIC_KEY') next.getPublicKey = number !== 0;
      else if (name === 'SOURCE_LOG_FILE' || name === 'SOURCE_LOG_POS' || name.startsWith('RELAY_LOG_')) {
        if (next.autoPosition)
          throw new SqlError(
            1776,
            'HY000',
            'Parameters SOURCE_LOG_FILE, SOURCE_LOG_POS, RELAY_LOG_FILE and RELAY_LOG_POS cannot be set when SOURCE_AUTO_POSITION is active.',
          );
        throw notSimulated('replication by file and position (use SOURCE_AUTO_POSITION=1)');
      } else if (!IGNORED_OPTION.test(name))
        throw new SqlError(
          1064,
          '42000',
          `You have an error in your SQL syntax; check the manual that corresponds to your MySQL server version for the right syntax to use near '${name}' at line 1`,
        );
    }
    const mode = this.#server.instance.globals.get('gtid_mode');
    if (next.autoPosition && mode !== 'ON')
      throw new SqlError(
        1777,
        'HY000',
        `CHANGE REPLICATION SOURCE TO SOURCE_AUTO_POSITION = 1 cannot be executed because @@GLOBAL.GTID_MODE = ${toText(mode ?? 'OFF')}.`,
      );
    this.#state.source = next;
    this.#relay = [];
    this.#retrieved = new GtidSet();
  }

  #startAll(thread: 'io_thread' | 'sql_thread' | undefined): void {
    const { source } = this.#state;
    if (!source?.host) throw new SqlError(1200, 'HY000', 'The server is not configured as replica; fix in config file or with CHANGE REPLICATION SOURCE TO');
    if (!source.autoPosition) throw notSimulated('replication by file and position (use SOURCE_AUTO_POSITION=1)');
    this.#state.replicaStarted = true;
    this.#start(thread);
  }

  #end(statement: SqlStatement & { kind: 'replica' }): void {
    if (statement.action === 'stop') {
      this.#stop(statement.thread);
      if (!statement.thread) this.#state.replicaStarted = false;
      return;
    }
    if (this.#ioRunning !== 'No' || this.#sqlRunning)
      throw new SqlError(3081, 'HY000', "This operation cannot be performed with running replication threads; run STOP REPLICA FOR CHANNEL '' first");
    this.#relay = [];
    this.#retrieved = new GtidSet();
    this.#ioError = undefined;
    this.#sqlError = undefined;
    if (statement.all) this.#state.source = undefined;
  }

  #start(thread?: 'io_thread' | 'sql_thread'): void {
    const { process } = this.#server;
    const run = (work: Promise<void>): void =>
      void process.guard(work).catch((error) => {
        if (!isEnding(error)) process.kernel.onError(error);
      });
    const generation = ++this.#generation;
    if (thread !== 'sql_thread' && this.#ioRunning === 'No') {
      this.#ioError = undefined;
      this.#ioRunning = 'Connecting';
    }
    if (thread !== 'io_thread') {
      this.#sqlError = undefined;
      this.#sqlRunning = true;
    }
    this.#socket?.close();
    this.#wake?.();
    if (this.#ioRunning !== 'No') run(this.#fetch(generation));
    if (this.#sqlRunning) run(this.#applyAll(generation));
  }

  #stop(thread?: 'io_thread' | 'sql_thread'): void {
    this.#generation++;
    if (thread !== 'sql_thread') this.#ioRunning = 'No';
    if (thread !== 'io_thread') this.#sqlRunning = false;
    this.#socket?.close();
    this.#wake?.();
    if (this.#ioRunning !== 'No' || this.#sqlRunning) this.#start(thread === 'io_thread' ? 'sql_thread' : 'io_thread');
  }

  #trouble(number: number, message: string): Trouble {
    return { number, message, atMs: this.#server.process.kernel.now() };
  }

  // ---- the receiver ----

  /** Connects, asks for what is missing, again after SOURCE_CONNECT_RETRY seconds when the source is away. */
  async #fetch(generation: number): Promise<void> {
    const { process } = this.#server;
    const current = (): boolean => generation === this.#generation && this.#ioRunning !== 'No';
    for (let attempt = 1; current(); attempt++) {
      const { source } = this.#state;
      if (!source) return;
      this.#ioRunning = 'Connecting';
      const fatal = await this.#connectAndReceive(source, current, attempt);
      if (!current()) return;
      if (fatal) {
        this.#ioRunning = 'No';
        return;
      }
      if (this.#received()) attempt = 0;
      this.#ioRunning = 'Connecting';
      // A connection that was lost is tried again at once, then every so often.
      if (attempt > 0) await process.sleep(source.retrySeconds * 1000);
    }
  }

  #received(): boolean {
    return this.#ioRunning === 'Yes';
  }

  /** True when the thread must stop. */
  async #connectAndReceive(source: SourceSettings, current: () => boolean, attempt: number): Promise<boolean> {
    const { process, instance } = this.#server;
    const address = `${source.host}:${source.port}`;
    const failed = (number: number, message: string): false => {
      if (current())
        this.#ioError = this.#trouble(
          number,
          `Error ${this.#sourceUuid === '' ? '' : 're'}connecting to source '${source.user}@${address}'. This was attempt ${attempt}/86400, with a delay of ${source.retrySeconds} seconds between attempts. Message: ${message}`,
        );
      return false;
    };
    const fatal = (number: number, message: string): true => {
      this.#ioError = this.#trouble(number, message);
      return true;
    };
    let socket: Socket | undefined;
    try {
      const found = await resolveHost(process, source.host);
      if ('failure' in found || !found.addresses[0]) return failed(2005, `Unknown MySQL server host '${source.host}' (-2)`);
      socket = await process.guard(process.machine.net.connect(found.addresses[0], source.port, { signal: process.signal, timeoutMs: 60_000 }));
      if (!current()) return false;
      this.#socket = socket;
      const open = socket;
      const connection = await Connection.open({ read: () => process.guard(open.read()), write: (bytes) => process.guard(open.write(bytes)) });
      if (!connection) return failed(2013, "Lost connection to MySQL server at 'reading initial communication packet', system error: 0");
      if ('error' in connection) return failed(connection.error[0], connection.error[2]);
      const attributes = new Map([['_client_role', 'binary_log_listener']]);
      const refused = await connection.login({ user: source.user, password: source.password, mayShowPassword: source.getPublicKey, attributes });
      if (refused) return failed(refused[0], refused[2]);
      const answer = await connection.query('SELECT @@server_id, @@server_uuid');
      if (!answer || !('rows' in answer)) return false;
      const [id, uuid] = answer.rows[0] ?? [];
      this.#sourceId = Number(id);
      this.#sourceUuid = uuid ?? '';
      const ownId = toNumber(instance.variable(undefined, 'server_id'));
      if (this.#sourceId === ownId) return fatal(13117, SAME_SERVER);
      if (this.#sourceUuid === this.#state.uuid) return fatal(13117, SAME_UUID);
      const known = GtidSet.parse(this.#state.executed.toString()) ?? new GtidSet();
      known.addAll(this.#retrieved);
      const request: DumpRequest = {
        serverId: ownId,
        uuid: this.#state.uuid,
        host: toText(instance.variable(undefined, 'report_host')),
        executed: known.toString(),
      };
      connection.packets.restart();
      await connection.packets.write(new PayloadWriter().integer(COMMAND.dumpBinlogGtid, 1).text(JSON.stringify(request)).done());
      if (!current()) return false;
      this.#ioRunning = 'Yes';
      this.#ioError = undefined;
      for (;;) {
        const payload = await connection.packets.read();
        if (!payload || !current()) return false;
        if (payload[0] === 0xff) {
          const [number, , message] = decodeError(payload);
          return fatal(
            number === 1236 ? 13114 : number,
            number === 1236 ? `Got fatal error 1236 from source when reading data from binary log: '${message}'` : message,
          );
        }
        const event = parseEvent(new PayloadReader(payload.subarray(1)).text());
        this.#relay.push(event);
        this.#retrieved.add(event.uuid, event.number);
        this.#wake?.();
      }
    } catch (error) {
      if (!(error instanceof Errno)) throw error;
      if (this.#received()) return false;
      return failed(2003, `Can't connect to MySQL server on '${address}' (${error.code === 'ECONNREFUSED' ? 111 : error.code === 'EHOSTUNREACH' ? 113 : 110})`);
    } finally {
      socket?.close();
    }
  }

  // ---- the applier ----

  /** One transaction after the other, each a few milliseconds; an error stops it. */
  async #applyAll(generation: number): Promise<void> {
    const { process, instance } = this.#server;
    while (generation === this.#generation && this.#sqlRunning) {
      const event = this.#relay[0];
      if (!event) {
        await process.guard(
          new Promise<void>((resolve) => {
            this.#wake = resolve;
          }),
        );
        continue;
      }
      const dueMs = event.atMs + (this.#state.source?.delaySeconds ?? 0) * 1000;
      this.#dueMs = dueMs > process.kernel.now() ? dueMs : undefined;
      await process.sleep(Math.max(2, dueMs - process.kernel.now()));
      if (generation !== this.#generation || this.#relay[0] !== event) continue;
      this.#dueMs = undefined;
      if (!this.#state.executed.has(event.uuid, event.number)) {
        try {
          instance.apply(event, true);
        } catch (error) {
          // A session here holds a lock: the applier waits for it.
          if (error instanceof LockWait) {
            await process.sleep(100);
            continue;
          }
          if (!(error instanceof SqlError)) throw error;
          this.#sqlError = this.#applierError(event, error);
          this.#sqlRunning = false;
          return;
        }
      }
      this.#relay.shift();
    }
  }

  #applierError(event: BinlogEvent, error: SqlError): Trouble {
    const change = event.changes.find((one) => one.kind !== 'schema');
    const schema = event.changes.find((one) => one.kind === 'schema');
    const worker = `Coordinator stopped because there were error(s) in the worker(s). The most recent failure being: Worker 1 failed executing transaction '${event.uuid}:${event.number}' at source log binlog.000002, end_log_pos ${event.number * 310}.`;
    const hint = ' See error log and/or performance_schema.replication_applier_status_by_worker table for more details about this failure or others, if any.';
    const handler = error.number === 1062 ? 'HA_ERR_FOUND_DUPP_KEY' : error.number === 1032 ? 'HA_ERR_KEY_NOT_FOUND' : 'HA_ERR_RECORD_FILE_FULL';
    const verb = { insert: 'Write_rows', update: 'Update_rows', delete: 'Delete_rows', schema: '' }[change?.kind ?? 'schema'];
    const detail = change
      ? ` Could not execute ${verb} event on table ${change.database}.${change.table}; ${error.message}, Error_code: ${error.number}; handler error ${handler}; the event's source log binlog.000002, end_log_pos ${event.number * 310}`
      : ` Error '${error.message}' on query. Default database: '${schema?.database ?? ''}'. Query: '${schema?.kind === 'schema' ? schema.sql : ''}'`;
    return this.#trouble(error.number, worker + detail + hint);
  }

  /** The row of SHOW REPLICA STATUS; undefined when this server is no replica. */
  status(): [title: string, value: SqlValue][] | undefined {
    const { kernel, machine } = this.#server.process;
    const { source, executed, binlogs } = this.#state;
    if (!source) return undefined;
    const now = kernel.now();
    const size = (events: readonly BinlogEvent[]): number => events.reduce((sum, event) => sum + 310 + event.changes.length, 0);
    const applied = size(binlogs.flatMap(({ events }) => events).filter(({ uuid }) => uuid === this.#sourceUuid));
    return replicaStatusRow({
      ...{ source, hostname: machine.hostname, io: this.#ioRunning, isApplying: this.#sqlRunning, ioError: this.#ioError, sqlError: this.#sqlError },
      ...{ sourceId: this.#sourceId, sourceUuid: this.#sourceUuid, readPosition: 157 + applied + size(this.#relay), donePosition: 157 + applied },
      lag: !this.#sqlRunning || this.#ioRunning !== 'Yes' ? null : this.#relay[0] ? Math.max(0, Math.floor((now - this.#relay[0].atMs) / 1000)) : 0,
      remaining: this.#dueMs === undefined ? null : Math.max(0, Math.ceil((this.#dueMs - now) / 1000)),
      retrieved: this.#retrieved.toString(),
      executed: executed.toString(),
    });
  }
}
