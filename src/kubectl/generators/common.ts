import { setLastApplied, updateLastApplied } from '../commands/last-applied.ts';
import { makePrinter } from '../printers/print-flags.ts';
import { Helper } from '../resource/info.ts';
import type { Mapping } from '../rest/discovery.ts';
import type { Session } from '../session.ts';
import { CliError, errorText } from '../util/errors.ts';
import { type Obj, quote, splitApiVersion } from '../util/object.ts';

/** NameFromCommandArgs: exactly one name before `--`. */
export function nameFromArgs(session: Session, args: readonly string[]): string {
  const count = session.flags.lengthAtDash === -1 ? args.length : session.flags.lengthAtDash;
  if (count !== 1) throw session.usageError(`exactly one NAME is required, got ${count}`);
  if (args[0] === '') throw new CliError('name must be specified');
  return args[0] as string;
}

/** metadata of a generated object: the namespace only when it was given. */
export function metadataOf(session: Session, name: string, extra: Obj = {}): Obj {
  const { labels, ...rest } = extra;
  return { name, ...(session.enforceNamespace ? { namespace: session.namespace } : {}), ...(labels ? { labels } : {}), ...rest };
}

/**
 * What every generator does with its object: prints it (client-side dry run) or creates and prints it.
 * `failure` leads the error ("failed to create deployment: "); without it the server's error is told as it is.
 */
export async function finish(session: Session, object: Obj, failure: string | undefined): Promise<void> {
  const { flags } = session;
  const dryRun = await session.dryRun();
  const printer = await makePrinter(session, 'created');
  const validation = session.validation();
  if (flags.bool('save-config')) setLastApplied(object, true);
  else updateLastApplied(object);
  if (dryRun === 'client') {
    await session.out(printer.print(object, { typed: true }));
    return;
  }
  const [group, version] = splitApiVersion(object.apiVersion);
  const helper = new Helper(session, typedMapping(object.kind, group, version), {
    dryRun,
    fieldManager: flags.text('field-manager'),
    fieldValidation: validation,
  });
  let created: Obj;
  try {
    created = await helper.create(session.namespace, object);
  } catch (error) {
    if (failure === undefined || (error instanceof Error && (error.name === 'Killed' || error.name === 'Errno'))) throw error;
    throw new CliError(failure + errorText(error));
  }
  await session.out(printer.print(created, { typed: true }));
}

const CLUSTER_WIDE = new Set(['Namespace', 'PriorityClass', 'ClusterRole', 'ClusterRoleBinding']);

/** Where a typed client sends a kind that generators make: nothing is asked from the server for it. */
function typedMapping(kind: string, group: string, version: string): Mapping {
  const name = kind.toLowerCase();
  const resource = name.endsWith('s') ? `${name}es` : `${name}s`;
  const namespaced = !CLUSTER_WIDE.has(kind);
  return {
    group,
    version,
    apiVersion: group === '' ? version : `${group}/${version}`,
    kind,
    resource,
    namespaced,
    api: { group, version, name: resource, singular: name, kind, namespaced, verbs: [], shortNames: [], categories: [], subresources: [] },
  };
}

/** intstr.Parse. */
export function intOrString(text: string): number | string {
  return /^[+-]?\d+$/.test(text) ? Number(text) : text;
}

/** validation.IsConfigMapKey. */
export function configKeyProblems(key: string): string[] {
  const problems: string[] = [];
  if (key.length > 253) problems.push('must be no more than 253 characters');
  if (!/^[-._a-zA-Z0-9]+$/.test(key)) {
    problems.push(
      "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')",
    );
  }
  if (key === '.') problems.push("must not be '.'");
  else if (key === '..') problems.push("must not be '..'");
  else if (key.startsWith('..')) problems.push("must not start with '..'");
  return problems;
}

/** validation.IsEnvVarName; undefined when the name is good. */
export function envNameProblem(name: string): string | undefined {
  if (/^[-._a-zA-Z][-._a-zA-Z0-9]*$/.test(name)) return undefined;
  return "a valid environment variable name must consist of alphabetic characters, digits, '_', '-', or '.', and must not start with a digit (e.g. 'my.env-name',  or 'MY_ENV.NAME',  or 'MyEnvName1', regex used for validation is '[-._a-zA-Z][-._a-zA-Z0-9]*')";
}

/** Base64 of bytes. */
export function base64(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) text += String.fromCharCode(byte);
  return btoa(text);
}

/** Sources of --from-file, --from-literal and --from-env-file as keys with bytes, in upstream's order. */
export async function collectSources(session: Session, add: (key: string, value: Uint8Array) => void, kind: 'config' | 'secret'): Promise<void> {
  const { flags } = session;
  const files = flags.has('from-file') ? flags.list('from-file') : [];
  const literals = flags.has('from-literal') ? flags.list('from-literal') : [];
  const envFiles = flags.has('from-env-file') ? flags.list('from-env-file') : [];
  if (envFiles.length > 0 && (files.length > 0 || literals.length > 0)) throw new CliError('from-env-file cannot be combined with from-file or from-literal');
  const fromFiles = (): void => {
    for (const source of files) addFiles(session, source, add);
  };
  const fromLiterals = (): void => {
    for (const source of literals) {
      const equals = source.indexOf('=');
      if (equals <= 0) throw new CliError(`invalid literal source ${source}, expected key=value`);
      add(source.slice(0, equals), new TextEncoder().encode(source.slice(equals + 1)));
    }
  };
  if (kind === 'config') {
    fromFiles();
    fromLiterals();
  } else {
    fromLiterals();
    fromFiles();
  }
  for (const file of envFiles) addEnvFile(session, file, add, kind);
}

function statOrFail(session: Session, path: string): 'directory' | 'file' {
  try {
    return session.process.machine.fs.stat(session.process.resolve(path)).type === 'directory' ? 'directory' : 'file';
  } catch (error) {
    const text = errorText(error);
    throw new CliError(`error reading ${path}: ${text.charAt(0).toLowerCase()}${text.slice(1)}`);
  }
}

function addFiles(session: Session, source: string, add: (key: string, value: Uint8Array) => void): void {
  const count = source.split('=').length - 1;
  let key = source.split('/').filter(Boolean).at(-1) ?? source;
  let path = source;
  if (count === 1) {
    if (source.startsWith('=')) throw new CliError(`key name for file path ${source.slice(1)} missing`);
    if (source.endsWith('=')) throw new CliError(`file path for key name ${source.slice(0, -1)} missing`);
    [key = '', path = ''] = source.split('=');
  } else if (count > 1) throw new CliError("key names or file paths cannot contain '='");
  const { fs } = session.process.machine;
  if (statOrFail(session, path) === 'file') {
    add(key, fs.readFile(session.process.resolve(path)));
    return;
  }
  if (count > 0) throw new CliError('cannot give a key name for a directory path');
  const folder = session.process.resolve(path);
  for (const name of fs.readdir(folder)) {
    if (fs.lstat(`${folder}/${name}`).type === 'file') add(name, fs.readFile(`${folder}/${name}`));
  }
}

function addEnvFile(session: Session, path: string, add: (key: string, value: Uint8Array) => void, kind: 'config' | 'secret'): void {
  if (statOrFail(session, path) === 'directory') throw new CliError(`env ${kind} file cannot be a directory`);
  const lines = session.readFile(path).split('\n');
  lines.forEach((raw, index) => {
    const line = (index === 0 ? raw.replace(/^\uFEFF/, '') : raw).replace(/\r$/, '').trimStart();
    if (line === '' || line.startsWith('#')) return;
    const equals = line.indexOf('=');
    const key = equals < 0 ? line : line.slice(0, equals);
    const problem = envNameProblem(key);
    if (problem) throw new CliError(`${quote(key)} is not a valid key name: ${problem}`);
    const value = equals < 0 ? (session.process.env.get(key) ?? '') : line.slice(equals + 1);
    add(key, new TextEncoder().encode(value));
  });
}
