import { toYaml } from '../format/yaml-write.ts';
import { base64 } from '../generators/common.ts';
import { makePrinter } from '../printers/print-flags.ts';
import { TabWriter } from '../printers/tab-writer.ts';
import { configFiles, type NamedEntry, readConfigFile } from '../rest/config.ts';
import type { Session } from '../session.ts';
import { CliError, throwAggregate } from '../util/errors.ts';
import { compareStrings, goList, type Obj } from '../util/object.ts';
import { parsePairs } from '../util/pairs.ts';

/** The lists of a kubeconfig, and the key that holds each entry's value. */
export const LISTS = { clusters: 'cluster', contexts: 'context', users: 'user' } as const;
export type List = keyof typeof LISTS;

/** Changes the file that holds `name` in `list` (or the first file) and writes it back. */
export function change(session: Session, edit: (document: Obj) => void): void {
  const { fs } = session.process.machine;
  const { files } = configFiles(session.process.env, session.flags.text('kubeconfig'));
  const reader = { fs, resolve: (path: string) => session.process.resolve(path), env: session.process.env };
  const file = files.find((candidate) => fs.exists(session.process.resolve(candidate))) ?? (files[0] as string);
  const document = readConfigFile(reader, file, false) ?? { apiVersion: 'v1', kind: 'Config', clusters: [], contexts: [], 'current-context': '', users: [] };
  edit(document);
  const path = session.process.resolve(file);
  fs.mkdir(path.slice(0, path.lastIndexOf('/')) || '/', { recursive: true });
  fs.writeFile(path, toYaml(document), { mode: 0o600 });
}

function entryOf(document: Obj, list: List, name: string): Obj | undefined {
  return (document[list] ?? []).find((entry: Obj) => entry.name === name);
}

export function setEntry(document: Obj, list: List, name: string, values: Obj): boolean {
  const present = entryOf(document, list, name);
  if (present) {
    present[LISTS[list]] = { ...present[LISTS[list]], ...values };
    for (const key of Object.keys(values)) if (values[key] === undefined || values[key] === '') delete present[LISTS[list]][key];
    return true;
  }
  document[list] = [...(document[list] ?? []), { name, [LISTS[list]]: values }].sort((a, b) => compareStrings(a.name, b.name));
  return false;
}

/** Help, and then the error about the arguments (helpErrorf). */
export async function expect(session: Session, args: readonly string[], count: number): Promise<void> {
  if (args.length === count) return;
  await showHelp(session);
  throw new CliError(`Unexpected args: ${goList(args)}`);
}

async function showHelp(session: Session): Promise<void> {
  const { helpText } = await session.process.kernel.external(import('../cli/help.ts'));
  await session.out(helpText(session.commandPath.split(' ').slice(1)));
}

const present = (session: Session, path: string): boolean => session.process.machine.fs.exists(session.process.resolve(path));

export async function currentContext(session: Session): Promise<void> {
  const name = session.startingConfig.currentContext;
  if (!name) throw new CliError('current-context is not set');
  await session.out(`${name}\n`);
}

export async function getContexts(session: Session, args: string[]): Promise<void> {
  const output = session.flags.text('output');
  if (output !== '' && output !== 'name')
    throw new CliError(`--output ${output} is not available in kubectl config get-contexts; resetting to default output format`);
  const { contexts, currentContext: current } = session.startingConfig;
  const missing = args.filter((name) => !contexts.has(name));
  const names = args.length > 0 ? args.filter((name) => contexts.has(name)) : [...contexts.keys()];
  names.sort(compareStrings);
  if (output === 'name') await session.out(names.map((name) => `${name}\n`).join(''));
  else {
    const writer = new TabWriter();
    if (!session.flags.bool('no-headers')) writer.write('CURRENT\tNAME\tCLUSTER\tAUTHINFO\tNAMESPACE\n');
    for (const name of names) {
      const value: Obj = contexts.get(name)?.value ?? {};
      writer.write(`${name === current ? '*' : ''}\t${name}\t${value.cluster ?? ''}\t${value.user ?? ''}\t${value.namespace ?? ''}\n`);
    }
    await session.out(writer.flush());
  }
  throwAggregate(missing.map((name) => new CliError(`context ${name} not found`)));
}

export const getClusters = (session: Session): Promise<void> => names(session, session.startingConfig.clusters);
export const getUsers = (session: Session): Promise<void> => names(session, session.startingConfig.users);

async function names(session: Session, entries: ReadonlyMap<string, NamedEntry>): Promise<void> {
  const lines = [...entries.keys()].sort(compareStrings).map((name) => `${name}\n`);
  await session.out(`NAME\n${lines.join('')}`);
}

export async function useContext(session: Session, args: string[]): Promise<void> {
  await expect(session, args, 1);
  const [name = ''] = args;
  if (name === '') throw new CliError('empty context names are not allowed');
  if (!session.startingConfig.contexts.has(name)) throw new CliError(`no context exists with the name: "${name}"`);
  change(session, (document) => {
    document['current-context'] = name;
  });
  await session.out(`Switched to context "${name}".\n`);
}

export async function setContext(session: Session, args: string[]): Promise<void> {
  const { flags } = session;
  const current = flags.bool('current');
  if (args.length > 1) await expect(session, args, 1);
  if (!current && !args[0]) throw new CliError('you must specify a non-empty context name or --current');
  if (current && args[0]) throw new CliError('you cannot specify both a context name and --current');
  const name = current ? session.startingConfig.currentContext : (args[0] as string);
  if (name === '') throw new CliError('no current context is set');
  const values: Obj = {};
  for (const key of ['cluster', 'namespace', 'user']) if (flags.changed(key)) values[key] = flags.text(key);
  let existed = false;
  change(session, (document) => {
    existed = setEntry(document, 'contexts', name, values);
  });
  await session.out(`Context "${name}" ${existed ? 'modified' : 'created'}.\n`);
}

/** A file that is to be embedded must be there. */
function checkEmbedded(session: Session, names: readonly string[]): void {
  const given = names.filter((name) => session.flags.text(name) !== '');
  if (given.length === 0) throw new CliError(`you must specify a ${names.map((name) => `--${name}`).join(' or ')} to embed`);
  for (const name of given) {
    const path = session.flags.text(name);
    if (!present(session, path)) throw new CliError(`could not stat ${name} file ${path}: stat ${path}: no such file or directory`);
  }
}

/** The path of a certificate or key, or with --embed-certs its contents. */
function certificate(session: Session, name: string): Obj {
  const path = session.process.resolve(session.flags.text(name));
  if (!session.flags.bool('embed-certs')) return { [name]: path, [`${name}-data`]: undefined };
  return { [name]: undefined, [`${name}-data`]: base64(session.process.machine.fs.readFile(path)) };
}

export async function setCluster(session: Session, args: string[]): Promise<void> {
  const { flags } = session;
  await expect(session, args, 1);
  const [name = ''] = args;
  if (name === '') throw new CliError('you must specify a non-empty cluster name');
  const insecure = flags.bool('insecure-skip-tls-verify');
  if (insecure && flags.text('certificate-authority') !== '')
    throw new CliError('you cannot specify a certificate authority and insecure mode at the same time');
  if (flags.bool('embed-certs')) checkEmbedded(session, ['certificate-authority']);
  const values: Obj = {};
  if (flags.changed('server')) Object.assign(values, { server: flags.text('server'), 'tls-server-name': undefined });
  for (const key of ['tls-server-name', 'proxy-url']) if (flags.changed(key)) values[key] = flags.text(key);
  if (flags.changed('insecure-skip-tls-verify')) {
    values['insecure-skip-tls-verify'] = insecure || undefined;
    if (insecure) Object.assign(values, { 'certificate-authority': undefined, 'certificate-authority-data': undefined });
  }
  if (flags.changed('certificate-authority')) Object.assign(values, certificate(session, 'certificate-authority'), { 'insecure-skip-tls-verify': undefined });
  change(session, (document) => void setEntry(document, 'clusters', name, values));
  await session.out(`Cluster "${name}" set.\n`);
}

export async function setCredentials(session: Session, args: string[]): Promise<void> {
  const { flags } = session;
  let pairs: Record<'auth-provider-arg' | 'exec-env', ReturnType<typeof parsePairs>>;
  try {
    if (args.length !== 1) throw new CliError(`unexpected args: ${goList(args)}`);
    pairs = {
      'auth-provider-arg': parsePairs(flags.list('auth-provider-arg'), 'auth-provider-arg', true),
      'exec-env': parsePairs(flags.list('exec-env'), 'exec-env', true),
    };
  } catch (error) {
    await showHelp(session);
    throw error;
  }
  const [name = ''] = args;
  if (name === '') throw new CliError('you must specify a non-empty user name');
  const basic = flags.text('username') !== '' || flags.text('password') !== '';
  const token = flags.text('token') !== '';
  if (basic && token) throw new CliError('you cannot specify more than one authentication method at the same time: --token, --username/--password');
  if (flags.bool('embed-certs')) checkEmbedded(session, ['client-certificate', 'client-key']);
  const mode = flags.text('exec-interactive-mode');
  if (flags.changed('exec-interactive-mode') && !['IfAvailable', 'Always', 'Never'].includes(mode))
    throw new CliError('invalid interactive mode type, can be only IfAvailable, Never, Always');
  const values: Obj = {};
  for (const key of ['client-certificate', 'client-key']) if (flags.changed(key)) Object.assign(values, certificate(session, key));
  for (const key of ['token', 'username', 'password']) if (flags.changed(key)) values[key] = flags.text(key);
  if (token) Object.assign(values, { username: undefined, password: undefined });
  if (basic) values.token = undefined;
  change(session, (document) => {
    const old: Obj = entryOf(document, 'users', name)?.user ?? {};
    const provider = authProvider(session, old['auth-provider'], pairs['auth-provider-arg']);
    const exec = execConfig(session, old.exec, pairs['exec-env']);
    setEntry(document, 'users', name, { ...values, ...(provider ? { 'auth-provider': provider } : {}), ...(exec ? { exec } : {}) });
  });
  await session.out(`User "${name}" set.\n`);
}

function authProvider({ flags }: Session, old: Obj | undefined, { pairs, removed }: ReturnType<typeof parsePairs>): Obj | undefined {
  const name = flags.changed('auth-provider') ? flags.text('auth-provider') : old?.name;
  if (name === undefined) return undefined;
  const config = { ...(old?.name === name ? old?.config : {}), ...pairs };
  for (const key of removed) delete config[key];
  return { config: Object.keys(config).length > 0 ? config : null, name };
}

function execConfig({ flags }: Session, old: Obj | undefined, { pairs, removed }: ReturnType<typeof parsePairs>): Obj | undefined {
  if (!old && !flags.changed('exec-command')) return undefined;
  const exec: Obj = { apiVersion: '', args: null, command: '', env: null, provideClusterInfo: false, ...old };
  if (flags.changed('exec-command')) Object.assign(exec, { command: flags.text('exec-command'), args: null });
  if (flags.changed('exec-api-version')) exec.apiVersion = flags.text('exec-api-version');
  if (flags.list('exec-arg').length > 0) exec.args = flags.list('exec-arg');
  if (flags.changed('exec-interactive-mode')) exec.interactiveMode = flags.text('exec-interactive-mode');
  if (flags.changed('exec-provide-cluster-info')) exec.provideClusterInfo = flags.bool('exec-provide-cluster-info');
  const env: Obj[] = ((exec.env ?? []) as Obj[])
    .filter((each) => !removed.includes(each.name))
    .map((each) => ({ ...each, value: pairs[each.name] ?? each.value }));
  for (const [name, value] of Object.entries(pairs)) if (!env.some((each) => each.name === name)) env.push({ name, value });
  exec.env = env.length > 0 ? env : null;
  return exec;
}

function remover(list: List, noun: string): (session: Session, args: string[]) => Promise<void> {
  return async (session, args) => {
    const config = session.startingConfig;
    if (args.length !== 1) {
      if (list === 'users') throw session.usageError('user to delete is required');
      return showHelp(session);
    }
    const [name = ''] = args;
    const file = config.files[0];
    if (!config[list].has(name)) throw new CliError(`cannot delete ${noun} ${name}, not in ${file}`);
    if (list === 'contexts' && config.currentContext === name)
      await session.err('warning: this removed your active context, use "kubectl config use-context" to select a different one\n');
    change(session, (document) => {
      document[list] = (document[list] ?? []).filter((entry: Obj) => entry.name !== name);
    });
    await session.out(`deleted ${noun} ${name} from ${file}\n`);
  };
}

export const deleteContext = remover('contexts', 'context');
export const deleteCluster = remover('clusters', 'cluster');
export const deleteUser = remover('users', 'user');

export async function renameContext(session: Session, args: string[]): Promise<void> {
  await expect(session, args, 2);
  const [from = '', to = ''] = args;
  if (to === '') throw new CliError('You must specify a new non-empty context name');
  const { contexts, currentContext: current, files } = session.startingConfig;
  if (!contexts.has(from)) throw new CliError(`cannot rename the context "${from}", it's not in ${files[0]}`);
  if (contexts.has(to)) throw new CliError(`cannot rename the context "${from}", the context "${to}" already exists in ${files[0]}`);
  change(session, (document) => {
    const entry = entryOf(document, 'contexts', from);
    if (entry) entry.name = to;
    if (current === from) document['current-context'] = to;
  });
  await session.out(`Context "${from}" renamed to "${to}".\n`);
}

/** kubectl config view: secrets are shown as REDACTED or DATA+OMITTED unless --raw. */
export async function view(session: Session, args: string[]): Promise<void> {
  const { flags } = session;
  if (args.length > 0) throw session.usageError(`unexpected arguments: ${goList(args)}`);
  const printer = await makePrinter(session, '');
  const explicit = flags.text('kubeconfig') !== '';
  if (flags.changed('merge') && !flags.bool('merge') && !explicit) throw new CliError('if merge==false a precise file must be specified');
  const config = session.startingConfig;
  const minify = flags.bool('minify');
  const current = minify && flags.text('context') !== '' ? flags.text('context') : config.currentContext;
  const context: Obj = config.contexts.get(current)?.value ?? {};
  if (minify && current === '') throw new CliError('current-context must exist in order to minify');
  if (minify && !config.contexts.has(current)) throw new CliError(`cannot locate context ${current}`);
  if (minify && context.cluster && !config.clusters.has(context.cluster)) throw new CliError(`cannot locate cluster ${context.cluster}`);
  if (minify && context.user && !config.users.has(context.user)) throw new CliError(`cannot locate user ${context.user}`);
  const pick = (entries: ReadonlyMap<string, NamedEntry>, list: List, wanted: string): Obj[] | null => {
    const found = [...entries.values()]
      .filter((entry) => !minify || entry.name === wanted)
      .sort((a, b) => compareStrings(a.name, b.name))
      .map((entry) => ({ name: entry.name, [LISTS[list]]: shown(session, entry.value as Obj) }));
    return found.length > 0 ? found : null;
  };
  await session.out(
    printer.print(
      {
        kind: 'Config',
        apiVersion: 'v1',
        clusters: pick(config.clusters, 'clusters', context.cluster),
        users: pick(config.users, 'users', context.user),
        contexts: pick(config.contexts, 'contexts', current),
        'current-context': current,
      },
      { typed: true },
    ),
  );
}

/** The fields in the order of upstream's types. */
const ORDER =
  'cluster server tls-server-name insecure-skip-tls-verify certificate-authority certificate-authority-data proxy-url disable-compression user namespace client-certificate client-certificate-data client-key client-key-data token tokenFile as as-uid as-groups as-user-extra username password auth-provider exec command args env apiVersion installHint provideClusterInfo interactiveMode'.split(
    ' ',
  );

function ordered(value: Obj): Obj {
  const rank = (key: string): number => (ORDER.indexOf(key) + ORDER.length) % ORDER.length;
  return Object.fromEntries(
    Object.keys(value)
      .sort((a, b) => rank(a) - rank(b))
      .map((key) => [key, key === 'exec' ? ordered(value[key]) : value[key]]),
  );
}

function shown(session: Session, value: Obj): Obj {
  const { flags } = session;
  const out = ordered(value);
  if (flags.bool('flatten')) {
    for (const key of ['certificate-authority', 'client-certificate', 'client-key']) {
      if (!out[key]) continue;
      if (!present(session, out[key])) throw new CliError(`open ${session.process.resolve(out[key])}: no such file or directory`);
      out[`${key}-data`] = base64(session.process.machine.fs.readFile(session.process.resolve(out[key])));
      delete out[key];
    }
    return out;
  }
  if (flags.bool('raw')) return out;
  for (const key of Object.keys(out)) {
    if (key.endsWith('-data')) out[key] = 'DATA+OMITTED';
    else if (key === 'token' || key === 'password') out[key] = 'REDACTED';
  }
  return out;
}
