import { makePrinter } from '../printers/print-flags.ts';
import { build, fileOptions } from '../resource/builder.ts';
import { Helper } from '../resource/info.ts';
import type { Session } from '../session.ts';
import { CliError, isConflict, throwAggregate } from '../util/errors.ts';
import type { Obj } from '../util/object.ts';
import { WaitTimeout } from '../util/until.ts';

/** kubectl scale. */
export async function scale(session: Session, args: string[]): Promise<void> {
  const { flags } = session;
  const dryRun = await session.dryRun();
  const printer = await makePrinter(session, 'scaled');
  const replicas = flags.number('replicas');
  const currentReplicas = flags.number('current-replicas');
  const resourceVersion = flags.text('resource-version');
  if (replicas < 0) throw new CliError('The --replicas=COUNT flag is required, and COUNT must be greater than or equal to 0');
  if (currentReplicas < -1) throw new CliError('The --current-replicas must specify an integer of -1 or greater');
  const result = await build(session, {
    ...fileOptions(session),
    args,
    allowEmptySelector: flags.bool('all'),
    continueOnError: true,
    labelSelector: flags.text('selector'),
    flatten: true,
  });
  const { infos, errors } = await result.infosAndErrors();
  if (resourceVersion !== '' && infos.length > 1) throw new CliError('cannot use --resource-version with multiple resources');
  if (infos.length === 0) {
    throwAggregate(errors);
    throw new CliError('no objects passed to scale');
  }
  const precondition = currentReplicas !== -1 || resourceVersion !== '';
  for (const info of infos) {
    const object = info.object as Obj;
    const builtIn = info.mapping.group === 'apps' || info.mapping.group === '';
    if (dryRun !== 'client') {
      const helper = new Helper(session, info.mapping, { subresource: 'scale', dryRun });
      const deadline = session.nowMs + 300_000;
      for (;;) {
        try {
          if (precondition) {
            const present = await helper.get(info.namespace, info.name);
            if (currentReplicas !== -1 && (present.spec?.replicas ?? 0) !== currentReplicas) {
              throw new CliError(`Expected replicas to be ${currentReplicas}, was ${present.spec?.replicas ?? 0}`);
            }
            if (resourceVersion !== '' && present.metadata?.resourceVersion !== resourceVersion) {
              throw new CliError(`Expected resource version to be ${resourceVersion}, was ${present.metadata?.resourceVersion}`);
            }
            await helper.replace(info.namespace, info.name, { ...present, spec: { ...present.spec, replicas } }, false);
          } else await helper.patch(info.namespace, info.name, 'merge', `{"spec":{"replicas":${replicas}}}`);
          break;
        } catch (error) {
          if (!isConflict(error) || session.nowMs >= deadline) throw error;
          await session.process.sleep(1000);
        }
      }
      if (flags.number('timeout') > 0 && dryRun === 'none') await waitForReplicas(session, helper, info.namespace, info.name, flags.number('timeout'));
    }
    if (builtIn) object.spec = { ...object.spec, replicas };
    await session.out(printer.print(object));
  }
  throwAggregate(errors);
}

async function waitForReplicas(session: Session, helper: Helper, namespace: string, name: string, timeoutMs: number): Promise<void> {
  const deadline = session.nowMs + timeoutMs;
  for (;;) {
    const present = await helper.get(namespace, name);
    if ((present.spec?.replicas ?? 0) === (present.status?.replicas ?? 0)) return;
    if (session.nowMs >= deadline) throw new WaitTimeout();
    await session.process.sleep(1000);
  }
}
