import { SqlError } from './sql-error.ts';
import { type SqlValue, toNumber, toText } from './sql-value.ts';

/** System variables. */
interface Definition {
  value: SqlValue;
  /** Where it may be set. */
  scope: 'both' | 'global' | 'session' | 'none';
  /** Shown as ON and OFF. */
  isSwitch?: boolean;
}

const SQL_MODE = 'ONLY_FULL_GROUP_BY,STRICT_TRANS_TABLES,NO_ZERO_IN_DATE,NO_ZERO_DATE,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION';

const group = (scope: Definition['scope'], values: Readonly<Record<string, SqlValue | boolean>>): [string, Definition][] =>
  Object.entries(values).map(([name, value]) => [name, typeof value === 'boolean' ? { value: value ? 1n : 0n, scope, isSwitch: true } : { value, scope }]);

export const DEFINITIONS: ReadonlyMap<string, Definition> = new Map([
  ...group('both', {
    autocommit: true,
    binlog_format: 'ROW',
    character_set_client: 'utf8mb4',
    character_set_connection: 'utf8mb4',
    character_set_database: 'utf8mb4',
    character_set_results: 'utf8mb4',
    character_set_server: 'utf8mb4',
    collation_connection: 'utf8mb4_0900_ai_ci',
    collation_database: 'utf8mb4_0900_ai_ci',
    collation_server: 'utf8mb4_0900_ai_ci',
    default_storage_engine: 'InnoDB',
    foreign_key_checks: true,
    innodb_lock_wait_timeout: 50n,
    interactive_timeout: 28_800n,
    lock_wait_timeout: 31_536_000n,
    long_query_time: 10,
    max_execution_time: 0n,
    net_read_timeout: 30n,
    net_write_timeout: 60n,
    sql_mode: SQL_MODE,
    sql_notes: true,
    sql_safe_updates: false,
    time_zone: 'SYSTEM',
    transaction_isolation: 'REPEATABLE-READ',
    transaction_read_only: false,
    unique_checks: true,
    wait_timeout: 28_800n,
    max_allowed_packet: 67_108_864n,
  }),
  ...group('global', {
    binlog_expire_logs_seconds: 2_592_000n,
    default_authentication_plugin: 'caching_sha2_password',
    enforce_gtid_consistency: 'OFF',
    gtid_mode: 'OFF',
    gtid_purged: '',
    host_cache_size: 0n,
    innodb_buffer_pool_size: 134_217_728n,
    innodb_flush_log_at_trx_commit: 1n,
    local_infile: false,
    log_error_verbosity: 2n,
    max_connections: 151n,
    offline_mode: false,
    read_only: false,
    relay_log_purge: true,
    replica_parallel_workers: 4n,
    server_id: 1n,
    slow_query_log: false,
    super_read_only: false,
    sync_binlog: 1n,
  }),
  ...group('session', { gtid_next: 'AUTOMATIC', insert_id: 0n, last_insert_id: 0n, pseudo_replica_mode: false, sql_log_bin: true, timestamp: 0 }),
  ...group('none', {
    basedir: '/usr/',
    bind_address: '*',
    datadir: '/var/lib/mysql/',
    general_log_file: '',
    gtid_executed: '',
    have_ssl: 'DISABLED',
    hostname: '',
    innodb_version: '8.1.0',
    innodb_read_only: false,
    log_bin: true,
    log_bin_basename: '/var/lib/mysql/binlog',
    log_bin_index: '/var/lib/mysql/binlog.index',
    log_error: 'stderr',
    log_replica_updates: true,
    lower_case_table_names: 0n,
    pid_file: '/var/run/mysqld/mysqld.pid',
    plugin_dir: '/usr/lib64/mysql/plugin/',
    port: 3306n,
    protocol_version: 10n,
    relay_log: '',
    report_host: '',
    report_port: 3306n,
    secure_file_priv: '/var/lib/mysql-files/',
    server_uuid: '',
    skip_name_resolve: true,
    skip_networking: false,
    socket: '/var/run/mysqld/mysqld.sock',
    system_time_zone: 'UTC',
    tmpdir: '/tmp',
    version: '8.1.0',
    version_comment: 'MySQL Community Server - GPL',
    version_compile_machine: 'x86_64',
    version_compile_os: 'Linux',
  }),
]);

const SYNONYMS: Readonly<Record<string, string>> = {
  tx_isolation: 'transaction_isolation',
  log_slave_updates: 'log_replica_updates',
  slave_parallel_workers: 'replica_parallel_workers',
};
export const variableName = (name: string): string => SYNONYMS[name] ?? name;

/** How SHOW VARIABLES writes a value. */
export const shownVariable = (name: string, value: SqlValue): string => {
  if (DEFINITIONS.get(name)?.isSwitch) return toNumber(value) !== 0 ? 'ON' : 'OFF';
  if (name === 'long_query_time') return toNumber(value).toFixed(6);
  return value === null ? '' : toText(value);
};

/** A value as the variable keeps it. Throws 1193, 1231, 1232. */
export function variableValue(name: string, raw: SqlValue): SqlValue {
  const definition = DEFINITIONS.get(name);
  if (!definition) throw new SqlError(1193, 'HY000', `Unknown system variable '${name}'`);
  const wrong = (): SqlError => new SqlError(1231, '42000', `Variable '${name}' can't be set to the value of '${toText(raw)}'`);
  if (typeof raw === 'string' && raw.toUpperCase() === 'DEFAULT') return definition.value;
  if (definition.isSwitch) {
    const text = toText(raw).toUpperCase();
    if (text === 'ON' || text === 'TRUE' || text === '1') return 1n;
    if (text === 'OFF' || text === 'FALSE' || text === '0') return 0n;
    throw wrong();
  }
  if (typeof definition.value === 'bigint') {
    if (typeof raw !== 'bigint') throw new SqlError(1232, '42000', `Incorrect argument type to variable '${name}'`);
    return raw;
  }
  if (name === 'transaction_isolation') {
    const level = toText(raw).toUpperCase().replace(' ', '-');
    if (!/^(READ-UNCOMMITTED|READ-COMMITTED|REPEATABLE-READ|SERIALIZABLE)$/.test(level)) throw wrong();
    return level;
  }
  if (name === 'gtid_mode' && !/^(OFF|OFF_PERMISSIVE|ON_PERMISSIVE|ON)$/.test(toText(raw))) throw wrong();
  return typeof definition.value === 'number' ? toNumber(raw) : toText(raw ?? '');
}

/** Options of the command line and of my.cnf that are no variables. */
const OTHER_OPTIONS =
  /^(skip_host_cache|skip_name_resolve|user|initialize|initialize_insecure|console|symbolic_links|default_time_zone|log_slow_extra|skip_log_bin|disable_log_bin|skip_replica_start|skip_slave_start|daemonize|relay_log_index|relay_log_recovery|replicate_.*|binlog_.*|innodb_.*|performance_schema.*|mysqlx.*|ssl.*|tls.*|table_.*|thread_.*|tmp_.*|max_.*|key_buffer_size|sort_buffer_size|join_buffer_size|read_.*buffer_size|open_files_limit|back_log|explicit_defaults_for_timestamp|authentication_policy|mysql_native_password|admin_.*|character_set_.*|log_.*|general_log|slow_query_log_file|skip_external_locking|event_scheduler|master_info_repository|relay_log_info_repository|transaction_write_set_extraction|plugin_load.*|loose_.*|report_user|report_password|gtid_executed_compression_period)$/;

/**
 * Options as variables. `bad` names the first that mysqld does not know ("unknown variable 'x=1'"), as it was written.
 */
export function startVariables(options: readonly { name: string; value: string | undefined; written: string }[]): {
  values: Map<string, SqlValue>;
  bad?: string;
} {
  const values = new Map<string, SqlValue>([...DEFINITIONS].map(([name, { value }]) => [name, value]));
  for (const { name, value, written } of options) {
    const definition = DEFINITIONS.get(variableName(name));
    if (!definition) {
      if (OTHER_OPTIONS.test(name)) continue;
      return { values, bad: value === undefined ? `unknown option '--${written}'` : `unknown variable '${written}'` };
    }
    const key = variableName(name);
    // log-bin=NAME names the files; that it is on is what counts.
    if (key === 'log_bin' || (definition.isSwitch && value === undefined)) values.set(key, 1n);
    else if (definition.isSwitch) values.set(key, /^(on|true|1)$/i.test(value ?? '') ? 1n : 0n);
    else if (typeof definition.value === 'bigint') values.set(key, sized(value ?? ''));
    else if (/^(gtid_mode|enforce_gtid_consistency)$/.test(key))
      values.set(key, value === undefined ? 'ON' : ({ '1': 'ON', '0': 'OFF', TRUE: 'ON', FALSE: 'OFF' }[value.toUpperCase()] ?? value.toUpperCase()));
    else values.set(key, value ?? '');
  }
  if (values.get('super_read_only') === 1n) values.set('read_only', 1n);
  return { values };
}

function sized(text: string): bigint {
  const found = /^(\d+)([kmg]?)$/i.exec(text.trim());
  return found ? BigInt(found[1] ?? 0) * ({ k: 1024n, m: 1_048_576n, g: 1_073_741_824n }[found[2]?.toLowerCase() ?? ''] ?? 1n) : 0n;
}
