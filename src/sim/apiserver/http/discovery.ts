import discoveryFacts from '../../kinds/facts/discovery.json' with { type: 'json' };
import aggregatedFacts from '../../kinds/facts/discovery-aggregated.json' with { type: 'json' };
import type { ResourceInfo, ResourceRegistry } from '../resources.ts';

type Json = Record<string, unknown>;
interface GroupFact {
  name: string;
  versions: { groupVersion: string; version: string }[];
  preferredVersion: { groupVersion: string; version: string };
}

const facts = discoveryFacts as unknown as Record<string, Json>;
const aggregated = aggregatedFacts as unknown as { api: Json & { items: Json[] }; apis: Json & { items: Json[] } };

/** `/version`. */
export const versionInfo: Json = facts['/version'] as Json;

/** Groups that only custom resources have, with their versions, best first. */
function customGroups(registry: ResourceRegistry): Map<string, Map<string, ResourceInfo[]>> {
  const groups = new Map<string, Map<string, ResourceInfo[]>>();
  for (const info of registry.all()) {
    if (!info.custom) continue;
    const versions = groups.get(info.group) ?? new Map<string, ResourceInfo[]>();
    versions.set(info.version, [...(versions.get(info.version) ?? []), info]);
    groups.set(info.group, versions);
  }
  return groups;
}

/** v2 before v1 before v1beta2 … */
function versionRank(version: string): number {
  const match = /^v(\d+)(?:(alpha|beta)(\d+))?$/.exec(version);
  if (!match) return -1;
  const level = match[2] === 'alpha' ? 0 : match[2] === 'beta' ? 1 : 2;
  return level * 1e6 + Number(match[1]) * 1e3 + Number(match[3] ?? 0);
}

/** Kubernetes' order of versions, best first. */
export function sortedVersions(versions: Iterable<string>): string[] {
  return [...versions].sort((a, b) => versionRank(b) - versionRank(a));
}

export function apiVersions(address: string): Json {
  return { kind: 'APIVersions', versions: ['v1'], serverAddressByClientCIDRs: [{ clientCIDR: '0.0.0.0/0', serverAddress: address }] };
}

function groupOf(name: string, versions: readonly string[]): GroupFact {
  const all = versions.map((version) => ({ groupVersion: `${name}/${version}`, version }));
  return { name, versions: all, preferredVersion: all[0] as GroupFact['preferredVersion'] };
}

export function apiGroupList(registry: ResourceRegistry): Json {
  const groups = [...((facts['/apis'] as { groups: GroupFact[] }).groups ?? [])];
  for (const [name, versions] of customGroups(registry))
    if (!groups.some((group) => group.name === name)) groups.push(groupOf(name, sortedVersions(versions.keys())));
  return { kind: 'APIGroupList', apiVersion: 'v1', groups };
}

/** `/apis/<group>`, or undefined. */
export function apiGroup(registry: ResourceRegistry, name: string): Json | undefined {
  const group = (apiGroupList(registry).groups as GroupFact[]).find((known) => known.name === name);
  return group && { kind: 'APIGroup', apiVersion: 'v1', ...group };
}

/** `/api/v1` and `/apis/<group>/<version>`, or undefined. */
export function apiResourceList(registry: ResourceRegistry, groupVersion: string): Json | undefined {
  const path = groupVersion.includes('/') ? `/apis/${groupVersion}` : `/api/${groupVersion}`;
  if (facts[path]) return facts[path];
  if (!registry.hasGroupVersion(groupVersion)) return undefined;
  for (const [known, infos] of registry.groupVersions()) {
    if (known === groupVersion) return { kind: 'APIResourceList', apiVersion: 'v1', groupVersion, resources: infos.flatMap(resourcesOf) };
  }
  return undefined;
}

const hash = (text: string): string => {
  let value = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) value = Math.imul(value ^ text.charCodeAt(i), 0x01000193) >>> 0;
  return btoa(String.fromCharCode(...[0, 8, 16, 24, 4, 12, 20, 28].map((shift) => (value >>> shift) & 255)));
};

function resourcesOf(info: ResourceInfo): Json[] {
  const own: Json = {
    name: info.resource,
    singularName: info.singular,
    namespaced: info.namespaced,
    kind: info.kind,
    verbs: [...info.verbs],
    ...(info.shortNames.length > 0 ? { shortNames: info.shortNames } : {}),
    ...(info.categories.length > 0 ? { categories: info.categories } : {}),
    storageVersionHash: hash(info.id),
  };
  const subresources = [...info.subresources.values()].map((sub) => ({
    name: `${info.resource}/${sub.name}`,
    singularName: '',
    namespaced: info.namespaced,
    ...(sub.kind.group !== info.group ? { group: sub.kind.group, version: sub.kind.version } : {}),
    kind: sub.kind.kind,
    verbs: [...sub.verbs],
  }));
  return [own, ...subresources];
}

/** `apidiscovery.k8s.io/v2 APIGroupDiscoveryList`, for `/api` or `/apis`. */
export function aggregatedDiscovery(registry: ResourceRegistry, which: 'api' | 'apis'): Json {
  const list = aggregated[which];
  if (which === 'api') return list;
  const items = [...list.items];
  for (const [name, versions] of customGroups(registry)) {
    if (items.some((item) => (item.metadata as { name?: string }).name === name)) continue;
    items.push({
      metadata: { name, creationTimestamp: null },
      versions: sortedVersions(versions.keys()).map((version) => ({
        version,
        resources: (versions.get(version) ?? []).map((info) => ({
          resource: info.resource,
          responseKind: { group: info.group, version: info.version, kind: info.kind },
          scope: info.namespaced ? 'Namespaced' : 'Cluster',
          singularResource: info.singular,
          verbs: [...info.verbs],
          ...(info.shortNames.length > 0 ? { shortNames: info.shortNames } : {}),
          ...(info.categories.length > 0 ? { categories: info.categories } : {}),
          ...(info.subresources.size > 0
            ? { subresources: [...info.subresources.values()].map((sub) => ({ subresource: sub.name, responseKind: sub.kind, verbs: [...sub.verbs] })) }
            : {}),
        })),
        freshness: 'Current',
      })),
    });
  }
  return { ...list, items };
}

const CHECKS =
  'ping log etcd poststarthook/start-apiserver-admission-initializer poststarthook/generic-apiserver-start-informers poststarthook/priority-and-fairness-config-consumer poststarthook/priority-and-fairness-filter poststarthook/storage-object-count-tracker-hook poststarthook/start-apiextensions-informers poststarthook/start-apiextensions-controllers poststarthook/crd-informer-synced poststarthook/start-system-namespaces-controller poststarthook/start-cluster-authentication-info-controller poststarthook/start-kube-apiserver-identity-lease-controller poststarthook/start-kube-apiserver-identity-lease-garbage-collector poststarthook/start-legacy-token-tracking-controller poststarthook/start-service-ip-repair-controllers poststarthook/rbac/bootstrap-roles poststarthook/scheduling/bootstrap-system-priority-classes poststarthook/priority-and-fairness-config-producer poststarthook/bootstrap-controller poststarthook/start-kubernetes-service-cidr-controller poststarthook/aggregator-reload-proxy-client-cert poststarthook/start-kube-aggregator-informers poststarthook/apiservice-status-local-available-controller poststarthook/apiservice-status-remote-available-controller poststarthook/apiservice-registration-controller poststarthook/apiservice-discovery-controller poststarthook/kube-apiserver-autoregistration autoregister-completion poststarthook/apiservice-openapi-controller poststarthook/apiservice-openapiv3-controller'.split(
    ' ',
  );

const checksOf = (root: string): readonly string[] => (root === 'readyz' ? [...CHECKS, 'shutdown', 'informer-sync'] : CHECKS);

/** "/healthz" and the paths of its single checks. */
export const healthPaths = (root: string): string[] => [`/${root}`, ...checksOf(root).map((check) => `/${root}/${check}`)];

/** `/healthz`, `/livez`, `/readyz` (with `verbose` and `exclude`) and their single checks; undefined for unknown ones. */
export function healthText(path: string, query: URLSearchParams): string | undefined {
  const [, root = '', ...rest] = path.split('/');
  const checks = checksOf(root);
  if (rest.length > 0) return checks.includes(rest.join('/')) ? 'ok' : undefined;
  if (!query.has('verbose')) return 'ok';
  const excluded = new Set(query.getAll('exclude'));
  const lines = checks.map((check) => (excluded.delete(check) ? `[+]${check} excluded: ok\n` : `[+]${check} ok\n`));
  if (excluded.size > 0)
    lines.push(`warn: some health checks cannot be excluded: no matches for ${[...excluded].map((name) => JSON.stringify(name)).join(',')}\n`);
  return `${lines.join('')}${root} check passed\n`;
}
