import { resolveHost } from '../../../applets/resolver.ts';
import { Errno, type Socket } from '../../../unix/types.ts';
import type { Outcome } from './executor.ts';
import type { MysqlServer } from './server.ts';
import { SqlError } from './sql-error.ts';
import { timestamp, toNumber, toText } from './sql-functions.ts';
import type { SqlStatement, SqlValue } from './sql-parser.ts';
import type { BinlogEvent } from './state.ts';
import { type FromServer, Wire } from './wire.ts';

interface Trouble {
  number: number;
  message: string;
  atMs: number;
}

/** The two replication threads of a server: one fetches from the source, one applies (MySQL 8.1, GTID auto-position). */
export class Replica {
  #server: MysqlServer;
  #ioRunning: 'No' | 'Connecting' | 'Yes' = 'No';
  #sqlRunning = false;
  #ioError: Trouble | undefined;
  #sqlError: Trouble | undefined;
  #relay: BinlogEvent[] = [];
  #retrieved: Record<string, number> = {};
  #socket: Socket | undefined;
  #wake: (() => void) | undefined;
  #generation = 0;
  #sourceUuid = '';
  #sourceId = 0;

  constructor(server: MysqlServer) {
    this.#server = server;
  }

  /** After a restart: goes on if it was running. */
  resume(): void {
    if (this.#server.state.replicaStarted) this.#start();
  }

  control(statement: SqlStatement & { kind: 'change-source' | 'replica' }): Outcome {
    const { state } = this.#server;
    if (statement.kind === 'change-source') {
      if (this.#ioRunning !== 'No' || this.#sqlRunning) {
        throw new SqlError(
          3021,
          'HY000',
          "This operation cannot be performed with a running replica io thread; run STOP REPLICA IO_THREAD FOR CHANNEL '' first.",
        );
      }
      const { options } = statement;
      const autoPosition = toNumber(options.SOURCE_AUTO_POSITION ?? (state.source?.autoPosition ? 1 : 0)) !== 0;
      if (autoPosition && this.#server.globals.get('gtid_mode') !== 'ON') {
        throw new SqlError(
          1777,
          'HY000',
          `CHANGE REPLICATION SOURCE TO SOURCE_AUTO_POSITION = 1 cannot be executed because @@GLOBAL.GTID_MODE = ${this.#server.globals.get('gtid_mode')}.`,
        );
      }
      const text = (name: string, fallback: string): string => (options[name] === undefined ? fallback : toText(options[name]));
      state.source = {
        host: text('SOURCE_HOST', state.source?.host ?? ''),
        port: toNumber(options.SOURCE_PORT ?? state.source?.port ?? 3306),
        user: text('SOURCE_USER', state.source?.user ?? ''),
        password: text('SOURCE_PASSWORD', state.source?.password ?? ''),
        autoPosition,
        retrySeconds: toNumber(options.SOURCE_CONNECT_RETRY ?? state.source?.retrySeconds ?? 60),
        delaySeconds: toNumber(options.SOURCE_DELAY ?? state.source?.delaySeconds ?? 0),
      };
      this.#relay = [];
      this.#retrieved = {};
      this.#server.save();
      return { affected: 0 };
    }
    if (statement.action === 'start') {
      if (!state.source) throw new SqlError(1200, 'HY000', 'The server is not configured as replica; fix in config file or with CHANGE REPLICATION SOURCE TO');
      state.replicaStarted = true;
      this.#server.save();
      this.#start(statement.thread);
    } else {
      if (statement.action === 'reset' && (this.#ioRunning !== 'No' || this.#sqlRunning))
        throw new SqlError(3081, 'HY000', "This operation cannot be performed with running replication threads; run STOP REPLICA FOR CHANNEL '' first");
      this.#stop(statement.thread);
      state.replicaStarted = false;
      if (statement.action === 'reset') {
        this.#relay = [];
        this.#retrieved = {};
        this.#ioError = undefined;
        this.#sqlError = undefined;
        if (statement.all) state.source = undefined;
      }
      this.#server.save();
    }
    return { affected: 0 };
  }

  #start(thread?: 'io_thread' | 'sql_thread'): void {
    const generation = ++this.#generation;
    const { process } = this.#server;
    if (thread !== 'sql_thread') {
      this.#ioError = undefined;
      this.#ioRunning = 'Connecting';
    }
    if (thread !== 'io_thread') {
      this.#sqlError = undefined;
      this.#sqlRunning = true;
    }
    const quiet = (work: Promise<void>): void => void work.catch(() => {});
    if (this.#ioRunning !== 'No') quiet(process.guard(this.#fetch(generation)));
    if (this.#sqlRunning) quiet(process.guard(this.#applyAll(generation)));
  }

  #stop(thread?: 'io_thread' | 'sql_thread'): void {
    this.#generation++;
    if (thread !== 'sql_thread') {
      this.#ioRunning = 'No';
      this.#socket?.close();
    }
    if (thread !== 'io_thread') this.#sqlRunning = false;
    this.#wake?.();
    if (thread && (this.#ioRunning !== 'No' || this.#sqlRunning)) this.#start(thread === 'io_thread' ? 'sql_thread' : 'io_thread');
  }

  #trouble(number: number, message: string): Trouble {
    return { number, message, atMs: this.#server.process.kernel.now() };
  }

  /** The receiver: connects, asks for what is missing, again after SOURCE_CONNECT_RETRY seconds when the source is away. */
  async #fetch(generation: number): Promise<void> {
    const { process, state } = this.#server;
    const current = (): boolean => generation === this.#generation && this.#ioRunning !== 'No';
    for (let attempt = 1; current(); attempt++) {
      const source = state.source;
      if (!source) return;
      const fatal = await this.#connectAndReceive(current, attempt);
      if (fatal) {
        this.#ioRunning = 'No';
        return;
      }
      if (!current()) return;
      if (this.#ioRunning === 'Yes') attempt = 0;
      this.#ioRunning = 'Connecting';
      await process.sleep(attempt === 0 ? 1000 : source.retrySeconds * 1000);
    }
  }

  /** True when the thread must stop. */
  async #connectAndReceive(current: () => boolean, attempt: number): Promise<boolean> {
    const { process, state } = this.#server;
    const source = state.source as NonNullable<typeof state.source>;
    const address = `${source.host}:${source.port}`;
    const prefix = `Error ${attempt === 1 ? '' : 're'}connecting to source '${source.user}@${address}'. This was attempt ${attempt}/86400, with a delay of ${source.retrySeconds} seconds between attempts. Message: `;
    try {
      const found = await resolveHost(process, source.host);
      if ('failure' in found || !found.addresses[0]) {
        this.#ioError = this.#trouble(2005, `${prefix}Unknown MySQL server host '${source.host}' (-2)`);
        return false;
      }
      this.#socket = await process.guard(process.machine.net.connect(found.addresses[0], source.port, { signal: process.signal, timeoutMs: 60_000 }));
      const wire = new Wire(process, this.#socket);
      if (!(await wire.readGreeting())) return false;
      await wire.send({ login: { user: source.user, password: source.password } });
      const answer = await wire.receive<FromServer>();
      if (!answer) return false;
      if ('error' in answer) {
        this.#ioError = this.#trouble(answer.error[0], `${prefix}${answer.error[2]}`);
        return false;
      }
      if (!('ok' in answer)) return false;
      this.#sourceUuid = answer.ok.uuid;
      this.#sourceId = answer.ok.serverId;
      if (answer.ok.serverId === toNumber(this.#server.globals.get('server_id') ?? 1)) {
        this.#ioError = this.#trouble(
          13117,
          'Fatal error: The replica I/O thread stops because source and replica have equal MySQL server ids; these ids must be different for replication to work (or the --replicate-same-server-id option must be used on replica but this does not always make sense; please check the manual before using it).',
        );
        return true;
      }
      const known = { ...state.executed };
      for (const [uuid, last] of Object.entries(this.#retrieved)) known[uuid] = Math.max(known[uuid] ?? 0, last);
      await wire.send({ dump: { serverId: toNumber(this.#server.globals.get('server_id') ?? 1), executed: known } });
      this.#ioRunning = 'Yes';
      this.#ioError = undefined;
      for (;;) {
        const message = await wire.receive<FromServer>();
        if (!message || !current()) return false;
        if (!('event' in message)) continue;
        this.#relay.push(message.event);
        this.#retrieved[message.event.uuid] = message.event.number;
        this.#wake?.();
      }
    } catch (error) {
      if (!(error instanceof Errno)) throw error;
      if (this.#ioRunning !== 'Yes')
        this.#ioError = this.#trouble(
          2003,
          `${prefix}Can't connect to MySQL server on '${address}' (${error.code === 'ECONNREFUSED' ? 111 : error.code === 'EHOSTUNREACH' ? 113 : 110})`,
        );
      return false;
    } finally {
      this.#socket?.close();
    }
  }

  /** The applier: one transaction after the other, each a few milliseconds; an error stops it. */
  async #applyAll(generation: number): Promise<void> {
    const { process, state } = this.#server;
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
      const dueMs = event.atMs + (state.source?.delaySeconds ?? 0) * 1000;
      await process.sleep(Math.max(2, dueMs - process.kernel.now()));
      if (generation !== this.#generation || this.#relay[0] !== event) continue;
      if (event.number > (state.executed[event.uuid] ?? 0)) {
        try {
          this.#server.apply(event);
        } catch (error) {
          if (!(error instanceof SqlError) && !(error instanceof Errno)) throw error;
          this.#sqlError = this.#applierError(event, error);
          this.#sqlRunning = false;
          return;
        }
      }
      this.#relay.shift();
    }
  }

  #applierError(event: BinlogEvent, error: SqlError | Errno): Trouble {
    const number = error instanceof SqlError ? error.number : 1114;
    const change = event.changes.flatMap((one) => (one.kind === 'schema' ? [] : [one]))[0];
    const place = `the event's source log binlog.000002, end_log_pos ${event.number * 310}`;
    const verb = change?.kind === 'insert' ? 'Write_rows' : change?.kind === 'delete' ? 'Delete_rows' : 'Update_rows';
    const handler = number === 1062 ? 'HA_ERR_FOUND_DUPP_KEY' : 'HA_ERR_KEY_NOT_FOUND';
    const detail = change
      ? `Could not execute ${verb} event on table ${change.database}.${change.table}; ${error.message}, Error_code: ${number}; handler error ${handler}; ${place}`
      : `Error '${error.message}' on query. Default database: '${event.changes[0]?.database ?? ''}'. Query: '${event.changes[0]?.kind === 'schema' ? event.changes[0].sql : ''}'`;
    return this.#trouble(number, detail);
  }

  /** The row of SHOW REPLICA STATUS; undefined when this server is no replica. */
  status(): [title: string, value: SqlValue][] | undefined {
    const { state, process } = this.#server;
    const { source } = state;
    if (!source) return undefined;
    const now = process.kernel.now();
    const lag = !this.#sqlRunning || this.#ioRunning !== 'Yes' ? null : this.#relay[0] ? Math.max(0, Math.floor((now - this.#relay[0].atMs) / 1000)) : 0;
    const position = (count: number): number => 157 + count * 310;
    const retrieved = Object.values(this.#retrieved).reduce((sum, last) => sum + last, 0);
    const ioState = {
      No: '',
      Connecting: this.#ioError ? 'Reconnecting after a failed source event read' : 'Connecting to source',
      Yes: 'Waiting for source to send event',
    }[this.#ioRunning];
    const gtids = (set: Record<string, number>): string =>
      Object.entries(set)
        .map(([uuid, last]) => `${uuid}:${last === 1 ? '1' : `1-${last}`}`)
        .sort()
        .join(',\n');
    const stamp = (trouble: Trouble | undefined): string => (trouble ? timestamp(trouble.atMs).slice(2).replace(/-/g, '') : '');
    const last = this.#sqlError ?? undefined;
    return [
      ['Replica_IO_State', ioState],
      ['Source_Host', source.host],
      ['Source_User', source.user],
      ['Source_Port', source.port],
      ['Connect_Retry', source.retrySeconds],
      ['Source_Log_File', 'binlog.000002'],
      ['Read_Source_Log_Pos', position(retrieved)],
      ['Relay_Log_File', `${process.machine.hostname}-relay-bin.000002`],
      ['Relay_Log_Pos', position(retrieved - this.#relay.length) + 214],
      ['Relay_Source_Log_File', 'binlog.000002'],
      ['Replica_IO_Running', this.#ioRunning],
      ['Replica_SQL_Running', this.#sqlRunning ? 'Yes' : 'No'],
      ['Replicate_Do_DB', ''],
      ['Replicate_Ignore_DB', ''],
      ['Replicate_Do_Table', ''],
      ['Replicate_Ignore_Table', ''],
      ['Replicate_Wild_Do_Table', ''],
      ['Replicate_Wild_Ignore_Table', ''],
      ['Last_Errno', last?.number ?? 0],
      ['Last_Error', last?.message ?? ''],
      ['Skip_Counter', 0],
      ['Exec_Source_Log_Pos', position(retrieved - this.#relay.length)],
      ['Relay_Log_Space', position(retrieved) + 600],
      ['Until_Condition', 'None'],
      ['Until_Log_File', ''],
      ['Until_Log_Pos', 0],
      ['Source_SSL_Allowed', 'No'],
      ['Source_SSL_CA_File', ''],
      ['Source_SSL_CA_Path', ''],
      ['Source_SSL_Cert', ''],
      ['Source_SSL_Cipher', ''],
      ['Source_SSL_Key', ''],
      ['Seconds_Behind_Source', lag],
      ['Source_SSL_Verify_Server_Cert', 'No'],
      ['Last_IO_Errno', this.#ioError?.number ?? 0],
      ['Last_IO_Error', this.#ioError?.message ?? ''],
      ['Last_SQL_Errno', this.#sqlError?.number ?? 0],
      ['Last_SQL_Error', this.#sqlError?.message ?? ''],
      ['Replicate_Ignore_Server_Ids', ''],
      ['Source_Server_Id', this.#sourceId],
      ['Source_UUID', this.#sourceUuid],
      ['Source_Info_File', 'mysql.slave_master_info'],
      ['SQL_Delay', source.delaySeconds],
      ['SQL_Remaining_Delay', null],
      ['Replica_SQL_Running_State', this.#sqlRunning ? 'Replica has read all relay log; waiting for more updates' : ''],
      ['Source_Retry_Count', 86400],
      ['Source_Bind', ''],
      ['Last_IO_Error_Timestamp', stamp(this.#ioError)],
      ['Last_SQL_Error_Timestamp', stamp(this.#sqlError)],
      ['Source_SSL_Crl', ''],
      ['Source_SSL_Crlpath', ''],
      ['Retrieved_Gtid_Set', gtids(this.#retrieved)],
      ['Executed_Gtid_Set', gtids(state.executed)],
      ['Auto_Position', source.autoPosition ? 1 : 0],
      ['Replicate_Rewrite_DB', ''],
      ['Channel_Name', ''],
      ['Source_TLS_Version', ''],
      ['Source_public_key_path', ''],
      ['Get_Source_public_key', 0],
      ['Network_Namespace', ''],
    ];
  }
}
