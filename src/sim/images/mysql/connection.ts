import { scramble } from './auth.ts';
import {
  type ByteStream,
  CAPABILITY,
  COMMAND,
  type ColumnPacket,
  decodeColumn,
  decodeError,
  decodeGreeting,
  decodeRow,
  encodeLogin,
  type Greeting,
  PacketStream,
  PayloadReader,
  PayloadWriter,
} from './packets.ts';

/** A client's side of the protocol: the mysql tools, a replica's receiver. */

export type Reply =
  | { error: [number: number, state: string, message: string] }
  | { columns: ColumnPacket[]; rows: (string | null)[][]; warnings: number }
  | { affected: number; insertId: number; info: string; warnings: number };

export interface LoginOptions {
  user: string;
  password: string;
  database?: string | undefined;
  attributes?: Map<string, string>;
  /** May the password be sent when the server asks for all of it: it is refused without TLS or the server's key. */
  mayShowPassword: boolean;
}

const CLIENT_CAPABILITIES =
  CAPABILITY.longPassword +
  CAPABILITY.longFlag +
  CAPABILITY.protocol41 +
  CAPABILITY.transactions +
  CAPABILITY.secureConnection +
  CAPABILITY.multiResults +
  CAPABILITY.pluginAuth +
  CAPABILITY.attributes;

const NEEDS_SECURITY: [number, string, string] = [
  2061,
  'HY000',
  "Authentication plugin 'caching_sha2_password' reported error: Authentication requires secure connection.",
];
const isPlugin = (name: string): name is 'caching_sha2_password' | 'mysql_native_password' =>
  name === 'caching_sha2_password' || name === 'mysql_native_password';

export class Connection {
  readonly greeting: Greeting;
  readonly packets: PacketStream;

  private constructor(greeting: Greeting, packets: PacketStream) {
    this.greeting = greeting;
    this.packets = packets;
  }

  /** Undefined: the server closed without a word. */
  static async open(stream: ByteStream): Promise<Connection | { error: [number, string, string] } | undefined> {
    const packets = new PacketStream(stream);
    const payload = await packets.read();
    if (!payload) return undefined;
    return payload[0] === 0xff ? { error: decodeError(payload) } : new Connection(decodeGreeting(payload), packets);
  }

  /** Undefined: logged in. */
  async login(options: LoginOptions): Promise<[number, string, string] | undefined> {
    const { user, password, database } = options;
    let plugin = isPlugin(this.greeting.plugin) ? this.greeting.plugin : 'mysql_native_password';
    await this.packets.write(
      encodeLogin({
        capabilities: CLIENT_CAPABILITIES + (database === undefined ? 0 : CAPABILITY.connectWithDatabase),
        ...{ user, proof: scramble(plugin, password, this.greeting.nonce), database, plugin, attributes: options.attributes ?? new Map() },
      }),
    );
    for (;;) {
      const payload = await this.packets.read();
      if (!payload) return [2013, 'HY000', "Lost connection to MySQL server at 'reading authorization packet', system error: 0"];
      if (payload[0] === 0xff) return decodeError(payload);
      if (payload[0] === 0) return undefined;
      if (payload[0] === 0xfe) {
        const reader = new PayloadReader(payload.subarray(1));
        const asked = reader.zeroText();
        if (!isPlugin(asked)) return [2059, 'HY000', `Authentication plugin '${asked}' cannot be loaded`];
        plugin = asked;
        await this.packets.write(scramble(plugin, password, reader.bytes(20)));
      } else if (payload[1] === 4) {
        if (!options.mayShowPassword) return NEEDS_SECURITY;
        await this.packets.write(new PayloadWriter().zeroText(password).done());
      }
    }
  }

  async #command(command: number, argument: string): Promise<Uint8Array | undefined> {
    this.packets.restart();
    await this.packets.write(new PayloadWriter().integer(command, 1).text(argument).done());
    return this.packets.read();
  }

  /** Undefined: the connection was lost. */
  async query(sql: string): Promise<Reply | undefined> {
    return this.#reply(await this.#command(COMMAND.query, sql));
  }

  async useDatabase(name: string): Promise<Reply | undefined> {
    return this.#reply(await this.#command(COMMAND.useDatabase, name));
  }

  async ping(): Promise<boolean> {
    return (await this.#command(COMMAND.ping, ''))?.[0] === 0;
  }

  /** The one line that mysqladmin status shows. */
  async statistics(): Promise<string> {
    const payload = await this.#command(COMMAND.statistics, '');
    return payload ? new PayloadReader(payload).text() : '';
  }

  async quit(): Promise<void> {
    this.packets.restart();
    await this.packets.write(Uint8Array.of(COMMAND.quit));
  }

  async #reply(first: Uint8Array | undefined): Promise<Reply | undefined> {
    if (!first) return undefined;
    if (first[0] === 0xff) return { error: decodeError(first) };
    const reader = new PayloadReader(first);
    if (first[0] === 0) {
      reader.integer(1);
      const [affected, insertId] = [reader.length() ?? 0, reader.length() ?? 0];
      reader.integer(2);
      return { affected, insertId, warnings: reader.integer(2), info: reader.text() };
    }
    const count = reader.length() ?? 0;
    const columns: ColumnPacket[] = [];
    for (let i = 0; i < count; i++) {
      const payload = await this.packets.read();
      if (!payload) return undefined;
      columns.push(decodeColumn(payload));
    }
    await this.packets.read();
    const rows: (string | null)[][] = [];
    for (;;) {
      const payload = await this.packets.read();
      if (!payload) return undefined;
      if (payload[0] === 0xff) return { error: decodeError(payload) };
      if (payload[0] === 0xfe && payload.length < 9) return { columns, rows, warnings: new PayloadReader(payload.subarray(1)).integer(2) };
      rows.push(decodeRow(payload));
    }
  }
}
