import type { Session } from '../session.ts';
import { CliError } from '../util/errors.ts';
import { type Obj, quote } from '../util/object.ts';
import { base64, collectSources, configKeyProblems, finish, metadataOf, nameFromArgs } from './common.ts';
import { hashName } from './hash.ts';

/** kubectl create configmap. */
export async function createConfigMap(session: Session, args: string[]): Promise<void> {
  const name = nameFromArgs(session, args);
  const data: Record<string, string> = {};
  const binary: Record<string, string> = {};
  await collectSources(
    session,
    (key, bytes) => {
      const problems = configKeyProblems(key);
      if (problems.length > 0) throw new CliError(`${quote(key)} is not a valid key name for a ConfigMap: ${problems.join(',')}`);
      if (key in data) throw new CliError(`cannot add key ${quote(key)}, another key by that name already exists in Data for ConfigMap ${quote(name)}`);
      if (key in binary) throw new CliError(`cannot add key ${quote(key)}, another key by that name already exists in BinaryData for ConfigMap ${quote(name)}`);
      try {
        data[key] = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
      } catch {
        binary[key] = base64(bytes);
      }
    },
    'config',
  );
  const object: Obj = {
    kind: 'ConfigMap',
    apiVersion: 'v1',
    metadata: metadataOf(session, name),
    ...(Object.keys(data).length > 0 ? { data } : {}),
    ...(Object.keys(binary).length > 0 ? { binaryData: binary } : {}),
  };
  if (session.flags.bool('append-hash'))
    object.metadata.name = `${name}-${hashName({ data: object.data ?? {}, kind: 'ConfigMap', name, ...(object.binaryData ? { binaryData: object.binaryData } : {}) })}`;
  await finish(session, object, 'failed to create configmap: ');
}

async function finishSecret(session: Session, name: string, data: Record<string, string>, type: string): Promise<void> {
  const object: Obj = {
    kind: 'Secret',
    apiVersion: 'v1',
    metadata: metadataOf(session, name),
    ...(Object.keys(data).length > 0 ? { data } : {}),
    ...(type === '' ? {} : { type }),
  };
  if (session.flags.bool('append-hash')) object.metadata.name = `${name}-${hashName({ data, kind: 'Secret', name, type })}`;
  await finish(session, object, 'failed to create secret ');
}

async function secretData(session: Session): Promise<Record<string, string>> {
  const data: Record<string, string> = {};
  await collectSources(
    session,
    (key, bytes) => {
      const problems = configKeyProblems(key);
      if (problems.length > 0) throw new CliError(`${quote(key)} is not valid key name for a Secret ${problems.join(';')}`);
      if (key in data) throw new CliError(`cannot add key ${key}, another key by that name already exists`);
      data[key] = base64(bytes);
    },
    'secret',
  );
  return data;
}

/** kubectl create secret generic. */
export async function createSecretGeneric(session: Session, args: string[]): Promise<void> {
  const name = nameFromArgs(session, args);
  await finishSecret(session, name, await secretData(session), session.flags.text('type'));
}

/** kubectl create secret docker-registry. */
export async function createSecretDockerRegistry(session: Session, args: string[]): Promise<void> {
  const { flags } = session;
  const name = nameFromArgs(session, args);
  const username = flags.text('docker-username');
  const password = flags.text('docker-password');
  const server = flags.text('docker-server');
  const fromFile = flags.list('from-file').length > 0;
  if (!fromFile && (!username || !password || !server)) {
    throw new CliError('either --from-file or the combination of --docker-username, --docker-password and --docker-server is required');
  }
  let data: Record<string, string>;
  if (fromFile) {
    // A file without a key of its own becomes the docker configuration.
    flags.set(
      'from-file',
      flags.list('from-file').map((source) => (source.includes('=') ? source : `.dockerconfigjson=${source}`)),
    );
    data = await secretData(session);
  } else {
    const encode = (text: string): string => base64(new TextEncoder().encode(text));
    const email = flags.text('docker-email');
    const entry = { username, password, ...(email === '' ? {} : { email }), auth: encode(`${username}:${password}`) };
    data = { '.dockerconfigjson': encode(JSON.stringify({ auths: { [server]: entry } })) };
  }
  await finishSecret(session, name, data, 'kubernetes.io/dockerconfigjson');
}

/** kubectl create secret tls. */
export async function createSecretTls(session: Session, args: string[]): Promise<void> {
  const { flags } = session;
  const name = nameFromArgs(session, args);
  if (flags.text('cert') === '' || flags.text('key') === '') throw new CliError('key and cert must be specified');
  const read = (path: string): Uint8Array => {
    try {
      return new TextEncoder().encode(session.readFile(path));
    } catch (error) {
      throw new CliError(`Cannot read file ${path}, ${(error as Error).message}`);
    }
  };
  const certificate = read(flags.text('cert'));
  const key = read(flags.text('key'));
  if (!new TextDecoder().decode(certificate).includes('-----BEGIN CERTIFICATE-----'))
    throw new CliError('tls: failed to find any PEM data in certificate input');
  if (!/-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(new TextDecoder().decode(key))) throw new CliError('tls: failed to find any PEM data in key input');
  await finishSecret(session, name, { 'tls.crt': base64(certificate), 'tls.key': base64(key) }, 'kubernetes.io/tls');
}

// ---- services ----
