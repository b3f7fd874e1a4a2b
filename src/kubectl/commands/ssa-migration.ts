import type { Helper, Info } from '../resource/info.ts';
import type { Session } from '../session.ts';
import { isConflict } from '../util/errors.ts';
import type { Obj } from '../util/object.ts';
import { LAST_APPLIED } from './last-applied.ts';

const CLIENT_SIDE_MANAGER = 'kubectl-client-side-apply';
const ATTEMPTS = 3;

/**
 * After a server-side apply: the fields that client-side apply owned pass to the server-side manager, and the annotation
 * of the last applied configuration is no longer needed (csaupgrade). True when something was changed.
 */
export async function migrateToServerSide(session: Session, info: Info, helper: Helper, fieldManager: string): Promise<boolean> {
  if (session.flags.text('dry-run') !== 'none') return false;
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const object = attempt === 0 ? (info.object as Obj) : await helper.get(info.namespace, info.name);
    const fields: Obj[] = object.metadata?.managedFields ?? [];
    const legacy = fields.filter((entry) => entry.manager === CLIENT_SIDE_MANAGER && entry.operation === 'Update' && !entry.subresource);
    if (legacy.length === 0) return false;
    const present = fields.find((entry) => entry.manager === fieldManager && entry.operation === 'Apply' && !entry.subresource);
    const union = [present, ...legacy].reduce<Obj>((sum, entry) => merge(sum, entry?.fieldsV1 ?? {}), {});
    const owner = {
      ...(present ?? { ...legacy[0], manager: fieldManager, operation: 'Apply' }),
      fieldsV1: without(union, ['f:metadata', 'f:annotations', `f:${LAST_APPLIED}`]),
    };
    const rest = fields.filter((entry) => entry !== present && !legacy.includes(entry));
    try {
      const patch = [
        { op: 'replace', path: '/metadata/managedFields', value: [owner, ...rest] },
        { op: 'replace', path: '/metadata/resourceVersion', value: object.metadata?.resourceVersion },
      ];
      await helper.patch(info.namespace, info.name, 'json', patch);
      return true;
    } catch (error) {
      if (!isConflict(error)) throw error;
    }
  }
  return false;
}

function merge(a: Obj, b: Obj): Obj {
  const out: Obj = { ...a };
  for (const [key, value] of Object.entries(b)) out[key] = out[key] && typeof value === 'object' ? merge(out[key], value) : value;
  return out;
}

function without(tree: Obj, [key = '', ...rest]: readonly string[]): Obj {
  if (!(key in tree)) return tree;
  const { [key]: branch, ...others } = tree;
  if (rest.length === 0) return others;
  const left = without(branch, rest);
  return Object.keys(left).length === 0 ? others : { ...others, [key]: left };
}
