import type { ApiObject } from '../../client/types.ts';
import type { ResourceInfo } from '../resources.ts';
import { newBadRequest, newResourceExpired, newTimeout, quote } from '../status-error.ts';
import type { Verbs } from '../verbs.ts';
import { JsonSyntaxError, parseJson } from './json.ts';
import type { ListOptions } from './options.ts';
import { type Selection, selectionOf } from './selection.ts';

export interface ListResult {
  resourceVersion: string;
  continueToken?: string;
  remainingItemCount?: number;
  items: ApiObject[];
}

const EXPIRED_CONTINUE =
  'The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter, or use the continue token in this response to retrieve the remainder of the results. Continuing with the provided token results in an inconsistent list - objects that were created, modified, or deleted between the time the first chunk was returned and now may show up in the list.';

/** A resource version of a request; 400 when it is no number. */
export function parseRevision(text: string): number {
  if (text === '' || text === '0') return 0;
  if (!/^\d+$/.test(text))
    throw newBadRequest(`invalid resource version: resourceVersion: Invalid value: ${quote(text)}: strconv.ParseUint: parsing ${quote(text)}: invalid syntax`);
  return Number(text);
}

export function tooLargeRevision(wanted: number, current: number): Error {
  return newTimeout(`Too large resource version: ${wanted}, current: ${current}`, 1, [
    { reason: 'ResourceVersionTooLarge', message: 'Too large resource version' },
  ]);
}

function base64Url(text: string): string {
  return btoa(text).replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '');
}

function encodeContinue(key: string, revision: number): string {
  return base64Url(JSON.stringify({ v: 'meta.k8s.io/v1', rv: revision, start: `/${key}\0` }));
}

/** Where a chunked list goes on: first key that is still wanted, and the revision it shows (-1: now). */
function decodeContinue(token: string): { start: string; revision: number } {
  const bad = (why: string): Error => newBadRequest(`invalid continue token: continue key is not valid: ${why}`);
  let text: string;
  const wrong = token.search(/[^A-Za-z0-9_-]/);
  if (wrong >= 0 || token.length % 4 === 1) throw bad(`illegal base64 data at input byte ${wrong >= 0 ? wrong : token.length - 1}`);
  try {
    text = atob(token.replaceAll('-', '+').replaceAll('_', '/'));
  } catch {
    throw bad('illegal base64 data at input byte 0');
  }
  let value: { v?: unknown; rv?: unknown; start?: unknown };
  try {
    value = (parseJson(text).value ?? {}) as typeof value;
  } catch (error) {
    if (error instanceof JsonSyntaxError) throw bad(error.message);
    throw error;
  }
  if (value.v !== 'meta.k8s.io/v1')
    throw newBadRequest(`invalid continue token: continue key is not valid: server does not recognize this encoded version ${String(value.v ?? '')}`);
  if (!value.rv) throw bad('incorrect encoded start resourceVersion (version meta.k8s.io/v1)');
  if (!value.start) throw bad('encoded start key empty (version meta.k8s.io/v1)');
  const start = String(value.start);
  if (/(^|\/)\.\.?(\/|$)|\/\//.test(start)) throw bad(start);
  return { start: start.replace(/^\//, ''), revision: Number(value.rv) };
}

/** Keys and objects in order, at one revision. */
interface View {
  keys: readonly string[];
  at(key: string): ApiObject | undefined;
  revision: number;
}

function viewAt(verbs: Verbs, info: ResourceInfo, namespace: string, revision: number, expired: () => Error): View {
  const bucket = verbs.bucket(info);
  const current = verbs.store.revision;
  if (revision >= current) return { keys: bucket.keys(namespace), at: (key) => bucket.at(key), revision: current };
  const snapshot = bucket.snapshot(revision);
  if (!snapshot) throw expired();
  const keys = [...snapshot.keys()].filter((key) => namespace === '' || key.startsWith(`${namespace}/`));
  return { keys, at: (key) => snapshot.get(key), revision };
}

/** Lists with selectors, chunks and resource versions (models `storage.Interface.GetList` behind the watch cache). */
export function listObjects(verbs: Verbs, info: ResourceInfo, namespace: string, options: ListOptions): ListResult {
  const selection = selectionOf(verbs, info, options.labelSelector, options.fieldSelector);
  const current = verbs.store.revision;
  const scope = info.namespaced ? namespace : '';
  const prefix = info.namespaced && namespace !== '' ? `${namespace}/` : info.namespaced ? '' : '/';
  if (options.continueToken !== '') {
    if (options.resourceVersion !== '' && options.resourceVersion !== '0')
      throw newBadRequest('specifying resource version is not allowed when using continue');
    const { start, revision } = decodeContinue(options.continueToken);
    const first = prefix + start;
    const wanted = revision < 0 ? current : revision;
    const view = viewAt(verbs, info, scope, wanted, () =>
      newResourceExpired(EXPIRED_CONTINUE, base64Url(JSON.stringify({ v: 'meta.k8s.io/v1', rv: -1, start: `/${start}` }))),
    );
    return page(view, selection, options.limit, prefix, first, revision < 0 ? current : revision);
  }
  const revision = parseRevision(options.resourceVersion);
  if (revision > current) throw tooLargeRevision(revision, current);
  const exact = options.resourceVersionMatch === 'Exact' || (options.limit > 0 && options.resourceVersionMatch === '' && revision > 0);
  const view = viewAt(verbs, info, scope, exact ? revision : current, () => newResourceExpired(`The resourceVersion for the provided list is too old.`));
  // From the watch cache everything comes at once.
  const limit = options.resourceVersion === '0' ? 0 : options.limit;
  return page(view, selection, limit, prefix, '', exact ? revision : current);
}

function page(view: View, selection: Selection, limit: number, prefix: string, first: string, revision: number): ListResult {
  const items: ApiObject[] = [];
  const keys = view.keys;
  let i = 0;
  if (first !== '') while (i < keys.length && (keys[i] as string) < first) i++;
  for (; i < keys.length; i++) {
    const object = view.at(keys[i] as string) as ApiObject;
    if (!selection.matches(object)) continue;
    items.push(object);
    if (limit > 0 && items.length === limit) {
      i++;
      break;
    }
  }
  const result: ListResult = { resourceVersion: String(revision), items };
  const last = items[items.length - 1];
  if (limit > 0 && items.length === limit && i < keys.length && last) {
    const key = `${last.metadata?.namespace ?? ''}/${last.metadata?.name ?? ''}`;
    result.continueToken = encodeContinue(key.slice(prefix.length), revision);
    if (selection.all) result.remainingItemCount = keys.length - i;
  }
  return result;
}
