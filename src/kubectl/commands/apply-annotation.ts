import { goJson } from '../format/go-json.ts';
import { toYaml } from '../format/yaml-write.ts';
import { makePrinter } from '../printers/print-flags.ts';
import { build, fileOptions } from '../resource/builder.ts';
import { Helper, type Info } from '../resource/info.ts';
import type { Session } from '../session.ts';
import { addSource, CliError, isNotFound } from '../util/errors.ts';
import type { Obj } from '../util/object.ts';
import { LAST_APPLIED } from './last-applied.ts';

/** kubectl apply view-last-applied. */
export async function viewLastApplied(session: Session, args: string[]): Promise<void> {
  const { flags } = session;
  const result = await build(session, {
    ...fileOptions(session),
    args,
    allowEmptySelector: session.enforceNamespace,
    selectAll: flags.bool('all'),
    labelSelector: flags.text('selector'),
    latest: true,
    flatten: true,
  });
  const texts: string[] = [];
  await result.visit(async (info) => {
    const text = (info.object as Obj).metadata?.annotations?.[LAST_APPLIED] as string | undefined;
    // Upstream's error for an object without the annotation is nil: nothing is printed.
    if (text !== undefined) texts.push(text);
  });
  const output = flags.text('output') || 'yaml';
  for (const text of texts) {
    if (output === 'json') await session.out(`${goJson(JSON.parse(text), { indent: '  ', keepOrder: true })}\n`);
    else if (output === 'yaml') await session.out(toYaml(JSON.parse(text)));
    else throw session.usageError(`Unexpected -o output mode: ${output}, the flag 'output' must be one of yaml|json`);
  }
}

/** kubectl apply set-last-applied. */
export async function setLastAppliedAnnotation(session: Session): Promise<void> {
  const { flags } = session;
  const dryRun = await session.dryRun();
  const printer = await makePrinter(session, 'configured');
  const result = await build(session, { ...fileOptions(session), flatten: true });
  const changed: { info: Info; text: string }[] = [];
  await result.visit(async (info) => {
    const text = `${goJson(info.object as Obj)}\n`;
    try {
      await info.get();
    } catch (error) {
      if (isNotFound(error)) throw error;
      throw addSource(`retrieving current configuration of:\n${info}\nfrom server for:`, info.source, error);
    }
    const present = info.object?.metadata?.annotations?.[LAST_APPLIED] as string | undefined;
    if (present === undefined && !flags.bool('create-annotation')) {
      throw new CliError(
        `no last-applied-configuration annotation found on resource: ${info.name}, to create the annotation, run the command with --create-annotation`,
      );
    }
    if (present?.trim() === text.trim()) await session.out(`set-last-applied ${info.name}: no changes required.\n`);
    else changed.push({ info, text });
  });
  for (const { info, text } of changed) {
    let object = info.object as Obj;
    if (dryRun !== 'client') {
      const helper = new Helper(session, info.mapping, { dryRun });
      object = await helper.patch(info.namespace, info.name, 'merge', goJson({ metadata: { annotations: { [LAST_APPLIED]: text } } }));
    }
    await session.out(printer.print(object));
  }
}
