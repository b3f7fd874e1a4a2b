import { goJson } from '../format/go-json.ts';
import { toYaml } from '../format/yaml-write.ts';
import { TabWriter } from '../printers/tab-writer.ts';
import { configFiles, type NamedEntry, readConfigFile } from '../rest/config.ts';
import type { Session } from '../session.ts';
import { CliError } from '../util/errors.ts';
import { compareStrings, type Obj } from '../util/object.ts';

/** The lists of a kubeconfig, and the key that holds each entry's value. */
const LISTS = { clusters: 'cluster', contexts: 'context', users: 'user' } as const;
type List = keyof typeof LISTS;

/** Changes the file that holds `name` in `list` (or the first file) and writes it back. */
function change(session: Session, edit: (document: Obj) => void): void {
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

function setEntry(document: Obj, list: List, name: string, values: Obj): boolean {
  const present = entryOf(document, list, name);
  if (present) {
    present[LISTS[list]] = { ...present[LISTS[list]], ...values };
    return true;
  }
  document[list] = [...(document[list] ?? []), { name, [LISTS[list]]: values }].sort((a, b) => compareStrings(a.name, b.name));
  return false;
}

export async function currentContext(session: Session): Promise<void> {
  const name = session.kubeConfig.currentContext;
  if (!name) throw new CliError('current-context is not set');
  await session.out(`${name}\n`);
}

export async function getContexts(session: Session, args: string[]): Promise<void> {
  const { contexts, currentContext: current } = session.kubeConfig;
  const missing = args.filter((name) => !contexts.has(name));
  const names = args.length > 0 ? args.filter((name) => contexts.has(name)) : [...contexts.keys()];
  names.sort(compareStrings);
  const output = session.flags.text('output');
  if (output !== '' && output !== 'name') throw new CliError(`output must be one of '' or 'name': ${output}`);
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
  for (const name of missing) throw new CliError(`context ${name} not found`);
}

export async function getClusters(session: Session): Promise<void> {
  await session.out(
    `NAME\n${[...session.kubeConfig.clusters.keys()]
      .sort(compareStrings)
      .map((name) => `${name}\n`)
      .join('')}`,
  );
}

export async function getUsers(session: Session): Promise<void> {
  await session.out(
    `NAME\n${[...session.kubeConfig.users.keys()]
      .sort(compareStrings)
      .map((name) => `${name}\n`)
      .join('')}`,
  );
}

export async function useContext(session: Session, args: string[]): Promise<void> {
  const name = one(args);
  if (!session.kubeConfig.contexts.has(name)) throw new CliError(`no context exists with the name: "${name}"`);
  change(session, (document) => {
    document['current-context'] = name;
  });
  await session.out(`Switched to context "${name}".\n`);
}

export async function setContext(session: Session, args: string[]): Promise<void> {
  const { flags } = session;
  if (flags.bool('current') === args.length > 0)
    throw new CliError(args.length > 0 ? 'you cannot specify both a context name and --current' : 'you must specify a non-empty context name or --current');
  const name = flags.bool('current') ? session.kubeConfig.currentContext : one(args);
  if (name === '') throw new CliError('no current context is set');
  const values: Obj = {};
  for (const key of ['cluster', 'namespace', 'user']) if (flags.changed(key)) values[key] = flags.text(key);
  let existed = false;
  change(session, (document) => {
    existed = setEntry(document, 'contexts', name, values);
  });
  await session.out(`Context "${name}" ${existed ? 'modified' : 'created'}.\n`);
}

export async function setCluster(session: Session, args: string[]): Promise<void> {
  const { flags } = session;
  const name = one(args);
  const values: Obj = {};
  for (const key of ['server', 'certificate-authority', 'tls-server-name', 'proxy-url']) if (flags.changed(key)) values[key] = flags.text(key);
  if (flags.changed('insecure-skip-tls-verify')) values['insecure-skip-tls-verify'] = flags.bool('insecure-skip-tls-verify');
  change(session, (document) => void setEntry(document, 'clusters', name, values));
  await session.out(`Cluster "${name}" set.\n`);
}

export async function setCredentials(session: Session, args: string[]): Promise<void> {
  const { flags } = session;
  const name = one(args);
  const values: Obj = {};
  for (const key of ['token', 'username', 'password', 'client-certificate', 'client-key']) if (flags.changed(key)) values[key] = flags.text(key);
  change(session, (document) => void setEntry(document, 'users', name, values));
  await session.out(`User "${name}" set.\n`);
}

function remover(list: List, noun: string): (session: Session, args: string[]) => Promise<void> {
  return async (session, args) => {
    const name = one(args);
    const present: ReadonlyMap<string, NamedEntry> = session.kubeConfig[list];
    const file = present.get(name)?.file;
    if (!file) throw new CliError(`cannot delete ${noun} ${name}, not in ${configFiles(session.process.env, session.flags.text('kubeconfig')).files[0]}`);
    if (list === 'contexts' && session.kubeConfig.currentContext === name)
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
  const [from, to] = args;
  if (from === undefined || to === undefined || args.length !== 2) throw session.usageError(`accepts 2 arg(s), received ${args.length}`);
  const { contexts, currentContext: current } = session.kubeConfig;
  if (!contexts.has(from)) throw new CliError(`cannot rename the context "${from}", it's not in ${session.kubeConfig.files[0]}`);
  if (contexts.has(to)) throw new CliError(`cannot rename the context "${from}", the context "${to}" already exists in ${session.kubeConfig.files[0]}`);
  change(session, (document) => {
    const entry = entryOf(document, 'contexts', from);
    if (entry) entry.name = to;
    if (current === from) document['current-context'] = to;
  });
  await session.out(`Context "${from}" renamed to "${to}".\n`);
}

/** kubectl config view: secrets are shown as REDACTED or DATA+OMITTED unless --raw. */
export async function view(session: Session): Promise<void> {
  const { flags } = session;
  const config = session.kubeConfig;
  const current = config.currentContext;
  const context: Obj = config.contexts.get(current)?.value ?? {};
  const minify = flags.bool('minify');
  if (minify && !config.contexts.has(current))
    throw new CliError(current === '' ? 'current-context must exist in order to minify' : `cannot locate context ${current}`);
  const pick = (entries: ReadonlyMap<string, NamedEntry>, list: List, wanted: string): Obj[] =>
    [...entries.values()]
      .filter((entry) => !minify || entry.name === wanted)
      .sort((a, b) => compareStrings(a.name, b.name))
      .map((entry) => ({ [LISTS[list]]: flags.bool('raw') ? entry.value : redact(entry.value as Obj), name: entry.name }));
  const document: Obj = {
    apiVersion: 'v1',
    clusters: pick(config.clusters, 'clusters', context.cluster),
    contexts: pick(config.contexts, 'contexts', current),
    'current-context': current,
    kind: 'Config',
    users: pick(config.users, 'users', context.user),
  };
  const output = flags.text('output');
  if (output === 'json') await session.out(`${goJson(document, { indent: '    ' })}\n`);
  else if (output === 'yaml' || output === '') await session.out(toYaml(document));
  else throw new CliError(`config view -o ${output} is not simulated yet`);
}

function redact(value: Obj): Obj {
  const out = { ...value };
  for (const key of Object.keys(out)) {
    if (key.endsWith('-data')) out[key] = 'DATA+OMITTED';
    else if (key === 'token' || key === 'password') out[key] = 'REDACTED';
  }
  return out;
}

/** kubectl config set: dotted paths such as contexts.k3d-demo.namespace; an empty value removes. */
export async function setProperty(session: Session, args: string[]): Promise<void> {
  const [path, value] = args;
  if (path === undefined || value === undefined || args.length !== 2) throw session.usageError('Unexpected args: ' + JSON.stringify(args));
  property(session, path, value);
  await session.out(`Property "${path}" set.\n`);
}

export async function unsetProperty(session: Session, args: string[]): Promise<void> {
  const path = one(args);
  property(session, path, undefined);
  await session.out(`Property "${path}" unset.\n`);
}

function property(session: Session, path: string, value: string | undefined): void {
  const [head = '', ...rest] = path.split('.');
  change(session, (document) => {
    if (head === 'current-context') {
      document[head] = value ?? '';
      return;
    }
    if (!(head in LISTS) || rest.length < 2) throw new CliError(`unable to locate path ${path}`);
    const list = head as List;
    const key = rest.at(-1) as string;
    const name = rest.slice(0, -1).join('.');
    if (value !== undefined) setEntry(document, list, name, { [key]: value });
    else delete entryOf(document, list, name)?.[LISTS[list]]?.[key];
  });
}

function one(args: readonly string[]): string {
  if (args.length !== 1 || args[0] === '') throw new CliError(`accepts 1 arg(s), received ${args.length}`);
  return args[0] as string;
}
