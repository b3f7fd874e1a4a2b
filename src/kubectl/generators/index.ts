import { makePrinter } from '../printers/print-flags.ts';
import { build } from '../resource/builder.ts';
import type { Session } from '../session.ts';
import { CliError } from '../util/errors.ts';
import { compareStrings, type Obj, quote } from '../util/object.ts';
import { canonicalQuantity } from '../util/quantity.ts';
import { base64, collectSources, configKeyProblems, finish, intOrString, metadataOf, nameFromArgs } from './common.ts';
import { hashName } from './hash.ts';

/** Container name from an image (sanitizeAndUniquify). */
function containerName(image: string, random: () => string): string {
  const name = (image.split('/').at(-1) ?? '').split(':')[0]?.split('@')[0] ?? '';
  if (!name.includes('_') && !name.includes('.')) return name;
  return `${name.replace(/[_.]/g, '-').replace(/[^-a-z0-9]/gi, '')}-${random()}`;
}

const ALPHABET = 'bcdfghjklmnpqrstvwxz2456789';

/** kubectl create deployment. */
export async function createDeployment(session: Session, args: string[]): Promise<void> {
  const { flags } = session;
  const name = nameFromArgs(session, args);
  const command = args.slice(1);
  const images = flags.list('image');
  if (images.length > 1 && command.length > 0) throw new CliError('cannot specify multiple --image options and command');
  const random = (): string => Array.from({ length: 5 }, () => ALPHABET[session.process.kernel.random.int(ALPHABET.length)]).join('');
  const port = flags.number('port');
  const labels = { app: name };
  const containers = images.map((image, index) => ({
    name: containerName(image, random),
    image,
    ...(command.length > 0 ? { command } : {}),
    ...(index === 0 && port >= 0 ? { ports: [{ containerPort: port }] } : {}),
    resources: {},
  }));
  const object: Obj = {
    kind: 'Deployment',
    apiVersion: 'apps/v1',
    metadata: metadataOf(session, name, { labels }),
    spec: {
      replicas: flags.number('replicas'),
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { containers } },
      strategy: {},
    },
    status: {},
  };
  await finish(session, object, 'failed to create deployment: ');
}

/** kubectl create namespace. */
export async function createNamespace(session: Session, args: string[]): Promise<void> {
  const name = nameFromArgs(session, args);
  await finish(session, { kind: 'Namespace', apiVersion: 'v1', metadata: { name }, spec: {}, status: {} }, undefined);
}

/** kubectl create serviceaccount. */
export async function createServiceAccount(session: Session, args: string[]): Promise<void> {
  const name = nameFromArgs(session, args);
  await finish(session, { kind: 'ServiceAccount', apiVersion: 'v1', metadata: metadataOf(session, name) }, 'failed to create serviceaccount: ');
}

/** kubectl create configmap. */
export async function createConfigMap(session: Session, args: string[]): Promise<void> {
  const name = nameFromArgs(session, args);
  const data: Record<string, string> = {};
  const binary: Record<string, string> = {};
  await collectSources(
    session,
    (key, bytes) => {
      const problems = configKeyProblems(key);
      if (problems.length > 0) throw new CliError(`${quote(key)} is not a valid key name for a ConfigMap: ${problems.join(',')}`);
      if (key in data) throw new CliError(`cannot add key ${quote(key)}, another key by that name already exists in Data for ConfigMap ${quote(name)}`);
      if (key in binary) throw new CliError(`cannot add key ${quote(key)}, another key by that name already exists in BinaryData for ConfigMap ${quote(name)}`);
      try {
        data[key] = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
      } catch {
        binary[key] = base64(bytes);
      }
    },
    'config',
  );
  const object: Obj = {
    kind: 'ConfigMap',
    apiVersion: 'v1',
    metadata: metadataOf(session, name),
    ...(Object.keys(data).length > 0 ? { data } : {}),
    ...(Object.keys(binary).length > 0 ? { binaryData: binary } : {}),
  };
  if (session.flags.bool('append-hash'))
    object.metadata.name = `${name}-${hashName({ data: object.data ?? {}, kind: 'ConfigMap', name, ...(object.binaryData ? { binaryData: object.binaryData } : {}) })}`;
  await finish(session, object, 'failed to create configmap: ');
}

async function finishSecret(session: Session, name: string, data: Record<string, string>, type: string): Promise<void> {
  const object: Obj = {
    kind: 'Secret',
    apiVersion: 'v1',
    metadata: metadataOf(session, name),
    ...(Object.keys(data).length > 0 ? { data } : {}),
    ...(type === '' ? {} : { type }),
  };
  if (session.flags.bool('append-hash')) object.metadata.name = `${name}-${hashName({ data, kind: 'Secret', name, type })}`;
  await finish(session, object, 'failed to create secret ');
}

async function secretData(session: Session): Promise<Record<string, string>> {
  const data: Record<string, string> = {};
  await collectSources(
    session,
    (key, bytes) => {
      const problems = configKeyProblems(key);
      if (problems.length > 0) throw new CliError(`${quote(key)} is not valid key name for a Secret ${problems.join(';')}`);
      if (key in data) throw new CliError(`cannot add key ${key}, another key by that name already exists`);
      data[key] = base64(bytes);
    },
    'secret',
  );
  return data;
}

/** kubectl create secret generic. */
export async function createSecretGeneric(session: Session, args: string[]): Promise<void> {
  const name = nameFromArgs(session, args);
  await finishSecret(session, name, await secretData(session), session.flags.text('type'));
}

/** kubectl create secret docker-registry. */
export async function createSecretDockerRegistry(session: Session, args: string[]): Promise<void> {
  const { flags } = session;
  const name = nameFromArgs(session, args);
  const username = flags.text('docker-username');
  const password = flags.text('docker-password');
  const server = flags.text('docker-server');
  const fromFile = flags.list('from-file').length > 0;
  if (!fromFile && (!username || !password || !server)) {
    throw new CliError('either --from-file or the combination of --docker-username, --docker-password and --docker-server is required');
  }
  let data: Record<string, string>;
  if (fromFile) data = await secretData(session);
  else {
    const encode = (text: string): string => base64(new TextEncoder().encode(text));
    const email = flags.text('docker-email');
    const entry = { username, password, ...(email === '' ? {} : { email }), auth: encode(`${username}:${password}`) };
    data = { '.dockerconfigjson': encode(JSON.stringify({ auths: { [server]: entry } })) };
  }
  await finishSecret(session, name, data, 'kubernetes.io/dockerconfigjson');
}

/** kubectl create secret tls. */
export async function createSecretTls(session: Session, args: string[]): Promise<void> {
  const { flags } = session;
  const name = nameFromArgs(session, args);
  if (flags.text('cert') === '' || flags.text('key') === '') throw new CliError('key and cert must be specified');
  const read = (path: string): Uint8Array => {
    try {
      return new TextEncoder().encode(session.readFile(path));
    } catch (error) {
      throw new CliError(`Cannot read file ${path}, ${(error as Error).message}`);
    }
  };
  const certificate = read(flags.text('cert'));
  const key = read(flags.text('key'));
  if (!new TextDecoder().decode(certificate).includes('-----BEGIN CERTIFICATE-----'))
    throw new CliError('tls: failed to find any PEM data in certificate input');
  if (!/-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(new TextDecoder().decode(key))) throw new CliError('tls: failed to find any PEM data in key input');
  await finishSecret(session, name, { 'tls.crt': base64(certificate), 'tls.key': base64(key) }, 'kubernetes.io/tls');
}

// ---- services ----

function parsePorts(text: string): { port: number; targetPort: number | string } {
  const [first = '', second] = text.split(':');
  if (!/^\d+$/.test(first)) throw new CliError(`strconv.ParseUint: parsing ${quote(first)}: invalid syntax`);
  const port = Number(first);
  if (port > 65535) throw new CliError(`strconv.ParseUint: parsing ${quote(first)}: value out of range`);
  if (second === undefined) return { port, targetPort: port };
  if (/^[+-]?\d+$/.test(second)) {
    const target = Number(second);
    if (target < 1 || target > 65535) throw new CliError('must be between 1 and 65535, inclusive');
    return { port, targetPort: target };
  }
  if (!/[a-z]/.test(second)) throw new CliError('must contain at least one letter (a-z)');
  if (!/^[-a-z0-9]+$/.test(second)) throw new CliError('must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)');
  if (second.length > 15) throw new CliError('must be no more than 15 characters');
  return { port, targetPort: second };
}

function createService(type: string): (session: Session, args: string[]) => Promise<void> {
  return async (session, args) => {
    const { flags } = session;
    const name = nameFromArgs(session, args);
    const tcp = flags.list('tcp');
    const clusterIp = flags.has('clusterip') ? flags.text('clusterip') : '';
    if (clusterIp !== 'None' && tcp.length === 0 && type !== 'ExternalName') throw new CliError('at least one tcp port specifier must be provided');
    const externalName = flags.has('external-name') ? flags.text('external-name') : '';
    if (type === 'ExternalName' && !/^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/.test(externalName)) {
      throw new CliError(`invalid service external name ${externalName}`);
    }
    const nodePort = flags.has('node-port') ? flags.number('node-port') : 0;
    const ports = tcp.map((text) => ({ name: text.replaceAll(':', '-'), protocol: 'TCP', ...parsePorts(text), ...(nodePort === 0 ? {} : { nodePort }) }));
    const labels = { app: name };
    const object: Obj = {
      kind: 'Service',
      apiVersion: 'v1',
      metadata: metadataOf(session, name, { labels }),
      spec: {
        ...(ports.length > 0 ? { ports } : {}),
        selector: labels,
        ...(clusterIp === '' ? {} : { clusterIP: clusterIp }),
        type,
        ...(externalName === '' ? {} : { externalName }),
      },
      status: { loadBalancer: {} },
    };
    await finish(session, object, `failed to create ${type} service: `);
  };
}

export const createServiceClusterIp = createService('ClusterIP');
export const createServiceNodePort = createService('NodePort');
export const createServiceLoadBalancer = createService('LoadBalancer');
export const createServiceExternalName = createService('ExternalName');

// ---- batch ----

/** kubectl create job. */
export async function createJob(session: Session, args: string[]): Promise<void> {
  const { flags } = session;
  const name = nameFromArgs(session, args);
  const command = args.slice(1);
  const image = flags.text('image');
  const from = flags.text('from');
  if ((image === '') === (from === '')) throw new CliError('either --image or --from must be specified');
  if (command.length > 0 && from !== '') throw new CliError('cannot specify --from and command');
  let object: Obj;
  if (image !== '') {
    const containers = [{ name, image, ...(command.length > 0 ? { command } : {}), resources: {} }];
    object = {
      kind: 'Job',
      apiVersion: 'batch/v1',
      metadata: metadataOf(session, name),
      spec: { template: { metadata: {}, spec: { containers, restartPolicy: 'Never' } } },
      status: {},
    };
  } else {
    const result = await build(session, { args: [from], namespace: session.namespace, flatten: true, latest: true });
    const infos = await result.infos();
    const [info] = infos;
    if (infos.length !== 1 || !info) throw new CliError('from must be an existing cronjob');
    const cron = info.object as Obj;
    if (info.mapping.kind !== 'CronJob') throw new CliError(`unknown object type *v1.${info.mapping.kind}`);
    const { labels } = cron.spec.jobTemplate.metadata ?? {};
    object = {
      kind: 'Job',
      apiVersion: 'batch/v1',
      metadata: metadataOf(session, name, {
        ...(labels ? { labels } : {}),
        annotations: { 'cronjob.kubernetes.io/instantiate': 'manual', ...cron.spec.jobTemplate.metadata?.annotations },
        ownerReferences: [{ apiVersion: 'batch/v1', kind: 'CronJob', name: cron.metadata.name, uid: cron.metadata.uid, controller: true }],
      }),
      spec: cron.spec.jobTemplate.spec,
      status: {},
    };
  }
  await finish(session, object, 'failed to create job: ');
}

/** kubectl create cronjob. */
export async function createCronJob(session: Session, args: string[]): Promise<void> {
  const { flags } = session;
  const name = nameFromArgs(session, args);
  const command = args.slice(1);
  const containers = [{ name, image: flags.text('image'), ...(command.length > 0 ? { command } : {}), resources: {} }];
  const object: Obj = {
    kind: 'CronJob',
    apiVersion: 'batch/v1',
    metadata: metadataOf(session, name),
    spec: {
      schedule: flags.text('schedule'),
      jobTemplate: { metadata: { name }, spec: { template: { metadata: {}, spec: { containers, restartPolicy: flags.text('restart') || 'OnFailure' } } } },
    },
    status: {},
  };
  await finish(session, object, 'failed to create cronjob: ');
}

// ---- policy ----

/** kubectl create quota. */
export async function createQuota(session: Session, args: string[]): Promise<void> {
  const { flags } = session;
  const name = nameFromArgs(session, args);
  const hard: Record<string, string> = {};
  if (flags.text('hard') !== '') {
    for (const statement of flags.text('hard').split(',')) {
      const parts = statement.split('=');
      if (parts.length !== 2) throw new CliError(`Invalid argument syntax ${statement}, expected <resource>=<value>`);
      const quantity = canonicalQuantity(parts[1] as string);
      if (quantity === undefined) throw new CliError("quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'");
      hard[parts[0] as string] = quantity;
    }
  }
  const scopes = flags.text('scopes') === '' ? [] : flags.text('scopes').split(',');
  if (scopes.includes('')) throw new CliError('invalid resource quota scope ""');
  const spec = { ...(Object.keys(hard).length > 0 ? { hard } : {}), ...(scopes.length > 0 ? { scopes } : {}) };
  await finish(session, { kind: 'ResourceQuota', apiVersion: 'v1', metadata: metadataOf(session, name), spec, status: {} }, 'failed to create quota: ');
}

/** metav1.ParseToLabelSelector, for equality and set terms. */
function toLabelSelector(text: string): Obj {
  const selector: Obj = {};
  for (const term of text.match(/[^,(]+(\([^)]*\))?/g) ?? []) {
    const set = /^\s*(\S+)\s+(in|notin)\s+\(([^)]*)\)\s*$/.exec(term);
    const pair = /^\s*([^=!\s]+)\s*(==|=|!=)\s*(\S*)\s*$/.exec(term);
    const add = (key: string, operator: string, values?: string[]): void => {
      selector.matchExpressions = [...(selector.matchExpressions ?? []), { key, operator, ...(values ? { values } : {}) }];
    };
    if (set)
      add(
        set[1] as string,
        set[2] === 'in' ? 'In' : 'NotIn',
        (set[3] ?? '').split(',').map((value) => value.trim()),
      );
    else if (pair && pair[2] !== '!=') selector.matchLabels = { ...selector.matchLabels, [pair[1] as string]: pair[3] ?? '' };
    else if (pair) throw new CliError('"!=" is not a valid label selector operator');
    else if (/^\s*!/.test(term)) add(term.trim().slice(1), 'DoesNotExist');
    else add(term.trim(), 'Exists');
  }
  return selector;
}

/** kubectl create poddisruptionbudget. */
export async function createPodDisruptionBudget(session: Session, args: string[]): Promise<void> {
  const { flags } = session;
  const name = nameFromArgs(session, args);
  const min = flags.text('min-available');
  const max = flags.text('max-unavailable');
  if (flags.text('selector') === '') throw new CliError('a selector must be specified');
  if (min === '' && max === '') throw new CliError('one of min-available or max-unavailable must be specified');
  if (min !== '' && max !== '') throw new CliError('min-available and max-unavailable cannot be both specified');
  if (min !== '' && !/^\d+%?$/.test(min)) throw new CliError('invalid format specified for min-available');
  if (max !== '' && !/^\d+%?$/.test(max)) throw new CliError('invalid format specified for max-unavailable');
  const object: Obj = {
    kind: 'PodDisruptionBudget',
    apiVersion: 'policy/v1',
    metadata: metadataOf(session, name),
    spec: {
      ...(min === '' ? {} : { minAvailable: intOrString(min) }),
      selector: toLabelSelector(flags.text('selector')),
      ...(max === '' ? {} : { maxUnavailable: intOrString(max) }),
    },
    status: { disruptionsAllowed: 0, currentHealthy: 0, desiredHealthy: 0, expectedPods: 0 },
  };
  await finish(session, object, 'failed to create poddisruptionbudgets: ');
}

/** kubectl create priorityclass. */
export async function createPriorityClass(session: Session, args: string[]): Promise<void> {
  const { flags } = session;
  const name = nameFromArgs(session, args);
  const object: Obj = {
    kind: 'PriorityClass',
    apiVersion: 'scheduling.k8s.io/v1',
    metadata: { name },
    value: flags.number('value'),
    ...(flags.bool('global-default') ? { globalDefault: true } : {}),
    ...(flags.text('description') === '' ? {} : { description: flags.text('description') }),
    preemptionPolicy: flags.text('preemption-policy'),
  };
  await finish(session, object, 'failed to create priorityclass: ');
}

// ---- ingress ----

const INGRESS_RULE = /^([^/]*)\/([^=]*)=([^:]+):([^,:]+)(?:,(tls(?:=.*)?))?$/;

/** kubectl create ingress. */
export async function createIngress(session: Session, args: string[]): Promise<void> {
  const { flags } = session;
  const name = nameFromArgs(session, args);
  const rules = flags.list('rule');
  const backendText = flags.text('default-backend');
  if (backendText === '' && rules.length === 0) {
    throw new CliError(
      'not enough information provided: every ingress has to either specify a default-backend (which catches all traffic) or a list of rules (which catch specific paths)',
    );
  }
  for (const rule of rules)
    if (!INGRESS_RULE.test(rule)) throw new CliError(`rule ${rule} is invalid and should be in format host/path=svcname:svcport[,tls[=secret]]`);
  const annotations: Record<string, string> = {};
  for (const annotation of flags.list('annotation')) {
    const equals = annotation.indexOf('=');
    if (equals < 0) throw new CliError(`annotation ${annotation} is invalid and should be in format key=[value]`);
    annotations[annotation.slice(0, equals)] = annotation.slice(equals + 1);
  }
  if (backendText !== '' && backendText.split(':').length !== 2) throw new CliError('default-backend should be in format servicename:serviceport');
  const backend = (text: string): Obj => {
    const [service = '', port = ''] = text.split(':');
    const value = intOrString(port);
    return { service: { name: service, port: typeof value === 'number' ? { number: value } : { name: value } } };
  };
  const tls: Obj[] = [];
  const grouped: Obj[] = [];
  const tlsHosts = new Set<string>();
  for (const rule of rules) {
    const [main = '', tlsText, more] = rule.split(',');
    const host = main.slice(0, main.indexOf('/'));
    const [pathText = '', service = ''] = main.slice(main.indexOf('/') + 1).split('=');
    const prefix = `/${pathText}`.endsWith('*');
    const path = { path: prefix ? `/${pathText}`.slice(0, -1) : `/${pathText}`, pathType: prefix ? 'Prefix' : 'Exact', backend: backend(service) };
    const known = grouped.find((each) => (each.host ?? '') === host);
    if (known) known.http.paths.push(path);
    else grouped.push({ ...(host === '' ? {} : { host }), http: { paths: [path] } });
    if (tlsText === undefined || more !== undefined || tlsHosts.has(host)) continue;
    tlsHosts.add(host);
    const secret = tlsText.split('=')[1] ?? '';
    const same = tls.find((each) => (each.secretName ?? '') === secret);
    if (same) same.hosts = [...(same.hosts ?? []), host];
    else if (host !== '' || secret !== '') tls.push({ ...(host === '' ? {} : { hosts: [host] }), ...(secret === '' ? {} : { secretName: secret }) });
  }
  const object: Obj = {
    kind: 'Ingress',
    apiVersion: 'networking.k8s.io/v1',
    metadata: metadataOf(session, name, Object.keys(annotations).length > 0 ? { annotations } : {}),
    spec: {
      ...(flags.text('class') === '' ? {} : { ingressClassName: flags.text('class') }),
      ...(backendText === '' ? {} : { defaultBackend: backend(backendText) }),
      ...(tls.length > 0 ? { tls } : {}),
      ...(grouped.length > 0 ? { rules: grouped } : {}),
    },
    status: { loadBalancer: {} },
  };
  await finish(session, object, 'failed to create ingress: ');
}

// ---- rbac ----

const RBAC = 'rbac.authorization.k8s.io';
const RESOURCE_VERBS = new Set(
  '* get delete list create update patch watch proxy deletecollection use bind escalate impersonate approve sign attest'.split(' '),
);
const NON_RESOURCE_VERBS = new Set('* get post put delete patch head options'.split(' '));
const SPECIAL_VERBS: Record<string, string[]> = {
  use: ['podsecuritypolicies.policy', 'podsecuritypolicies.extensions'],
  bind: [`roles.${RBAC}`, `clusterroles.${RBAC}`],
  escalate: [`roles.${RBAC}`, `clusterroles.${RBAC}`],
  impersonate: ['users', 'serviceaccounts', 'groups', 'userextras.authentication.k8s.io'],
};

interface RuleParts {
  verbs: string[];
  rules: Obj[];
}

async function policyRules(session: Session, nonResourceUrls: string[]): Promise<RuleParts> {
  const { flags } = session;
  const given = flags.list('verb');
  const verbs = given.includes('*') ? ['*'] : [...new Set(given)];
  if (verbs.length === 0) throw new CliError('at least one verb must be specified');
  const resources: { resource: string; group: string; sub: string }[] = [];
  for (const text of flags.list('resource')) {
    const slash = text.indexOf('/');
    const head = slash < 0 ? text : text.slice(0, slash);
    const dot = head.indexOf('.');
    const entry = { resource: dot < 0 ? head : head.slice(0, dot), group: dot < 0 ? '' : head.slice(dot + 1), sub: slash < 0 ? '' : text.slice(slash + 1) };
    if (entry.resource === '*' && dot < 0 && slash < 0) {
      resources.splice(0, resources.length, entry);
      break;
    }
    resources.push(entry);
  }
  const clusterRole = flags.has('non-resource-url');
  if (resources.length === 0 && nonResourceUrls.length === 0)
    throw new CliError(clusterRole ? 'one of resource or nonResourceURL must be specified' : 'at least one resource must be specified');
  if (resources.length > 0) for (const verb of verbs) if (!RESOURCE_VERBS.has(verb)) await session.err(`Warning: '${verb}' is not a standard resource verb\n`);
  const mapper = await session.mapper();
  const byGroup = new Map<string, string[]>();
  for (const { resource, group, sub } of resources) {
    if (resource === '') throw new CliError('resource must be specified if apiGroup/subresource specified');
    let found = { resource, group };
    let failure: unknown;
    if (resource !== '*') {
      try {
        const mapping = mapper.resourceFor(group === '' ? resource : `${resource}.${group}`);
        found = { resource: mapping.resource, group: mapping.group };
      } catch (error) {
        failure = error;
      }
      for (const verb of verbs) {
        const special = SPECIAL_VERBS[verb];
        if (!special) continue;
        if (!special.includes(found.group === '' ? found.resource : `${found.resource}.${found.group}`)) {
          throw new CliError(`can not perform '${verb}' on '${found.resource}' in group '${found.group}'`);
        }
        failure = undefined;
      }
      if (failure) throw failure;
    }
    const name = sub === '' ? found.resource : `${found.resource}/${sub}`;
    const list = byGroup.get(found.group) ?? [];
    if (!list.includes(name)) list.push(name);
    byGroup.set(found.group, list);
  }
  const names = [...new Set(flags.list('resource-name'))];
  const rules: Obj[] = [...byGroup.keys()]
    .sort(compareStrings)
    .map((group) => ({ verbs, apiGroups: [group], resources: byGroup.get(group), ...(names.length > 0 ? { resourceNames: names } : {}) }));
  return { verbs, rules };
}

/** kubectl create role. */
export async function createRole(session: Session, args: string[]): Promise<void> {
  const name = nameFromArgs(session, args);
  const { rules } = await policyRules(session, []);
  await finish(session, { kind: 'Role', apiVersion: `${RBAC}/v1`, metadata: metadataOf(session, name), rules }, undefined);
}

/** kubectl create clusterrole. */
export async function createClusterRole(session: Session, args: string[]): Promise<void> {
  const { flags } = session;
  const name = nameFromArgs(session, args);
  const urls = flags.list('non-resource-url');
  const aggregation = flags.text('aggregation-rule');
  if (aggregation !== '') {
    if (urls.length + flags.list('verb').length + flags.list('resource').length + flags.list('resource-name').length > 0) {
      throw new CliError('aggregation rule must be specified without nonResourceURLs, verbs, resources or resourceNames');
    }
    const matchLabels = Object.fromEntries(aggregation.split(',').map((pair) => [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)]));
    await finish(
      session,
      { kind: 'ClusterRole', apiVersion: `${RBAC}/v1`, metadata: { name }, rules: null, aggregationRule: { clusterRoleSelectors: [{ matchLabels }] } },
      undefined,
    );
    return;
  }
  const { verbs, rules } = await policyRules(session, urls);
  for (const url of urls) {
    for (const verb of verbs) if (!NON_RESOURCE_VERBS.has(verb)) throw new CliError(`invalid verb: '${verb}' for nonResourceURL`);
    if (url === '*') continue;
    if (!url.startsWith('/')) throw new CliError('nonResourceURL should start with /');
    if (url.slice(0, -1).includes('*')) throw new CliError("nonResourceURL only supports wildcard matches when '*' is at the end");
  }
  if (urls.length > 0) rules.push({ verbs, nonResourceURLs: urls });
  await finish(session, { kind: 'ClusterRole', apiVersion: `${RBAC}/v1`, metadata: { name }, rules }, undefined);
}

function subjectsOf(session: Session): Obj[] {
  const { flags } = session;
  return [
    ...flags.list('user').map((user) => ({ kind: 'User', apiGroup: RBAC, name: user })),
    ...flags.list('group').map((group) => ({ kind: 'Group', apiGroup: RBAC, name: group })),
    ...flags.list('serviceaccount').map((account) => {
      const tokens = account.split(':');
      if (tokens.length !== 2 || tokens[0] === '' || tokens[1] === '') throw new CliError('serviceaccount must be <namespace>:<name>');
      return { kind: 'ServiceAccount', name: tokens[1], namespace: tokens[0] };
    }),
  ];
}

/** kubectl create rolebinding. */
export async function createRoleBinding(session: Session, args: string[]): Promise<void> {
  const { flags } = session;
  const name = nameFromArgs(session, args);
  const role = flags.text('role');
  const clusterRole = flags.text('clusterrole');
  if ((role === '') === (clusterRole === '')) throw new CliError('exactly one of clusterrole or role must be specified');
  const subjects = subjectsOf(session);
  const roleRef = { apiGroup: RBAC, kind: role === '' ? 'ClusterRole' : 'Role', name: role || clusterRole };
  await finish(
    session,
    { kind: 'RoleBinding', apiVersion: `${RBAC}/v1`, metadata: metadataOf(session, name), ...(subjects.length > 0 ? { subjects } : {}), roleRef },
    'failed to create rolebinding: ',
  );
}

/** kubectl create clusterrolebinding. */
export async function createClusterRoleBinding(session: Session, args: string[]): Promise<void> {
  const name = nameFromArgs(session, args);
  const subjects = subjectsOf(session);
  const roleRef = { apiGroup: RBAC, kind: 'ClusterRole', name: session.flags.text('clusterrole') };
  await finish(
    session,
    { kind: 'ClusterRoleBinding', apiVersion: `${RBAC}/v1`, metadata: { name }, ...(subjects.length > 0 ? { subjects } : {}), roleRef },
    'failed to create clusterrolebinding: ',
  );
}

/** kubectl create token. */
export async function createToken(session: Session, args: string[]): Promise<void> {
  const { flags } = session;
  const name = nameFromArgs(session, args);
  const duration = flags.number('duration');
  if (duration < 0) throw new CliError('--duration must be greater than or equal to 0');
  if (duration % 1000 !== 0) throw new CliError('--duration cannot be expressed in units less than seconds');
  const kind = flags.text('bound-object-kind');
  const kinds: Record<string, string> = { Node: 'v1', Pod: 'v1', Secret: 'v1' };
  if (kind === '') {
    if (flags.text('bound-object-name') !== '') throw new CliError('--bound-object-name can only be set if --bound-object-kind is provided');
    if (flags.text('bound-object-uid') !== '') throw new CliError('--bound-object-uid can only be set if --bound-object-kind is provided');
  } else {
    if (!(kind in kinds)) throw new CliError(`supported --bound-object-kind values are ${Object.keys(kinds).join(', ')}`);
    if (flags.text('bound-object-name') === '') throw new CliError('--bound-object-name is required if --bound-object-kind is provided');
  }
  const audiences = flags.list('audience');
  const bound =
    kind === ''
      ? {}
      : {
          boundObjectRef: {
            kind,
            apiVersion: kinds[kind],
            name: flags.text('bound-object-name'),
            ...(flags.text('bound-object-uid') === '' ? {} : { uid: flags.text('bound-object-uid') }),
          },
        };
  let response: Obj;
  try {
    response = await session.client.request('POST', `/api/v1/namespaces/${session.namespace}/serviceaccounts/${name}/token`, {
      body: {
        kind: 'TokenRequest',
        apiVersion: 'authentication.k8s.io/v1',
        metadata: {},
        spec: { audiences: audiences.length > 0 ? audiences : null, ...(duration > 0 ? { expirationSeconds: duration / 1000 } : {}), ...bound },
        status: {},
      },
    });
  } catch (error) {
    if (error instanceof Error && (error.name === 'Killed' || error.name === 'Errno')) throw error;
    throw new CliError(`failed to create token: ${(error as Error).message}`);
  }
  if (!response.status?.token) throw new CliError('failed to create token: no token in server response');
  if (flags.text('output') !== '') {
    const printer = await makePrinter(session, '');
    await session.out(printer.print(response));
    return;
  }
  await session.out(response.status.token + (session.process.stdout.kind === 'tty' ? '\n' : ''));
}
