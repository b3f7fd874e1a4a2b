import { jsonMerge } from '../patch/json-merge.ts';
import { applyJsonPatch } from '../patch/json-patch.ts';
import { patchTypeOf } from '../patch/patch-meta.ts';
import { strategicMerge } from '../patch/strategic.ts';
import type { Session } from '../session.ts';
import { CliError, errorText } from '../util/errors.ts';
import { type Obj, splitApiVersion } from '../util/object.ts';
import { parseJson } from '../util/parse-json.ts';

/** --overrides and --override-type of run and expose. */
export function applyOverrides(session: Session, object: Obj): Obj {
  const text = session.flags.text('overrides');
  if (text === '') return object;
  const type = session.flags.text('override-type').toLowerCase();
  let patch: Obj;
  try {
    patch = parseJson(text);
  } catch (error) {
    throw new CliError(type === 'merge' || type === '' ? 'Invalid JSON Patch' : errorText(error));
  }
  switch (type) {
    case 'json':
      return applyJsonPatch(object, patch as never);
    case 'strategic': {
      const [group] = splitApiVersion(object.apiVersion);
      return strategicMerge(object, patch, patchTypeOf(group, object.kind));
    }
    case '':
    case 'merge':
      return jsonMerge(object, patch);
    default:
      throw new CliError(`invalid override type: ${session.flags.text('override-type')}`);
  }
}
