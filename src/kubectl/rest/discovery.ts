import { NoKindMatch, NoResourceMatch } from '../util/errors.ts';
import { joinApiVersion, type Obj } from '../util/object.ts';
import type { RestClient } from './client.ts';

/** A resource as discovery tells it. */
export interface ApiResource {
  group: string;
  version: string;
  /** Plural. */
  name: string;
  singular: string;
  kind: string;
  namespaced: boolean;
  verbs: string[];
  shortNames: string[];
  categories: string[];
  subresources: { name: string; kind: string; group: string; version: string; verbs: string[] }[];
}

/** meta.RESTMapping. */
export interface Mapping {
  group: string;
  version: string;
  /** "apps/v1" or "v1". */
  apiVersion: string;
  kind: string;
  resource: string;
  namespaced: boolean;
  api: ApiResource;
}

export interface ApiGroup {
  name: string;
  versions: { version: string; resources: ApiResource[] }[];
}

const AGGREGATED =
  'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList,application/json';

/** Everything the server serves, asked once per process. */
export class Discovery {
  readonly groups: ApiGroup[];
  /** In discovery's order: groups, then versions with the preferred one first. */
  readonly resources: ApiResource[];

  constructor(groups: ApiGroup[]) {
    this.groups = groups;
    this.resources = groups.flatMap((group) => group.versions.flatMap((version) => version.resources));
  }

  static async load(client: RestClient): Promise<Discovery> {
    const groups: ApiGroup[] = [];
    for (const path of ['/api', '/apis']) {
      const timeout = client.timeoutMs > 0 ? `${client.timeoutMs / 1000}s` : '32s';
      const document = await client.request('GET', path, { accept: AGGREGATED, query: { timeout } });
      if (document.kind === 'APIGroupDiscoveryList') groups.push(...(document.items ?? []).map(groupOf));
      else groups.push(...(await legacyGroups(client, path, document)));
    }
    return new Discovery(groups);
  }

  mappingOf(api: ApiResource): Mapping {
    return {
      group: api.group,
      version: api.version,
      apiVersion: joinApiVersion(api.group, api.version),
      kind: api.kind,
      resource: api.name,
      namespaced: api.namespaced,
      api,
    };
  }
}

function groupOf(item: Obj): ApiGroup {
  const name: string = item.metadata?.name ?? '';
  return {
    name,
    versions: (item.versions ?? []).map((version: Obj) => ({
      version: version.version,
      resources: (version.resources ?? [])
        .filter((resource: Obj) => resource.responseKind?.kind)
        .map((resource: Obj) => resourceOf(name, version.version, resource)),
    })),
  };
}

function resourceOf(group: string, version: string, resource: Obj): ApiResource {
  return {
    group,
    version,
    name: resource.resource,
    singular: resource.singularResource ?? '',
    kind: resource.responseKind.kind,
    namespaced: resource.scope === 'Namespaced',
    verbs: resource.verbs ?? [],
    shortNames: resource.shortNames ?? [],
    categories: resource.categories ?? [],
    subresources: (resource.subresources ?? []).map((sub: Obj) => ({
      name: sub.subresource,
      kind: sub.responseKind?.kind ?? '',
      group: sub.responseKind?.group || group,
      version: sub.responseKind?.version || version,
      verbs: sub.verbs ?? [],
    })),
  };
}

async function legacyGroups(client: RestClient, path: string, document: Obj): Promise<ApiGroup[]> {
  const sources: { name: string; versions: string[] }[] =
    path === '/api'
      ? [{ name: '', versions: document.versions ?? [] }]
      : (document.groups ?? []).map((group: Obj) => ({ name: group.name, versions: group.versions.map((version: Obj) => version.version) }));
  const out: ApiGroup[] = [];
  for (const source of sources) {
    const versions: ApiGroup['versions'] = [];
    for (const version of source.versions) {
      const list = await client.request('GET', source.name ? `/apis/${source.name}/${version}` : `/api/${version}`);
      const all: Obj[] = list.resources ?? [];
      versions.push({
        version,
        resources: all
          .filter((resource) => !resource.name.includes('/'))
          .map((resource) => ({
            group: source.name,
            version,
            name: resource.name,
            singular: resource.singularName ?? '',
            kind: resource.kind,
            namespaced: resource.namespaced === true,
            verbs: resource.verbs ?? [],
            shortNames: resource.shortNames ?? [],
            categories: resource.categories ?? [],
            subresources: all
              .filter((sub) => sub.name.startsWith(`${resource.name}/`))
              .map((sub) => ({
                name: sub.name.slice(resource.name.length + 1),
                kind: sub.kind,
                group: sub.group || source.name,
                version: sub.version || version,
                verbs: sub.verbs ?? [],
              })),
          })),
      });
    }
    out.push({ name: source.name, versions });
  }
  return out;
}

interface PartialResource {
  resource: string;
  group: string;
  version: string;
}

/** restmapper over discovery: shortcuts, singular and plural names, group prefixes, group priority. */
export class RestMapper {
  readonly discovery: Discovery;
  readonly #warn: (text: string) => void;

  constructor(discovery: Discovery, warn: (text: string) => void) {
    this.discovery = discovery;
    this.#warn = warn;
  }

  /** Builder.mappingFor: a resource, kind or short name with optional version and group. */
  mappingFor(argument: string): Mapping {
    const [first = '', second, ...others] = argument.split('.');
    const third = others.length > 0 ? others.join('.') : undefined;
    if (third !== undefined && second !== undefined) {
      const full = this.kindFor({ resource: first, group: third, version: second });
      if (full) return full;
    }
    const group = [second, ...others].filter((part) => part !== undefined).join('.');
    const mapping = this.kindFor({ resource: first, group, version: '' });
    if (mapping) return mapping;
    const kinds = this.discovery.resources.filter(
      (api) =>
        api.kind === first && (third === undefined ? (group === '' ? api.group === '' : api.group === group) : api.group === third && api.version === second),
    );
    if (kinds[0]) return this.discovery.mappingOf(kinds[0]);
    throw new Error(`the server doesn't have a resource type "${first}"`);
  }

  /** RESTMapper.KindFor; undefined when nothing matches. */
  kindFor(partial: PartialResource): Mapping | undefined {
    const expanded = this.#expandShortcut({ ...partial, resource: partial.resource });
    const wanted = expanded.resource.toLowerCase();
    const named = this.discovery.resources.filter((api) => api.name === wanted || (api.singular || api.kind.toLowerCase()) === wanted);
    let matches = named.filter((api) => !expanded.version || api.version === expanded.version);
    if (expanded.group) {
      const exact = matches.filter((api) => api.group === expanded.group);
      matches = exact.length > 0 ? exact : matches.filter((api) => api.group.startsWith(expanded.group));
    }
    return matches[0] ? this.discovery.mappingOf(matches[0]) : undefined;
  }

  /** meta.RESTMapper.ResourceFor with its own error (used by wait, rollout and auth). */
  resourceFor(argument: string): Mapping {
    const [resource = '', ...rest] = argument.split('.');
    const found = this.kindFor({ resource, group: rest.join('.'), version: '' });
    if (!found) throw new NoResourceMatch(resource, rest.join('.'));
    return found;
  }

  /** RESTMapping(groupKind, version). */
  forKind(kind: string, group: string, version: string): Mapping {
    const found = this.discovery.resources.find((api) => api.kind === kind && api.group === group && (version === '' || api.version === version));
    if (!found) throw new NoKindMatch(kind, group, version ? [version] : []);
    return this.discovery.mappingOf(found);
  }

  #expandShortcut(partial: PartialResource): PartialResource {
    const { resource, group } = partial;
    const all = this.discovery.resources;
    const inGroup = (api: ApiResource): boolean => group === '' || api.group === group;
    if (all.some((api) => inGroup(api) && (api.name === resource || api.singular === resource))) return partial;
    let found: ApiResource | undefined;
    const warned = new Set<string>();
    for (const api of all) {
      if (!inGroup(api) || !api.shortNames.includes(resource)) continue;
      if (!found) {
        found = api;
        continue;
      }
      if (api.group === found.group && api.name === found.name) continue;
      const long = groupResource(api.name, api.group);
      if (!warned.has(long)) this.#warn(`short name "${resource}" could also match lower priority resource ${long}`);
      warned.add(long);
    }
    if (found) return { resource: found.name, group: found.group, version: '' };
    if (group === '') return partial;
    const prefixed = all.find((api) => api.group.startsWith(group) && api.shortNames.includes(resource));
    return prefixed ? { ...partial, resource: prefixed.name, group: prefixed.group } : partial;
  }

  /** Resources of a category ("all"), or undefined when there is no such category. */
  category(name: string): string[] | undefined {
    const members = this.discovery.resources.filter((api) => api.categories.includes(name)).map((api) => groupResource(api.name, api.group));
    return members.length > 0 ? [...new Set(members)] : undefined;
  }
}

/** schema.GroupResource.String(). */
export function groupResource(resource: string, group: string): string {
  return group === '' ? resource : `${resource}.${group}`;
}
