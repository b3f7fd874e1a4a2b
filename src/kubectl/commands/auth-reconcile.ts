import { makePrinter } from '../printers/print-flags.ts';
import { build, fileOptions } from '../resource/builder.ts';
import { Helper } from '../resource/info.ts';
import type { Session } from '../session.ts';
import { CliError, isConflict, isNotFound } from '../util/errors.ts';
import { deepEqual, goList, type Obj } from '../util/object.ts';

const GROUP = 'rbac.authorization.k8s.io';
const KINDS = ['Role', 'ClusterRole', 'RoleBinding', 'ClusterRoleBinding'];

interface Outcome {
  operation: '' | 'create' | 'update' | 'recreate';
  object: Obj;
  missing: Obj[];
  extra: Obj[];
}

/** kubectl auth reconcile (models component-helpers' reconciliation of roles and bindings). */
export async function reconcile(session: Session, args: string[]): Promise<void> {
  const { flags } = session;
  if (flags.list('filename').length === 0 && flags.text('kustomize') === '') throw new CliError('must specify one of -f and -k');
  if (args.length > 0) throw new CliError('no arguments are allowed');
  const dryRun = await session.dryRun();
  if (dryRun === 'server') throw new CliError('--dry-run=server for command reconcile is not supported yet');
  const printer = await makePrinter(session, 'reconciled');
  const result = await build(session, { ...fileOptions(session), continueOnError: true, flatten: true });
  await result.visit(async (info) => {
    const { mapping } = info;
    if (mapping.group !== GROUP || !KINDS.includes(mapping.kind)) return;
    const helper = new Helper(session, mapping);
    const expected = info.object as Obj;
    const binding = mapping.kind.endsWith('Binding');
    const attempt = async (): Promise<Outcome & { guarded: boolean }> => {
      const existing = await present(helper, info.namespace, info.name);
      const outcome = binding
        ? reconcileBinding(existing, expected, flags.bool('remove-extra-subjects'))
        : reconcileRole(existing, expected, flags.bool('remove-extra-permissions'));
      const guarded = existing?.metadata?.annotations?.['rbac.authorization.kubernetes.io/autoupdate'] === 'false';
      if (dryRun === 'none' && !guarded) outcome.object = await store(session, helper, info.namespace, outcome, existing);
      return { ...outcome, guarded };
    };
    let outcome: Awaited<ReturnType<typeof attempt>> | undefined;
    for (let tries = 1; !outcome; tries++) {
      try {
        outcome = await attempt();
      } catch (error) {
        if (!isConflict(error) || tries === 3) throw error;
      }
    }
    await session.out(printer.print({ kind: mapping.kind, apiVersion: mapping.apiVersion, ...outcome.object }, { typed: true }));
    await explain(session, outcome, binding);
  });
}

async function present(helper: Helper, namespace: string, name: string): Promise<Obj | undefined> {
  try {
    return await helper.get(namespace, name);
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}

async function store(session: Session, helper: Helper, namespace: string, { operation, object }: Outcome, existing: Obj | undefined): Promise<Obj> {
  if (operation === '') return object;
  if (operation === 'update') return helper.replace(namespace, object.metadata.name, object, false);
  if (operation === 'recreate' && existing) await helper.delete(namespace, object.metadata.name, { preconditions: { uid: existing.metadata.uid } });
  if (helper.mapping.namespaced) {
    try {
      await session.client.request('GET', `/api/v1/namespaces/${namespace}`);
    } catch (error) {
      if (!isNotFound(error)) throw error;
      await session.client.request('POST', '/api/v1/namespaces', { body: { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } } });
    }
  }
  return helper.create(namespace, object);
}

/** The existing object with what the expected one's labels and annotations add, and whether that changes it. */
function merged(existing: Obj, expected: Obj): { object: Obj; changed: boolean } {
  const metadata = { ...existing.metadata };
  for (const key of ['labels', 'annotations']) {
    const both = { ...expected.metadata?.[key], ...existing.metadata?.[key] };
    if (Object.keys(both).length > 0) metadata[key] = both;
  }
  return { object: { ...existing, metadata }, changed: !deepEqual(metadata, existing.metadata) };
}

function reconcileRole(existing: Obj | undefined, expected: Obj, removeExtra: boolean): Outcome {
  if (!existing) return { operation: 'create', object: expected, missing: expected.rules ?? [], extra: [] };
  const { object, changed } = merged(existing, expected);
  const missing = uncovered(existing.rules ?? [], expected.rules ?? []);
  const extra = uncovered(expected.rules ?? [], existing.rules ?? []);
  let operation: Outcome['operation'] = changed ? 'update' : '';
  if (!removeExtra && missing.length > 0) Object.assign(object, { rules: [...(existing.rules ?? []), ...missing] });
  else if (removeExtra && (missing.length > 0 || extra.length > 0)) Object.assign(object, { rules: expected.rules });
  if (!deepEqual(object.rules, existing.rules)) operation = 'update';
  return { operation, object, missing, extra };
}

function reconcileBinding(existing: Obj | undefined, expected: Obj, removeExtra: boolean): Outcome {
  if (!existing) return { operation: 'create', object: expected, missing: expected.subjects ?? [], extra: [] };
  const { object, changed } = merged(existing, expected);
  if (!deepEqual(existing.roleRef, { apiGroup: GROUP, ...expected.roleRef })) return { operation: 'recreate', object: expected, missing: [], extra: [] };
  const full = (subject: Obj): Obj => (subject.kind === 'ServiceAccount' ? subject : { apiGroup: GROUP, ...subject });
  const wanted = ((expected.subjects ?? []) as Obj[]).map(full);
  const have = ((existing.subjects ?? []) as Obj[]).map(full);
  const missing = wanted.filter((one) => !have.some((other) => deepEqual(one, other)));
  const extra = have.filter((one) => !wanted.some((other) => deepEqual(one, other)));
  let operation: Outcome['operation'] = changed ? 'update' : '';
  if (missing.length > 0 || (removeExtra && extra.length > 0)) {
    operation = 'update';
    object.subjects = removeExtra ? expected.subjects : [...have, ...missing];
  }
  return { operation, object, missing, extra };
}

/** validation.Covers: the parts of `rules`, one verb on one thing each, that `owner` does not allow. */
function uncovered(owner: readonly Obj[], rules: readonly Obj[]): Obj[] {
  const holds = (list: readonly string[] | undefined, value: string): boolean => (list ?? []).includes('*') || (list ?? []).includes(value);
  return rules.flatMap(broken).filter((part) => {
    const [verb] = part.verbs as [string];
    return !owner.some((rule) => {
      if (!holds(rule.verbs, verb)) return false;
      if (part.nonResourceURLs) {
        const [url] = part.nonResourceURLs as [string];
        return ((rule.nonResourceURLs ?? []) as string[]).some(
          (each) => each === '*' || each === url || (each.endsWith('*') && url.startsWith(each.slice(0, -1))),
        );
      }
      const [group, resource] = [part.apiGroups[0] as string, part.resources[0] as string];
      const sub = resource.split('/')[1];
      const known = holds(rule.resources, resource) || (sub !== undefined && ((rule.resources ?? []) as string[]).includes(`*/${sub}`));
      const names: string[] = rule.resourceNames ?? [];
      return holds(rule.apiGroups, group) && known && (names.length === 0 || (part.resourceNames ?? []).some((name: string) => names.includes(name)));
    });
  });
}

/** validation.BreakdownRule. */
function broken(rule: Obj): Obj[] {
  const out: Obj[] = [];
  for (const group of (rule.apiGroups ?? []) as string[])
    for (const resource of (rule.resources ?? []) as string[])
      for (const verb of (rule.verbs ?? []) as string[]) {
        const part = { apiGroups: [group], resources: [resource], verbs: [verb] };
        if (!rule.resourceNames?.length) out.push(part);
        else for (const name of rule.resourceNames as string[]) out.push({ ...part, resourceNames: [name] });
      }
  for (const url of (rule.nonResourceURLs ?? []) as string[])
    for (const verb of (rule.verbs ?? []) as string[]) out.push({ nonResourceURLs: [url], verbs: [verb] });
  return out;
}

async function explain(session: Session, { operation, missing, extra, guarded }: Outcome & { guarded: boolean }, binding: boolean): Promise<void> {
  if (operation === '') return;
  const caveat = guarded ? ', but object opted out (rbac.authorization.kubernetes.io/autoupdate: false)' : '';
  const noun = binding ? 'subjects' : 'rules';
  const removes = session.flags.bool(binding ? 'remove-extra-subjects' : 'remove-extra-permissions');
  const line = binding ? subjectText : ruleText;
  let text = `\treconciliation required ${operation}${caveat}\n`;
  if (missing.length > 0) text += `\tmissing ${noun} added:\n${missing.map((each) => `\t\t${line(each)}\n`).join('')}`;
  if (removes && extra.length > 0) text += `\textra ${noun} removed:\n${extra.map((each) => `\t\t${line(each)}\n`).join('')}`;
  await session.err(text);
}

const subjectText = (each: Obj): string =>
  `{Kind:${each.kind} APIGroup:${each.apiGroup ?? (each.kind === 'ServiceAccount' ? '' : GROUP)} Name:${each.name} Namespace:${each.namespace ?? ''}}`;

const ruleText = (each: Obj): string =>
  `{Verbs:${goList(each.verbs ?? [])} APIGroups:${goList(each.apiGroups ?? [])} Resources:${goList(each.resources ?? [])} ResourceNames:${goList(each.resourceNames ?? [])} NonResourceURLs:${goList(each.nonResourceURLs ?? [])}}`;
