import type { Helper, Info } from '../resource/info.ts';
import { Helper as RestHelper } from '../resource/info.ts';
import type { Session } from '../session.ts';
import { isConflict } from '../util/errors.ts';
import { deepEqual, isObject, type Json, type Obj } from '../util/object.ts';
import { LAST_APPLIED } from './last-applied.ts';

const owns = (entry: Obj): boolean => entry.fieldsV1?.['f:metadata']?.['f:annotations']?.[`f:${LAST_APPLIED}`] !== undefined;

/**
 * What server-side apply does about an object that was applied from the client before: keeps the annotation alive and
 * hands the client's fields over to the server-side manager. True when the fields changed hands.
 */
export async function migrateToServerSide(session: Session, info: Info, helper: Helper, fieldManager: string): Promise<boolean> {
  if (helper.options.dryRun === 'client') return false;
  await keepAnnotation(session, info, helper, fieldManager);
  const managers = new Set(
    entriesOf(info)
      .filter((entry) => entry.operation === 'Update' && owns(entry))
      .map((entry) => entry.manager as string),
  );
  for (let attempt = 0; ; attempt++) {
    const before = entriesOf(info);
    const after = upgraded(before, [...managers].sort(), fieldManager);
    if (deepEqual(before, after)) return false;
    try {
      info.refresh(
        await helper.patch(info.namespace, info.name, 'json', [
          { op: 'replace', path: '/metadata/managedFields', value: after },
          { op: 'replace', path: '/metadata/resourceVersion', value: info.object?.metadata?.resourceVersion },
        ]),
      );
      return true;
    } catch (error) {
      if (!isConflict(error) || attempt >= 4) throw error;
      await info.get();
    }
  }
}

function entriesOf(info: Info): Obj[] {
  return (info.object?.metadata?.managedFields ?? []) as Obj[];
}

async function keepAnnotation(session: Session, info: Info, helper: Helper, fieldManager: string): Promise<void> {
  const value = info.object?.metadata?.annotations?.[LAST_APPLIED] as string | undefined;
  if (fieldManager !== 'kubectl' || value === undefined) return;
  if (entriesOf(info).some((entry) => entry.operation === 'Apply' && owns(entry))) return;
  const { apiVersion, kind } = info.mapping;
  const metadata: Obj = { name: info.name, annotations: { [LAST_APPLIED]: value } };
  if (info.namespace !== '') metadata.namespace = info.namespace;
  const own = new RestHelper(session, info.mapping, { ...helper.options, fieldManager: 'kubectl-last-applied' });
  info.refresh(await own.patch(info.namespace, info.name, 'apply', { apiVersion, kind, metadata }));
}

/** csaupgrade.UpgradeManagedFields. */
function upgraded(entries: readonly Obj[], managers: readonly string[], target: string): Obj[] {
  let out = entries.map((entry) => ({ ...entry }) as Obj);
  for (const manager of managers) {
    const isClient = (entry: Obj): boolean => entry.manager === manager && entry.operation === 'Update' && !entry.subresource;
    let index = out.findIndex((entry) => entry.manager === target && entry.operation === 'Apply' && !entry.subresource);
    const client = out.findIndex(isClient);
    if (index < 0) {
      if (client < 0) continue;
      out[client] = { ...out[client], manager: target, operation: 'Apply' };
      index = client;
    } else if (client >= 0) {
      out[index] = { ...out[index], fieldsV1: union(out[index]?.fieldsV1, out[client]?.fieldsV1) };
    }
    out = out.filter((entry) => !isClient(entry));
  }
  return out;
}

function union(a: Json, b: Json): Json {
  if (!isObject(a) || !isObject(b)) return a ?? b;
  const out: Obj = { ...a };
  for (const [key, value] of Object.entries(b)) out[key] = key in out ? union(out[key], value) : value;
  return out;
}
