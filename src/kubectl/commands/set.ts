import { makePrinter } from '../printers/print-flags.ts';
import { Helper } from '../resource/info.ts';
import type { Session } from '../session.ts';
import { CliError, errorText } from '../util/errors.ts';
import { compareStrings, type Obj } from '../util/object.ts';
import { patchAll, podSpecOf, setTargets } from './set-image.ts';

const NO_RESOURCE = 'one or more resources must be specified as <resource> <name> or <resource>/<name>';

function named(container: Obj, pattern: string): boolean {
  return new RegExp(`^${pattern.replace(/[.+?^${}()|[\]\\]/g, '\\$&').replaceAll('*', '.*')}$`).test(container.name);
}

/** Every container (init containers too) whose name matches --containers. */
function chosenContainers(spec: Obj, pattern: string): Obj[] {
  return [...(spec.initContainers ?? []), ...(spec.containers ?? [])].filter((container: Obj) => named(container, pattern));
}

/** kubectl set env. */
export async function setEnv(session: Session, args: string[]): Promise<void> {
  const { flags } = session;
  const resources = args.filter((argument) => !/^[^/]+=/.test(argument) && !argument.endsWith('-'));
  const specs = [...args.filter((argument) => !resources.includes(argument)), ...flags.list('env')];
  if (resources.length === 0 && flags.list('filename').length === 0) throw new CliError(NO_RESOURCE);
  if (flags.bool('list')) return listEnv(session, resources);
  const additions: Obj[] = [];
  const removals: string[] = [];
  for (const spec of specs) {
    const cut = spec.indexOf('=');
    if (cut > 0) additions.push({ name: spec.slice(0, cut), value: spec.slice(cut + 1) });
    else removals.push(spec.slice(0, -1));
  }
  additions.push(...(await envFrom(session, flags.text('from'))));
  if (additions.length === 0 && removals.length === 0) throw new CliError('at least one environment variable must be provided');
  const both = removals.find((name) => additions.some((addition) => addition.name === name));
  if (both !== undefined) throw new CliError(`can not both modify and remove an environment variable in the same command`);
  await patchAll(
    session,
    await setTargets(session, resources),
    'env updated',
    (object) => {
      const containers = chosenContainers(podSpecOf(object), flags.text('containers'));
      if (containers.length === 0) throw new CliError(`does not have any containers matching "${flags.text('containers')}"`);
      for (const container of containers) {
        const present: Obj[] = container.env ?? [];
        const clash = flags.bool('overwrite') ? undefined : additions.find((addition) => present.some((old) => old.name === addition.name));
        if (clash) throw new CliError(`'${clash.name}' already has a value, and --overwrite is false`);
        const merged = present.map((old) => additions.find((addition) => addition.name === old.name) ?? old);
        const fresh = additions.filter((addition) => !present.some((old) => old.name === addition.name));
        container.env = [...merged, ...fresh].filter((variable) => !removals.includes(variable.name));
        if (container.env.length === 0) delete container.env;
      }
    },
    (error) => `failed to patch env update to pod template: ${errorText(error)}`,
  );
}

/** --from=configmap/x or secret/x: one variable for each key, by reference. */
async function envFrom(session: Session, source: string): Promise<Obj[]> {
  if (source === '') return [];
  const [type = '', name = ''] = source.split('/');
  const mapping = (await session.mapper()).mappingFor(type);
  if (mapping.resource !== 'configmaps' && mapping.resource !== 'secrets') throw new CliError(`unsupported resource specified in --from`);
  const object = await new Helper(session, mapping).get(session.namespace, name);
  const wanted = session.flags.list('keys');
  const key = mapping.resource === 'secrets' ? 'secretKeyRef' : 'configMapKeyRef';
  return Object.keys(object.data ?? {})
    .filter((entry) => wanted.length === 0 || wanted.includes(entry))
    .sort(compareStrings)
    .map((entry) => ({ name: session.flags.text('prefix') + entry.toUpperCase().replace(/[^A-Z0-9_]/g, '_'), valueFrom: { [key]: { name, key: entry } } }));
}

async function listEnv(session: Session, resources: readonly string[]): Promise<void> {
  for (const info of await setTargets(session, resources)) {
    for (const container of chosenContainers(podSpecOf(info.object as Obj), session.flags.text('containers'))) {
      await session.out(`# ${info.objectName}, container ${container.name}\n`);
      for (const variable of container.env ?? []) {
        if (!variable.valueFrom) await session.out(`${variable.name}=${variable.value ?? ''}\n`);
        else {
          const { configMapKeyRef: map, secretKeyRef: secret, fieldRef: field } = variable.valueFrom;
          const from = map
            ? `configmap ${map.name}, key ${map.key}`
            : secret
              ? `secret ${secret.name}, key ${secret.key}`
              : field
                ? `field path ${field.fieldPath}`
                : 'a resource field';
          await session.out(`# ${variable.name} from ${from}\n`);
        }
      }
    }
  }
}

/** kubectl set resources. */
export async function setResources(session: Session, args: string[]): Promise<void> {
  const { flags } = session;
  if (flags.text('limits') === '' && flags.text('requests') === '')
    throw new CliError('you must specify an update to requests or limits (in the form of --requests/--limits)');
  const parse = (text: string): Obj =>
    Object.fromEntries(
      text
        .split(',')
        .filter(Boolean)
        .map((pair) => {
          const parts = pair.split('=');
          if (parts.length !== 2) throw new CliError(`invalid argument syntax ${pair}, expected <resource>=<value>`);
          return parts as [string, string];
        }),
    );
  const limits = parse(flags.text('limits'));
  const requests = parse(flags.text('requests'));
  await patchAll(
    session,
    await setTargets(session, args),
    'resource requirements updated',
    (object) => {
      const containers = chosenContainers(podSpecOf(object), flags.text('containers'));
      if (containers.length === 0) throw new CliError(`error: unable to find container named ${flags.text('containers')}`);
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
}

/** kubectl set selector: only Services allow it once they exist. */
export async function setSelector(session: Session, args: string[]): Promise<void> {
  const text = args.at(-1) ?? '';
  const resources = args.slice(0, -1);
  if (resources.length === 0) throw new CliError(NO_RESOURCE);
  const selector = Object.fromEntries(
    text.split(',').map((pair) => {
      const parts = pair.split('=');
      if (parts.length !== 2 || parts[0] === '') throw new CliError(`invalid selector: ${text}`);
      return parts as [string, string];
    }),
  );
  const dryRun = await session.dryRun();
  const printer = await makePrinter(session, 'selector updated');
  for (const info of await setTargets(session, resources)) {
    if (info.mapping.resource !== 'services') throw new CliError('setting a selector is only supported for Services');
    const object = info.object as Obj;
    const after = { ...object, spec: { ...object.spec, selector } };
    const helper = new Helper(session, info.mapping, { dryRun, fieldManager: session.flags.text('field-manager') });
    await session.out(
      printer.print(dryRun === 'client' || session.flags.bool('local') ? after : await helper.replace(info.namespace, info.name, after, false)),
    );
  }
}

/** kubectl set serviceaccount. */
export async function setServiceAccount(session: Session, args: string[]): Promise<void> {
  if (args.length === 0) throw new CliError('serviceaccount is required');
  const account = args.at(-1) as string;
  const resources = args.slice(0, -1);
  if (resources.length === 0 && session.flags.list('filename').length === 0) throw new CliError(NO_RESOURCE);
  await patchAll(
    session,
    await setTargets(session, resources),
    'serviceaccount updated',
    (object) => {
      podSpecOf(object).serviceAccountName = account;
    },
    (error) => `failed to patch ServiceAccountName ${errorText(error)}`,
  );
}

/** kubectl set subject: users, groups and service accounts of a role binding. */
export async function setSubject(session: Session, args: string[]): Promise<void> {
  const { flags } = session;
  const accounts = flags.list('serviceaccount').map((spec) => {
    const [namespace = '', name] = spec.split(':');
    if (name === undefined || spec.split(':').length !== 2) throw new CliError('serviceaccount must be <namespace>:<name>');
    return { kind: 'ServiceAccount', namespace, name };
  });
  const rbac = (kind: string, name: string): Obj => ({ apiGroup: 'rbac.authorization.k8s.io', kind, name });
  const added: Obj[] = [...flags.list('user').map((name) => rbac('User', name)), ...flags.list('group').map((name) => rbac('Group', name)), ...accounts];
  if (added.length === 0) throw new CliError('you must specify at least one value of user, group or serviceaccount');
  await patchAll(
    session,
    await setTargets(session, args),
    'subjects updated',
    (object) => {
      const present: Obj[] = object.subjects ?? [];
      const same = (a: Obj, b: Obj): boolean => a.kind === b.kind && a.name === b.name && (a.namespace ?? '') === (b.namespace ?? '');
      object.subjects = [...present, ...added.filter((one) => !present.some((old) => same(old, one)))];
    },
    (error) => `failed to patch subjects to rolebinding: ${errorText(error)}`,
  );
}
