import { makePrinter } from '../printers/print-flags.ts';
import { build, fileOptions } from '../resource/builder.ts';
import { Helper } from '../resource/info.ts';
import type { Session } from '../session.ts';
import { addSource, CliError } from '../util/errors.ts';
import { goList, type Obj } from '../util/object.ts';
import { setLastApplied, updateLastApplied } from './last-applied.ts';

/** kubectl create -f. */
export async function create(session: Session, args: string[]): Promise<void> {
  const { flags } = session;
  if (args.length > 0) throw session.usageError(`Unexpected args: ${goList(args)}`);
  const dryRun = await session.dryRun();
  const validation = session.validation();
  const printer = await makePrinter(session, 'created');
  requireFilename(session);
  if (flags.text('raw') !== '') return rawBody(session, 'POST');
  const result = await build(session, {
    ...fileOptions(session),
    validate: validation !== 'Ignore',
    continueOnError: true,
    labelSelector: flags.text('selector'),
    flatten: true,
  });
  if (flags.bool('edit')) {
    const { editBeforeCreate } = await session.process.kernel.external(import('./edit.ts'));
    await editBeforeCreate(session, await result.infos());
    return;
  }
  let count = 0;
  await result.visit(async (info) => {
    let object = info.object as Obj;
    if (flags.bool('save-config')) setLastApplied(object);
    else updateLastApplied(object);
    if (dryRun !== 'client') {
      const helper = new Helper(session, info.mapping, { dryRun, fieldManager: flags.text('field-manager'), fieldValidation: validation });
      try {
        const { resourceVersion: _, ...metadata } = object.metadata ?? {};
        object = await helper.create(info.namespace, { ...object, metadata });
      } catch (error) {
        throw addSource('creating', info.source, error);
      }
    }
    count++;
    await session.out(printer.print(object));
  });
  if (count === 0) throw new CliError('no objects passed to create');
}

export function requireFilename(session: Session): void {
  const { flags } = session;
  if (flags.list('filename').length === 0 && (!flags.has('kustomize') || flags.text('kustomize') === '')) throw new CliError('must specify one of -f and -k');
}

/** --raw: the file's bytes go to a path of the server as they are. */
export async function rawBody(session: Session, method: string): Promise<void> {
  const { flags } = session;
  const files = flags.list('filename');
  if (files.length !== 1 && !(method === 'DELETE' && files.length === 0)) throw new CliError('--raw can only use a single local file or stdin');
  if (flags.bool('recursive')) throw new CliError('--raw and --recursive are mutually exclusive');
  if (flags.text('output') !== '') throw new CliError('--raw and --output are mutually exclusive');
  const text = files.length === 0 ? undefined : files[0] === '-' ? await session.process.readAll() : session.readFile(files[0] as string);
  await session.out(await session.client.text(method, flags.text('raw'), text === undefined ? {} : { text }));
}
