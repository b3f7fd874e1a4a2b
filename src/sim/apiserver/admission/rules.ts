import { Check } from '../../kinds/check.ts';
import { validateLabelSelector, validateObjectMeta, validateObjectMetaUpdate } from '../../kinds/meta/index.ts';
import { isDns1123Subdomain, isLabelKey } from '../../kinds/meta/names.ts';
import type { FieldError, KindStrategy } from '../../kinds/strategy.ts';
import type {
  MatchCondition,
  MatchResources,
  MutatingWebhookConfiguration,
  NamedRuleWithOperations,
  ValidatingAdmissionPolicy,
  ValidatingAdmissionPolicyBinding,
  ValidatingWebhook,
  ValidatingWebhookConfiguration,
} from '../../kinds/types.ts';
import { celEngine } from '../crd/rules.ts';
import { policyVariables } from './policies.ts';

/** What webhooks and policies must be (`pkg/apis/admissionregistration/validation`). */

const GROUP = 'admissionregistration.k8s.io/v1';
const OPERATIONS = ['*', 'CONNECT', 'CREATE', 'DELETE', 'UPDATE'];

const wildcards = (check: Check, at: string, list: readonly string[], what: string): void => {
  if (list.length > 1 && list.includes('*')) check.invalid(at, list, `if '*' is present, must not specify other ${what}`);
};

function checkRule(check: Check, at: string, rule: NamedRuleWithOperations, named: boolean): void {
  const { operations = [], apiGroups = [], apiVersions = [], resources = [], scope, resourceNames = [] } = rule;
  for (const [i, name] of resourceNames.entries()) if (named && name === '') check.required(`${at}.resourceNames[${i}]`);
  if (operations.length === 0) check.required(`${at}.operations`);
  wildcards(check, `${at}.operations`, operations, 'operations');
  for (const [i, operation] of operations.entries()) if (!OPERATIONS.includes(operation)) check.notSupported(`${at}.operations[${i}]`, operation, OPERATIONS);
  if (apiGroups.length === 0) check.required(`${at}.apiGroups`);
  wildcards(check, `${at}.apiGroups`, apiGroups, 'API groups');
  if (apiVersions.length === 0) check.required(`${at}.apiVersions`);
  wildcards(check, `${at}.apiVersions`, apiVersions, 'API versions');
  for (const [i, version] of apiVersions.entries()) if (version === '') check.required(`${at}.apiVersions[${i}]`);
  if (resources.length === 0) check.required(`${at}.resources`);
  for (const [i, resource] of resources.entries()) if (resource === '') check.required(`${at}.resources[${i}]`);
  if (resources.length > 1 && resources.includes('*/*')) check.invalid(`${at}.resources`, resources, "if '*/*' is present, must not specify other resources");
  else if (resources.includes('*') && resources.some((resource) => resource !== '*' && !resource.includes('/')))
    check.invalid(`${at}.resources`, resources, "if '*' is present, must not specify other resources without subresources");
  if (scope !== undefined) check.oneOf(`${at}.scope`, scope, ['*', 'Cluster', 'Namespaced']);
}

function checkConditions(check: Check, at: string, conditions: readonly MatchCondition[] | undefined): void {
  const seen = new Set<string>();
  for (const [i, { name = '', expression = '' }] of (conditions ?? []).entries()) {
    const here = `${at}[${i}]`;
    checkExpression(check, `${here}.expression`, expression, 'bool');
    if (check.given(`${here}.name`, name)) check.rule(`${here}.name`, name, isLabelKey);
    if (seen.has(name)) check.duplicate(`${here}.name`, name);
    seen.add(name);
  }
}

function checkExpression(check: Check, field: string, expression: string, type: 'bool' | 'string' | 'any'): void {
  if (expression.trim() === '') {
    check.required(field, 'expression is not specified');
    return;
  }
  const compiled = celEngine()?.compile(expression.trim(), policyVariables);
  if (compiled?.issues) check.invalid(field, expression, `compilation failed: ${compiled.issues}`);
  else if (compiled && type !== 'any' && compiled.type !== type && compiled.type !== 'dyn') check.invalid(field, expression, `must evaluate to ${type}`);
}

function checkMatching(check: Check, at: string, constraints: MatchResources): void {
  check.oneOf(`${at}.matchPolicy`, constraints.matchPolicy, ['Equivalent', 'Exact']);
  check.add(validateLabelSelector(constraints.namespaceSelector, `${at}.namespaceSelector`));
  check.add(validateLabelSelector(constraints.objectSelector, `${at}.objectSelector`));
  for (const key of ['resourceRules', 'excludeResourceRules'] as const)
    for (const [i, rule] of (constraints[key] ?? []).entries()) checkRule(check, `${at}.${key}[${i}]`, rule, true);
}

function checkWebhook(check: Check, at: string, webhook: ValidatingWebhook & { reinvocationPolicy?: string }): void {
  const { name = '', rules = [], failurePolicy, matchPolicy, sideEffects, timeoutSeconds, clientConfig = {}, admissionReviewVersions = [] } = webhook;
  if (check.given(`${at}.name`, name)) {
    if (isDns1123Subdomain(name).length > 0) check.invalid(`${at}.name`, name, isDns1123Subdomain(name).join(','));
    else if (name.split('.').length < 3) check.invalid(`${at}.name`, name, 'should be a domain with at least three segments separated by dots');
  }
  for (const [i, rule] of rules.entries()) checkRule(check, `${at}.rules[${i}]`, rule, false);
  check.oneOf(`${at}.failurePolicy`, failurePolicy, ['Fail', 'Ignore'], true);
  check.oneOf(`${at}.matchPolicy`, matchPolicy, ['Equivalent', 'Exact'], true);
  if (sideEffects === undefined) check.required(`${at}.sideEffects`, 'must specify one of None, NoneOnDryRun');
  else check.oneOf(`${at}.sideEffects`, sideEffects, ['None', 'NoneOnDryRun']);
  if (timeoutSeconds !== undefined && (timeoutSeconds > 30 || timeoutSeconds < 1))
    check.invalid(`${at}.timeoutSeconds`, timeoutSeconds, 'the timeout value must be between 1 and 30 seconds');
  check.add(validateLabelSelector(webhook.namespaceSelector, `${at}.namespaceSelector`));
  check.add(validateLabelSelector(webhook.objectSelector, `${at}.objectSelector`));
  check.oneOf(`${at}.reinvocationPolicy`, webhook.reinvocationPolicy, ['IfNeeded', 'Never'], true);
  const { url, service } = clientConfig;
  if ((url === undefined) === (service === undefined)) check.required(`${at}.clientConfig`, 'exactly one of url or service is required');
  else if (url !== undefined && !url.startsWith('https://'))
    check.invalid(
      `${at}.clientConfig.url`,
      /^[a-z]+:/i.exec(url)?.[0].slice(0, -1) ?? '',
      "'https' is the only allowed URL scheme; desired format: https://host[/path]",
    );
  else if (service) {
    check.given(`${at}.clientConfig.service.name`, service.name, 'service name is required');
    check.given(`${at}.clientConfig.service.namespace`, service.namespace, 'service namespace is required');
  }
  checkConditions(check, `${at}.matchConditions`, webhook.matchConditions);
  if (admissionReviewVersions.length === 0) check.required(`${at}.admissionReviewVersions`, 'must specify one of v1, v1beta1');
  else if (!admissionReviewVersions.some((version) => version === 'v1' || version === 'v1beta1'))
    check.invalid(`${at}.admissionReviewVersions`, admissionReviewVersions, 'must include at least one of v1, v1beta1');
}

function checkWebhooks(check: Check, { webhooks = [] }: MutatingWebhookConfiguration | ValidatingWebhookConfiguration): void {
  const seen = new Set<string>();
  for (const [i, webhook] of webhooks.entries()) {
    checkWebhook(check, `webhooks[${i}]`, webhook);
    const { name = '' } = webhook;
    if (name !== '' && seen.has(name)) check.duplicate(`webhooks[${i}].name`, name);
    seen.add(name);
  }
}

function checkPolicy(check: Check, { spec = {} }: ValidatingAdmissionPolicy): void {
  const { failurePolicy, paramKind, matchConstraints, validations = [], auditAnnotations = [], variables = [] } = spec;
  check.oneOf('spec.failurePolicy', failurePolicy, ['Fail', 'Ignore']);
  if (paramKind) {
    check.given('spec.paramKind.apiVersion', paramKind.apiVersion);
    check.given('spec.paramKind.kind', paramKind.kind);
  }
  if (!matchConstraints) check.required('spec.matchConstraints');
  else {
    checkMatching(check, 'spec.matchConstraints', matchConstraints);
    if (!matchConstraints.resourceRules?.length) check.required('spec.matchConstraints.resourceRules');
  }
  checkConditions(check, 'spec.matchConditions', spec.matchConditions);
  for (const [i, { name = '', expression = '' }] of variables.entries()) {
    check.given(`spec.variables[${i}].name`, name, 'name is not specified');
    checkExpression(check, `spec.variables[${i}].expression`, expression, 'any');
  }
  if (validations.length === 0 && auditAnnotations.length === 0) {
    for (const key of ['validations', 'auditAnnotations']) check.required(`spec.${key}`, 'validations or auditAnnotations must contain at least one item');
  }
  for (const [i, { expression = '', message, messageExpression, reason }] of validations.entries()) {
    const at = `spec.validations[${i}]`;
    checkExpression(check, `${at}.expression`, expression, 'bool');
    if (messageExpression !== undefined && messageExpression !== '') checkExpression(check, `${at}.messageExpression`, messageExpression, 'string');
    if (message && message.trim() === '') check.invalid(`${at}.message`, message, 'message must be non-empty if specified');
    else if (message && /[\n\r]/.test(message.trim())) check.invalid(`${at}.message`, message, 'message must not contain line breaks');
    else if (/[\n\r]/.test(expression.trim()) && !message) check.required(`${at}.message`, 'message must be specified if expression contains line breaks');
    check.oneOf(`${at}.reason`, reason, ['Forbidden', 'Invalid', 'RequestEntityTooLarge', 'Unauthorized'], true);
  }
}

function checkBinding(check: Check, { spec = {} }: ValidatingAdmissionPolicyBinding): void {
  const { policyName = '', paramRef, matchResources, validationActions = [] } = spec;
  if (check.given('spec.policyName', policyName)) check.subdomain('spec.policyName', policyName);
  if (paramRef) {
    if (paramRef.name && paramRef.selector) check.forbidden('spec.paramRef.name', 'name and selector are mutually exclusive');
    else if (!paramRef.name && !paramRef.selector) check.required('spec.paramRef', 'one of name or selector must be specified');
    check.oneOf('spec.paramRef.parameterNotFoundAction', paramRef.parameterNotFoundAction, ['Allow', 'Deny']);
  }
  if (matchResources) checkMatching(check, 'spec.matchResources', matchResources);
  if (validationActions.length === 0) check.required('spec.validationActions');
  for (const [i, action] of validationActions.entries()) {
    if (!['Audit', 'Deny', 'Warn'].includes(action)) check.notSupported(`spec.validationActions[${i}]`, action, ['Audit', 'Deny', 'Warn']);
    if (validationActions.indexOf(action) < i) check.duplicate(`spec.validationActions[${i}]`, action);
  }
  if (validationActions.includes('Deny') && validationActions.includes('Warn'))
    check.invalid(
      'spec.validationActions',
      validationActions,
      'must not contain both Deny and Warn (repeating the same validation failure information in the API response and headers serves no purpose)',
    );
}

function ofKind<T extends object>(resource: string, rules: (check: Check, object: T) => void): [string, Pick<KindStrategy, 'validate' | 'validateUpdate'>] {
  const run = (before: readonly FieldError[], object: object): FieldError[] => {
    const check = new Check().add(before);
    rules(check, object as T);
    return check.errors;
  };
  return [
    `${GROUP}/${resource}`,
    {
      validate: (object) => run(validateObjectMeta(object, { namespaced: false, nameValidator: isDns1123Subdomain }), object),
      validateUpdate: (object, old) => run(validateObjectMetaUpdate(object, old), object),
    },
  ];
}

/** Rules by kind. */
export const admissionRules = new Map([
  ofKind<ValidatingWebhookConfiguration>('validatingwebhookconfigurations', checkWebhooks),
  ofKind<MutatingWebhookConfiguration>('mutatingwebhookconfigurations', checkWebhooks),
  ofKind<ValidatingAdmissionPolicy>('validatingadmissionpolicies', checkPolicy),
  ofKind<ValidatingAdmissionPolicyBinding>('validatingadmissionpolicybindings', checkBinding),
]);
