import { compareStrings, isObject, type Obj } from '../util/object.ts';
import { type DescribeContext, events, heading, labelsAndAnnotations } from './common.ts';
import type { DescribeWriter } from './writer.ts';

const SKIPPED = new Set(['.metadata.managedFields', '.metadata.name', '.metadata.namespace', '.metadata.labels', '.metadata.annotations']);
const ACRONYMS = new Set(['API', 'URL', 'UID', 'GUID']);

/** For kinds without a describer of their own: every field, with labels made of the field names. */
export function describeGeneric(object: Obj, context: DescribeContext, w: DescribeWriter): void {
  heading(w, object);
  labelsAndAnnotations(w, object);
  content(w, 0, object, '');
  events(w, context);
}

function content(w: DescribeWriter, level: number, object: Obj, prefix: string): void {
  for (const field of Object.keys(object).sort(compareStrings)) {
    const path = `${prefix}.${field}`;
    if (SKIPPED.has(path)) continue;
    const value = object[field];
    if (Array.isArray(value)) {
      w.write(level, `${labelFor(field)}:\n`);
      for (const child of value) {
        if (isObject(child)) content(w, level + 1, child, path);
        else w.write(level + 1, `${String(child)}\n`);
      }
    } else if (isObject(value)) {
      w.write(level, `${labelFor(field)}:\n`);
      content(w, level + 1, value, path);
    } else w.field(level, labelFor(field), value === null ? '<nil>' : value);
  }
}

/** `apiVersion` → `API Version`, `creationTimestamp` → `Creation Timestamp`; names with other characters stay as they are. */
export function labelFor(field: string): string {
  if (/[^\p{L}-]/u.test(field)) return field;
  return (field.match(/\p{Lu}+(?!\p{Ll})|\p{Lu}?\p{Ll}+|-+/gu) ?? [field])
    .map((part) => {
      if (ACRONYMS.has(part.toUpperCase())) return part.toUpperCase();
      return part === part.toLowerCase() ? part.charAt(0).toUpperCase() + part.slice(1) : part;
    })
    .join(' ');
}
