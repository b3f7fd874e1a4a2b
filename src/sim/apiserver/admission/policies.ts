import type { ApiObject } from '../../client/types.ts';
import { refuse } from '../../kinds/admission/request.ts';
import { asSelector, matchesSelector } from '../../kinds/selector.ts';
import type { AdmissionPlugin, AdmissionRequest } from '../../kinds/strategy.ts';
import type { ParamKind, ParamRef, ValidatingAdmissionPolicy, ValidatingAdmissionPolicyBinding, Validation } from '../../kinds/types.ts';
import type { CelType, CelValue, Compiled } from '../cel/engine.ts';
import { celEngine, celValue } from '../crd/rules.ts';
import type { ResourceInfo, ResourceRegistry } from '../resources.ts';
import { matches, namespaceOf, placeOf } from './match.ts';

/**
 * ValidatingAdmissionPolicies and their bindings (models `admission/plugin/policy/validating`). Left out: `authorizer`,
 * which no expression sees, audit annotations, since nothing audits, and the budget for costs.
 */

const GROUP = 'admissionregistration.k8s.io/v1';
export const VARIABLES = ['object', 'oldObject', 'request', 'params', 'namespaceObject', 'variables'] as const;
const DYN: CelType = { kind: 'dyn' };
/** What expressions of policies may speak of. */
export const policyVariables: Readonly<Record<string, CelType>> = Object.fromEntries(VARIABLES.map((name) => [name, DYN]));

const programs = new Map<string, Compiled>();

/** Remembers what it compiled: policies look at every write. */
function program(source: string): Compiled | undefined {
  let known = programs.get(source);
  if (!known) {
    known = celEngine()?.compile(source, policyVariables);
    if (!known) return undefined;
    if (programs.size > 1_000) programs.clear();
    programs.set(source, known);
  }
  return known;
}

class Failed extends Error {}

type Values = Record<string, CelValue>;

function run(source: string, values: Values): CelValue {
  const compiled = program(source);
  if (!compiled) return true;
  if (compiled.issues) throw new Failed(`compilation error: compilation failed: ${compiled.issues}`);
  try {
    return compiled.run(values);
  } catch (error) {
    throw new Failed(`expression '${source}' resulted in error: ${(error as Error).message}`);
  }
}

function valuesOf(request: AdmissionRequest, info: ResourceInfo | undefined, params: ApiObject | undefined, policy: ValidatingAdmissionPolicy): Values {
  const { group, version, resource } = placeOf(request.resource);
  const kind = { group, version, kind: info?.kind ?? '' };
  const where = { group, version, resource };
  const { username = '', groups = [], uid = '' } = request.user ?? {};
  const common = {
    kind,
    resource: where,
    subResource: request.subresource,
    requestKind: kind,
    requestResource: where,
    requestSubResource: request.subresource,
  };
  const { name, namespace, operation, dryRun } = request;
  const values: Values = {
    object: celValue(request.object ?? null, undefined),
    oldObject: celValue(request.old ?? null, undefined),
    request: celValue({ ...common, name, namespace, operation, dryRun, userInfo: { username, uid, groups } }, undefined),
    params: celValue(params ?? null, undefined),
    namespaceObject: celValue(request.resource === 'v1/namespaces' ? null : (namespaceOf(request) ?? null), undefined),
  };
  const variables: Values = {};
  values.variables = variables;
  for (const { name: variable = '', expression = '' } of policy.spec?.variables ?? []) {
    let known: { value?: CelValue; error?: Failed } | undefined;
    const evaluate = (): CelValue => {
      if (!known) {
        try {
          known = { value: run(expression, values) };
        } catch (error) {
          known = { error: new Failed(`composited variable "${variable}" fails to evaluate: ${(error as Error).message}`) };
        }
      }
      if (known.error) throw known.error;
      return known.value;
    };
    // Only what is asked for is worked out.
    Object.defineProperty(variables, variable, { enumerable: true, get: evaluate });
  }
  return values;
}

interface Denial {
  message: string;
  reason: string;
}

function messageOf({ messageExpression, message, expression = '' }: Validation, values: Values): string {
  if (messageExpression) {
    try {
      const text = run(messageExpression, values);
      if (typeof text === 'string' && text.trim() !== '' && !text.includes('\n')) return text.trim();
    } catch (error) {
      if (!(error instanceof Failed)) throw error;
    }
  }
  return message?.trim() || `failed expression: ${expression.trim()}`;
}

/** What one policy says of a request. */
function decide(policy: ValidatingAdmissionPolicy, values: Values): Denial[] {
  const { failurePolicy = 'Fail', matchConditions = [], validations = [] } = policy.spec ?? {};
  const failed = (error: unknown): Denial[] => {
    if (!(error instanceof Failed)) throw error;
    return failurePolicy === 'Fail' ? [{ message: error.message, reason: 'Invalid' }] : [];
  };
  try {
    if (matchConditions.some(({ expression = '' }) => run(expression, values) !== true)) return [];
  } catch (error) {
    return failed(error);
  }
  return validations.flatMap((validation) => {
    try {
      if (run(validation.expression ?? '', values) === true) return [];
    } catch (error) {
      return failed(error);
    }
    return [{ message: messageOf(validation, values), reason: validation.reason ?? 'Invalid' }];
  });
}

/** The objects a policy is parameterised with; undefined stands for none. Throws when there have to be some. */
function paramsOf(
  kind: ParamKind | undefined,
  reference: ParamRef | undefined,
  request: AdmissionRequest,
  registry: ResourceRegistry,
): (ApiObject | undefined)[] {
  if (!kind || !reference) return [undefined];
  const info = registry.byKind(kind.apiVersion ?? '', kind.kind ?? '');
  if (!info) throw new Failed(`failed to configure binding: paramKind kind \`${kind.apiVersion}, Kind=${kind.kind}\` not known`);
  const namespace = info.namespaced ? reference.namespace || request.namespace : '';
  if (info.namespaced && namespace === '')
    throw new Failed('failed to configure binding: cannot use namespaced paramRef in policy binding that matches cluster-scoped resources');
  const found = reference.name
    ? [request.context.get(info.id, namespace, reference.name)].filter((object) => object !== undefined)
    : request.context.list(info.id, namespace).filter(({ metadata }) => matchesSelector(asSelector(reference.selector), metadata?.labels));
  if (found.length === 0 && reference.parameterNotFoundAction === 'Deny')
    throw new Failed('failed to configure binding: no params found for policy binding with `Deny` parameterNotFoundAction');
  return found;
}

const CODES: Readonly<Record<string, number>> = { Forbidden: 403, Unauthorized: 401, RequestEntityTooLarge: 413 };

export function validatingAdmissionPolicy(registry: ResourceRegistry): AdmissionPlugin {
  return {
    name: 'ValidatingAdmissionPolicy',
    validate(request) {
      const policies = request.context.list<ValidatingAdmissionPolicy>(`${GROUP}/validatingadmissionpolicies`);
      if (policies.length === 0) return;
      const bindings = request.context.list<ValidatingAdmissionPolicyBinding>(`${GROUP}/validatingadmissionpolicybindings`);
      for (const policy of policies) {
        const name = policy.metadata?.name ?? '';
        const own = bindings.filter(({ spec }) => spec?.policyName === name);
        if (own.length === 0 || !matches(policy.spec?.matchConstraints, request, false)) continue;
        for (const binding of own) {
          if (!matches(binding.spec?.matchResources, request, true)) continue;
          applyBinding(policy, binding, request, registry);
        }
      }
    },
  };
}

function applyBinding(
  policy: ValidatingAdmissionPolicy,
  binding: ValidatingAdmissionPolicyBinding,
  request: AdmissionRequest,
  registry: ResourceRegistry,
): void {
  const info = registry.get(request.resource);
  const actions = binding.spec?.validationActions ?? [];
  const who = `'${policy.metadata?.name}' with binding '${binding.metadata?.name}'`;
  let denials: Denial[];
  let misconfigured = false;
  try {
    const params = paramsOf(policy.spec?.paramKind, binding.spec?.paramRef, request, registry);
    denials = params.flatMap((param) => decide(policy, valuesOf(request, info, param, policy)));
  } catch (error) {
    if (!(error instanceof Failed)) throw error;
    misconfigured = true;
    denials = policy.spec?.failurePolicy === 'Ignore' ? [] : [{ message: error.message, reason: 'Invalid' }];
  }
  if (actions.includes('Warn') && !misconfigured)
    for (const { message } of denials) request.warnings?.push(`Validation failed for ValidatingAdmissionPolicy ${who}: ${message}`);
  const [first] = denials;
  if (!first || !(misconfigured || actions.includes('Deny'))) return;
  const message = `ValidatingAdmissionPolicy ${who} denied request: ${first.message}`;
  const error = refuse(request, message, [{ message }]);
  error.status.reason = first.reason;
  error.status.code = CODES[first.reason] ?? 422;
  throw error;
}
