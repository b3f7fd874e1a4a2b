import { timestamp } from './sql-dates.ts';
import type { SqlValue } from './sql-value.ts';
import type { SourceSettings } from './state.ts';

export interface Trouble {
  number: number;
  message: string;
  atMs: number;
}

export interface ReplicaState {
  source: SourceSettings;
  hostname: string;
  io: 'No' | 'Connecting' | 'Yes';
  isApplying: boolean;
  ioError: Trouble | undefined;
  sqlError: Trouble | undefined;
  sourceId: number;
  sourceUuid: string;
  /** Bytes of the source's log: fetched, and applied. */
  readPosition: number;
  donePosition: number;
  /** Seconds; null: not known. */
  lag: number | null;
  /** Seconds that SOURCE_DELAY still holds the next transaction back; null: it holds none. */
  remaining: number | null;
  retrieved: string;
  executed: string;
}

/** The row of SHOW REPLICA STATUS. */
export function replicaStatusRow(state: ReplicaState): [title: string, value: SqlValue][] {
  const { source, io, isApplying, ioError, sqlError, readPosition, donePosition } = state;
  const ioState = {
    No: '',
    Connecting: ioError ? 'Reconnecting after a failed source event read' : 'Connecting to source',
    Yes: 'Waiting for source to send event',
  }[io];
  const waiting =
    state.remaining === null ? 'Replica has read all relay log; waiting for more updates' : 'Waiting until SOURCE_DELAY seconds after source executed event';
  const whole = (value: number | null): SqlValue => (value === null ? null : BigInt(value));
  const stamp = (trouble: Trouble | undefined): string => (trouble ? timestamp(trouble.atMs).slice(2).replace(/-/g, '') : '');
  return [
    ['Replica_IO_State', ioState],
    ['Source_Host', source.host],
    ['Source_User', source.user],
    ['Source_Port', whole(source.port)],
    ['Connect_Retry', whole(source.retrySeconds)],
    ['Source_Log_File', 'binlog.000002'],
    ['Read_Source_Log_Pos', whole(readPosition)],
    ['Relay_Log_File', `${state.hostname}-relay-bin.000002`],
    ['Relay_Log_Pos', whole(donePosition + 214)],
    ['Relay_Source_Log_File', 'binlog.000002'],
    ['Replica_IO_Running', io],
    ['Replica_SQL_Running', isApplying ? 'Yes' : 'No'],
    ['Replicate_Do_DB', ''],
    ['Replicate_Ignore_DB', ''],
    ['Replicate_Do_Table', ''],
    ['Replicate_Ignore_Table', ''],
    ['Replicate_Wild_Do_Table', ''],
    ['Replicate_Wild_Ignore_Table', ''],
    ['Last_Errno', whole(sqlError?.number ?? 0)],
    ['Last_Error', sqlError?.message ?? ''],
    ['Skip_Counter', whole(0)],
    ['Exec_Source_Log_Pos', whole(donePosition)],
    ['Relay_Log_Space', whole(readPosition + 600)],
    ['Until_Condition', 'None'],
    ['Until_Log_File', ''],
    ['Until_Log_Pos', whole(0)],
    ['Source_SSL_Allowed', 'No'],
    ['Source_SSL_CA_File', ''],
    ['Source_SSL_CA_Path', ''],
    ['Source_SSL_Cert', ''],
    ['Source_SSL_Cipher', ''],
    ['Source_SSL_Key', ''],
    ['Seconds_Behind_Source', whole(state.lag)],
    ['Source_SSL_Verify_Server_Cert', 'No'],
    ['Last_IO_Errno', whole(ioError?.number ?? 0)],
    ['Last_IO_Error', ioError?.message ?? ''],
    ['Last_SQL_Errno', whole(sqlError?.number ?? 0)],
    ['Last_SQL_Error', sqlError?.message ?? ''],
    ['Replicate_Ignore_Server_Ids', ''],
    ['Source_Server_Id', whole(state.sourceId)],
    ['Source_UUID', state.sourceUuid],
    ['Source_Info_File', 'mysql.slave_master_info'],
    ['SQL_Delay', whole(source.delaySeconds)],
    ['SQL_Remaining_Delay', whole(state.remaining)],
    ['Replica_SQL_Running_State', isApplying ? waiting : ''],
    ['Source_Retry_Count', whole(86400)],
    ['Source_Bind', ''],
    ['Last_IO_Error_Timestamp', stamp(ioError)],
    ['Last_SQL_Error_Timestamp', stamp(sqlError)],
    ['Source_SSL_Crl', ''],
    ['Source_SSL_Crlpath', ''],
    ['Retrieved_Gtid_Set', state.retrieved],
    ['Executed_Gtid_Set', state.executed],
    ['Auto_Position', whole(source.autoPosition ? 1 : 0)],
    ['Replicate_Rewrite_DB', ''],
    ['Channel_Name', ''],
    ['Source_TLS_Version', ''],
    ['Source_public_key_path', ''],
    ['Get_Source_public_key', whole(source.getPublicKey ? 1 : 0)],
    ['Network_Namespace', ''],
  ];
}
