import { isEnding } from './endings.ts';
import { GtidSet } from './gtid.ts';
import { encodeError, type PacketStream, PayloadWriter } from './packets.ts';
import type { MysqlServer } from './server.ts';
import type { Session } from './session.ts';
import { toText } from './sql-value.ts';
import { eventText } from './state.ts';

/** What a replica asks for; as text, because only our own replicas speak it. */
export interface DumpRequest {
  serverId: number;
  uuid: string;
  host: string;
  executed: string;
}

const PURGED =
  "Cannot replicate because the source purged required binary logs. Replicate the missing transactions from elsewhere, or provision a new replica from backup. Consider increasing the source's binary log expiration period.";

/** Sends a replica what it lacks, then everything that follows. Ends when the connection does. Error 1236 when it cannot be had here. */
export async function serveBinlog(server: MysqlServer, session: Session, packets: PacketStream, request: string): Promise<void> {
  const { instance, process } = server;
  const { state } = instance;
  const { serverId, uuid, host, executed } = JSON.parse(request) as DumpRequest;
  const known = GtidSet.parse(executed) ?? new GtidSet();
  if (instance.globals.get('gtid_mode') !== 'ON') {
    await packets.write(
      encodeError([
        13117,
        'HY000',
        `The replication receiver thread cannot start in AUTO_POSITION mode: the source has GTID_MODE = ${toText(instance.globals.get('gtid_mode') ?? 'OFF')} instead of ON.`,
      ]),
    );
    return;
  }
  if (!known.includes(state.purged)) {
    const missing = state.purged.without(known);
    const detail = `The GTID set sent by the replica is '${known}', and the missing transactions are '${missing}'`;
    await packets.write(encodeError([1236, 'HY000', `${PURGED} ${detail}`]));
    return;
  }
  const own = GtidSet.parse(`${state.uuid}:1-${Math.max(1, state.executed.last(state.uuid))}`) ?? new GtidSet();
  if (known.last(state.uuid) > state.executed.last(state.uuid) && !own.isEmpty) {
    await packets.write(
      encodeError([
        1236,
        'HY000',
        `Replica has more GTIDs than the source has, using the source's SERVER_UUID. This may indicate that the the last binary log file was truncated or lost, e.g., after a power failure when sync_binlog != 1. The source may or may not have rolled back transactions that were already replicated to the replica. Replicate any transactions that source has rolled back from replica to source, and/or commit empty transactions on source to account for transactions that have been committed on source but are not included in GTID_EXECUTED.`,
      ]),
    );
    return;
  }
  server.followers.set(session.id, [BigInt(serverId), host, 3306n, BigInt(toText(instance.variable(undefined, 'server_id'))), uuid]);
  let wake: (() => void) | undefined;
  let gone = false;
  const follow = (): void => wake?.();
  instance.followers.add(follow);
  const leave = (): void => {
    gone = true;
    follow();
  };
  // A replica says no more: whatever comes is its end.
  packets.read().then(leave, (error) => {
    leave();
    if (!isEnding(error)) process.kernel.onError(error);
  });
  try {
    while (!gone) {
      let sent = false;
      for (const { events } of [...state.binlogs]) {
        for (const event of events) {
          if (event.local || event.uuid === '' || known.has(event.uuid, event.number) || gone) continue;
          known.add(event.uuid, event.number);
          sent = true;
          packets.restart();
          await packets.write(new PayloadWriter().integer(0, 1).text(eventText(event)).done());
        }
      }
      if (sent) continue;
      await process.guard(
        new Promise<void>((resolve) => {
          wake = resolve;
          if (gone) resolve();
        }),
      );
    }
  } finally {
    instance.followers.delete(follow);
    server.followers.delete(session.id);
  }
}
