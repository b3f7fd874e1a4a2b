import { parseBool } from '../cli/flags.ts';
import { base64 } from '../generators/common.ts';
import type { Session } from '../session.ts';
import { CliError } from '../util/errors.ts';
import { compareStrings, type Obj } from '../util/object.ts';
import { change, expect, LISTS, type List, setEntry } from './config.ts';

/** What a path may lead to: `s` text, `b` yes or no, `d` bytes, `m` a table of texts, `l` a list. */
const FIELDS: Record<List, { type: string; fields: Record<string, 's' | 'b' | 'd' | 'm' | 'l'> }> = {
  clusters: {
    type: 'api.Cluster',
    fields: {
      server: 's',
      'tls-server-name': 's',
      'insecure-skip-tls-verify': 'b',
      'certificate-authority': 's',
      'certificate-authority-data': 'd',
      'proxy-url': 's',
      'disable-compression': 'b',
    },
  },
  contexts: { type: 'api.Context', fields: { cluster: 's', user: 's', namespace: 's' } },
  users: {
    type: 'api.AuthInfo',
    fields: {
      'client-certificate': 's',
      'client-certificate-data': 'd',
      'client-key': 's',
      'client-key-data': 'd',
      token: 's',
      tokenFile: 's',
      'act-as': 's',
      'act-as-uid': 's',
      'act-as-groups': 'l',
      'act-as-user-extra': 'm',
      username: 's',
      password: 's',
    },
  },
};

/** kubectl config set: dotted paths such as contexts.k3d-demo.namespace. */
export async function setProperty(session: Session, args: string[]): Promise<void> {
  await expect(session, args, 2);
  const [path = '', value = ''] = args;
  if (value === '') throw new CliError('you cannot use set to unset a property');
  if (path === '') throw new CliError('you must specify a property');
  property(session, path, value);
  await session.out(`Property "${path}" set.\n`);
}

export async function unsetProperty(session: Session, args: string[]): Promise<void> {
  await expect(session, args, 1);
  const [path = ''] = args;
  if (path === '') throw new CliError('you must specify a property');
  property(session, path, undefined);
  await session.out(`Property "${path}" unset.\n`);
}

/** newNavigationSteps and modifyConfig: a name may hold dots, up to the first word that is a field. */
function property(session: Session, path: string, value: string | undefined): void {
  const config = session.startingConfig;
  const [head = '', ...rest] = path.split('.');
  if (head === 'current-context' || head === 'kind' || head === 'apiVersion') {
    if (rest.length > 0) throw new CliError(`unable to parse one or more field values of ${path}`);
    change(session, (document) => {
      document[head] = value ?? '';
    });
    return;
  }
  if (!(head in LISTS)) throw new CliError(`unable to parse ${path} after [] at api.Config`);
  const list = head as List;
  const { type, fields } = FIELDS[list];
  const at = rest.findIndex((part, i) => i > 0 && part in fields);
  const name = (at < 0 ? rest : rest.slice(0, at)).join('.');
  if (at < 0 && value !== undefined) throw new CliError(`can't set a map to a value: map[${[...config[list].keys()].sort(compareStrings).join(' ')}]`);
  const key = rest[at] as string;
  if (at >= 0 && at < rest.length - 1) throw new CliError(`unable to parse one or more field values of ${path}`);
  if (value === undefined && at >= 0 && !config[list].has(name)) throw new CliError(`current map key \`${name}\` is invalid`);
  const stored = at < 0 || value === undefined ? undefined : storedValue(session, fields[key] as string, value, type);
  change(session, (document) => {
    if (rest.length === 0) document[list] = [];
    else if (at < 0) document[list] = (document[list] ?? []).filter((entry: Obj) => entry.name !== name);
    else setEntry(document, list, name, { [key]: stored });
  });
}

function storedValue(session: Session, kind: string, value: string, type: string): unknown {
  if (kind === 's') return value;
  if (kind === 'b') {
    try {
      return parseBool(value) || undefined;
    } catch (error) {
      throw new CliError((error as Error).message);
    }
  }
  if (kind !== 'd') throw new CliError(`unrecognized slice type. ${kind === 'l' ? 'string' : type}`);
  if (session.flags.bool('set-raw-bytes')) return base64(new TextEncoder().encode(value));
  if (!/^([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(value)) {
    const good = /^[A-Za-z0-9+/]*/.exec(value)?.[0].length ?? 0;
    throw new CliError(`error decoding input value: illegal base64 data at input byte ${good}`);
  }
  return value;
}
