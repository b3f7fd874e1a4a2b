import type { CustomResourceDefinition } from '../../kinds/types.ts';

/** The names a definition may have beside the others of its group, and its conditions (apiextensions' naming controller). */

type Status = NonNullable<CustomResourceDefinition['status']>;
type Condition = NonNullable<Status['conditions']>[number];
type Names = NonNullable<Status['acceptedNames']>;

/** Whoever deletes a definition waits for its objects. */
export const CLEANUP = 'customresourcecleanup.apiextensions.k8s.io';

export function setCondition(status: Status | undefined, condition: Condition, now: string): Status {
  const conditions = [...(status?.conditions ?? [])];
  const at = conditions.findIndex(({ type }) => type === condition.type);
  const known = conditions[at];
  const lastTransitionTime = known?.status === condition.status ? known?.lastTransitionTime : now;
  const whole = { type: condition.type, status: condition.status, lastTransitionTime, reason: condition.reason, message: condition.message };
  if (at >= 0) conditions[at] = whole;
  else conditions.push(whole);
  return { ...status, conditions };
}

const aggregate = (texts: readonly string[]): string => (texts.length === 1 ? (texts[0] as string) : `[${texts.join(', ')}]`);

/** The new status; undefined when nothing changes. */
export function acceptNames(definition: CustomResourceDefinition, others: readonly CustomResourceDefinition[], now: string): Status | undefined {
  const wanted = definition.spec?.names ?? {};
  const had: Names = definition.status?.acceptedNames ?? {};
  const taken = others.map(({ status }) => status?.acceptedNames ?? {});
  const resources = new Set(taken.flatMap(({ plural, singular, shortNames = [] }) => [plural, singular, ...shortNames]));
  const kinds = new Set(taken.flatMap(({ kind, listKind }) => [kind, listKind]));
  const accepted: Names = { ...had };
  let conflict: { reason: string; message: string } | undefined;
  const claim = (key: 'plural' | 'singular' | 'kind' | 'listKind', reason: string, used: ReadonlySet<string | undefined>): void => {
    const name = wanted[key] ?? '';
    if (name !== '' && name !== had[key] && used.has(name)) conflict = { reason, message: `${JSON.stringify(name)} is already in use` };
    else accepted[key] = name;
  };
  claim('plural', 'PluralConflict', resources);
  claim('singular', 'SingularConflict', resources);
  const clashes = (wanted.shortNames ?? []).filter((name) => !had.shortNames?.includes(name) && resources.has(name));
  if (clashes.length > 0) conflict = { reason: 'ShortNamesConflict', message: aggregate(clashes.map((name) => `${JSON.stringify(name)} is already in use`)) };
  else accepted.shortNames = wanted.shortNames;
  claim('kind', 'KindConflict', kinds);
  claim('listKind', 'ListKindConflict', kinds);
  accepted.categories = wanted.categories;

  const names: Condition = conflict
    ? { type: 'NamesAccepted', status: 'False', ...conflict }
    : { type: 'NamesAccepted', status: 'True', reason: 'NoConflicts', message: 'no conflicts found' };
  const before = definition.status?.conditions ?? [];
  const known = before.find(({ type }) => type === 'NamesAccepted');
  const unchanged = known !== undefined && known.status === names.status && known.reason === names.reason && known.message === names.message;
  if (unchanged && JSON.stringify(tidy(accepted)) === JSON.stringify(tidy(had))) return undefined;
  let status = setCondition({ ...definition.status, acceptedNames: accepted }, names, now);
  const established = before.find(({ type }) => type === 'Established');
  if (established?.status !== 'True') {
    const next = conflict
      ? { status: 'False', reason: 'NotAccepted', message: 'not all names are accepted' }
      : { status: 'True', reason: 'InitialNamesAccepted', message: 'the initial names have been accepted' };
    status = setCondition(status, { type: 'Established', ...next }, now);
  }
  return status;
}

const tidy = ({ plural, singular, kind, listKind, shortNames = [], categories = [] }: Names): unknown => [
  plural,
  singular,
  kind,
  listKind,
  shortNames,
  categories,
];
