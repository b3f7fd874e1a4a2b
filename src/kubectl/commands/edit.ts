import { goJson } from '../format/go-json.ts';
import { readYamlDocument } from '../format/yaml-read.ts';
import { toYaml } from '../format/yaml-write.ts';
import { createMergePatch } from '../patch/json-merge.ts';
import { patchTypeOf } from '../patch/patch-meta.ts';
import { twoWayMergePatch } from '../patch/strategic.ts';
import { makePrinter } from '../printers/print-flags.ts';
import { build, fileOptions } from '../resource/builder.ts';
import { infosFromText } from '../resource/documents.ts';
import { Helper, type Info } from '../resource/info.ts';
import { groupResource } from '../rest/discovery.ts';
import type { Session } from '../session.ts';
import { CliError, ExitError, errorText, isNotFound, isStatus, StatusError } from '../util/errors.ts';
import { deepEqual, type Obj } from '../util/object.ts';
import { configurationOf, LAST_APPLIED, setLastApplied } from './last-applied.ts';

type Mode = 'edit' | 'apply' | 'create';

interface Reason {
  head: string;
  other: string[];
}

/** kubectl edit. */
export async function edit(session: Session, args: string[]): Promise<void> {
  const infos = await targets(session, args);
  if (infos.length === 0) throw new CliError('edit cancelled, no objects found');
  await editInfos(session, infos, 'edit');
}

/** kubectl apply edit-last-applied. */
export async function editLastApplied(session: Session, args: string[]): Promise<void> {
  const infos: Info[] = [];
  for (const info of await targets(session, args)) {
    const text = info.object?.metadata?.annotations?.[LAST_APPLIED] as string | undefined;
    if (text !== undefined) infos.push(...(await infosFromText(session, text, 'edited-file', '')));
  }
  if (infos.length === 0) {
    throw new CliError(
      'no last-applied-configuration annotation found on resources, to create the annotation, use command `kubectl apply set-last-applied --create-annotation`',
    );
  }
  await editInfos(session, infos, 'apply');
}

async function targets(session: Session, args: readonly string[]): Promise<Info[]> {
  const { flags } = session;
  await makePrinter(session, '');
  const result = await build(session, {
    ...fileOptions(session),
    args,
    allowEmptySelector: true,
    latest: true,
    continueOnError: true,
    flatten: true,
    ...(flags.has('subresource') && flags.text('subresource') !== '' ? { subresource: flags.text('subresource') } : {}),
  });
  return result.infos();
}

/** kubectl create --edit: the object as it was written, edited before it is made. */
export async function editBeforeCreate(session: Session, infos: readonly Info[]): Promise<void> {
  for (const info of infos) await editInfos(session, [info], 'create');
}

async function editInfos(session: Session, infos: Info[], mode: Mode): Promise<void> {
  const managed = new Map<string, unknown>();
  for (const info of infos) {
    managed.set(info.object?.metadata?.uid ?? '', info.object?.metadata?.managedFields);
    if (info.object?.metadata) delete info.object.metadata.managedFields;
  }
  const json = session.flags.text('output') === 'json';
  const originalObject =
    infos.length === 1 ? (infos[0]?.object as Obj) : { apiVersion: 'v1', items: infos.map((info) => info.object), kind: 'List', metadata: {} };
  const original = json ? `${goJson(originalObject, { indent: '    ' })}\n` : toYaml(originalObject);
  let reasons: Reason[] = [];
  let edited = '';
  let file = '';
  let failed = false;
  const { fs } = session.process.machine;
  for (;;) {
    const text = headerOf(reasons, mode) + (failed ? manualStrip(edited) : original);
    const before = edited;
    const previousFile = file;
    file = await openEditor(session, text, json ? '.json' : '.yaml');
    edited = fs.readText(file);
    const preserve = async (error: unknown): Promise<never> => {
      await session.err(`A copy of your changes has been stored to ${JSON.stringify(file)}\n`);
      throw error;
    };
    if (failed && comparable(before) === comparable(edited)) await preserve(new CliError('Edit cancelled, no valid changes were saved.'));
    if (previousFile !== '') fs.remove(previousFile);
    const invalid = session.validation() === 'Ignore' ? undefined : invalidReason(edited);
    if (invalid !== undefined) {
      const [info] = infos;
      const name = info ? nameOf(info) : '';
      failed = true;
      reasons = [{ head: `${name} was not valid`, other: [`<nil>: Invalid value: "The edited file failed validation": ${invalid}`] }];
      await session.err(`error: ${name} is invalid\n`);
      continue;
    }
    if (comparable(original) === comparable(edited)) {
      fs.remove(file);
      await session.err('Edit cancelled, no changes made.\n');
      return;
    }
    if (!edited.split('\n').some((line) => line.trim() !== '' && !line.trim().startsWith('#'))) {
      fs.remove(file);
      await session.err('Edit cancelled, saved file was empty.\n');
      return;
    }
    let updated: Info[];
    try {
      updated = await infosFromText(session, edited, 'edited-file', session.flags.has('subresource') ? session.flags.text('subresource') : '');
    } catch (error) {
      if (error instanceof Error && (error.name === 'Killed' || error.name === 'Errno')) throw error;
      failed = true;
      reasons = [{ head: `The edited file had a syntax error: ${errorText(error)}`, other: [] }];
      continue;
    }
    failed = false;
    reasons = [];
    const results: Results = { reasons, retryable: 0, missing: 0 };
    try {
      for (const info of updated) {
        if (mode !== 'create' && managed.get(info.object?.metadata?.uid ?? '')) {
          (info.object as Obj).metadata.managedFields = managed.get(info.object?.metadata?.uid);
        }
        await checkNamespace(session, info);
        if (mode === 'edit') await sendPatch(session, infos, info, managed, results);
        else if (mode === 'apply') await sendAnnotation(session, infos, info);
        else await create(session, info);
      }
    } catch (error) {
      if (error instanceof Error && (error.name === 'Killed' || error.name === 'Errno')) throw error;
      await preserve(error);
    }
    if (results.retryable > 0) {
      await session.err(`You can run \`kubectl replace -f ${file}\` to try this update again.\n`);
      throw new ExitError(1, '');
    }
    if (results.missing > 0) {
      await session.err(`The edits you made on deleted resources have been saved to ${JSON.stringify(file)}\n`);
      throw new ExitError(1, '');
    }
    if (results.reasons.length === 0) {
      fs.remove(file);
      return;
    }
    failed = true;
  }
}

interface Results {
  reasons: Reason[];
  retryable: number;
  missing: number;
}

function headerOf(reasons: readonly Reason[], mode: Mode): string {
  const lines =
    mode === 'apply'
      ? [
          "# Please edit the 'last-applied-configuration' annotations below.",
          "# Lines beginning with a '#' will be ignored, and an empty file will abort the edit.",
          '#',
        ]
      : [
          "# Please edit the object below. Lines beginning with a '#' will be ignored,",
          '# and an empty file will abort the edit. If an error occurs while saving this file will be',
          '# reopened with the relevant failures.',
          '#',
        ];
  const comment = (text: string): string => text.replace(/\n(?!#|$)/g, '\n# ');
  for (const { head, other } of reasons) {
    lines.push(`# ${comment(head)}${other.length > 0 ? ':' : ''}`, ...other.map((each) => `# * ${comment(each)}`), '#');
  }
  return `${lines.join('\n')}\n`;
}

function manualStrip(text: string): string {
  return text
    .split('\n')
    .filter((line) => !/^\s*#(?!!)/.test(line))
    .join('\n');
}

/** The text without comments and spelling: two texts that mean the same are equal. */
function comparable(text: string): string {
  try {
    return goJson(readYamlDocument(text));
  } catch {
    return manualStrip(text);
  }
}

function invalidReason(text: string): string | undefined {
  let document: Obj | null;
  try {
    document = readYamlDocument(text);
  } catch (error) {
    return errorText(error);
  }
  if (document === null || typeof document !== 'object') return undefined;
  const problems: string[] = [];
  if (document.apiVersion === undefined) problems.push('apiVersion not set');
  if (document.kind === undefined) problems.push('kind not set');
  return problems.length === 0 ? undefined : problems.length === 1 ? problems[0] : `[${problems.join(', ')}]`;
}

/** Writes the text under /tmp and runs $KUBE_EDITOR, $EDITOR or vi on it. */
async function openEditor(session: Session, text: string, suffix: string): Promise<string> {
  const { process } = session;
  const { fs } = process.machine;
  const number = process.kernel.random.int(4_294_967_295);
  const file = `/tmp/kubectl-edit-${number}${suffix}`;
  fs.writeFile(file, text, { mode: 0o600, uid: process.uid, gid: process.gid });
  const editor = process.env.get('KUBE_EDITOR') || process.env.get('EDITOR') || 'vi';
  const words = !editor.includes(' ')
    ? [editor]
    : /["'\\]/.test(editor)
      ? [process.env.get('SHELL') || '/bin/bash', '-c', `${editor} ${JSON.stringify(file)}`]
      : editor.split(' ');
  const argv = words[1] === '-c' && /["'\\]/.test(editor) ? words : [...words, file];
  await session.out('');
  let code: number;
  try {
    code = (await process.guard(process.spawn(argv).exited)).code;
  } catch (error) {
    if (error instanceof Error && error.name === 'Killed') throw error;
    throw new CliError(`unable to launch the editor ${JSON.stringify(editor)}`);
  }
  if (code !== 0) throw new CliError(`there was a problem with the editor ${JSON.stringify(editor)}`);
  return file;
}

const nameOf = (info: Info): string => `${groupResource(info.mapping.resource, info.mapping.group)} ${JSON.stringify(info.name)}`;

async function checkNamespace(session: Session, info: Info): Promise<void> {
  if (!info.namespaced) return;
  if (info.namespace === '') {
    info.namespace = session.namespace;
    (info.object as Obj).metadata.namespace = session.namespace;
  } else if (info.namespace !== session.namespace) {
    throw new CliError(
      `the namespace from the provided object "${info.namespace}" does not match the namespace "${session.namespace}". You must pass '--namespace=${info.namespace}' to perform this operation.`,
    );
  }
}

async function sendPatch(session: Session, infos: readonly Info[], info: Info, managed: ReadonlyMap<string, unknown>, results: Results): Promise<void> {
  const uid = info.object?.metadata?.uid ?? '';
  const known = infos.find((each) => (each.object?.metadata?.uid ?? '') === uid);
  if (!known) throw new CliError(`no original object found for ${goJson(info.object)}`);
  const fields = managed.get(uid);
  const before: Obj = { ...known.object, metadata: { ...known.object?.metadata, ...(fields ? { managedFields: fields } : {}) } };
  const after = info.object as Obj;
  if (session.flags.bool('save-config')) setLastApplied(after);
  if (deepEqual(before, after)) {
    await session.out((await makePrinter(session, 'skipped')).print(after));
    return;
  }
  if (before.apiVersion !== after.apiVersion || before.kind !== after.kind || before.metadata?.name !== after.metadata?.name) {
    throw new CliError('At least one of apiVersion, kind and name was changed');
  }
  const type = patchTypeOf(info.mapping.group, info.mapping.kind);
  const patch = goJson(type === undefined ? createMergePatch(before, after) : twoWayMergePatch(before, after, type));
  if (session.flags.bool('output-patch')) await session.out(`Patch: ${patch}\n`);
  const helper = new Helper(session, info.mapping, {
    fieldManager: session.flags.text('field-manager'),
    fieldValidation: session.validation(),
    subresource: session.flags.text('subresource'),
  });
  try {
    info.refresh(await helper.patch(info.namespace, info.name, type === undefined ? 'merge' : 'strategic', patch));
  } catch (error) {
    if (error instanceof Error && (error.name === 'Killed' || error.name === 'Errno')) throw error;
    await session.err(`${told(error, info, results)}\n`);
    return;
  }
  await session.out((await makePrinter(session, 'edited')).print(info.object as Obj));
}

function told(error: unknown, info: Info, results: Results): string {
  const name = nameOf(info);
  if (error instanceof StatusError && isStatus(error, 'Invalid')) {
    const causes = ((error.status.details as Obj | undefined)?.causes ?? []) as Obj[];
    results.reasons.push({ head: `${name} was not valid`, other: causes.map((cause) => `${cause.field ?? ''}: ${cause.message ?? ''}`) });
    return `error: ${name} is invalid`;
  }
  if (isNotFound(error)) {
    results.missing++;
    return `error: ${name} could not be found on the server`;
  }
  results.retryable++;
  return `error: ${name} could not be patched: ${errorText(error)}`;
}

async function sendAnnotation(session: Session, infos: readonly Info[], info: Info): Promise<void> {
  const after = info.object as Obj;
  if (infos.some((each) => deepEqual(each.object, after))) {
    await session.out((await makePrinter(session, 'skipped')).print(after));
    return;
  }
  const helper = new Helper(session, info.mapping, { fieldManager: session.flags.text('field-manager'), fieldValidation: session.validation() });
  const annotated = { metadata: { annotations: { [LAST_APPLIED]: configurationOf(after) } } };
  await helper.patch(session.namespace, info.name, 'merge', goJson(annotated));
  await session.out((await makePrinter(session, 'edited')).print(after));
}

async function create(session: Session, info: Info): Promise<void> {
  const helper = new Helper(session, info.mapping, { fieldManager: session.flags.text('field-manager'), fieldValidation: session.validation() });
  if (session.flags.bool('save-config')) setLastApplied(info.object as Obj);
  info.refresh(await helper.create(info.namespace, info.object as Obj));
  await session.out((await makePrinter(session, 'created')).print(info.object as Obj));
}
