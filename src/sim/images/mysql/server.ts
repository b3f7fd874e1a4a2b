import type { Applet } from '../../../applets/applet.ts';
import { randomUid } from '../../../kernel/index.ts';
import { Errno, type Listener, type Process, type Socket } from '../../../unix/types.ts';
import { findAccount, hostMatches } from './accounts.ts';
import { isProof } from './auth.ts';
import { isEnding } from './endings.ts';
import { Instance } from './instance.ts';
import {
  CAPABILITY,
  COMMAND,
  decodeLogin,
  encodeColumn,
  encodeEof,
  encodeError,
  encodeGreeting,
  encodeOk,
  encodeRow,
  PacketStream,
  PacketTooLarge,
  PayloadReader,
  PayloadWriter,
  TYPE_CODES,
} from './packets.ts';
import { Replica } from './replica.ts';
import { serveBinlog } from './replication-source.ts';
import type { Answer, Host, Session } from './session.ts';
import { SqlError } from './sql-error.ts';
import { type SqlValue, toNumber, toText } from './sql-value.ts';
import { appendEvent, type BinlogEvent, removeBinlogs, rotateBinlog, type ServerState, saveState } from './state.ts';

export const VERSION = '8.1.0';

type Failure = [number: number, state: string, message: string];

/** mysqld: an instance behind a port, its files in the volume, and the replication threads. */
export class MysqlServer {
  readonly process: Process;
  readonly instance: Instance;
  readonly replica: Replica;
  /** Replicas that are connected: rows of SHOW REPLICAS. */
  readonly followers = new Map<number, SqlValue[]>();
  /** Accounts whose password the server has seen since it started: the others need a secure connection once. */
  readonly #cached = new Set<string>();

  constructor(applet: Applet, state: ServerState, globals: Map<string, SqlValue>, onShutdown: () => void) {
    this.process = applet.process;
    const { fs } = this.process.machine;
    const { kernel } = this.process;
    const host: Host = {
      hostname: this.process.machine.hostname,
      now: () => kernel.now(),
      random: () => kernel.random.float(),
      uuid: () => randomUid(kernel.random),
      wait: (ms, onWake) => this.#wait(ms, onWake),
      append: (event) => this.#durably(event, () => appendEvent(fs, state, event)),
      save: () => this.#durably(undefined, () => saveState(fs, state)),
      rotate: () => rotateBinlog(state),
      purge: (count) => removeBinlogs(state, count),
      shutdown: onShutdown,
    };
    this.instance = new Instance(host, state, globals);
    this.replica = new Replica(this);
    this.instance.replicaStatus = () => this.replica.status();
    this.instance.replicaControl = (statement) => this.replica.control(statement);
    this.instance.replicas = () => [...this.followers.values()];
  }

  save(): void {
    saveState(this.process.machine.fs, this.instance.state);
  }

  /** Writes; a full volume is error 1114 of the table that was to grow. */
  #durably(event: BinlogEvent | undefined, write: () => void): void {
    try {
      write();
    } catch (error) {
      if (!(error instanceof Errno) || error.code !== 'ENOSPC') throw error;
      const change = event?.changes[0];
      const table = change && change.kind !== 'schema' ? change.table : undefined;
      throw table === undefined
        ? new SqlError(3, 'HY000', "Error writing file './ibdata1' (OS errno 28 - No space left on device)")
        : new SqlError(1114, 'HY000', `The table '${table}' is full`);
    }
  }

  /** Waits so long, or until woken. Rejects with Killed when the process ends. */
  async #wait(ms: number, onWake: (wake: () => void) => void): Promise<'woken' | 'timeout'> {
    let woken = false;
    const woke = new Promise<void>((resolve) =>
      onWake(() => {
        woken = true;
        resolve();
      }),
    );
    await this.process.guard(Promise.race([woke, this.process.sleep(ms)]));
    return woken ? 'woken' : 'timeout';
  }

  // ---- connections ----

  /** Serves until the listener is closed; `local` stands for the Unix socket. Throws Errno EADDRINUSE. */
  listen(port: number, local: boolean): Listener {
    const { process } = this;
    const listener = process.machine.net.listen(port, local ? '127.0.0.1' : undefined);
    const failed = (error: unknown): void => {
      if (!isEnding(error)) process.kernel.onError(error);
    };
    const accept = async (): Promise<never> => {
      for (;;) {
        const socket = await process.guard(listener.accept());
        void this.#serve(socket, local).catch(failed);
      }
    };
    void accept().catch((error) => {
      listener.dispose();
      failed(error);
    });
    return listener;
  }

  async #serve(socket: Socket, local: boolean): Promise<void> {
    const { instance } = this;
    const stream = { read: () => this.process.guard(socket.read()), write: (bytes: Uint8Array) => this.process.guard(socket.write(bytes)) };
    const packets = new PacketStream(stream, () => toNumber(instance.variable(undefined, 'max_allowed_packet')));
    const host = local ? 'localhost' : socket.remote.ip;
    const session = instance.newSession('', host);
    session.port = socket.remote.port;
    session.close = () => socket.close();
    try {
      if (!instance.state.accounts.some((one) => hostMatches(one.host, host))) {
        await packets.write(encodeError([1130, 'HY000', `Host '${host}' is not allowed to connect to this MySQL server`]));
        return;
      }
      if (instance.sessions.size > toNumber(instance.variable(undefined, 'max_connections'))) {
        await packets.write(encodeError([1040, '08004', 'Too many connections']));
        return;
      }
      const login = await this.#login(session, packets);
      if (!login) return;
      instance.sessions.set(session.id, session);
      await this.#commands(session, packets, login.eof);
    } catch (error) {
      if (error instanceof PacketTooLarge)
        await packets.write(encodeError([1153, '08S01', "Got a packet bigger than 'max_allowed_packet' bytes"])).catch(() => {});
      else if (!(error instanceof Errno)) throw error;
    } finally {
      instance.leave(session);
      socket.close();
    }
  }

  /** Greets, and lets in whoever proves the password. Undefined: refused. */
  async #login(session: Session, packets: PacketStream): Promise<{ eof: boolean } | undefined> {
    const { instance } = this;
    // 20 bytes without 0, which would end them early.
    const nonce = Uint8Array.from({ length: 20 }, () => 33 + Math.floor(instance.host.random() * 94));
    await packets.write(encodeGreeting({ version: VERSION, connectionId: session.id, nonce, plugin: 'caching_sha2_password' }));
    const payload = await packets.read();
    if (!payload) return undefined;
    const refuse = async (failure: Failure): Promise<undefined> => {
      await packets.write(encodeError(failure));
      return undefined;
    };
    const login = decodeLogin(payload);
    const account = findAccount(instance.state.accounts, login.user, session.host);
    const plugin = account?.plugin ?? 'caching_sha2_password';
    let { proof } = login;
    if (login.plugin !== plugin) {
      await packets.write(new PayloadWriter().integer(0xfe, 1).zeroText(plugin).bytes(nonce).integer(0, 1).done());
      proof = (await packets.read()) ?? new Uint8Array();
    }
    if (!account || !isProof(plugin, account.hash, nonce, proof))
      return refuse([1045, '28000', `Access denied for user '${login.user}'@'${session.host}' (using password: ${proof.length === 0 ? 'NO' : 'YES'})`]);
    const name = `${account.user}@${account.host}`;
    if (plugin === 'caching_sha2_password' && account.hash !== '') {
      const insecure = login.attributes.get('_client_role') === 'binary_log_listener';
      if (insecure && !this.#cached.has(name)) {
        await packets.write(Uint8Array.of(1, 4));
        if (!(await packets.read())) return undefined;
      } else await packets.write(Uint8Array.of(1, 3));
      this.#cached.add(name);
    }
    Object.assign(session, { user: login.user, account });
    if (login.database !== undefined) {
      const answer = await instance.query(session, `USE \`${login.database.replace(/`/g, '``')}\``);
      if ('error' in answer) return refuse(answer.error);
    }
    await packets.write(encodeOk({ affected: 0, insertId: 0, warnings: 0, info: '' }));
    return { eof: Math.floor(login.capabilities / CAPABILITY.deprecateEof) % 2 === 0 };
  }

  async #commands(session: Session, packets: PacketStream, eof: boolean): Promise<void> {
    const { instance } = this;
    const done = (): Uint8Array => encodeOk({ affected: 0, insertId: 0, warnings: 0, info: '' });
    for (;;) {
      packets.restart();
      const payload = await packets.read();
      if (!payload || payload[0] === COMMAND.quit) return;
      const reader = new PayloadReader(payload.subarray(1));
      switch (payload[0]) {
        case COMMAND.query: {
          const sql = reader.text();
          await this.process.cpu(0.2 + sql.length / 100_000);
          await this.#send(packets, await instance.query(session, sql), eof);
          if (session.killed === 'connection') return;
          break;
        }
        case COMMAND.useDatabase:
          await this.#send(packets, await instance.query(session, `USE \`${reader.text().replace(/`/g, '``')}\``), eof);
          break;
        case COMMAND.ping:
        case COMMAND.reset:
        case COMMAND.setOption:
          await packets.write(payload[0] === COMMAND.setOption ? encodeEof(0) : done());
          break;
        case COMMAND.statistics:
          await packets.write(new PayloadWriter().text(this.statistics()).done());
          break;
        case COMMAND.fieldList:
          await packets.write(encodeEof(0));
          break;
        case COMMAND.dumpBinlogGtid:
          session.command = 'Binlog Dump GTID';
          session.state = 'Source has sent all binlog to replica; waiting for more updates';
          await serveBinlog(this, session, packets, reader.text());
          return;
        default:
          await packets.write(
            encodeError([
              1047,
              '08S01',
              payload[0] === COMMAND.prepare ? 'Prepared statements of the binary protocol are not simulated yet' : 'Unknown command',
            ]),
          );
      }
    }
  }

  async #send(packets: PacketStream, answer: Answer, eof: boolean): Promise<void> {
    if ('error' in answer) {
      await packets.write(encodeError(answer.error));
      return;
    }
    if (!('columns' in answer)) {
      await packets.write(encodeOk(answer));
      return;
    }
    if (answer.columns.length === 0) {
      await packets.write(encodeOk({ affected: 0, insertId: 0, warnings: 0, info: '' }));
      return;
    }
    const columns = answer.columns.map(({ title, type }) =>
      encodeColumn({ title, type: TYPE_CODES[type.kind], decimals: type.kind === 'double' ? 31 : type.scale }),
    );
    const rows = answer.rows.map((row) => encodeRow(row.map((value) => (value === null ? null : toText(value)))));
    const end = eof ? encodeEof(answer.warnings) : encodeOk({ affected: 0, insertId: 0, warnings: answer.warnings, info: '' }, 0xfe);
    await packets.write(new PayloadWriter().length(columns.length).done(), ...columns, ...(eof ? [encodeEof(answer.warnings)] : []), ...rows, end);
  }

  /** What mysqladmin status shows. */
  statistics(): string {
    const { counters, host, startedMs, sessions } = this.instance;
    const uptime = Math.floor((host.now() - startedMs) / 1000);
    const average = (counters.questions / Math.max(1, uptime)).toFixed(3);
    return `Uptime: ${uptime}  Threads: ${sessions.size + 1}  Questions: ${counters.questions}  Slow queries: ${counters.slow}  Opens: 119  Flush tables: 3  Open tables: 38  Queries per second avg: ${average}`;
  }
}
