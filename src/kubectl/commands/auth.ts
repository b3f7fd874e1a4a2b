import { makePrinter } from '../printers/print-flags.ts';
import { TabWriter } from '../printers/tab-writer.ts';
import type { Session } from '../session.ts';
import { CliError, NoResourceMatch } from '../util/errors.ts';
import { compareStrings, goList, type Obj } from '../util/object.ts';

const RESOURCE_VERBS = [
  'get',
  'list',
  'watch',
  'create',
  'update',
  'patch',
  'delete',
  'deletecollection',
  'use',
  'bind',
  'impersonate',
  '*',
  'approve',
  'sign',
  'escalate',
  'attest',
];
const URL_VERBS = ['get', 'put', 'post', 'head', 'options', 'delete', 'patch', '*'];
/** Names that rules may use although discovery does not list them. */
const VIRTUAL_RESOURCES = ['users', 'groups', 'signers.certificates.k8s.io'];

/** kubectl auth can-i. The exit code is 1 for "no". */
export async function canI(session: Session, args: string[]): Promise<number> {
  const { flags } = session;
  const namespace = flags.bool('all-namespaces') ? '' : session.namespace;
  if (flags.bool('list')) {
    if (args.length > 0) throw new CliError('list option must be specified with no arguments');
    if (flags.bool('quiet') || flags.bool('all-namespaces') || flags.text('subresource') !== '') {
      throw new CliError("list option can't be specified with neither quiet, all-namespaces nor subresource options");
    }
    await listRules(session, namespace);
    return 0;
  }
  const [verb, target] = args;
  if (verb === undefined || target === undefined || args.length !== 2) {
    throw new CliError("you must specify two arguments: verb resource or verb resource/resourceName.\nSee 'kubectl auth can-i -h' for help and examples.");
  }
  if (flags.bool('no-headers')) throw new CliError('--no-headers cannot be set without --list specified');
  const spec = target.startsWith('/') ? await urlAttributes(session, verb, target) : await resourceAttributes(session, verb, target, namespace);
  const review = await session.client.request('POST', '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews', {
    body: { apiVersion: 'authorization.k8s.io/v1', kind: 'SelfSubjectAccessReview', spec },
  });
  const { allowed, reason, evaluationError } = review.status ?? {};
  const answer = allowed ? 'yes' : `no${reason ? ` - ${reason}` : ''}${evaluationError ? ` - ${evaluationError}` : ''}`;
  if (!flags.bool('quiet')) await session.out(`${answer}\n`);
  return allowed ? 0 : 1;
}

async function urlAttributes(session: Session, verb: string, path: string): Promise<Obj> {
  if (session.flags.text('subresource') !== '') throw new CliError('--subresource can not be used with NonResourceURL');
  if (!URL_VERBS.includes(verb)) await session.warn(`verb '${verb}' is not a known verb\n`);
  return { nonResourceAttributes: { verb, path } };
}

async function resourceAttributes(session: Session, verb: string, target: string, namespace: string): Promise<Obj> {
  const cut = target.indexOf('/');
  const type = cut < 0 ? target : target.slice(0, cut);
  const name = cut < 0 ? undefined : target.slice(cut + 1);
  let group = '';
  let resource = type;
  if (type !== '*') {
    try {
      const mapping = (await session.mapper()).resourceFor(type.toLowerCase());
      ({ group, resource } = mapping);
      if (!mapping.namespaced && !session.flags.bool('all-namespaces'))
        await session.warn(`resource '${resource}' is not namespace scoped${group ? ` in group '${group}'` : ''}\n`);
    } catch (error) {
      if (!(error instanceof NoResourceMatch)) throw error;
      const [word = '', ...rest] = type.toLowerCase().split('.');
      if (!VIRTUAL_RESOURCES.includes(type.toLowerCase()))
        await session.warn(`the server doesn't have a resource type '${word}'${rest.length > 0 ? ` in group '${rest.join('.')}'` : ''}\n`);
    }
  }
  if (!session.flags.bool('all-namespaces') && !RESOURCE_VERBS.includes(verb)) await session.warn(`verb '${verb}' is not a known verb\n`);
  return {
    resourceAttributes: {
      namespace: namespace || undefined,
      verb,
      group: group || undefined,
      resource,
      subresource: session.flags.text('subresource') || undefined,
      name,
    },
  };
}

async function listRules(session: Session, namespace: string): Promise<void> {
  const review = await session.client.request('POST', '/apis/authorization.k8s.io/v1/selfsubjectrulesreviews', {
    body: { apiVersion: 'authorization.k8s.io/v1', kind: 'SelfSubjectRulesReview', spec: { namespace } },
  });
  const { resourceRules = [], nonResourceRules = [], incomplete, evaluationError } = review.status ?? {};
  if (incomplete) await session.warn(`the list may be incomplete: ${evaluationError}`);
  interface Row {
    resource: string;
    urls: string[];
    names: string[];
    verbs: string[];
  }
  const rows = new Map<string, Row>();
  const add = (row: Omit<Row, 'verbs'>, verb: string): void => {
    const key = JSON.stringify(row);
    const present = rows.get(key) ?? { ...row, verbs: [] };
    if (!present.verbs.includes(verb)) present.verbs.push(verb);
    rows.set(key, present);
  };
  for (const rule of resourceRules) {
    for (const group of rule.apiGroups ?? []) {
      for (const full of rule.resources ?? []) {
        const [base = '', sub] = String(full).split('/');
        const resource = `${base}${group ? `.${group}` : ''}${sub ? `/${sub}` : ''}`;
        for (const verb of rule.verbs ?? [])
          for (const name of rule.resourceNames?.length ? rule.resourceNames : [undefined])
            add({ resource, urls: [], names: name === undefined ? [] : [name] }, verb);
      }
    }
  }
  // Only resource rules are gathered by their verbs; each URL rule keeps a row of its own.
  nonResourceRules.forEach((rule: Obj, i: number) => {
    for (const url of rule.nonResourceURLs ?? []) rows.set(`${i} ${url}`, { resource: '', urls: [url], names: [], verbs: rule.verbs ?? [] });
  });
  const writer = new TabWriter();
  if (!session.flags.bool('no-headers')) writer.write('Resources\tNon-Resource URLs\tResource Names\tVerbs\n');
  const sorted = [...rows.values()].sort(
    (a, b) =>
      compareStrings(goList(a.verbs), goList(b.verbs)) ||
      Number(a.resource === '') - Number(b.resource === '') ||
      compareStrings(a.resource, b.resource) ||
      compareStrings(goList(a.urls), goList(b.urls)),
  );
  for (const row of sorted) writer.write(`${row.resource}\t${goList(row.urls)}\t${goList(row.names)}\t${goList(row.verbs)}\n`);
  await session.out(writer.flush());
}

/** kubectl auth whoami. */
export async function whoAmI(session: Session): Promise<void> {
  const review = await session.client.request('POST', '/apis/authentication.k8s.io/v1/selfsubjectreviews', {
    body: { apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview' },
  });
  if (session.flags.text('output') !== '') {
    await session.out((await makePrinter(session, '')).print(review, { typed: true }));
    return;
  }
  const { username, uid, groups = [], extra = {} } = review.status?.userInfo ?? {};
  const writer = new TabWriter();
  writer.write('ATTRIBUTE\tVALUE\n');
  if (username) writer.write(`Username\t${username}\n`);
  if (uid) writer.write(`UID\t${uid}\n`);
  if (groups.length > 0) writer.write(`Groups\t${goList(groups)}\n`);
  for (const key of Object.keys(extra).sort(compareStrings)) writer.write(`Extra: ${key}\t${goList(extra[key])}\n`);
  await session.out(writer.flush());
}
