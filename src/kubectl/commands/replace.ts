import { makePrinter } from '../printers/print-flags.ts';
import { build, fileOptions, type ResourceResult } from '../resource/builder.ts';
import { Helper } from '../resource/info.ts';
import type { Session } from '../session.ts';
import { addSource, CliError } from '../util/errors.ts';
import type { Obj } from '../util/object.ts';
import { rawBody, requireFilename } from './create.ts';
import { deleteResult, propagationOf } from './delete.ts';
import { setLastApplied, updateLastApplied } from './last-applied.ts';
import { untilGone } from './wait-deleted.ts';

/** kubectl replace. */
export async function replace(session: Session, args: string[]): Promise<void> {
  const { flags } = session;
  const validation = session.validation();
  const dryRun = await session.dryRun();
  const printer = await makePrinter(session, 'replaced');
  requireFilename(session);
  const propagation = await propagationOf(session);
  const force = flags.bool('force');
  if (flags.number('grace-period') >= 0 && !force) throw new CliError('--grace-period must have --force specified');
  if (flags.number('timeout') !== 0 && !force) throw new CliError('--timeout must have --force specified');
  if (force && dryRun !== 'none') throw new CliError('--dry-run can not be used when --force is set');
  if (flags.text('raw') !== '') return rawBody(session, 'PUT');
  const result = await build(session, {
    ...fileOptions(session),
    args,
    validate: validation !== 'Ignore',
    continueOnError: true,
    subresource: flags.text('subresource'),
    flatten: true,
  });
  if (force) return forceReplace(session, result, propagation);
  await result.visit(async (info) => {
    let object = info.object as Obj;
    annotate(session, object);
    if (dryRun !== 'client') {
      const helper = new Helper(session, info.mapping, {
        dryRun,
        fieldManager: flags.text('field-manager'),
        fieldValidation: validation,
        subresource: flags.text('subresource'),
      });
      try {
        object = await helper.replace(info.namespace, info.name, object, true);
      } catch (error) {
        throw addSource('replacing', info.source, error);
      }
    }
    await session.out(printer.print(object));
  });
}

function annotate(session: Session, object: Obj): void {
  if (session.flags.bool('save-config')) setLastApplied(object);
  else updateLastApplied(object);
}

/** Deletes, waits until everything is gone, and creates anew. */
async function forceReplace(session: Session, result: ResourceResult, propagation: Awaited<ReturnType<typeof propagationOf>>): Promise<void> {
  const { flags } = session;
  const grace = flags.number('grace-period');
  const deadline = flags.number('timeout') > 0 ? session.nowMs + flags.number('timeout') : session.nowMs + 300_000;
  await deleteResult(session, result, {
    ignoreNotFound: true,
    // Grace 0 would forget the object while its containers still run; one second and a wait is what kubectl does.
    gracePeriod: grace === 0 ? 1 : grace,
    propagation,
    wait: false,
    timeoutMs: 0,
    dryRun: 'none',
    output: flags.text('output'),
    quiet: false,
    warnClusterScope: false,
  });
  const infos = await result.infos();
  for (const info of infos) {
    await untilGone(session, new Helper(session, info.mapping), info, deadline, 500);
  }
  const replaced = await makePrinter(session, 'replaced');
  for (const info of infos) {
    const object = info.object as Obj;
    annotate(session, object);
    const { resourceVersion: _, uid: __, ...metadata } = object.metadata ?? {};
    const helper = new Helper(session, info.mapping, { fieldManager: flags.text('field-manager'), fieldValidation: session.validation() });
    await session.out(replaced.print(await helper.create(info.namespace, { ...object, metadata })));
  }
}
