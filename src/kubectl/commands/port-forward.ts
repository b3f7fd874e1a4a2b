import type { ChannelSocket } from '../../sim/transport.ts';
import type { Socket } from '../../unix/types.ts';
import { Errno } from '../../unix/types.ts';
import { build } from '../resource/builder.ts';
import type { Session } from '../session.ts';
import { CliError, errorText } from '../util/errors.ts';
import type { Obj } from '../util/object.ts';
import { attachablePod } from '../util/pods.ts';
import { podRunningTimeout } from './exec.ts';

interface Pair {
  local: number;
  remote: number;
}

/** kubectl port-forward: listens on this machine and carries each connection to a port of the Pod, until interrupted. */
export async function portForward(session: Session, args: string[]): Promise<void> {
  if (args.length < 2) throw session.usageError('TYPE/NAME and list of ports are required for port-forward');
  const [target = '', ...specs] = args;
  const timeout = podRunningTimeout(session);
  const result = await build(session, { args: [target], defaultType: 'pods', namespace: session.namespace });
  const object = (await result.infos())[0]?.object as Obj;
  const pod = await attachablePod(session, object, timeout);
  if (pod.status?.phase !== 'Running') throw new CliError(`unable to forward port because pod is not running. Current status=${pod.status?.phase}`);
  const pairs = specs.map((spec) => parsePorts(spec, object, pod));
  const listeners = pairs.map((pair) => {
    try {
      return session.process.machine.net.listen(pair.local, '127.0.0.1');
    } catch (error) {
      if (!(error instanceof Errno)) throw error;
      throw new CliError(`unable to listen on any of the requested ports: [{${pair.local} ${pair.remote}}]`);
    }
  });
  try {
    for (const pair of pairs) await session.out(`Forwarding from 127.0.0.1:${pair.local} -> ${pair.remote}\n`);
    await session.process.guard(
      Promise.all(
        listeners.map(async (listener, i) => {
          const pair = pairs[i] as Pair;
          for (;;) {
            const connection = await listener.accept();
            await session.out(`Handling connection for ${pair.local}\n`);
            void forward(session, pod, pair, connection).catch(async (error: unknown) => {
              connection.close();
              await session.klog(
                'E',
                'portforward.go:424',
                `"Unhandled Error" err="an error occurred forwarding ${pair.local} -> ${pair.remote}: ${errorText(error)}"`,
              );
            });
          }
        }),
      ),
    );
  } finally {
    for (const listener of listeners) listener.dispose();
  }
}

/** `8080:80`, `80`, `:80`, with names of container or Service ports; a Service's port becomes its target port. */
function parsePorts(spec: string, object: Obj, pod: Obj): Pair {
  const parts = spec.split(':');
  // A single number is read as the local port first.
  if (parts.length === 1 && /^\d+$/.test(spec) && Number(spec) > 65_535)
    throw new CliError(`error parsing local port '${spec}': strconv.ParseUint: parsing "${spec}": value out of range`);
  if (parts.length > 2) throw new CliError(`invalid port format '${spec}'`);
  const remoteText = parts.at(-1) ?? '';
  const remote = remotePort(remoteText, object, pod);
  const localText = parts.length === 2 ? parts[0] : /^\d+$/.test(remoteText) ? remoteText : String(remote);
  const local = localText === '' ? 40_000 + (remote % 20_000) : Number(localText);
  if (!Number.isInteger(local) || local < 0 || local > 65_535)
    throw new CliError(`error parsing local port '${localText}': strconv.ParseUint: parsing ${JSON.stringify(localText)}: invalid syntax`);
  return { local, remote };
}

function remotePort(text: string, object: Obj, pod: Obj): number {
  const containerPorts: Obj[] = (pod.spec?.containers ?? []).flatMap((container: Obj) => container.ports ?? []);
  const named = (name: string): number => {
    const found = containerPorts.find((port) => port.name === name);
    if (!found) throw new CliError(`Pod '${pod.metadata.name}' does not have a named port '${name}'`);
    return found.containerPort;
  };
  if (object.kind === 'Service') {
    const port = (object.spec?.ports ?? []).find((candidate: Obj) => candidate.name === text || String(candidate.port) === text);
    if (!port)
      throw new CliError(
        /^\d+$/.test(text)
          ? `Service ${object.metadata.name} does not have a service port ${text}`
          : `Service '${object.metadata.name}' does not have a named port '${text}'`,
      );
    if (typeof port.targetPort === 'string') return named(port.targetPort);
    return port.targetPort || port.port;
  }
  if (!/^\d+$/.test(text)) return named(text);
  const number = Number(text);
  if (number === 0 || number > 65_535)
    throw new CliError(
      number === 0 ? 'remote port must be > 0' : `error parsing remote port '${text}': strconv.ParseUint: parsing "${text}": value out of range`,
    );
  return number;
}

/** One TCP connection over a `v4.channel.k8s.io` conversation: channel 0 carries data, channel 1 the error; each begins with the port. */
async function forward(session: Session, pod: Obj, pair: Pair, connection: Socket): Promise<void> {
  const path = `/api/v1/namespaces/${pod.metadata.namespace}/pods/${pod.metadata.name}/portforward`;
  const socket = await session.client.upgrade(path, [['ports', String(pair.remote)]], ['v4.channel.k8s.io']);
  void upstream(connection, socket);
  const greeted = new Set<number>();
  for (;;) {
    const message = await socket.receive();
    if (message === null) break;
    const channel = message[0] ?? 0;
    if (!greeted.has(channel)) {
      greeted.add(channel);
      continue;
    }
    const data = message.subarray(1);
    if (channel === 1) throw new CliError(new TextDecoder().decode(data).trim());
    if (data.length > 0) await connection.write(data);
  }
  connection.close();
}

async function upstream(connection: Socket, socket: ChannelSocket): Promise<void> {
  for (;;) {
    let chunk: Uint8Array | null;
    try {
      chunk = await connection.read();
    } catch (error) {
      if (!(error instanceof Errno)) throw error;
      chunk = null;
    }
    if (chunk === null) break;
    const message = new Uint8Array(chunk.length + 1);
    message.set(chunk, 1);
    socket.send(message);
  }
  socket.close();
}
