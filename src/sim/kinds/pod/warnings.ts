import { isDns1123Label } from '../meta/names.ts';
import { deprecatedLabel, nodeTermWarnings } from '../node-labels.ts';
import { quantityMilliValue } from '../quantity.ts';
import type {
  Container,
  ContainerPort,
  KeyToPath,
  LabelSelector,
  ObjectMeta,
  PersistentVolumeClaimSpec,
  Pod,
  PodSpec,
  PodTemplateSpec,
  Volume,
  VolumeProjection,
} from '../types.ts';
import { qualified } from './paths.ts';

type Quantities = Readonly<Record<string, string>> | undefined;

/** Amounts of bytes that are no whole number. */
export function fractionalWarnings(field: string, amounts: Quantities, names: readonly string[]): string[] {
  return names.flatMap((name) => {
    const amount = amounts?.[name];
    return amount !== undefined && quantityMilliValue(amount) % 1000 !== 0
      ? [`${field}[${name}]: fractional byte value "${amount}" is invalid, must be an integer`]
      : [];
  });
}

export const claimSpecWarnings = (field: string, spec: PersistentVolumeClaimSpec | undefined): string[] => [
  ...fractionalWarnings(`${field}.resources.requests`, spec?.resources?.requests, ['storage']),
  ...fractionalWarnings(`${field}.resources.limits`, spec?.resources?.limits, ['storage']),
];

const GONE_VOLUMES: Readonly<Record<string, string>> = {
  photonPersistentDisk: 'deprecated in v1.11, non-functional in v1.16+',
  gitRepo: 'deprecated in v1.11, and disabled by default in v1.33+',
  scaleIO: 'deprecated in v1.16, non-functional in v1.22+',
  flocker: 'deprecated in v1.22, non-functional in v1.25+',
  storageos: 'deprecated in v1.22, non-functional in v1.25+',
  quobyte: 'deprecated in v1.22, non-functional in v1.25+',
  glusterfs: 'deprecated in v1.25, non-functional in v1.26+',
  cephfs: 'deprecated in v1.28, non-functional in v1.31+',
  rbd: 'deprecated in v1.28, non-functional in v1.31+',
};
/** Where the field's Go name differs from its JSON name. */
const GO_NAMES: Readonly<Record<string, string>> = { storageos: 'storageOS' };

export function goneVolumeWarnings(field: string, source: object): string[] {
  return Object.entries(GONE_VOLUMES).flatMap(([key, text]) => ((source as Record<string, unknown>)[key] ? [`${field}.${GO_NAMES[key] ?? key}: ${text}`] : []));
}

interface SourcedPath {
  path: string;
  source: string;
}

const sourced = (items: readonly KeyToPath[] | undefined, source: string): SourcedPath[] => (items ?? []).map(({ path = '' }) => ({ path, source }));

function projectedPaths({ configMap, secret, downwardAPI, serviceAccountToken, clusterTrustBundle }: VolumeProjection): SourcedPath[] {
  if (configMap) return sourced(configMap.items, `ConfigMap "${configMap.name ?? ''}"`);
  if (secret) return sourced(secret.items, `Secret "${secret.name ?? ''}"`);
  if (downwardAPI) return sourced(downwardAPI.items as KeyToPath[] | undefined, 'DownwardAPI');
  if (serviceAccountToken) return [{ path: serviceAccountToken.path ?? '', source: 'ServiceAccountToken' }];
  if (clusterTrustBundle)
    return [{ path: clusterTrustBundle.path ?? '', source: `ClusterTrustBundle "${clusterTrustBundle.name ?? clusterTrustBundle.signerName ?? ''}"` }];
  return [];
}

/** Files of one volume that would lie on or below one another. */
function overlaps(paths: readonly SourcedPath[]): string[] {
  const show = ({ path, source }: SourcedPath): string => (source === '' ? `"${path}"` : `"${path}" (${source})`);
  const seen: SourcedPath[] = [];
  return paths.flatMap((item) => {
    const path = item.path.replace(/\/+$/, '');
    const needle = { ...item, path };
    const hits =
      path === '' ? [] : seen.filter((other) => other.path !== '' && (`${other.path}/`.startsWith(`${path}/`) || `${path}/`.startsWith(`${other.path}/`)));
    seen.push(needle);
    return hits.map((hit) => `${show(needle)} with ${show(hit)}`);
  });
}

function volumePathWarnings({ name = '', configMap, secret, downwardAPI, projected }: Volume): string[] {
  const all = (kind: string, paths: SourcedPath[]): string[] => overlaps(paths).map((text) => `volume "${name}" (${kind}): overlapping paths: ${text}`);
  return [
    ...all(`ConfigMap "${configMap?.name ?? ''}"`, sourced(configMap?.items, '')),
    ...all(`Secret "${secret?.secretName ?? ''}"`, sourced(secret?.items, '')),
    ...all('DownwardAPI', sourced(downwardAPI?.items as KeyToPath[] | undefined, '')),
    ...(projected?.sources ?? []).flatMap((source) => (Object.keys(source).length === 0 ? [`volume "${name}" (Projected) has no sources provided`] : [])),
    ...all('Projected', (projected?.sources ?? []).flatMap(projectedPaths)),
  ];
}

function repeated<T>(items: readonly T[] | undefined, keyOf: (item: T) => string, text: (index: number, key: string) => string): string[] {
  const seen = new Set<string>();
  return (items ?? []).flatMap((item, i) => {
    const key = keyOf(item);
    if (seen.has(key)) return [text(i, key)];
    seen.add(key);
    return [];
  });
}

function containerWarnings(at: string, { resources, env }: Container): string[] {
  const names = new Set<string>();
  return [
    ...['memory', 'ephemeral-storage'].flatMap((name) => [
      ...fractionalWarnings(`${at}.resources.limits`, resources?.limits, [name]),
      ...fractionalWarnings(`${at}.resources.requests`, resources?.requests, [name]),
    ]),
    ...(env ?? []).flatMap(({ name = '', value = '', valueFrom }, i) => {
      const reference = `$(${name})`;
      const hides = names.has(name) && (valueFrom !== undefined || value === reference || !value.includes(reference));
      names.add(name);
      return hides ? [`${at}.env[${i}]: hides previous definition of "${name}", which may be dropped when using apply`] : [];
    }),
  ];
}

/** How Go prints a ContainerPort with %+v. */
const goPort = ({ name = '', hostPort = 0, containerPort = 0, protocol = '', hostIP = '' }: ContainerPort): string =>
  `{Name:${name} HostPort:${hostPort} ContainerPort:${containerPort} Protocol:${protocol} HostIP:${hostIP}}`;

function portWarnings(containers: readonly (readonly [string, Container])[]): string[] {
  const texts: string[] = [];
  const seen = new Map<string, { at: string; port: ContainerPort }[]>();
  const named = new Map<string, string>();
  const nameTexts: string[] = [];
  for (const [place, { ports = [] }] of containers) {
    ports.forEach((port, i) => {
      const at = `${place}.ports[${i}]`;
      const { name = '', containerPort = 0, protocol = '', hostPort = 0, hostIP = '' } = port;
      if (hostIP !== '' && hostPort === 0) texts.push(`${at}: hostIP set without hostPort: ${goPort(port)}`);
      const key = `${containerPort}/${protocol}`;
      const others = seen.get(key) ?? [];
      for (const { at: other, port: taken } of others) {
        const [otherHostPort, otherHostIp] = [taken.hostPort ?? 0, taken.hostIP ?? ''];
        if (hostIP === otherHostIp && hostPort === otherHostPort) texts.push(`${at}: duplicate port definition with ${other}`);
        else if (hostPort === 0 || otherHostPort === 0) texts.push(`${at}: overlapping port definition with ${other}`);
        else if (hostPort === otherHostPort && (hostIP === '') !== (otherHostIp === ''))
          texts.push(`${at}: dangerously ambiguous port definition with ${other}`);
      }
      seen.set(key, [...others, { at, port }]);
      const holder = named.get(name);
      if (name === '') return;
      if (holder) nameTexts.push(`${at}: duplicate port name "${name}" with ${holder}, services and probes that select ports by name will use ${holder}`);
      else named.set(name, at);
    });
  }
  return [...texts, ...nameTexts];
}

const SECCOMP = 'seccomp.security.alpha.kubernetes.io/pod';
const CONTAINER_SECCOMP = 'container.seccomp.security.alpha.kubernetes.io/';
const APP_ARMOR = 'container.apparmor.security.beta.kubernetes.io/';
const DEPRECATED_ANNOTATIONS: Readonly<Record<string, string>> = {
  'scheduler.alpha.kubernetes.io/critical-pod': 'non-functional in v1.16+; use the "priorityClassName" field instead',
  'security.alpha.kubernetes.io/sysctls': 'non-functional in v1.11+; use the "sysctls" field instead',
  'security.alpha.kubernetes.io/unsafe-sysctls': 'non-functional in v1.11+; use the "sysctls" field instead',
};

const noSelector = (field: string, selector: LabelSelector | undefined): string[] =>
  selector ? [] : [`${field}.labelSelector: a null labelSelector results in matching no pod`];

/** What the server warns of in a Pod (`root` is empty) or a Pod template (upstream's pkg/api/pod/warnings.go). */
function specWarnings(root: string, spec: PodSpec, meta: ObjectMeta | undefined): string[] {
  const at = qualified(root, 'spec');
  const annotation = (key: string): string => `${qualified(root, 'metadata.annotations')}[${key}]`;
  const annotations = meta?.annotations ?? {};
  const { nodeAffinity, podAffinity, podAntiAffinity } = spec.affinity ?? {};
  const containers = (['initContainers', 'containers', 'ephemeralContainers'] as const).flatMap((list) =>
    (spec[list] ?? []).map((container, i) => [`${at}.${list}[${i}]`, container as Container] as const),
  );
  const required = 'requiredDuringSchedulingIgnoredDuringExecution';
  const preferred = 'preferredDuringSchedulingIgnoredDuringExecution';
  return [
    ...Object.keys(spec.nodeSelector ?? {}).flatMap((key) => (deprecatedLabel(key) ? [`${at}.nodeSelector[${key}]: ${deprecatedLabel(key)}`] : [])),
    ...(nodeAffinity?.[required]?.nodeSelectorTerms ?? []).flatMap((term, i) =>
      nodeTermWarnings(`${at}.affinity.nodeAffinity.${required}.nodeSelectorTerms[${i}]`, term),
    ),
    ...(nodeAffinity?.[preferred] ?? []).flatMap(({ preference }, i) =>
      nodeTermWarnings(`${at}.affinity.nodeAffinity.${preferred}[${i}].preference`, preference, true),
    ),
    ...(spec.topologySpreadConstraints ?? []).flatMap(({ topologyKey, labelSelector }, i) => {
      const place = `${at}.topologySpreadConstraints[${i}]`;
      const deprecated = deprecatedLabel(topologyKey);
      return [...(deprecated ? [`${place}.topologyKey: ${topologyKey} is ${deprecated}`] : []), ...noSelector(place, labelSelector)];
    }),
    ...Object.entries(DEPRECATED_ANNOTATIONS).flatMap(([key, text]) => (key in annotations ? [`${annotation(key)}: ${text}`] : [])),
    ...(spec.volumes ?? []).flatMap((volume, i) => [
      ...goneVolumeWarnings(`${at}.volumes[${i}]`, volume),
      ...claimSpecWarnings(`${at}.volumes[${i}].ephemeral.volumeClaimTemplate.spec`, volume.ephemeral?.volumeClaimTemplate?.spec),
    ]),
    ...(spec.volumes ?? []).flatMap(volumePathWarnings),
    ...repeated(
      spec.hostAliases,
      ({ ip = '' }) => ip,
      (i, ip) => `${at}.hostAliases[${i}].ip: duplicate ip "${ip}"`,
    ),
    ...repeated(
      spec.imagePullSecrets,
      ({ name = '' }) => name,
      (i, name) => `${at}.imagePullSecrets[${i}].name: duplicate name "${name}"`,
    ),
    ...(spec.imagePullSecrets ?? []).flatMap(({ name = '' }, i) => (name === '' ? [`${at}.imagePullSecrets[${i}].name: invalid empty name ""`] : [])),
    ...fractionalWarnings(`${at}.overhead`, spec.overhead, ['memory', 'ephemeral-storage']),
    ...(!spec.securityContext?.seccompProfile && SECCOMP in annotations
      ? [`${annotation(SECCOMP)}: non-functional in v1.27+; use the "seccompProfile" field instead`]
      : []),
    ...containers.flatMap(([place, container]) => {
      const [seccomp, appArmor] = [CONTAINER_SECCOMP + container.name, APP_ARMOR + container.name];
      const { seccompProfile, appArmorProfile } = container.securityContext ?? {};
      const matching = appArmorProfile ?? spec.securityContext?.appArmorProfile;
      return [
        ...(!seccompProfile && seccomp in annotations ? [`${annotation(seccomp)}: non-functional in v1.27+; use the "seccompProfile" field instead`] : []),
        ...(root !== '' && !matching && appArmor in annotations
          ? [`${annotation(appArmor)}: deprecated since v1.30; use the "appArmorProfile" field instead`]
          : []),
        ...containerWarnings(place, container),
      ];
    }),
    ...portWarnings(containers),
    ...((spec.terminationGracePeriodSeconds ?? 0) < 0
      ? [`${at}.terminationGracePeriodSeconds: must be >= 0; negative values are invalid and will be treated as 1`]
      : []),
    ...Object.entries({ podAffinity, podAntiAffinity }).flatMap(([name, affinity]) => [
      ...(affinity?.[required] ?? []).flatMap(({ labelSelector }, i) => noSelector(`${at}.affinity.${name}.${required}[${i}]`, labelSelector)),
      ...(affinity?.[preferred] ?? []).flatMap(({ podAffinityTerm }, i) =>
        noSelector(`${at}.affinity.${name}.${preferred}[${i}].podAffinityTerm`, podAffinityTerm?.labelSelector),
      ),
    ]),
  ];
}

const labelAdvice = (name: string, where: string): string[] => {
  const texts = isDns1123Label(name);
  return texts.length === 0
    ? []
    : [`metadata.name: this is used in ${where}, which can result in surprising behavior; a DNS label is recommended: [${texts.join(' ')}]`];
};

/** Only for new Pods: upstream does not spend time on updates, which few people write by hand. */
export const podWarnings = (pod: Pod, old?: Pod): string[] =>
  old ? [] : [...labelAdvice(pod.metadata?.name ?? '', "the Pod's hostname"), ...specWarnings('', pod.spec ?? {}, pod.metadata)];

export const templateWarnings = (field: string, template: PodTemplateSpec | undefined): string[] =>
  template ? specWarnings(field, template.spec ?? {}, template.metadata) : [];

interface Workload {
  metadata?: ObjectMeta;
  spec?: object;
}

/** Warnings of a kind with a Pod template: of new objects, and of changes that raised the generation. */
export function workloadWarnings<T extends Workload>(
  field: string,
  templateOf: (object: T) => PodTemplateSpec | undefined,
  options: { named?: boolean; also?: (object: T, old?: T) => string[] } = {},
) {
  return (object: T, old?: T): string[] => [
    ...(options.named && !old ? labelAdvice(object.metadata?.name ?? '', 'Pod names and hostnames') : []),
    ...(old?.metadata?.generation === undefined || old.metadata.generation !== object.metadata?.generation ? templateWarnings(field, templateOf(object)) : []),
    ...(options.also?.(object, old) ?? []),
  ];
}
