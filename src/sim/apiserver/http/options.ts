import type { FieldError } from '../../kinds/strategy.ts';
import type { DeleteParameters } from '../deletion.ts';
import { newBadRequest, newInvalid, quote } from '../status-error.ts';
import type { FieldValidation } from './body.ts';

function boolOf(query: URLSearchParams, key: string): boolean | undefined {
  const text = query.get(key);
  if (text === null) return undefined;
  // `Convert_Slice_string_To_bool`: everything but "false" and "0" is true.
  return text.toLowerCase() !== 'false' && text !== '0';
}

function intOf(query: URLSearchParams, key: string): number | undefined {
  const text = query.get(key);
  if (text === null) return undefined;
  const why = !/^[+-]?\d+$/.test(text) ? 'invalid syntax' : BigInt.asIntN(64, BigInt(text)) !== BigInt(text) ? 'value out of range' : undefined;
  if (why) throw newBadRequest(`strconv.ParseInt: parsing ${quote(text)}: ${why}`);
  return Number(text);
}

/** `metav1.ListOptions`. */
export interface ListOptions {
  labelSelector: string;
  fieldSelector: string;
  watch: boolean;
  allowWatchBookmarks: boolean;
  resourceVersion: string;
  resourceVersionMatch: string;
  timeoutSeconds?: number;
  limit: number;
  continueToken: string;
  sendInitialEvents?: boolean;
}

/** Reads and checks them (`ValidateListOptions`); 400 or 422. */
export function listOptions(query: URLSearchParams, watchPath = false): ListOptions {
  const options: ListOptions = {
    labelSelector: query.get('labelSelector') ?? '',
    fieldSelector: query.get('fieldSelector') ?? '',
    watch: watchPath || (boolOf(query, 'watch') ?? false),
    allowWatchBookmarks: boolOf(query, 'allowWatchBookmarks') ?? false,
    resourceVersion: query.get('resourceVersion') ?? '',
    resourceVersionMatch: query.get('resourceVersionMatch') ?? '',
    timeoutSeconds: intOf(query, 'timeoutSeconds'),
    limit: Math.max(0, intOf(query, 'limit') ?? 0),
    continueToken: query.get('continue') ?? '',
    sendInitialEvents: boolOf(query, 'sendInitialEvents'),
  };
  const errors = options.watch ? watchErrors(options) : listErrors(options);
  if (errors.length > 0) throw newInvalid({ group: 'meta.k8s.io', resource: 'ListOptions' }, '', errors);
  return options;
}

function forbidden(field: string, detail: string): FieldError {
  return { type: 'Forbidden', field, detail };
}

function notSupported(field: string, value: string, supported: readonly string[]): FieldError {
  return { type: 'Unsupported value', field, value: quote(value), detail: `supported values: ${supported.map(quote).join(', ')}` };
}

function listErrors(options: ListOptions): FieldError[] {
  const errors: FieldError[] = [];
  const match = options.resourceVersionMatch;
  const field = 'resourceVersionMatch';
  if (match !== '') {
    if (options.resourceVersion === '') errors.push(forbidden(field, 'resourceVersionMatch is forbidden unless resourceVersion is provided'));
    if (options.continueToken !== '') errors.push(forbidden(field, 'resourceVersionMatch is forbidden when continue is provided'));
    if (match !== 'Exact' && match !== 'NotOlderThan') errors.push(notSupported(field, match, ['Exact', 'NotOlderThan', '']));
    if (match === 'Exact' && options.resourceVersion === '0')
      errors.push(forbidden(field, 'resourceVersionMatch "exact" is forbidden for resourceVersion "0"'));
  }
  if (options.sendInitialEvents !== undefined) errors.push(forbidden('sendInitialEvents', 'sendInitialEvents is forbidden for list'));
  return errors;
}

function watchErrors(options: ListOptions): FieldError[] {
  const errors: FieldError[] = [];
  const match = options.resourceVersionMatch;
  const field = 'resourceVersionMatch';
  if (options.sendInitialEvents !== undefined && match !== 'NotOlderThan') {
    errors.push(forbidden(field, 'sendInitialEvents requires setting resourceVersionMatch to NotOlderThan'));
  }
  if (match !== '') {
    if (options.sendInitialEvents === undefined)
      errors.push(forbidden(field, 'resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided'));
    if (match !== 'NotOlderThan') errors.push(notSupported(field, match, ['NotOlderThan']));
    if (options.continueToken !== '') errors.push(forbidden(field, 'resourceVersionMatch is forbidden when continue is provided'));
  }
  return errors;
}

/** What create, update and patch share. */
export interface WriteParameters {
  dryRun: boolean;
  fieldManager: string;
  fieldValidation: FieldValidation;
  force?: boolean;
}

/** Reads and checks them; 422 named by `kind` ("PatchOptions" …). */
export function writeParameters(query: URLSearchParams, kind: 'CreateOptions' | 'UpdateOptions' | 'PatchOptions', patchType = ''): WriteParameters {
  const errors: FieldError[] = [];
  const dryRun = query.getAll('dryRun');
  const fieldManager = query.get('fieldManager') ?? '';
  const fieldValidation = query.get('fieldValidation') ?? '';
  const force = boolOf(query, 'force');
  if (kind === 'PatchOptions') {
    if (patchType === 'application/apply-patch+yaml') {
      if (fieldManager === '') errors.push({ type: 'Required value', field: 'fieldManager', detail: 'is required for apply patch' });
    } else if (force !== undefined) errors.push(forbidden('force', 'may not be specified for non-apply patch'));
  }
  errors.push(...fieldManagerErrors(fieldManager, 'fieldManager'));
  errors.push(...dryRunErrors(dryRun));
  if (!['', 'Ignore', 'Strict', 'Warn'].includes(fieldValidation))
    errors.push(notSupported('fieldValidation', fieldValidation, ['', 'Ignore', 'Strict', 'Warn']));
  if (errors.length > 0) throw newInvalid({ group: 'meta.k8s.io', resource: kind }, '', errors);
  return { dryRun: dryRun.includes('All'), fieldManager, fieldValidation: (fieldValidation || 'Warn') as FieldValidation, force };
}

/** `ValidateFieldManager`: at most 128 bytes, all of them printable. */
export function fieldManagerErrors(manager: string, field: string): FieldError[] {
  const errors: FieldError[] = [];
  const encoder = new TextEncoder();
  if (encoder.encode(manager).length > 128) errors.push({ type: 'Too long', field, detail: 'may not be more than 128 bytes' });
  let at = 0;
  for (const character of manager) {
    const code = (character.codePointAt(0) as number).toString(16).toUpperCase().padStart(4, '0');
    if (!isPrintable(character))
      errors.push({ type: 'Invalid value', field, value: quote(manager), detail: `invalid character U+${code} (at position ${at})` });
    at += encoder.encode(character).length;
  }
  return errors;
}

/** Go's `unicode.IsPrint`: letters, marks, numbers, punctuation, symbols and the plain space. */
export const isPrintable = (character: string): boolean => character === ' ' || /^[\p{L}\p{M}\p{N}\p{P}\p{S}]$/u.test(character);

export function dryRunErrors(dryRun: readonly string[]): FieldError[] {
  if (dryRun.every((value) => value === 'All')) return [];
  return [{ type: 'Unsupported value', field: 'dryRun', value: `[${dryRun.map(quote).join(',')}]`, detail: 'supported values: "All"' }];
}

/** `ValidateDeleteOptions`; 422. */
export function checkDeleteOptions({ propagationPolicy: policy, orphanDependents, dryRun }: DeleteParameters & { dryRun?: readonly string[] }): void {
  const errors: FieldError[] = [];
  const field = 'propagationPolicy';
  if (policy !== undefined && orphanDependents !== undefined)
    errors.push({ type: 'Invalid value', field, value: quote(policy), detail: 'orphanDependents and deletionPropagation cannot be both set' });
  if (policy !== undefined && !['Foreground', 'Background', 'Orphan'].includes(policy))
    errors.push(notSupported(field, policy, ['Foreground', 'Background', 'Orphan', 'nil']));
  errors.push(...dryRunErrors(dryRun ?? []));
  if (errors.length > 0) throw newInvalid({ group: 'meta.k8s.io', resource: 'DeleteOptions' }, '', errors);
}

/** DeleteOptions from the query (used when there is no body). */
export function deleteOptionsOfQuery(query: URLSearchParams): Record<string, unknown> {
  const out: Record<string, unknown> = {};
  const grace = intOf(query, 'gracePeriodSeconds');
  if (grace !== undefined) out.gracePeriodSeconds = grace;
  const policy = query.get('propagationPolicy');
  if (policy !== null) out.propagationPolicy = policy;
  const orphan = boolOf(query, 'orphanDependents');
  if (orphan !== undefined) out.orphanDependents = orphan;
  const dryRun = query.getAll('dryRun');
  if (dryRun.length > 0) out.dryRun = dryRun;
  return out;
}
