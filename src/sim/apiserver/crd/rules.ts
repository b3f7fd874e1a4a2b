import type { FieldError } from '../../kinds/strategy.ts';
import type { CelType, CelValue, Compiled } from '../cel/engine.ts';
import { equalJson } from '../json-equal.ts';
import { type CustomSchema, isSchema, type ValidationRule } from './schema.ts';
import { correlated } from './validate.ts';

/**
 * `x-kubernetes-validations` (models `apiextensions-apiserver/pkg/apiserver/schema/cel`). The engine is fetched when the
 * first rule appears; verbs are synchronous, so whoever lets rules in calls `loadRules` first.
 */

type Engine = typeof import('../cel/engine.ts');
type Json = Record<string, unknown>;

let engine: Engine | undefined;

export async function loadRules(): Promise<Engine> {
  engine ??= await import('../cel/engine.ts');
  return engine;
}

/** The engine, if anybody ever asked for it. */
export const celEngine = (): Engine | undefined => engine;

const RESERVED = new Set('true false null in as break const continue else for function if import let loop package namespace return var void while'.split(' '));

/** A property's name as an identifier (`cel.Escape`); undefined when there is none. */
export function celName(key: string): string | undefined {
  if (RESERVED.has(key)) return `__${key}__`;
  if (!/^[A-Za-z_.\-/][A-Za-z0-9_.\-/]*$/.test(key)) return undefined;
  return key.replaceAll('__', '__underscores__').replaceAll('.', '__dot__').replaceAll('-', '__dash__').replaceAll('/', '__slash__');
}

/** `SchemaDeclType`. */
function typeOf(schema: CustomSchema, isResource: boolean): CelType {
  if (schema['x-kubernetes-int-or-string']) return { kind: 'dyn' };
  switch (schema.type) {
    case 'array':
      return { kind: 'list', of: typeOf(schema.items ?? {}, false) };
    case 'object': {
      if (isSchema(schema.additionalProperties)) return { kind: 'map', of: typeOf(schema.additionalProperties, false) };
      if (schema.additionalProperties === true) return { kind: 'map', of: { kind: 'dyn' } };
      const meta: CelType = { kind: 'object', fields: { name: { kind: 'string' }, generateName: { kind: 'string' } } };
      const own: Record<string, CelType> =
        isResource || schema['x-kubernetes-embedded-resource'] ? { apiVersion: { kind: 'string' }, kind: { kind: 'string' }, metadata: meta } : {};
      const fields = Object.entries(schema.properties ?? {}).flatMap(([key, property]): [string, CelType][] => {
        const name = celName(key);
        return name && !(name in own) ? [[name, typeOf(property, false)]] : [];
      });
      return { kind: 'object', fields: { ...own, ...Object.fromEntries(fields) } };
    }
    case 'string':
      if (schema.format === 'byte') return { kind: 'bytes' };
      if (schema.format === 'date' || schema.format === 'date-time') return { kind: 'timestamp' };
      return { kind: 'string' };
    case 'boolean':
      return { kind: 'bool' };
    case 'integer':
      return { kind: 'int' };
    case 'number':
      return { kind: 'double' };
    default:
      return { kind: 'dyn' };
  }
}

/** JSON as CEL sees it: whole numbers are integers unless the schema says otherwise. */
export function celValue(value: unknown, schema: CustomSchema | undefined): CelValue {
  if (typeof value === 'number') return schema?.type === 'number' || !Number.isInteger(value) ? value : BigInt(value);
  if (typeof value === 'string') {
    const { format } = schema ?? {};
    if (format === 'date' || format === 'date-time') return new Date(value);
    return format === 'byte' ? Uint8Array.from(atob(value), (character) => character.charCodeAt(0)) : value;
  }
  if (Array.isArray(value)) return value.map((item) => celValue(item, schema?.items));
  if (typeof value !== 'object' || value === null) return value;
  const isMap = schema?.additionalProperties !== undefined || !schema?.properties;
  const out: Json = {};
  for (const [key, inner] of Object.entries(value)) {
    if (inner === undefined) continue;
    const property = schema?.properties?.[key] ?? (isSchema(schema?.additionalProperties) ? schema.additionalProperties : undefined);
    out[isMap ? key : (celName(key) ?? key)] = celValue(inner, property);
  }
  return out;
}

interface Rule {
  source: ValidationRule;
  program: Compiled;
  message?: Compiled;
}

const compiled = new WeakMap<CustomSchema, readonly Rule[]>();

function rulesOf(schema: CustomSchema, isResource: boolean): readonly Rule[] {
  const sources = schema['x-kubernetes-validations'] ?? [];
  if (sources.length === 0 || !engine) return [];
  let rules = compiled.get(schema);
  if (!rules) {
    const { compile } = engine;
    const self = typeOf(schema, isResource);
    rules = sources.map((source) => {
      const variables = { self, oldSelf: source.optionalOldSelf ? ({ kind: 'dyn' } as const) : self };
      const message = source.messageExpression ? compile(source.messageExpression, variables) : undefined;
      return { source, program: compile(source.rule ?? '', variables), ...(message ? { message } : {}) };
    });
    compiled.set(schema, rules);
  }
  return rules;
}

/** The rule as the server prints it. */
const printRule = (rule: ValidationRule): string =>
  JSON.stringify({
    Rule: rule.rule ?? '',
    Message: rule.message ?? '',
    MessageExpression: rule.messageExpression ?? '',
    Reason: rule.reason ?? null,
    FieldPath: rule.fieldPath ?? '',
    OptionalOldSelf: rule.optionalOldSelf ?? null,
  }).replace(/[<>&]/g, (character) => `\\u00${character.charCodeAt(0).toString(16)}`);

/** What is wrong with the rules of one place of a schema; `at` is the place's path. */
export function ruleErrors(schema: CustomSchema, at: string, uncorrelatable: string | undefined, isResource: boolean): FieldError[] {
  return rulesOf(schema, isResource).flatMap(({ source, program, message }, i) => {
    const here = `${at}.x-kubernetes-validations[${i}]`;
    const errors: FieldError[] = [];
    const bad = (key: string, detail: string): void => void errors.push({ type: 'Invalid value', field: `${here}.${key}`, value: printRule(source), detail });
    if (program.issues) bad('rule', `compilation failed: ${program.issues}`);
    else if (program.type !== 'bool' && program.type !== 'dyn') bad('rule', 'cel expression must evaluate to a bool');
    if (message?.issues) bad('messageExpression', `messageExpression compilation failed: ${message.issues}`);
    else if (message && message.type !== 'string' && message.type !== 'dyn') bad('messageExpression', 'messageExpression must evaluate to a string');
    const usesOld = !program.issues && program.uses('oldSelf');
    if (usesOld && uncorrelatable !== undefined) {
      const detail = `oldSelf cannot be used on the uncorrelatable portion of the schema within ${uncorrelatable}`;
      errors.push({ type: 'Invalid value', field: `${here}.rule`, value: JSON.stringify(source.rule ?? ''), detail });
    } else if (!usesOld && !program.issues && source.optionalOldSelf !== undefined) {
      errors.push({
        type: 'Invalid value',
        field: `${here}.optionalOldSelf`,
        value: String(source.optionalOldSelf),
        detail: 'may not be set if oldSelf is not used in rule',
      });
    }
    return errors;
  });
}

const textOf = (rule: ValidationRule): string => (rule.message ? rule.message.trim() : (rule.rule ?? '').trim());

function fail(path: string, value: unknown, detail: string, { reason }: ValidationRule): FieldError {
  const field = path || '<nil>';
  if (reason === 'FieldValueForbidden') return { type: 'Forbidden', field, detail };
  if (reason === 'FieldValueRequired') return { type: 'Required value', field, detail };
  const scalar = typeof value !== 'object';
  const shown = scalar ? { value: JSON.stringify(value) } : {};
  return reason === 'FieldValueDuplicate' ? { type: 'Duplicate value', field, ...shown, detail: '' } : { type: 'Invalid value', field, ...shown, detail };
}

/** Runs the rules of a schema and of everything in it. `old` is what was in the same place before, if that can be said. */
export function checkRules(schema: CustomSchema, value: unknown, old: unknown, path = '', isResource = true): FieldError[] {
  if (value === null || value === undefined) return [];
  const errors = ownRules(schema, value, old ?? undefined, path, isResource);
  if (Array.isArray(value)) {
    const before = correlated(schema, old);
    for (const [i, item] of value.entries()) errors.push(...checkRules(schema.items ?? {}, item, before(item), `${path}[${i}]`, false));
  } else if (typeof value === 'object') {
    const atomic = schema['x-kubernetes-map-type'] === 'atomic';
    for (const [key, inner] of Object.entries(value)) {
      const property = schema.properties?.[key];
      const child = property ?? (isSchema(schema.additionalProperties) ? schema.additionalProperties : undefined);
      if (!child) continue;
      const here = property ? (path === '' ? key : `${path}.${key}`) : `${path}[${key}]`;
      errors.push(...checkRules(child, inner, atomic ? undefined : (old as Json | null | undefined)?.[key], here, false));
    }
  }
  return errors;
}

function ownRules(schema: CustomSchema, value: unknown, old: unknown, path: string, isResource: boolean): FieldError[] {
  const rules = rulesOf(schema, isResource);
  if (rules.length === 0 || !engine) return [];
  const { CelFailure, optional } = engine;
  const unchanged = old !== undefined && equalJson(value, old);
  const self = celValue(value, schema);
  const oldSelf = old === undefined ? undefined : celValue(old, schema);
  return rules.flatMap(({ source, program, message }) => {
    const usesOld = program.uses('oldSelf');
    if (program.issues || (usesOld && old === undefined && !source.optionalOldSelf)) return [];
    const variables = { self, oldSelf: source.optionalOldSelf ? optional(oldSelf) : oldSelf };
    try {
      if (program.run(variables) === true) return [];
    } catch (error) {
      if (!(error instanceof CelFailure)) throw error;
      const detail = error.message.startsWith('no such overload')
        ? `'${error.message}': call arguments did not match a supported operator, function or macro signature for rule: ${textOf(source)}`
        : `${error.message} evaluating rule: ${textOf(source)}`;
      return [{ type: 'Invalid value', field: path || '<nil>', value: JSON.stringify(schema.type ?? ''), detail }];
    }
    // What was wrong already and has not been touched may stay (ratcheting).
    if (unchanged && !usesOld) return [];
    const at = source.fieldPath ? `${path}${source.fieldPath}`.replace(/^\./, '') : path;
    return [fail(at, value, messageOf(message, variables) ?? (source.message ? source.message.trim() : `failed rule: ${textOf(source)}`), source)];
  });
}

function messageOf(program: Compiled | undefined, variables: Json): string | undefined {
  try {
    const text = program?.run(variables);
    const trimmed = typeof text === 'string' ? text.trim() : '';
    return trimmed === '' || trimmed.includes('\n') ? undefined : trimmed;
  } catch {
    return undefined;
  }
}
