import type { ByteSink, ByteSource } from './types.ts';

/**
 * What stands for TLS and for gRPC on simulated connections: an opening message each side expects of the other, and no
 * encryption. Who meets the wrong kind of server notices as in life; certificates are not looked at.
 */
type Connection = ByteSource & ByteSink;

/** Type and version of a TLS handshake record. */
const CLIENT_HELLO = [0x16, 0x03, 0x01, 0x01];
const SERVER_HELLO = [0x16, 0x03, 0x03, 0x02];
/** Stands for a certificate that the cluster's CA signed. */
const CERTIFIED = 1;

/** The client's side: 'certified' when the cluster's CA vouches for the server, 'plain' when the server answered with something else than TLS, 'closed' when it closed. */
export async function startTls(connection: Connection): Promise<'certified' | 'secure' | 'plain' | 'closed'> {
  await connection.write(Uint8Array.from(CLIENT_HELLO));
  const answer = await connection.read();
  if (answer === null) return 'closed';
  if (answer[0] !== SERVER_HELLO[0]) return 'plain';
  return answer[4] === CERTIFIED ? 'certified' : 'secure';
}

/** The server's side: false when the client did not speak TLS (Go's server has then told it so, in plain HTTP). */
export async function acceptTls(connection: Connection, options: { certifiedByCluster?: boolean } = {}): Promise<boolean> {
  const hello = await connection.read();
  if (hello?.[0] === CLIENT_HELLO[0]) {
    await connection.write(Uint8Array.from(options.certifiedByCluster ? [...SERVER_HELLO, CERTIFIED] : SERVER_HELLO));
    return true;
  }
  if (hello) await connection.write(new TextEncoder().encode('HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n'));
  return false;
}

/** Verdicts of grpc.health.v1.Health/Check, and its one error that servers mean. */
export type GrpcHealth = 'SERVING' | 'NOT_SERVING' | 'UNKNOWN' | 'NOT_FOUND';

const PREFACE = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n';

/** Asks for the health of `service`; undefined when the other side is no gRPC server. */
export async function askGrpcHealth(connection: Connection, service: string): Promise<GrpcHealth | undefined> {
  await connection.write(new TextEncoder().encode(`${PREFACE}${service}`));
  const answer = await connection.read();
  const text = answer === null ? '' : new TextDecoder().decode(answer);
  return (['SERVING', 'NOT_SERVING', 'UNKNOWN', 'NOT_FOUND'] as const).find((known) => text === `SETTINGS ${known}`);
}

/** Answers one such question; a client that speaks something else is left alone. */
export async function answerGrpcHealth(connection: Connection, healthOf: (service: string) => GrpcHealth): Promise<void> {
  const question = await connection.read();
  const text = question === null ? '' : new TextDecoder().decode(question);
  if (text.startsWith(PREFACE)) await connection.write(new TextEncoder().encode(`SETTINGS ${healthOf(text.slice(PREFACE.length))}`));
}
