import type { ApiObject } from '../../client/types.ts';
import { goJson } from '../../kinds/field-error.ts';
import type { FieldError } from '../../kinds/strategy.ts';
import { convert, DecodeError } from '../decode.ts';
import { applyJsonPatch, JsonPatchError, type JsonPatchOperation } from '../patch/json-patch.ts';
import { applyMergePatch } from '../patch/merge-patch.ts';
import { applyStrategicMergePatch, StrategicMergeError } from '../patch/strategic-merge.ts';
import type { ObjectNode } from '../schema.ts';
import { newBadRequest, newGenericServerResponse, newInvalid, newRequestEntityTooLarge, plainError, quote } from '../status-error.ts';
import { type FieldValidation, keepManagedFieldsReset } from './body.ts';
import { JsonSyntaxError, type ParsedJson, parseJson } from './json.ts';

export const JSON_PATCH = 'application/json-patch+json';
export const MERGE_PATCH = 'application/merge-patch+json';
export const STRATEGIC_PATCH = 'application/strategic-merge-patch+json';
export const APPLY_PATCH = 'application/apply-patch+yaml';

const MAX_OPERATIONS = 10_000;

/**
 * A patch read once, to be applied to whatever is there. Throws 400 or 413 when it cannot be read. Without field
 * validation the patch libraries see the text first, and they have words of their own.
 */
export function readPatch(type: string, text: string, validation: FieldValidation): ParsedJson {
  const loose = validation === 'Ignore';
  let parsed: ParsedJson;
  try {
    parsed = parseJson(text);
  } catch (error) {
    if (!(error instanceof JsonSyntaxError)) throw error;
    if (loose && type === MERGE_PATCH) throw newBadRequest('Invalid JSON Patch');
    throw newBadRequest(loose || type === STRATEGIC_PATCH ? error.message : `error decoding patch: ${error.message}`);
  }
  // Null decodes into a list without operations and a map without members; for a merge patch that is no document.
  if (parsed.value === null) {
    if (type === MERGE_PATCH) throw newBadRequest('Invalid JSON Patch');
    return { value: type === JSON_PATCH ? [] : {}, duplicates: parsed.duplicates };
  }
  const isArray = Array.isArray(parsed.value);
  const found = isArray ? 'array' : typeof parsed.value === 'boolean' ? 'bool' : typeof parsed.value;
  if (type === JSON_PATCH) {
    if (!isArray)
      throw newBadRequest(
        loose
          ? `json: cannot unmarshal ${found} into Go value of type jsonpatch.Patch`
          : `error decoding patch: json: cannot unmarshal ${found} into Go value of type []handlers.jsonPatchOp`,
      );
    const odd = (parsed.value as unknown[]).find((operation) => typeof operation !== 'object' || Array.isArray(operation));
    if (odd !== undefined) {
      const kind = Array.isArray(odd) ? 'array' : typeof odd === 'boolean' ? 'bool' : typeof odd;
      throw newBadRequest(`error decoding patch: json: cannot unmarshal ${kind} into Go value of type handlers.jsonPatchOp`);
    }
    const count = (parsed.value as unknown[]).length;
    if (count > MAX_OPERATIONS) throw newRequestEntityTooLarge(`The allowed maximum operations in a JSON patch is ${MAX_OPERATIONS}, got ${count}`);
  } else if (found !== 'object') {
    throw newBadRequest(
      `${type === STRATEGIC_PATCH ? '' : 'error decoding patch: '}json: cannot unmarshal ${found} into Go value of type map[string]interface {}`,
    );
  }
  return parsed;
}

function strictOfPatch(type: string, patch: ParsedJson): string[] {
  const strict: string[] = [];
  const visit = (value: unknown, path: string): void => {
    if (typeof value !== 'object' || value === null) return;
    for (const key of patch.duplicates.get(value) ?? []) strict.push(`duplicate field ${quote(path ? `${path}.${key}` : key)}`);
    if (Array.isArray(value)) for (const [i, item] of value.entries()) visit(item, `${path}[${i}]`);
    else for (const key of Object.keys(value)) visit((value as Record<string, unknown>)[key], path ? `${path}.${key}` : key);
  };
  visit(patch.value, '');
  if (type === JSON_PATCH) {
    for (const [i, operation] of (patch.value as unknown[]).entries()) {
      for (const key of Object.keys((operation ?? {}) as object))
        if (!['op', 'path', 'from', 'value'].includes(key)) strict.push(`unknown field ${quote(`[${i}].${key}`)}`);
    }
    return strict.map((text) => `json patch ${text}`);
  }
  return strict;
}

/** Applies json, merge or strategic patches to an object in normal form; gives the normal form, not yet defaulted. */
export function patchObject(
  node: ObjectNode,
  type: string,
  patch: ParsedJson,
  current: ApiObject,
  validation: FieldValidation,
  warnings: string[],
): Record<string, unknown> {
  const strict = validation === 'Ignore' ? [] : strictOfPatch(type, patch);
  let patched: unknown;
  try {
    if (type === JSON_PATCH) patched = applyJsonPatch(current, patch.value as JsonPatchOperation[]);
    else if (type === MERGE_PATCH) patched = applyMergePatch(current, patch.value);
    else patched = applyStrategicMergePatch(node, current, patch.value as Record<string, unknown>);
  } catch (error) {
    if (error instanceof JsonPatchError) throw newGenericServerResponse(422, error.message);
    if (error instanceof StrategicMergeError) throw error.message.startsWith('invalid patch format') ? newBadRequest(error.message) : plainError(error.message);
    throw error;
  }
  const invalid = (detail: string): Error => {
    const shown =
      type === STRATEGIC_PATCH
        ? goValue(patch.value)
        : goJson(touched(patched, type === JSON_PATCH ? pathsOf(patch.value as JsonPatchOperation[]) : patch.value));
    const error: FieldError = { type: 'Invalid value', field: 'patch', value: quote(shown), detail };
    return newInvalid({ group: '', resource: '' }, '', [error]);
  };
  let object: Record<string, unknown>;
  try {
    object = convert(node, patched ?? {}, { strict, checkTypes: true });
  } catch (error) {
    if (error instanceof DecodeError) throw invalid(type === STRATEGIC_PATCH ? (error.converting ?? error.message) : error.message);
    throw error;
  }
  if (validation === 'Strict' && strict.length > 0) throw invalid(`strict decoding error: ${strict.join(', ')}`);
  if (validation === 'Warn') warnings.push(...strict);
  keepManagedFieldsReset(patched as Record<string, unknown>, object);
  return object;
}

/** What a JSON patch visits, as a tree. */
function pathsOf(operations: readonly JsonPatchOperation[]): Record<string, unknown> {
  const root: Record<string, unknown> = {};
  for (const { path, from } of operations) {
    for (const pointer of [path, from]) {
      let at = root;
      for (const part of String(pointer ?? '')
        .split('/')
        .slice(1, -1)) {
        at[part] ??= {};
        at = at[part] as Record<string, unknown>;
      }
    }
  }
  return root;
}

/** The patch library writes the objects it opened with sorted keys and leaves the others as they were. */
function touched(value: unknown, tree: unknown): unknown {
  if (typeof value !== 'object' || value === null || typeof tree !== 'object' || tree === null) return value;
  const child = (key: string, inner: unknown): unknown => touched(inner, (tree as Record<string, unknown>)[key]);
  if (Array.isArray(value)) return value.map((item, i) => child(String(i), item));
  const source = value as Record<string, unknown>;
  return Object.fromEntries(
    Object.keys(source)
      .sort()
      .map((key) => [key, child(key, source[key])]),
  );
}

/** Go's `%+v` of decoded JSON. */
function goValue(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(goValue).join(' ')}]`;
  if (value === null) return '<nil>';
  if (typeof value === 'object') {
    const source = value as Record<string, unknown>;
    return `map[${Object.keys(source)
      .sort()
      .map((key) => `${key}:${goValue(source[key])}`)
      .join(' ')}]`;
  }
  return String(value);
}
