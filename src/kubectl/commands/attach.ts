import { build } from '../resource/builder.ts';
import type { Session } from '../session.ts';
import { streamRemote, terminalWanted } from '../streams/remote-command.ts';
import { CliError, errorText } from '../util/errors.ts';
import { goList, type Obj } from '../util/object.ts';
import { attachablePod, findOrDefaultContainer } from '../util/pods.ts';
import { podRunningTimeout } from './exec.ts';

export interface AttachOptions {
  container: string;
  stdin: boolean;
  tty: boolean;
  quiet: boolean;
  /** How the session is resumed: "kubectl attach". */
  commandName: string;
  detachKeys: string;
}

/** kubectl attach. */
export async function attach(session: Session, args: string[]): Promise<void> {
  const { flags } = session;
  const timeout = flags.number('pod-running-timeout');
  if (args.length === 0) throw new CliError('at least 1 argument is required for attach');
  if (args.length > 2) throw new CliError(`expected POD, TYPE/NAME, or TYPE NAME, (at most 2 arguments) saw ${args.length}: ${goList(args)}`);
  podRunningTimeout(session);
  const result = await build(session, {
    args: args.length === 1 ? args : args.slice(1),
    defaultType: args.length === 1 ? 'pods' : (args[0] as string),
    namespace: session.namespace,
    enforceNamespace: session.enforceNamespace,
  });
  const infos = await result.infos();
  const pod = await attachablePod(session, infos[0]?.object as Obj, timeout);
  const phase = pod.status?.phase;
  if (phase === 'Succeeded' || phase === 'Failed') throw new CliError(`cannot attach a container in a completed pod; current phase is ${phase}`);
  await attachToPod(session, pod, {
    container: flags.text('container'),
    stdin: flags.bool('stdin'),
    tty: flags.bool('tty'),
    quiet: flags.bool('quiet'),
    commandName: session.commandPath,
    detachKeys: flags.text('detach-keys'),
  });
}

/** AttachOptions.Run from the Pod on. */
export async function attachToPod(session: Session, pod: Obj, options: AttachOptions): Promise<void> {
  let container: Obj;
  try {
    container = await findOrDefaultContainer(session, pod, options.container, options.quiet);
  } catch (error) {
    throw new CliError(`cannot attach to the container: ${errorText(error)}`);
  }
  let wantsTty = options.tty;
  if (wantsTty && !container.tty) {
    wantsTty = false;
    if (!options.quiet) await session.err(`error: Unable to use a TTY - container ${container.name} did not allocate one\n`);
  } else if (!wantsTty && container.tty) wantsTty = true;
  const tty = await terminalWanted(session, { ...options, tty: wantsTty });
  if (!options.quiet) {
    await session.err(
      'All commands and output from this session will be recorded in container logs, including credentials and sensitive information passed through the command prompt.\n',
    );
    await session.err("If you don't see a command prompt, try pressing enter.\n");
  }
  const query: [string, string][] = [['container', container.name]];
  if (options.stdin) query.push(['stdin', 'true']);
  query.push(['stdout', 'true']);
  query.push(tty ? ['tty', 'true'] : ['stderr', 'true']);
  await streamRemote(session, `/api/v1/namespaces/${pod.metadata.namespace}/pods/${pod.metadata.name}/attach`, query, {
    stdin: options.stdin,
    tty,
    detachKeys: parseKeys(options.detachKeys),
  });
  if (!options.quiet && options.stdin && tty) {
    const ephemeral = (pod.spec?.ephemeralContainers ?? []).some((each: Obj) => each.name === container.name);
    const again = `'${options.commandName} ${pod.metadata.name} -c ${container.name} -n ${pod.metadata.namespace} -i -t'`;
    await session.out(
      ephemeral
        ? `Session ended, the ephemeral container will not be restarted but may be reattached using ${again} if it is still running\n`
        : `Session ended, resume using ${again} command\n`,
    );
  }
}

/** "ctrl-p,ctrl-q" as bytes. */
function parseKeys(text: string): Uint8Array {
  const bytes: number[] = [];
  for (const key of text.split(',')) {
    const control = /^ctrl-([a-z@[\\\]^_])$/.exec(key);
    if (control) bytes.push((control[1] as string).toUpperCase().charCodeAt(0) & 0x1f);
    else if (key.length === 1) bytes.push(key.charCodeAt(0));
  }
  return new Uint8Array(bytes);
}
