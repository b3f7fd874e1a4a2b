import { resourceFieldValue } from '../describe/resources.ts';
import { envNameProblem } from '../generators/common.ts';
import { build } from '../resource/builder.ts';
import { Helper, type Info } from '../resource/info.ts';
import type { Session } from '../session.ts';
import { CliError, errorText, throwAggregate } from '../util/errors.ts';
import { labelSelectorText, parseSelector } from '../util/labels.ts';
import { compareStrings, type Obj, quote } from '../util/object.ts';
import { checkQuantity } from '../util/quantity.ts';
import { patchAll, podSpecOf, setTargets } from './set-image.ts';

const NO_RESOURCE = 'one or more resources must be specified as <resource> <name> or <resource>/<name>';
const LOCAL_AND_SERVER = 'cannot specify --local and --dry-run=server - did you mean --dry-run=client?';
const ALL_AND_SELECTOR = 'cannot set --all and --selector at the same time';

function named(container: Obj, pattern: string): boolean {
  return new RegExp(`^${pattern.replace(/[.+?^${}()|[\]\\]/g, '\\$&').replaceAll('*', '.*')}$`).test(container.name);
}

/** Every container (init containers last) whose name matches --containers. */
function chosenContainers(spec: Obj, pattern: string): Obj[] {
  return [...(spec.containers ?? []), ...(spec.initContainers ?? [])].filter((container: Obj) => named(container, pattern));
}

const isEnvironment = (argument: string): boolean => /^.+=/.test(argument) || argument.endsWith('-');

/** env.SplitEnvironmentFromResources: resources come first. */
function splitEnvironment(args: readonly string[]): { resources: string[]; specs: string[] } {
  const first = args.findIndex(isEnvironment);
  const resources = first < 0 ? [...args] : args.slice(0, first);
  const specs = first < 0 ? [] : args.slice(first);
  if (specs.some((spec) => !isEnvironment(spec))) throw new CliError(`all resources must be specified before environment changes: ${args.join(' ')}`);
  return { resources, specs };
}

/** env.ParseEnv: additions and removals; `-` reads additions from standard input. */
async function parseEnvironment(session: Session, specs: readonly string[]): Promise<{ additions: Obj[]; removals: string[] }> {
  const additions: Obj[] = [];
  const removals: string[] = [];
  const explicit = new Set<string>();
  for (const spec of specs) {
    const cut = spec.indexOf('=');
    if (spec === '-') {
      for (const line of (await session.process.readAll()).split('\n')) {
        const text = line.split('#')[0] ?? '';
        const equals = text.indexOf('=');
        if (equals >= 0) additions.push({ name: text.slice(0, equals), value: text.slice(equals + 1) });
      }
    } else if (cut >= 0) {
      const name = spec.slice(0, cut);
      const problem = envNameProblem(name);
      if (problem) throw new CliError(`${quote(name)} is not a valid key name: ${problem}`);
      explicit.add(name);
      additions.push({ name, value: spec.slice(cut + 1) });
    } else if (spec.endsWith('-')) removals.push(spec.slice(0, -1));
    else throw new CliError(`unknown environment variable: ${spec}`);
  }
  if (removals.some((name) => explicit.has(name))) throw new CliError('can not both modify and remove the same environment variable in the same command');
  return { additions, removals };
}

/** kubectl set env. */
export async function setEnv(session: Session, args: string[]): Promise<void> {
  const { flags } = session;
  if (flags.bool('all') && flags.text('selector') !== '') throw new CliError(ALL_AND_SELECTOR);
  const { resources, specs } = splitEnvironment(args);
  const dryRun = await session.dryRun();
  if (flags.bool('local') && dryRun === 'server') throw new CliError(LOCAL_AND_SERVER);
  if (resources.length === 0 && flags.list('filename').length === 0) throw new CliError(NO_RESOURCE);
  if (flags.bool('list') && flags.text('output') !== '') throw new CliError('--list and --output may not be specified together');
  const keys = flags.text('keys') === '' ? [] : flags.text('keys').split(',');
  if (keys.length > 0 && flags.text('from') === '') throw new CliError('when specifying --keys, a configmap or secret must be provided with --from');
  const { additions, removals } = await parseEnvironment(session, [...flags.list('env'), ...specs]);
  if (flags.text('from') !== '') additions.push(...(await environmentFrom(session, flags.text('from'), keys)));
  for (const addition of additions) addition.name = flags.text('prefix') + addition.name;
  const infos = await setTargets(session, resources);
  const warned: string[] = [];
  const listings: { info: Info; container: Obj }[] = [];
  const change = (object: Obj, info: Info): void => {
    const pattern = flags.text('containers');
    const containers = chosenContainers(podSpecOf(object), pattern);
    if (containers.length === 0) warned.push(`${info.mapping.kind}/${info.name} does not have any containers matching ${quote(pattern)}`);
    for (const container of containers) {
      if (!flags.bool('overwrite')) refuseOverwrites(container.env ?? [], additions);
      container.env = updated(container.env ?? [], additions, removals);
      listings.push({ info, container: structuredClone(container) });
      if (container.env.length === 0) delete container.env;
    }
  };
  if (flags.bool('list')) {
    for (const info of infos) change(structuredClone(info.object as Obj), info);
    for (const text of warned) await session.warn(text);
    return listEnvironment(session, listings);
  }
  let failure: unknown;
  try {
    await patchAll(session, infos, 'env updated', change, (error) => `failed to patch env update to pod template: ${errorText(error)}`);
  } catch (error) {
    failure = error;
  }
  for (const text of warned) await session.warn(text);
  if (failure !== undefined) throw failure;
}

function refuseOverwrites(present: readonly Obj[], additions: readonly Obj[]): void {
  for (const addition of additions) {
    const old = present.find((each) => each.name === addition.name);
    if (old) throw new CliError(`'${addition.name}' already has a value (${old.value ?? ''}), and --overwrite is false`);
  }
}

function updated(present: readonly Obj[], additions: readonly Obj[], removals: readonly string[]): Obj[] {
  const covered = new Set(removals);
  const out: Obj[] = [];
  for (const old of present) {
    if (covered.has(old.name)) continue;
    const newer = additions.find((addition) => addition.name === old.name);
    if (newer) covered.add(old.name);
    out.push(newer ?? old);
  }
  for (const addition of additions) {
    if (covered.has(addition.name)) continue;
    covered.add(addition.name);
    out.push(addition);
  }
  return out;
}

/** --from=configmap/x or secret/x: one variable for each key, by reference. */
async function environmentFrom(session: Session, source: string, keys: readonly string[]): Promise<Obj[]> {
  const result = await build(session, { args: [source], namespace: session.namespace, continueOnError: true, flatten: true, latest: true });
  const out: Obj[] = [];
  for (const { mapping, object } of await result.infos()) {
    if (mapping.group !== '' || (mapping.kind !== 'ConfigMap' && mapping.kind !== 'Secret')) throw new CliError('unsupported resource specified in --from');
    const reference = mapping.kind === 'Secret' ? 'secretKeyRef' : 'configMapKeyRef';
    for (const key of Object.keys(object?.data ?? {}).sort(compareStrings)) {
      if (keys.length > 0 && !keys.includes(key)) continue;
      const name = key.replace(/[^a-zA-Z0-9_]/g, '_').toUpperCase();
      if (name !== key) await session.warn(`key ${key} transferred to ${name}`);
      out.push({ name, valueFrom: { [reference]: { name: object?.metadata.name, key } } });
    }
  }
  return out;
}

async function listEnvironment(session: Session, listings: readonly { info: Info; container: Obj }[]): Promise<void> {
  let unresolved = false;
  for (const { info, container } of listings) {
    await session.out(`# ${info.mapping.kind} ${info.name}, container ${container.name}\n`);
    const problems = new Map<string, string[]>();
    for (const { name, value, valueFrom } of (container.env ?? []) as Obj[]) {
      if (!valueFrom) await session.out(`${name}=${value ?? ''}\n`);
      else if (!session.flags.bool('resolve')) await session.out(`# ${name} from ${referenceText(valueFrom)}\n`);
      else {
        try {
          await session.out(`${name}=${await resolved(session, valueFrom, info.object as Obj, container)}\n`);
        } catch (error) {
          if (error instanceof Error && (error.name === 'Killed' || error.name === 'Errno')) throw error;
          await session.out(`# ${name} from ${referenceText(valueFrom)}\n`);
          problems.set(errorText(error), [...(problems.get(errorText(error)) ?? []), name]);
          unresolved = true;
        }
      }
    }
    const lines = [...problems].map(([text, names]) => `error retrieving reference for ${names.sort(compareStrings).join(', ')}: ${text}\n`);
    await session.err(lines.sort(compareStrings).join(''));
  }
  // Upstream drops the error with which it ends, too.
  void unresolved;
}

function referenceText({ configMapKeyRef: map, secretKeyRef: secret, fieldRef: field, resourceFieldRef: resource }: Obj): string {
  if (map) return `configmap ${map.name}, key ${map.key}`;
  if (secret) return `secret ${secret.name}, key ${secret.key}`;
  if (field) return `field path ${field.fieldPath}`;
  if (!resource) return 'invalid valueFrom';
  return `resource field ${resource.containerName ? `${resource.containerName}/` : ''}${resource.resource}`;
}

async function resolved(session: Session, source: Obj, object: Obj, container: Obj): Promise<string> {
  const { configMapKeyRef: map, secretKeyRef: secret, fieldRef: field, resourceFieldRef: resource } = source;
  const stored = (kind: string, name: string): Promise<Obj> => session.client.request('GET', `/api/v1/namespaces/${session.namespace}/${kind}/${name}`);
  if (secret) {
    const value = (await stored('secrets', secret.name)).data?.[secret.key];
    if (value === undefined) throw new CliError(`key ${secret.key} not found in secret ${secret.name}`);
    return atob(value);
  }
  if (map) {
    const value = (await stored('configmaps', map.name)).data?.[map.key];
    if (value === undefined) throw new CliError(`key ${map.key} not found in config map ${map.name}`);
    return value;
  }
  if (resource) return resourceFieldValue(container, resource);
  const path: string = field?.fieldPath ?? '';
  const subscript = /^metadata\.(annotations|labels)\['(.*)'\]$/.exec(path);
  if (subscript) return object.metadata?.[subscript[1] as string]?.[subscript[2] as string] ?? '';
  const whole = /^metadata\.(annotations|labels)$/.exec(path)?.[1];
  if (whole)
    return Object.entries((object.metadata?.[whole] ?? {}) as Record<string, string>)
      .sort(([a], [b]) => compareStrings(a, b))
      .map(([key, value]) => `${key}=${quote(value)}`)
      .join('\n');
  const plain = /^metadata\.(name|namespace|uid)$/.exec(path)?.[1];
  if (plain) return object.metadata?.[plain] ?? '';
  throw new CliError(`unsupported fieldPath: ${path}`);
}

/** kubectl set resources. */
export async function setResources(session: Session, args: string[]): Promise<void> {
  const { flags } = session;
  const dryRun = await session.dryRun();
  const infos = await setTargets(session, args);
  if (flags.bool('local') && dryRun === 'server') throw new CliError(LOCAL_AND_SERVER);
  if (flags.bool('all') && flags.text('selector') !== '') throw new CliError(ALL_AND_SELECTOR);
  if (flags.text('limits') === '' && flags.text('requests') === '')
    throw new CliError('you must specify an update to requests or limits (in the form of --requests/--limits)');
  const parse = (text: string): Obj =>
    Object.fromEntries(
      (text === '' ? [] : text.split(',')).map((pair) => {
        const parts = pair.split('=');
        if (parts.length !== 2) throw new CliError(`Invalid argument syntax ${pair}, expected <resource>=<value>`);
        checkQuantity(parts[1] as string);
        return parts as [string, string];
      }),
    );
  const limits = parse(flags.text('limits'));
  const requests = parse(flags.text('requests'));
  const missing: unknown[] = [];
  let failure: unknown;
  try {
    await patchAll(
      session,
      infos,
      'resource requirements updated',
      (object) => {
        const containers = chosenContainers(podSpecOf(object), flags.text('containers'));
        if (containers.length === 0) missing.push(new CliError(`error: unable to find container named ${flags.text('containers')}`));
        for (const container of containers) {
          const present = container.resources ?? {};
          container.resources = {
            ...present,
            ...(Object.keys(limits).length > 0 ? { limits: { ...present.limits, ...limits } } : {}),
            ...(Object.keys(requests).length > 0 ? { requests: { ...present.requests, ...requests } } : {}),
          };
        }
      },
      (error) => `failed to patch resources update to pod template ${errorText(error)}`,
    );
  } catch (error) {
    failure = error;
  }
  throwAggregate(failure === undefined ? missing : [...missing, failure]);
}

/** kubectl set selector: only Services allow it once they exist. */
export async function setSelector(session: Session, args: string[]): Promise<void> {
  const dryRun = await session.dryRun();
  const text = args.at(-1);
  if (text === undefined) throw new CliError('one selector is required');
  const requirements = selectorOf(text);
  await patchAll(
    session,
    await setTargets(session, args.slice(0, -1)),
    'selector updated',
    (object, info) => {
      if (info.mapping.kind !== 'Service' || info.mapping.group !== '') throw new CliError('setting a selector is only supported for Services');
      if (requirements.matchExpressions) {
        const shown = (requirements.matchExpressions as Obj[]).map((each) => `{${each.key} ${each.operator} [${(each.values ?? []).join(' ')}]}`);
        throw new CliError(`match expression [${shown.join(' ')}] not supported on this object`);
      }
      object.spec.selector = requirements.matchLabels ?? {};
      if (session.flags.text('resource-version') !== '') object.metadata.resourceVersion = session.flags.text('resource-version');
    },
    (error) => errorText(error),
    { raw: true, always: dryRun === 'client' || session.flags.bool('local') },
  );
}

/** metav1.ParseToLabelSelector. */
function selectorOf(text: string): Obj {
  let requirements: ReturnType<typeof parseSelector>;
  try {
    requirements = parseSelector(text);
  } catch (error) {
    throw new CliError(`couldn't parse the selector string ${quote(text)}: ${errorText(error)}`);
  }
  const labels: Obj = {};
  const expressions: Obj[] = [];
  const words: Record<string, string> = { in: 'In', notin: 'NotIn', exists: 'Exists', '!': 'DoesNotExist', '!=': 'NotIn' };
  for (const { key, operator, values } of requirements) {
    if (operator === '=') labels[key] = values[0] ?? '';
    else expressions.push({ key, operator: words[operator] ?? operator, values: [...values] });
  }
  return { ...(Object.keys(labels).length > 0 ? { matchLabels: labels } : {}), ...(expressions.length > 0 ? { matchExpressions: expressions } : {}) };
}

/** kubectl set serviceaccount. */
export async function setServiceAccount(session: Session, args: string[]): Promise<void> {
  const dryRun = await session.dryRun();
  if (session.flags.bool('local') && dryRun === 'server') throw new CliError(LOCAL_AND_SERVER);
  if (args.length === 0) throw new CliError('serviceaccount is required');
  const account = args.at(-1) as string;
  await patchAll(
    session,
    await setTargets(session, args.slice(0, -1)),
    'serviceaccount updated',
    (object) => {
      podSpecOf(object).serviceAccountName = account;
    },
    (error) => `failed to patch ServiceAccountName ${errorText(error)}`,
    { always: true },
  );
}

/** kubectl set subject: users, groups and service accounts of a role binding. */
export async function setSubject(session: Session, args: string[]): Promise<void> {
  const { flags } = session;
  const dryRun = await session.dryRun();
  const infos = await setTargets(session, args);
  if (flags.bool('local') && dryRun === 'server') throw new CliError(LOCAL_AND_SERVER);
  if (flags.bool('all') && flags.text('selector') !== '') throw new CliError(ALL_AND_SELECTOR);
  const [users, groups, specs] = ['user', 'group', 'serviceaccount'].map((name) => [...new Set(flags.list(name))].sort(compareStrings)) as [
    string[],
    string[],
    string[],
  ];
  if (users.length + groups.length + specs.length === 0) throw new CliError('you must specify at least one value of user, group or serviceaccount');
  const accounts = flags.list('serviceaccount').map((spec) => {
    const [namespace = '', name = '', ...more] = spec.split(':');
    if (name === '' || more.length > 0) throw new CliError('serviceaccount must be <namespace>:<name>');
    if (namespace === '' && infos.some((info) => info.mapping.kind === 'ClusterRoleBinding'))
      throw new CliError('serviceaccount must be <namespace>:<name>, namespace must be specified');
    return { kind: 'ServiceAccount', namespace: namespace || session.namespace, name };
  });
  const rbac = (kind: string, name: string): Obj => ({ apiGroup: 'rbac.authorization.k8s.io', kind, name });
  const added: Obj[] = [...users.map((name) => rbac('User', name)), ...groups.map((name) => rbac('Group', name)), ...accounts];
  const same = (a: Obj, b: Obj): boolean => a.kind === b.kind && a.name === b.name && (a.namespace ?? '') === (b.namespace ?? '');
  await patchAll(
    session,
    infos,
    'subjects updated',
    (object, info) => {
      if (info.mapping.kind !== 'RoleBinding' && info.mapping.kind !== 'ClusterRoleBinding')
        throw new CliError('setting subjects is only supported for RoleBinding/ClusterRoleBinding');
      const present: Obj[] = object.subjects ?? [];
      object.subjects = [...present, ...added.filter((one) => !present.some((old) => same(old, one)))];
    },
    (error) => `failed to patch subjects to rolebinding: ${errorText(error)}`,
  );
}
