import aggregatedFacts from '../kinds/facts/discovery-aggregated.json' with { type: 'json' };
import { ALIASES, type ResourceAlias } from './aliases.ts';
import { type ObjectNode, type SchemaFacts, schemaTypes, typeNode } from './schema.ts';

/** One column of a Table, as `meta.k8s.io/v1 TableColumnDefinition`. */
export interface TableColumn {
  name: string;
  type: string;
  format: string;
  description?: string;
  priority: number;
}

export interface GroupVersionKind {
  group: string;
  version: string;
  kind: string;
}

export interface SubresourceInfo {
  name: string;
  kind: GroupVersionKind;
  verbs: ReadonlySet<string>;
}

/** One resource of one API version. */
export interface ResourceInfo {
  /** "apps/v1/statefulsets", "v1/pods". */
  id: string;
  group: string;
  version: string;
  /** "apps/v1", "v1". */
  groupVersion: string;
  resource: string;
  singular: string;
  kind: string;
  namespaced: boolean;
  verbs: ReadonlySet<string>;
  shortNames: readonly string[];
  categories: readonly string[];
  subresources: ReadonlyMap<string, SubresourceInfo>;
  /** Compiled when first asked for. */
  readonly node: ObjectNode;
  /** Bucket of the store; versions of one resource share it. */
  storage: string;
  /** Set when the resource is stored in another version. */
  alias?: ResourceAlias;
  /** Set for custom resources. */
  custom?: CustomResourceRules;
}

/** What a CustomResourceDefinition says beyond the schema. */
export interface CustomResourceRules {
  definition: string;
  hasStatus: boolean;
  scale?: { specReplicasPath: string; statusReplicasPath: string; labelSelectorPath?: string };
  columns: readonly { name: string; type: string; format?: string; description?: string; priority?: number; jsonPath: string }[];
  selectableFields: readonly string[];
  /** The raw openAPIV3Schema, for OpenAPI. */
  schema: unknown;
  listKind: string;
  /** `Warning:` of every request for a deprecated version. */
  deprecation?: string;
}

interface AggregatedResource {
  resource: string;
  responseKind?: { group: string; version: string; kind: string };
  scope: string;
  singularResource: string;
  verbs: string[];
  shortNames?: string[];
  categories?: string[];
  subresources?: { subresource: string; responseKind?: { group: string; version: string; kind: string }; verbs: string[] }[];
}
interface AggregatedGroup {
  metadata: { name?: string };
  versions: { version: string; resources?: AggregatedResource[] }[];
}

/** Type name in the schema facts by group, version and kind. */
const typeByKind = new Map<string, string>();

function kindKey(group: string, version: string, kind: string): string {
  return `${group}/${version}/${kind}`;
}

let indexed: SchemaFacts | undefined;

function indexTypes(): void {
  if (indexed === schemaTypes()) return;
  indexed = schemaTypes();
  for (const [name, fact] of Object.entries(indexed)) {
    const kinds = fact['x-kubernetes-group-version-kind'] ?? [];
    // Types such as DeleteOptions belong to every group: only their own counts.
    if (kinds.length > 5) continue;
    for (const { group, version, kind } of kinds) typeByKind.set(kindKey(group, version, kind), name);
  }
}

/** The schema type of a kind ("io.k8s.api.apps.v1.StatefulSet"), or undefined. */
export function typeNameOf(group: string, version: string, kind: string): string | undefined {
  indexTypes();
  return typeByKind.get(kindKey(group, version, kind));
}

/** Structure of a built-in kind. Throws when there is none. */
export function nodeOfKind(group: string, version: string, kind: string): ObjectNode {
  const name = typeNameOf(group, version, kind);
  const node = name ? typeNode(name) : undefined;
  if (node?.kind !== 'object') throw new Error(`no structure for ${group}/${version} ${kind}`);
  return node;
}

/** Every resource the server knows; custom ones come and go. */
export class ResourceRegistry {
  readonly #byId = new Map<string, ResourceInfo>();
  /** "apps/v1" → its resources, in discovery order. */
  readonly #byGroupVersion = new Map<string, ResourceInfo[]>();

  constructor() {
    const facts = aggregatedFacts as unknown as { api: { items: AggregatedGroup[] }; apis: { items: AggregatedGroup[] } };
    for (const item of [...facts.api.items, ...facts.apis.items]) {
      const group = item.metadata.name ?? '';
      for (const { version, resources = [] } of item.versions) {
        const groupVersion = group ? `${group}/${version}` : version;
        this.#byGroupVersion.set(groupVersion, []);
        for (const fact of resources) this.add(builtIn(group, version, groupVersion, fact));
      }
    }
  }

  add(info: ResourceInfo): void {
    this.#byId.set(info.id, info);
    const list = this.#byGroupVersion.get(info.groupVersion) ?? [];
    this.#byGroupVersion.set(info.groupVersion, [...list.filter((known) => known.id !== info.id), info]);
  }

  remove(id: string): void {
    const info = this.#byId.get(id);
    if (!info) return;
    this.#byId.delete(id);
    const rest = (this.#byGroupVersion.get(info.groupVersion) ?? []).filter((known) => known.id !== id);
    if (rest.length > 0) this.#byGroupVersion.set(info.groupVersion, rest);
    else this.#byGroupVersion.delete(info.groupVersion);
  }

  get(id: string): ResourceInfo | undefined {
    return this.#byId.get(id);
  }

  hasGroupVersion(groupVersion: string): boolean {
    return this.#byGroupVersion.has(groupVersion);
  }

  groupVersions(): IterableIterator<[string, ResourceInfo[]]> {
    return this.#byGroupVersion.entries();
  }

  all(): IterableIterator<ResourceInfo> {
    return this.#byId.values();
  }

  byKind(groupVersion: string, kind: string): ResourceInfo | undefined {
    return this.#byGroupVersion.get(groupVersion)?.find((info) => info.kind === kind);
  }
}

function builtIn(group: string, version: string, groupVersion: string, fact: AggregatedResource): ResourceInfo {
  const id = `${groupVersion}/${fact.resource}`;
  const kind = fact.responseKind?.kind ?? '';
  const subresources = new Map<string, SubresourceInfo>();
  for (const sub of fact.subresources ?? []) {
    const own = sub.responseKind;
    subresources.set(sub.subresource, {
      name: sub.subresource,
      kind: { group: own?.group || (own?.version ? '' : group), version: own?.version || version, kind: own?.kind ?? kind },
      verbs: new Set(sub.verbs),
    });
  }
  let node: ObjectNode | undefined;
  return {
    id,
    group,
    version,
    groupVersion,
    resource: fact.resource,
    singular: fact.singularResource,
    kind,
    namespaced: fact.scope === 'Namespaced',
    verbs: new Set(fact.verbs),
    shortNames: fact.shortNames ?? [],
    categories: fact.categories ?? [],
    subresources,
    get node() {
      node ??= nodeOfKind(group, version, kind);
      return node;
    },
    storage: ALIASES[id]?.stored ?? id,
    ...(ALIASES[id] ? { alias: ALIASES[id] } : {}),
  };
}
