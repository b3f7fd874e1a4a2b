import { build, fileOptions } from '../resource/builder.ts';
import type { Info } from '../resource/info.ts';
import type { Session } from '../session.ts';
import { CliError, errorText, isNotFound, throwAggregate } from '../util/errors.ts';
import type { Obj } from '../util/object.ts';

/** kubectl describe. */
export async function describe(session: Session, args: string[]): Promise<void> {
  const { flags } = session;
  const allNamespaces = flags.bool('all-namespaces');
  if (args.length === 0 && flags.list('filename').length === 0 && flags.text('kustomize') === '') {
    throw new CliError('You must specify the type of resource to describe. Use "kubectl api-resources" for a complete list of supported resources.');
  }
  const result = await build(session, {
    ...fileOptions(session),
    args,
    allowEmptySelector: true,
    continueOnError: true,
    enforceNamespace: session.enforceNamespace && !allNamespaces,
    allNamespaces,
    labelSelector: flags.text('selector'),
    chunkSize: flags.number('chunk-size'),
    flatten: true,
    latest: flags.list('filename').length > 0 || flags.text('kustomize') !== '',
  });
  const { infos, errors } = await result.infosAndErrors();
  let showEvents = flags.bool('show-events');
  if ((errors.length > 0 || infos.length > 1) && !flags.changed('show-events')) showEvents = false;
  if (errors.length === 1 && isNotFound(errors[0]) && args.length === 2)
    return describeMatching(session, errors[0], args[0] as string, args[1] as string, showEvents);
  const failures = [...errors];
  let first = true;
  for (const info of infos) {
    try {
      const text = await describeInfo(session, info, showEvents);
      await session.out(first ? text : `\n\n${text}`);
      first = false;
    } catch (error) {
      if (error instanceof Error && (error.name === 'Killed' || error.name === 'Errno')) throw error;
      if (!failures.some((known) => errorText(known) === errorText(error))) failures.push(error);
    }
  }
  if (infos.length === 0 && failures.length === 0) {
    await session.err(allNamespaces ? 'No resources found\n' : `No resources found in ${session.namespace} namespace.\n`);
  }
  throwAggregate(failures);
}

async function describeMatching(session: Session, original: unknown, type: string, prefix: string, showEvents: boolean): Promise<void> {
  const result = await build(session, {
    args: [type],
    allowEmptySelector: true,
    namespace: session.namespace,
    singleResourceType: true,
    chunkSize: session.flags.number('chunk-size'),
    flatten: true,
  });
  let found = false;
  for (const info of await result.infos()) {
    if (!info.name.startsWith(prefix)) continue;
    found = true;
    await session.out(`${await describeInfo(session, info, showEvents)}\n`);
  }
  if (!found) throw original;
}

async function describeInfo(session: Session, info: Info, showEvents: boolean): Promise<string> {
  const { describeObject } = await session.process.kernel.external(import('../describe/index.ts'));
  const object: Obj = { apiVersion: info.mapping.apiVersion, kind: info.mapping.kind, ...info.object };
  return describeObject(
    object,
    {
      nowMs: session.nowMs,
      list: async (path) => {
        const list = await session.client.request('GET', path);
        return (list.items ?? []) as Obj[];
      },
      get: async (path) => {
        try {
          return await session.client.request('GET', path);
        } catch (error) {
          if (isNotFound(error)) return undefined;
          throw error;
        }
      },
    },
    { showEvents },
  );
}
