import firstTypes from '../kinds/facts/schema-first.json' with { type: 'json' };
import type { DecodeContext } from './decode.ts';

/** As the facts write one schema (OpenAPI v3 with Kubernetes' extensions; `$ref` is a type name). */
export interface SchemaFact {
  $ref?: string;
  type?: string;
  format?: string;
  default?: unknown;
  enum?: string[];
  required?: string[];
  properties?: Record<string, SchemaFact>;
  items?: SchemaFact;
  additionalProperties?: SchemaFact;
  oneOf?: SchemaFact[];
  'x-kubernetes-list-type'?: string;
  'x-kubernetes-list-map-keys'?: string[];
  'x-kubernetes-map-type'?: string;
  'x-kubernetes-patch-strategy'?: string;
  'x-kubernetes-patch-merge-key'?: string;
  'x-kubernetes-group-version-kind'?: { group: string; version: string; kind: string }[];
  'x-kubernetes-unions'?: unknown;
}

export type SchemaFacts = Readonly<Record<string, SchemaFact>>;

let types = firstTypes as unknown as SchemaFacts;
let loading: Promise<void> | undefined;

/** Every type known so far, by name: those of the objects that a fresh cluster makes by itself, and all after `loadSchema`. */
export function schemaTypes(): SchemaFacts {
  return types;
}

/** Fetches the types that only somebody outside can make objects of. */
export function loadSchema(): Promise<void> {
  loading ??= import('../kinds/facts/schema-later.json', { with: { type: 'json' } }).then(({ default: later }) => {
    const all = Object.entries({ ...types, ...(later as unknown as SchemaFacts) });
    types = Object.fromEntries(all.sort(([a], [b]) => (a < b ? -1 : 1)));
  });
  return loading;
}

/** A field of an object type. */
export interface Property {
  node: SchemaNode;
  /** Value of an absent field (Go writes non-pointer fields without omitempty, and structs, always). */
  fill?: unknown;
  /** The zero value is left out (a plain field with omitempty), so that `paused: false` reads back as nothing. */
  dropZero: boolean;
  required: boolean;
  /** How a strategic merge patch treats it. */
  patchStrategy: readonly string[];
  patchMergeKey?: string;
}

export interface ObjectNode {
  kind: 'object';
  /** As Go's decoder names it in errors: "StatefulSetSpec". */
  typeName: string;
  /** "v1.StatefulSetSpec". */
  goType: string;
  properties: ReadonlyMap<string, Property>;
  /** Replaced as a whole by server-side apply. */
  atomic: boolean;
  /** Has its own way to the normal form (custom resources); see `convert` in decode.ts. */
  convert?: (value: unknown, context: DecodeContext) => Record<string, unknown>;
}
export interface MapNode {
  kind: 'map';
  value: SchemaNode;
  atomic: boolean;
}
export interface ListNode {
  kind: 'list';
  item: SchemaNode;
  listType: 'atomic' | 'set' | 'map';
  keys: readonly string[];
}
export interface ScalarNode {
  kind: 'string' | 'integer' | 'number' | 'boolean' | 'bytes' | 'time' | 'microTime' | 'quantity' | 'intOrString' | 'any';
  /** "int32", "string", "v1.PullPolicy": for decoding errors. */
  goType: string;
}
export type SchemaNode = ObjectNode | MapNode | ListNode | ScalarNode;

const SPECIAL: Record<string, ScalarNode> = {
  'io.k8s.apimachinery.pkg.api.resource.Quantity': { kind: 'quantity', goType: 'resource.Quantity' },
  'io.k8s.apimachinery.pkg.apis.meta.v1.Time': { kind: 'time', goType: 'v1.Time' },
  'io.k8s.apimachinery.pkg.apis.meta.v1.MicroTime': { kind: 'microTime', goType: 'v1.MicroTime' },
  'io.k8s.apimachinery.pkg.util.intstr.IntOrString': { kind: 'intOrString', goType: 'intstr.IntOrString' },
  'io.k8s.apimachinery.pkg.apis.meta.v1.FieldsV1': { kind: 'any', goType: 'v1.FieldsV1' },
  'io.k8s.apimachinery.pkg.apis.meta.v1.Patch': { kind: 'any', goType: 'v1.Patch' },
  'io.k8s.apimachinery.pkg.runtime.RawExtension': { kind: 'any', goType: 'runtime.RawExtension' },
};
const ANY: ScalarNode = { kind: 'any', goType: 'interface {}' };

/** Plain numbers and booleans with omitempty: their zero is not written. All others with omitempty are pointers. */
const DROP_ZERO = new Set(
  (
    'active availableReplicas currentReplicas deprecatedCount failed failureThreshold fullyLabeledReplicas healthCheckNodePort hostPort ' +
    'initialDelaySeconds minReadySeconds nodePort number numberAvailable numberUnavailable periodSeconds readyReplicas signal sizeBytes succeeded ' +
    'successThreshold unavailableReplicas updatedNumberScheduled updatedReplicas observedGeneration count chapAuthDiscovery chapAuthSession ' +
    'globalDefault hostIPC hostNetwork hostPID paused publishNotReadyAddresses sslEnabled stdin stdinOnce tty unschedulable readOnly authenticated ' +
    'clusterScope denied remainingItemCount preserveUnknownFields deprecated nullable generation'
  ).split(' '),
);
const DROP_ZERO_IN = new Set([
  'DeploymentStatus.replicas',
  'Probe.timeoutSeconds',
  'AWSElasticBlockStoreVolumeSource.partition',
  'GCEPersistentDiskVolumeSource.partition',
]);
/** Pointers to strings whose empty value means something. Every other empty string is left out. */
const KEEP_EMPTY = new Set([
  'PersistentVolumeClaimSpec.storageClassName',
  'PersistentVolumeClaimSpec.volumeAttributesClassName',
  'IngressSpec.ingressClassName',
  'HostPathVolumeSource.type',
  'TypedLocalObjectReference.apiGroup',
  'TypedObjectReference.apiGroup',
  'LeaseSpec.holderIdentity',
]);
const KEEP_EMPTY_FULL = new Set(['io.k8s.api.discovery.v1.EndpointPort.name', 'io.k8s.api.discovery.v1.EndpointPort.appProtocol']);

/** Go names of the string types that have one, by field: what "of type" says in decoding errors. */
const GO_STRING_TYPES: Record<string, string> = {
  imagePullPolicy: 'v1.PullPolicy',
  restartPolicy: 'v1.RestartPolicy',
  dnsPolicy: 'v1.DNSPolicy',
  protocol: 'v1.Protocol',
  podManagementPolicy: 'v1.PodManagementPolicyType',
  terminationMessagePolicy: 'v1.TerminationMessagePolicy',
  'ServiceSpec.type': 'v1.ServiceType',
  sessionAffinity: 'v1.ServiceAffinity',
  'StatefulSetUpdateStrategy.type': 'v1.StatefulSetUpdateStrategyType',
  'DeploymentStrategy.type': 'v1.DeploymentStrategyType',
  'DaemonSetUpdateStrategy.type': 'v1.DaemonSetUpdateStrategyType',
  'Secret.type': 'v1.SecretType',
  whenDeleted: 'v1.PersistentVolumeClaimRetentionPolicyType',
  whenScaled: 'v1.PersistentVolumeClaimRetentionPolicyType',
  operator: 'v1.LabelSelectorOperator',
  effect: 'v1.TaintEffect',
  'ObjectMeta.uid': 'types.UID',
  concurrencyPolicy: 'v1.ConcurrencyPolicy',
  scheme: 'v1.URIScheme',
  volumeMode: 'v1.PersistentVolumeMode',
  accessModes: 'v1.PersistentVolumeAccessMode',
};

/** Times that are not pointers in Go: written as null when unset. */
const PLAIN_TIMES = new Set(
  (
    'lastTransitionTime lastUpdateTime lastProbeTime startedAt finishedAt evictionTime lastHeartbeatTime firstTimestamp lastTimestamp eventTime ' +
    'lastObservedTime deprecatedFirstTimestamp deprecatedLastTimestamp expirationTimestamp'
  ).split(' '),
);

function isPlainTime(typeName: string, field: string): boolean {
  return PLAIN_TIMES.has(field) || `${typeName}.${field}` === 'VolumeError.time';
}

const compiled = new Map<string, ObjectNode | ScalarNode>();
const names = new WeakMap<ReadonlyMap<string, Property>, string>();

/** The type of the facts that a node was made from. */
export const typeNameOfNode = (node: ObjectNode): string | undefined => names.get(node.properties);

/** The node of a named type of the facts; compiled on first use. Throws for names that are not there. */
export function typeNode(name: string): ObjectNode | ScalarNode {
  const special = SPECIAL[name];
  if (special) return special;
  const known = compiled.get(name);
  if (known) return known;
  const fact = types[name];
  if (!fact) throw new Error(`no schema for ${name}`);
  if (!fact.properties) {
    compiled.set(name, ANY);
    return ANY;
  }
  const parts = name.split('.');
  const typeName = parts[parts.length - 1] as string;
  const properties = new Map<string, Property>();
  const node: ObjectNode = {
    kind: 'object',
    typeName,
    goType: `${parts[parts.length - 2]}.${typeName}`,
    properties,
    atomic: fact['x-kubernetes-map-type'] === 'atomic',
  };
  // Registered before its fields are compiled: types may contain themselves.
  compiled.set(name, node);
  names.set(properties, name);
  for (const [field, property] of Object.entries(fact.properties)) properties.set(field, compileProperty(name, typeName, field, property, fact.required));
  return node;
}

function compileProperty(fullType: string, typeName: string, field: string, fact: SchemaFact, required?: string[]): Property {
  const node = compile(fact, typeName, field);
  const property: Property = {
    node,
    dropZero: false,
    required: required?.includes(field) ?? false,
    patchStrategy: fact['x-kubernetes-patch-strategy']?.split(',') ?? [],
    patchMergeKey: fact['x-kubernetes-patch-merge-key'],
  };
  if (fact.default !== undefined) property.fill = fact.default;
  else if ((node.kind === 'time' || node.kind === 'microTime') && isPlainTime(typeName, field)) property.fill = null;
  else if (node.kind === 'integer' || node.kind === 'boolean') property.dropZero = DROP_ZERO_IN.has(`${typeName}.${field}`) || DROP_ZERO.has(field);
  else if (node.kind === 'string') property.dropZero = !KEEP_EMPTY.has(`${typeName}.${field}`) && !KEEP_EMPTY_FULL.has(`${fullType}.${field}`);
  // These are pointers where others are plain: zero stays.
  if (field === 'observedGeneration' && typeName === 'HorizontalPodAutoscalerStatus') property.dropZero = false;
  if (field === 'readOnly' && typeName === 'CSIVolumeSource') property.dropZero = false;
  return property;
}

function compile(fact: SchemaFact, typeName: string, field: string): SchemaNode {
  if (fact.$ref) {
    const node = typeNode(fact.$ref);
    if (fact['x-kubernetes-map-type'] === 'atomic' && node.kind === 'object') return { ...node, atomic: true };
    return node;
  }
  if (fact.type === 'array') {
    const listType = fact['x-kubernetes-list-type'];
    const keys = fact['x-kubernetes-list-map-keys'] ?? [];
    const item = compile(fact.items ?? {}, typeName, field);
    return { kind: 'list', item, listType: listType === 'set' || listType === 'map' ? listType : 'atomic', keys };
  }
  if (fact.additionalProperties) {
    return { kind: 'map', value: compile(fact.additionalProperties, typeName, field), atomic: fact['x-kubernetes-map-type'] === 'atomic' };
  }
  switch (fact.type) {
    case 'string':
      if (fact.format === 'byte') return { kind: 'bytes', goType: '[]uint8' };
      return { kind: 'string', goType: GO_STRING_TYPES[`${typeName}.${field}`] ?? GO_STRING_TYPES[field] ?? 'string' };
    case 'integer':
      return { kind: 'integer', goType: fact.format ?? 'int64' };
    case 'number':
      return { kind: 'number', goType: 'float64' };
    case 'boolean':
      return { kind: 'boolean', goType: 'bool' };
    default:
      return ANY;
  }
}
