import { goJson } from '../format/go-json.ts';
import { readYamlDocument } from '../format/yaml-read.ts';
import { jsonMerge } from '../patch/json-merge.ts';
import { applyJsonPatch } from '../patch/json-patch.ts';
import { patchTypeOf } from '../patch/patch-meta.ts';
import { strategicMerge } from '../patch/strategic.ts';
import { makePrinter } from '../printers/print-flags.ts';
import { build, fileOptions } from '../resource/builder.ts';
import { Helper, type PatchType } from '../resource/info.ts';
import type { Session } from '../session.ts';
import { CliError, errorText, StatusError } from '../util/errors.ts';
import { deepEqual, type Json, type Obj, quote } from '../util/object.ts';
import { parseJson } from '../util/parse-json.ts';

const CONTENT: Record<string, string> = {
  json: 'application/json-patch+json',
  merge: 'application/merge-patch+json',
  strategic: 'application/strategic-merge-patch+json',
};

/** kubectl patch. */
export async function patch(session: Session, args: string[]): Promise<void> {
  const { flags } = session;
  const dryRun = await session.dryRun();
  const text = flags.text('patch');
  const file = flags.text('patch-file');
  const local = flags.bool('local');
  if (text !== '' && file !== '') throw new CliError('cannot specify --patch and --patch-file together');
  if (text === '' && file === '') throw new CliError('must specify --patch or --patch-file containing the contents of the patch');
  if (local && args.length > 0) throw new CliError('cannot specify --local and server resources');
  if (local && dryRun === 'server') throw new CliError('cannot specify --local and --dry-run=server - did you mean --dry-run=client?');
  const type = flags.text('type').toLowerCase() || 'strategic';
  if (!(type in CONTENT)) throw new CliError(`--type must be one of [json merge strategic], not ${quote(flags.text('type'))}`);
  let source = text;
  if (file !== '') {
    try {
      source = session.readFile(file);
    } catch (error) {
      throw new CliError(`unable to read patch file: ${errorText(error)}`);
    }
  }
  // Text that begins with a brace is taken for JSON and goes to the server as it is.
  const isJson = /^\s*\{/.test(source);
  let body: Json;
  try {
    body = isJson ? undefined : readYamlDocument(source);
  } catch (error) {
    throw new CliError(`unable to parse ${quote(text)}: ${errorText(error)}`);
  }
  const result = await build(session, {
    ...fileOptions(session),
    args,
    continueOnError: true,
    local,
    subresource: flags.text('subresource'),
    flatten: true,
  });
  let count = 0;
  await result.visit(async (info) => {
    count++;
    const before = info.object as Obj;
    let after: Obj;
    if (local || dryRun === 'client') {
      if (isJson) body = parseJson(source);
      if (type === 'json') after = applyJsonPatch(before, body);
      else if (type === 'merge') after = jsonMerge(before, body);
      else {
        const { group, version, kind } = info.mapping;
        const schema = patchTypeOf(group, kind);
        if (!schema) throw new CliError(`strategic merge patch is not supported for ${group}/${version}, Kind=${kind} locally, try --type merge`);
        after = strategicMerge(before, body, schema);
      }
    } else {
      const helper = new Helper(session, info.mapping, { dryRun, fieldManager: flags.text('field-manager'), subresource: flags.text('subresource') });
      try {
        after = await helper.patch(info.namespace, info.name, type as PatchType, isJson ? source : goJson(body));
      } catch (error) {
        if (error instanceof StatusError && error.code === 415) {
          const { group, version, kind } = info.mapping;
          throw new CliError(`${CONTENT[type]} is not supported by ${group}/${version}, Kind=${kind}: ${error.message}`);
        }
        throw error;
      }
    }
    const printer = await makePrinter(session, deepEqual(before, after) ? 'patched (no change)' : 'patched', false);
    await session.out(printer.print(after));
  });
  if (count === 0) throw new CliError('no objects passed to patch');
}
