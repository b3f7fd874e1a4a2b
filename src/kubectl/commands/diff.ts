import { goJson } from '../format/go-json.ts';
import { toYaml } from '../format/yaml-write.ts';
import { jsonMerge } from '../patch/json-merge.ts';
import { build, fileOptions } from '../resource/builder.ts';
import { Helper, type Info } from '../resource/info.ts';
import type { Session } from '../session.ts';
import { CliError, isNotFound } from '../util/errors.ts';
import { goList, type Obj } from '../util/object.ts';
import { applyPatch } from './apply.ts';
import { requireFilename } from './create.ts';

const CONTEXT_LINES = 3;

/** kubectl diff: exit 0 without differences, 1 with, more than 1 on errors. */
export async function diff(session: Session, args: string[]): Promise<number> {
  const { flags } = session;
  if (args.length > 0) throw session.usageError(`Unexpected args: ${goList(args)}`);
  requireFilename(session);
  if (flags.bool('force-conflicts') && !flags.bool('server-side')) throw new CliError('--force-conflicts only works with --server-side');
  if (flags.bool('prune')) throw new CliError('diff --prune is not simulated yet');
  const result = await build(session, {
    ...fileOptions(session),
    labelSelector: flags.text('selector'),
    flatten: true,
  });
  const stamp = new Date(session.nowMs).toISOString().replace('T', ' ').replace('Z', '000000 +0000');
  const [live, merged] = [`/tmp/LIVE-${folder(session)}`, `/tmp/MERGED-${folder(session)}`];
  let found = false;
  for (const info of await result.infos()) {
    const { before, after } = await versions(session, info);
    const name = [info.mapping.group, info.mapping.version, info.mapping.kind, info.namespace, info.name].filter((part, i) => part !== '' || i > 2).join('.');
    if (info.mapping.kind === 'Secret' && !session.flags.bool('show-secrets')) maskSecrets(before, after);
    // Upstream writes a Secret that is not there, hidden as it is, as null.
    const missing = info.mapping.kind === 'Secret' && !session.flags.bool('show-secrets') ? 'null\n' : '';
    const text = unified(before === undefined ? missing : toYaml(shown(session, before)), toYaml(shown(session, after)));
    if (text === '') continue;
    found = true;
    await session.out(`diff -u -N ${live}/${name} ${merged}/${name}\n--- ${live}/${name}\t${stamp}\n+++ ${merged}/${name}\t${stamp}\n${text}`);
  }
  return found ? 1 : 0;
}

function folder(session: Session): string {
  return String(session.process.kernel.random.int(4_000_000_000));
}

/** What is there, and what the server says applying would make of it. */
async function versions(session: Session, info: Info): Promise<{ before: Obj | undefined; after: Obj }> {
  const { flags } = session;
  const given = info.object as Obj;
  // As client-side apply sends it: annotations are always there, or the patch would delete those of the server.
  const local: Obj = { ...given, metadata: { ...given.metadata, annotations: { ...given.metadata?.annotations } } };
  const serverSide = flags.bool('server-side');
  const helper = new Helper(session, info.mapping, {
    dryRun: 'server',
    fieldManager: flags.changed('field-manager') || !serverSide ? flags.text('field-manager') : 'kubectl',
  });
  let before: Obj | undefined;
  try {
    before = await helper.get(info.namespace, info.name);
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
  if (serverSide) return { before, after: await helper.patch(info.namespace, info.name, 'apply', goJson(local), { force: flags.bool('force-conflicts') }) };
  if (before === undefined) return { before, after: await helper.create(info.namespace, local) };
  const { patch, strategic } = applyPatch(info, before, local);
  const locked = jsonMerge(patch, { metadata: { resourceVersion: before.metadata?.resourceVersion } });
  return { before, after: await helper.patch(info.namespace, info.name, strategic ? 'strategic' : 'merge', locked) };
}

/** Hides what a Secret holds; only whether a value changes is told (diff.Masker). */
function maskSecrets(before: Obj | undefined, after: Obj): void {
  const [from, to] = [before?.data ?? {}, after.data ?? {}] as [Record<string, string>, Record<string, string>];
  const changes = (key: string): boolean => key in from && key in to && from[key] !== to[key];
  const masked = (data: Record<string, string>, side: string): Obj =>
    Object.fromEntries(Object.keys(data).map((key) => [key, changes(key) ? `*** (${side})` : '***']));
  const [hiddenBefore, hiddenAfter] = [masked(from, 'before'), masked(to, 'after')];
  if (before?.data) before.data = hiddenBefore;
  if (after.data) after.data = hiddenAfter;
}

/** Managed fields are left out. */
function shown(session: Session, object: Obj): Obj {
  const { managedFields, ...metadata } = object.metadata ?? {};
  return { ...object, metadata: session.flags.bool('show-managed-fields') ? object.metadata : metadata };
}

/** `diff -u` of two texts: hunks with three lines of context; empty when they are equal. */
export function unified(before: string, after: string): string {
  const a = before === '' ? [] : before.replace(/\n$/, '').split('\n');
  const b = after === '' ? [] : after.replace(/\n$/, '').split('\n');
  const rows = script(a, b);
  let out = '';
  let i = 0;
  while (i < rows.length) {
    const change = rows.findIndex((row, at) => at >= i && row.mark !== ' ');
    if (change < 0) break;
    const start = Math.max(i, change - CONTEXT_LINES);
    let end = change;
    for (let at = change; at < rows.length && at - end <= 2 * CONTEXT_LINES; at++) if (rows[at]?.mark !== ' ') end = at;
    const stop = Math.min(rows.length, end + CONTEXT_LINES + 1);
    const hunk = rows.slice(start, stop);
    const count = (side: string): number => hunk.filter((row) => row.mark === ' ' || row.mark === side).length;
    const range = (line: number, length: number): string => (length === 1 ? `${line}` : `${length === 0 ? line - 1 : line},${length}`);
    out += `@@ -${range((hunk[0]?.a ?? 0) + 1, count('-'))} +${range((hunk[0]?.b ?? 0) + 1, count('+'))} @@\n`;
    out += hunk.map((row) => `${row.mark}${row.text}\n`).join('');
    i = stop;
  }
  return out;
}

interface Row {
  mark: ' ' | '-' | '+';
  text: string;
  /** Lines of either side before this row. */
  a: number;
  b: number;
}

/** The shortest edit by longest common subsequence, removals before additions. */
function script(a: readonly string[], b: readonly string[]): Row[] {
  const table = Array.from({ length: a.length + 1 }, () => new Uint32Array(b.length + 1));
  const at = (i: number, j: number): number => table[i]?.[j] ?? 0;
  for (let i = a.length - 1; i >= 0; i--) {
    const row = table[i] as Uint32Array;
    for (let j = b.length - 1; j >= 0; j--) row[j] = a[i] === b[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1));
  }
  const rows: Row[] = [];
  let i = 0;
  let j = 0;
  while (i < a.length || j < b.length) {
    if (i < a.length && j < b.length && a[i] === b[j]) rows.push({ mark: ' ', text: a[i] as string, a: i++, b: j++ });
    else if (j >= b.length || (i < a.length && at(i + 1, j) >= at(i, j + 1))) rows.push({ mark: '-', text: a[i] as string, a: i++, b: j });
    else rows.push({ mark: '+', text: b[j] as string, a: i, b: j++ });
  }
  return rows;
}
