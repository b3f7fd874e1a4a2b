import type { FileSystem } from '../../unix/types.ts';
import { Errno } from '../../unix/types.ts';
import type { FlagSet } from '../cli/flags.ts';
import { readYamlDocument } from '../format/yaml-read.ts';
import { CliError, ConfigurationError, errorText } from '../util/errors.ts';
import { type Obj, quote } from '../util/object.ts';

/** One named entry of a kubeconfig list, with the file it came from. */
export interface NamedEntry {
  name: string;
  value: Obj;
  file: string;
}

/** A kubeconfig after merging, as clientcmd keeps it. */
export interface KubeConfig {
  currentContext: string;
  clusters: Map<string, NamedEntry>;
  contexts: Map<string, NamedEntry>;
  users: Map<string, NamedEntry>;
  preferences: Obj;
  /** Files that were asked for, in order; the first is written to when none of them defines an entry. */
  files: string[];
}

/** What a client needs to talk to one server. */
export interface ClientConfig {
  server: string;
  namespace: string;
  /** True when the namespace was given on the command line. */
  namespaceGiven: boolean;
  headers: Record<string, string>;
  contextName: string;
}

/** Files that kubeconfig is read from: --kubeconfig, $KUBECONFIG, ~/.kube/config. */
export function configFiles(env: ReadonlyMap<string, string>, explicit: string): { files: string[]; explicit: boolean } {
  if (explicit) return { files: [explicit], explicit: true };
  const list = (env.get('KUBECONFIG') ?? '').split(':').filter((path) => path !== '');
  if (list.length > 0) return { files: [...new Set(list)], explicit: false };
  return { files: [`${env.get('HOME') ?? '/root'}/.kube/config`], explicit: false };
}

export interface ConfigReader {
  fs: FileSystem;
  resolve(path: string): string;
  env: ReadonlyMap<string, string>;
}

/** Reads and merges kubeconfig files; the first file that names something wins. */
export function loadKubeConfig(reader: ConfigReader, explicitFile: string, required = true): KubeConfig {
  const { files, explicit } = configFiles(reader.env, explicitFile);
  const config: KubeConfig = { currentContext: '', clusters: new Map(), contexts: new Map(), users: new Map(), preferences: {}, files };
  for (const file of files) {
    const parsed = readConfigFile(reader, file, explicit && required);
    if (!parsed) continue;
    if (!config.currentContext) config.currentContext = parsed['current-context'] ?? '';
    mergeEntries(config.clusters, parsed.clusters, 'cluster', file);
    mergeEntries(config.contexts, parsed.contexts, 'context', file);
    mergeEntries(config.users, parsed.users, 'user', file);
    config.preferences = { ...parsed.preferences, ...config.preferences };
  }
  return config;
}

/** The document in one kubeconfig file; undefined when the file is missing and was not asked for by name. */
export function readConfigFile(reader: ConfigReader, file: string, required: boolean): Obj | undefined {
  let text: string;
  try {
    text = reader.fs.readText(reader.resolve(file));
  } catch (error) {
    if (error instanceof Errno && error.code === 'ENOENT') {
      if (!required) return undefined;
      throw new CliError(`stat ${file}: no such file or directory`);
    }
    throw new CliError(`error loading config file "${file}": open ${file}: ${errorText(error).toLowerCase()}`);
  }
  try {
    return (readYamlDocument(text) as Obj | null) ?? {};
  } catch (error) {
    throw new CliError(`error loading config file "${file}": ${errorText(error)}`);
  }
}

function mergeEntries(into: Map<string, NamedEntry>, list: unknown, key: string, file: string): void {
  if (!Array.isArray(list)) return;
  for (const entry of list as Obj[]) {
    const name = String(entry?.name ?? '');
    if (!into.has(name)) into.set(name, { name, value: entry?.[key] ?? {}, file });
  }
}

/** Where certificates and tokens are looked for. */
interface ClientMachine {
  env: ReadonlyMap<string, string>;
  machine: { fs: FileSystem };
  resolve(path: string): string;
}

/** The chosen context, cluster and user with the command line's overrides (clientcmd.DirectClientConfig). */
export function resolveClient(config: KubeConfig, flags: FlagSet, process: ClientMachine, serverFirst: boolean): ClientConfig {
  const { env } = process;
  const { fs } = process.machine;
  // A command's own flag of the same name (rolebinding --user) hides the global one.
  const option = (name: string): string => (flags.lookup(name)?.type === 's' ? flags.text(name) : '');
  const contextName = option('context') || config.currentContext;
  const context = config.contexts.get(contextName)?.value;
  if (contextName && !context && serverFirst) throw new CliError(`context ${quote(contextName)} does not exist`);
  if (contextName && !context) throw new ConfigurationError(`context was not found for specified context: ${contextName}`);
  const clusterName = option('cluster') || (context?.cluster ?? '');
  const cluster = config.clusters.get(clusterName)?.value;
  if (option('cluster') && !cluster) throw new CliError(`no server found for cluster "${clusterName}"`);
  const userName = option('user') || (context?.user ?? '');
  const user = config.users.get(userName)?.value;
  if (option('user') && !user) throw new CliError(`auth info "${userName}" does not exist`);
  const headers: Record<string, string> = {};
  let server: string = option('server') || (cluster?.server ?? '');
  const named = userName || 'default';
  checkIdentity(process, option, user, named);
  const authority = option('certificate-authority') || (cluster?.['certificate-authority'] ?? '');
  if (authority && !fs.exists(process.resolve(authority)))
    throw new CliError(`unable to read certificate-authority ${authority} for ${clusterName} due to open ${authority}: no such file or directory`);
  let token: string = option('token') || (user?.token ?? '');
  if (!token && user?.tokenFile) token = fs.readText(user.tokenFile).trim();
  let namespace: string = context?.namespace ?? '';
  if (!server) {
    const inCluster = inClusterConfig(env, fs);
    server = inCluster?.server ?? 'http://localhost:8080';
    token ||= inCluster?.token ?? '';
    namespace ||= inCluster?.namespace ?? '';
  }
  if (!/^[a-z]+:\/\//.test(server)) server = `http://${server}`;
  if (token) headers.authorization = `Bearer ${token}`;
  const username = option('username') || user?.username;
  if (username && !token) headers.authorization = `Basic ${btoa(`${username}:${option('password') || (user?.password ?? '')}`)}`;
  const as = option('as') || user?.as;
  if (as) headers['impersonate-user'] = as;
  const groups = flags.list('as-group').length > 0 ? flags.list('as-group') : (user?.['as-groups'] ?? []);
  if (groups.length > 0) headers['impersonate-group'] = groups.join(',');
  const uid = option('as-uid') || user?.['as-uid'];
  if (uid) headers['impersonate-uid'] = uid;
  const extra = flags.lookup('as-user-extra') ? flags.list('as-user-extra') : [];
  if (!as && (groups.length > 0 || uid || extra.length > 0))
    throw new CliError(`requesting uid, groups or user-extra for ${named} without impersonating a user`);
  for (const pair of extra) {
    const equals = pair.indexOf('=');
    if (equals < 0) throw new CliError(`malformed user-extra: ${pair}`);
    headers[`impersonate-extra-${encodeURIComponent(pair.slice(0, equals)).toLowerCase()}`] = pair.slice(equals + 1);
  }
  // A client certificate is how the course's admin user identifies itself; transports may look at its common name.
  if (user?.['client-certificate-data']) headers['x-client-certificate-user'] = userName;
  return {
    server: server.replace(/\/+$/, ''),
    namespace: option('namespace') || namespace || 'default',
    namespaceGiven: option('namespace') !== '',
    headers,
    contextName,
  };
}

/** validateAuthInfo: one way of telling who one is, and the files for it. */
function checkIdentity(process: ClientMachine, option: (name: string) => string, user: Obj | undefined, name: string): void {
  const value = (flag: string, key = flag): string => option(flag) || (user?.[key] ?? '');
  const methods: string[] = [];
  const problems: string[] = [];
  if (value('token') || user?.tokenFile) methods.push('token');
  if (value('username') || value('password')) methods.push('basicAuth');
  const certificate = value('client-certificate');
  const key = value('client-key');
  const given = (path: string, data: unknown): boolean => path !== '' || Boolean(data);
  if (given(certificate, user?.['client-certificate-data'])) {
    if (!given(key, user?.['client-key-data']))
      problems.push(`client-key-data or client-key must be specified for ${name} to use the clientCert authentication method.`);
    for (const [word, path] of [
      ['cert', certificate],
      ['key', key],
    ])
      if (path && !process.machine.fs.exists(process.resolve(path)))
        problems.push(`unable to read client-${word} ${path} for ${name} due to open ${path}: no such file or directory`);
  }
  if (methods.length > 1) problems.push(`more than one authentication method found for ${name}; found [${methods.join(' ')}], only one is allowed`);
  if (problems.length > 1) throw new ConfigurationError(`\n${problems.map((text) => `* ${text}`).join('\n')}`);
  if (problems[0] !== undefined) throw new CliError(problems[0]);
}

const SERVICE_ACCOUNT = '/var/run/secrets/kubernetes.io/serviceaccount';

function inClusterConfig(env: ReadonlyMap<string, string>, fs: FileSystem): { server: string; token: string; namespace: string } | undefined {
  const host = env.get('KUBERNETES_SERVICE_HOST');
  const port = env.get('KUBERNETES_SERVICE_PORT');
  if (!host || !port || !fs.exists(`${SERVICE_ACCOUNT}/token`)) return undefined;
  const namespace = fs.exists(`${SERVICE_ACCOUNT}/namespace`) ? fs.readText(`${SERVICE_ACCOUNT}/namespace`) : 'default';
  return { server: `https://${host}:${port}`, token: fs.readText(`${SERVICE_ACCOUNT}/token`), namespace };
}
