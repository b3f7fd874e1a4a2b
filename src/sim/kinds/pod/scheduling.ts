import type { Check } from '../check.ts';
import { validateLabelSelector } from '../meta/index.ts';
import { isDns1123Label, isDns1123Subdomain, isLabelKey, isLabelValue } from '../meta/names.ts';
import type {
  Affinity,
  LabelSelector,
  NodeSelector,
  NodeSelectorRequirement,
  NodeSelectorTerm,
  PodAffinityTerm,
  Toleration,
  TopologySpreadConstraint,
} from '../types.ts';

/** Where a Pod may run: affinity, tolerations, spreading. */

function checkRequirement(check: Check, at: string, { key = '', operator = '', values = [] }: NodeSelectorRequirement, strict: boolean): void {
  if (operator === 'In' || operator === 'NotIn') {
    if (values.length === 0) check.required(`${at}.values`, "must be specified when `operator` is 'In' or 'NotIn'");
  } else if (operator === 'Exists' || operator === 'DoesNotExist') {
    if (values.length > 0) check.forbidden(`${at}.values`, "may not be specified when `operator` is 'Exists' or 'DoesNotExist'");
  } else if (operator === 'Gt' || operator === 'Lt') {
    if (values.length !== 1) check.required(`${at}.values`, "must be specified single value when `operator` is 'Lt' or 'Gt'");
  } else check.invalid(`${at}.operator`, operator, 'not a valid selector operator');
  check.rule(`${at}.key`, key, isLabelKey);
  if (strict) {
    values.forEach((value, i) => {
      check.rule(`${at}.values[${i}]`, value, isLabelValue);
    });
  }
}

function checkFieldRequirement(check: Check, at: string, { key = '', operator = '', values = [] }: NodeSelectorRequirement): void {
  if (operator !== 'In' && operator !== 'NotIn') check.invalid(`${at}.operator`, operator, 'not a valid selector operator');
  else if (values.length !== 1) check.required(`${at}.values`, "must be only one value when `operator` is 'In' or 'NotIn' for node field selector");
  if (key !== 'metadata.name') check.invalid(`${at}.key`, key, 'not a valid field selector key');
  else {
    values.forEach((value, i) => {
      check.rule(`${at}.values[${i}]`, value, isDns1123Subdomain);
    });
  }
}

function checkTerm(check: Check, at: string, { matchExpressions = [], matchFields = [] }: NodeSelectorTerm, strict: boolean): void {
  matchExpressions.forEach((requirement, i) => {
    checkRequirement(check, `${at}.matchExpressions[${i}]`, requirement, strict);
  });
  matchFields.forEach((requirement, i) => {
    checkFieldRequirement(check, `${at}.matchFields[${i}]`, requirement);
  });
}

export function checkNodeSelector(check: Check, field: string, { nodeSelectorTerms = [] }: NodeSelector): void {
  if (nodeSelectorTerms.length === 0) check.required(`${field}.nodeSelectorTerms`, 'must have at least one node selector term');
  nodeSelectorTerms.forEach((term, i) => {
    checkTerm(check, `${field}.nodeSelectorTerms[${i}]`, term, true);
  });
}

/** Keys that are merged into the selector: they must not be there twice. */
function checkMatchLabelKeys(check: Check, at: string, keys: readonly string[], mismatched: readonly string[], selector: LabelSelector | undefined): void {
  for (const [name, list] of [
    ['matchLabelKeys', keys],
    ['mismatchLabelKeys', mismatched],
  ] as const) {
    if (list.length > 0 && !selector) check.forbidden(`${at}.${name}`, 'must not be specified when labelSelector is not set');
    else {
      list.forEach((key, i) => {
        check.rule(`${at}.${name}[${i}]`, key, isLabelKey);
      });
    }
  }
  keys.forEach((key, i) => {
    if (mismatched.includes(key)) check.invalid(`${at}.matchLabelKeys[${i}]`, key, 'exists in both matchLabelKeys and mismatchLabelKeys');
  });
}

function checkPodTerm(check: Check, at: string, term: PodAffinityTerm): void {
  const { labelSelector, namespaceSelector, namespaces = [], matchLabelKeys = [], mismatchLabelKeys = [], topologyKey = '' } = term;
  check.add(validateLabelSelector(labelSelector, `${at}.labelSelector`));
  check.add(validateLabelSelector(namespaceSelector, `${at}.namespaceSelector`));
  for (const name of namespaces) check.rule(`${at}.namespace`, name, isDns1123Label);
  checkMatchLabelKeys(check, at, matchLabelKeys, mismatchLabelKeys, labelSelector);
  if (topologyKey === '') check.required(`${at}.topologyKey`, 'can not be empty');
  check.rule(`${at}.topologyKey`, topologyKey, isLabelKey);
}

const checkWeight = (check: Check, at: string, weight = 0): void => {
  if (weight <= 0 || weight > 100) check.invalid(`${at}.weight`, weight, 'must be in the range 1-100');
};

export function checkAffinity(check: Check, field: string, affinity: Affinity | undefined): void {
  const [required, preferred] = ['requiredDuringSchedulingIgnoredDuringExecution', 'preferredDuringSchedulingIgnoredDuringExecution'] as const;
  const node = affinity?.nodeAffinity;
  if (node?.[required]) checkNodeSelector(check, `${field}.nodeAffinity.${required}`, node[required]);
  (node?.[preferred] ?? []).forEach(({ weight, preference = {} }, i) => {
    const at = `${field}.nodeAffinity.${preferred}[${i}]`;
    checkWeight(check, at, weight);
    checkTerm(check, `${at}.preference`, preference, false);
  });
  for (const kind of ['podAffinity', 'podAntiAffinity'] as const) {
    (affinity?.[kind]?.[required] ?? []).forEach((term, i) => {
      checkPodTerm(check, `${field}.${kind}.${required}[${i}]`, term);
    });
    (affinity?.[kind]?.[preferred] ?? []).forEach(({ weight, podAffinityTerm = {} }, i) => {
      const at = `${field}.${kind}.${preferred}[${i}]`;
      checkWeight(check, at, weight);
      checkPodTerm(check, `${at}.podAffinityTerm`, podAffinityTerm);
    });
  }
}

export const TAINT_EFFECTS = ['NoSchedule', 'PreferNoSchedule', 'NoExecute'];

export function checkTolerations(check: Check, field: string, tolerations: readonly Toleration[]): void {
  tolerations.forEach(({ key = '', operator = '', value = '', effect = '', tolerationSeconds }, i) => {
    const at = `${field}[${i}]`;
    if (key !== '') check.rule(`${at}.key`, key, isLabelKey);
    if (key === '' && operator !== 'Exists') {
      check.invalid(`${at}.operator`, operator, 'operator must be Exists when `key` is empty, which means "match all values and all keys"');
    }
    if (tolerationSeconds !== undefined && effect !== 'NoExecute') {
      check.invalid(`${at}.effect`, effect, "effect must be 'NoExecute' when `tolerationSeconds` is set");
    }
    if (operator === '' || operator === 'Equal') {
      const messages = isLabelValue(value);
      if (messages.length > 0) check.invalid(`${at}.operator`, value, messages.join(';'));
    } else if (operator === 'Exists') {
      if (value !== '') check.invalid(`${at}.operator`, value, "value must be empty when `operator` is 'Exists'");
    } else check.notSupported(`${at}.operator`, operator, operator === 'Lt' || operator === 'Gt' ? ['Equal', 'Exists', 'Lt', 'Gt'] : ['Equal', 'Exists']);
    if (effect !== '') check.oneOf(`${at}.effect`, effect, TAINT_EFFECTS);
  });
}

export function checkSpread(check: Check, field: string, constraints: readonly TopologySpreadConstraint[]): void {
  constraints.forEach((constraint, i) => {
    const at = `${field}[${i}]`;
    const { maxSkew, topologyKey = '', whenUnsatisfiable = '', minDomains, labelSelector, matchLabelKeys = [] } = constraint;
    check.positive(`${at}.maxSkew`, maxSkew);
    if (topologyKey === '') check.required(`${at}.topologyKey`, 'can not be empty');
    if (!['DoNotSchedule', 'ScheduleAnyway'].includes(whenUnsatisfiable)) {
      check.notSupported(`${at}.whenUnsatisfiable`, whenUnsatisfiable, ['DoNotSchedule', 'ScheduleAnyway']);
    }
    if (constraints.slice(i + 1).some((other) => other.topologyKey === topologyKey && other.whenUnsatisfiable === whenUnsatisfiable)) {
      check.duplicate(`${at}.{topologyKey, whenUnsatisfiable}`, `{${topologyKey}, ${whenUnsatisfiable}}`);
    }
    if (minDomains !== undefined) {
      check.positive(`${at}.minDomains`, minDomains);
      if (whenUnsatisfiable !== 'DoNotSchedule') {
        check.invalid(`${at}.minDomains`, minDomains, `can only use minDomains if whenUnsatisfiable=DoNotSchedule, not ${whenUnsatisfiable}`);
      }
    }
    for (const key of ['nodeAffinityPolicy', 'nodeTaintsPolicy'] as const)
      if (constraint[key] !== undefined) check.oneOf(`${at}.${key}`, constraint[key], ['Honor', 'Ignore']);
    checkMatchLabelKeys(check, at, matchLabelKeys, [], labelSelector);
    check.add(validateLabelSelector(labelSelector, `${at}.labelSelector`));
  });
}
