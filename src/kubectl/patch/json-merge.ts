import { deepEqual, isObject, type Json, type Obj } from '../util/object.ts';

/** RFC 7386. */
export function jsonMerge(target: Json, patch: Json): Json {
  if (!isObject(patch)) return patch;
  const out: Obj = isObject(target) ? { ...target } : {};
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete out[key];
    else out[key] = jsonMerge(out[key], value);
  }
  return out;
}

/** jsonpatch.CreateMergePatch. */
export function createMergePatch(original: Obj, modified: Obj): Obj {
  const patch: Obj = {};
  for (const [key, value] of Object.entries(modified)) {
    if (!Object.hasOwn(original, key)) patch[key] = value;
    else if (isObject(value) && isObject(original[key])) {
      const inner = createMergePatch(original[key], value);
      if (Object.keys(inner).length > 0) patch[key] = inner;
    } else if (!deepEqual(original[key], value)) patch[key] = value;
  }
  for (const key of Object.keys(original)) if (!Object.hasOwn(modified, key)) patch[key] = null;
  return patch;
}

/** CreateThreeWayJSONMergePatch: additions and changes from current, deletions from original. */
export function threeWayJsonMergePatch(original: Obj, modified: Obj, current: Obj): Obj {
  const keep = (patch: Obj, nulls: boolean): Obj => {
    const out: Obj = {};
    for (const [key, value] of Object.entries(patch)) {
      if (isObject(value)) {
        const inner = keep(value, nulls);
        if (Object.keys(inner).length > 0 || (!nulls && Object.keys(value).length === 0)) out[key] = inner;
      } else if ((value === null) === nulls) out[key] = value;
    }
    return out;
  };
  const changes = keep(createMergePatch(current, modified), false);
  const deletions = keep(createMergePatch(original, modified), true);
  const join = (a: Obj, b: Obj): Obj => {
    const out: Obj = { ...a };
    for (const [key, value] of Object.entries(b)) out[key] = isObject(value) && isObject(out[key]) ? join(out[key], value) : value;
    return out;
  };
  return join(deletions, changes);
}
