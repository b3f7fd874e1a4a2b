import { build, fileOptions } from '../resource/builder.ts';
import type { Session } from '../session.ts';
import { type StreamOptions, streamRemote, terminalWanted } from '../streams/remote-command.ts';
import { CliError } from '../util/errors.ts';
import type { Obj } from '../util/object.ts';
import { allContainerNames, attachablePod, findContainer, findOrDefaultContainer } from '../util/pods.ts';

/** --pod-running-timeout, which must be positive. */
export function podRunningTimeout(session: Session): number {
  const timeout = session.flags.number('pod-running-timeout');
  if (timeout <= 0) throw new CliError('--pod-running-timeout must be higher than zero');
  return timeout;
}

/** kubectl exec. */
export async function exec(session: Session, args: string[]): Promise<void> {
  const { flags } = session;
  const atDash = flags.lengthAtDash;
  const filenames = flags.list('filename');
  const resource = args.length > 0 && atDash !== 0 ? (args[0] as string) : '';
  let command: string[] = [];
  if (atDash === 0 || atDash === 1) command = args.slice(atDash);
  else if (args.length > 1 || (args.length > 0 && filenames.length > 0)) {
    throw session.usageError('exec [POD] [COMMAND] is not supported anymore. Use exec [POD] -- [COMMAND] instead');
  }
  const timeout = podRunningTimeout(session);
  if (resource === '' && filenames.length === 0) throw new CliError('pod, type/name or --filename must be specified');
  if (command.length === 0) throw new CliError('you must specify at least one command for the container');
  const result = await build(session, {
    ...fileOptions(session),
    ...(resource === '' ? {} : { args: [resource], defaultType: 'pods' }),
  });
  const infos = await result.infos();
  if (infos.length !== 1) throw new CliError('cannot exec into multiple objects at a time');
  const pod = await attachablePod(session, infos[0]?.object as Obj, timeout);
  await execInPod(session, pod, {
    container: flags.text('container'),
    command,
    stdin: flags.bool('stdin'),
    tty: flags.bool('tty'),
    quiet: flags.bool('quiet'),
  });
}

/** ExecOptions.Run from the Pod on. */
export async function execInPod(
  session: Session,
  pod: Obj,
  options: { container: string; command: readonly string[]; stdin: boolean; tty: boolean; quiet: boolean } & Pick<StreamOptions, 'input' | 'out' | 'err'>,
): Promise<void> {
  const phase = pod.status?.phase;
  if (phase === 'Succeeded' || phase === 'Failed') throw new CliError(`cannot exec into a container in a completed pod; current phase is ${phase}`);
  let { container } = options;
  if (container === '') container = (await findOrDefaultContainer(session, pod, '', options.quiet)).name;
  else if (!findContainer(pod, container)) {
    throw new CliError(`container ${container} is not valid for pod ${pod.metadata.name} out of: ${allContainerNames(pod)}`);
  }
  const tty = await terminalWanted(session, options);
  await streamRemote(session, `/api/v1/namespaces/${pod.metadata.namespace}/pods/${pod.metadata.name}/exec`, execQuery({ ...options, container, tty }), {
    ...options,
    tty,
  });
}

export function execQuery(options: { container: string; command: readonly string[]; stdin: boolean; tty: boolean }): [string, string][] {
  return [
    ...options.command.map((word): [string, string] => ['command', word]),
    ['container', options.container],
    ...(options.stdin ? ([['stdin', 'true']] as [string, string][]) : []),
    ['stdout', 'true'],
    ...(options.tty ? ([['tty', 'true']] as [string, string][]) : ([['stderr', 'true']] as [string, string][])),
  ];
}
