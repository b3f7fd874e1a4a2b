import { goJson } from '../format/go-json.ts';
import { toYaml } from '../format/yaml-write.ts';
import type { Session } from '../session.ts';
import { CliError } from '../util/errors.ts';
import { goList, type Obj } from '../util/object.ts';

const CLIENT_VERSION: Obj = {
  major: '1',
  minor: '36',
  gitVersion: 'v1.36.3',
  gitCommit: '0f29094e5b73085e3802ecc1298ecae13866bfe6',
  gitTreeState: 'clean',
  buildDate: '2026-07-22T18:10:35Z',
  goVersion: 'go1.26.5',
  compiler: 'gc',
  platform: 'linux/amd64',
};

const KUSTOMIZE_VERSION = 'v5.8.1';

/** kubectl version. */
export async function version(session: Session, args: string[]): Promise<void> {
  const { flags } = session;
  if (args.length > 0) throw new CliError(`extra arguments: ${goList(args)}`);
  const output = flags.text('output');
  if (output !== '' && output !== 'yaml' && output !== 'json') throw new CliError("--output must be 'yaml' or 'json'");
  let server: Obj | undefined;
  let failure: unknown;
  if (!flags.bool('client')) {
    const { client } = session;
    try {
      server = await client.request('GET', '/version', { query: { timeout: '32s' } });
    } catch (error) {
      if (error instanceof Error && (error.name === 'Killed' || error.name === 'Errno')) throw error;
      failure = error;
    }
  }
  const document = { clientVersion: CLIENT_VERSION, kustomizeVersion: KUSTOMIZE_VERSION, ...(server ? { serverVersion: server } : {}) };
  if (output === 'json') await session.out(`${goJson(document, { indent: '  ', keepOrder: true })}\n`);
  else if (output === 'yaml') await session.out(`${toYaml(document)}\n`);
  else {
    await session.out(`Client Version: ${CLIENT_VERSION.gitVersion}\nKustomize Version: ${KUSTOMIZE_VERSION}\n`);
    if (server) await session.out(`Server Version: ${server.gitVersion ?? ''}\n`);
  }
  if (failure) throw failure;
  await warnAboutSkew(session, server);
}

/** The warning about client and server being more than one minor version apart. */
async function warnAboutSkew(session: Session, server: Obj | undefined): Promise<void> {
  if (!server) return;
  const minor = Number.parseInt(String(server.minor), 10);
  const skew = Math.abs(36 - minor);
  if (Number.isNaN(skew) || (String(server.major) === '1' && skew <= 1)) return;
  await session.err(
    `Warning: version difference between client (1.36) and server (${server.major}.${minor}) exceeds the supported minor version skew of +/-1\n`,
  );
}
