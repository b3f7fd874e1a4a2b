import { compareStrings, type Obj } from '../util/object.ts';
import { labelsAndAnnotations, since, slice } from './common.ts';
import type { DescribeWriter } from './writer.ts';

/** The source of a Pod's volume or of a PersistentVolume, at level 2. */
export function volumeSource(w: DescribeWriter, holder: Obj): void {
  for (const [key, print] of Object.entries(SOURCES)) {
    if (holder[key] === undefined || holder[key] === null) continue;
    print(w, holder[key]);
    return;
  }
  w.write(1, '<unknown>\n');
}

type Printer = (w: DescribeWriter, source: Obj) => void;

/** A source that is told by some of its fields: `Type`, then `[label, key, what Go prints when unset]`. */
function fields(type: string, rows: readonly (readonly [label: string, key: string, unset?: string])[]): Printer {
  return (w, source) => {
    w.field(2, 'Type', type);
    for (const [label, key, unset = ''] of rows) w.field(2, label, Array.isArray(source[key]) ? slice(source[key]) : (source[key] ?? unset));
  };
}

const SOURCES: Record<string, Printer> = {
  hostPath: fields('HostPath (bare host directory volume)', [
    ['Path', 'path'],
    ['HostPathType', 'type', '<none>'],
  ]),
  emptyDir: fields("EmptyDir (a temporary directory that shares a pod's lifetime)", [
    ['Medium', 'medium'],
    ['SizeLimit', 'sizeLimit', '<unset>'],
  ]),
  secret: fields('Secret (a volume populated by a Secret)', [
    ['SecretName', 'secretName'],
    ['Optional', 'optional', 'false'],
  ]),
  configMap: fields('ConfigMap (a volume populated by a ConfigMap)', [
    ['Name', 'name'],
    ['Optional', 'optional', 'false'],
  ]),
  nfs: fields('NFS (an NFS mount that lasts the lifetime of a pod)', [
    ['Server', 'server'],
    ['Path', 'path'],
    ['ReadOnly', 'readOnly', 'false'],
  ]),
  iscsi: fields("ISCSI (an ISCSI Disk resource that is attached to a kubelet's host machine and then exposed to the pod)", [
    ['TargetPortal', 'targetPortal'],
    ['IQN', 'iqn'],
    ['Lun', 'lun', '0'],
    ['ISCSIInterface', 'iscsiInterface'],
    ['FSType', 'fsType'],
    ['ReadOnly', 'readOnly', 'false'],
    ['Portals', 'portals', '[]'],
    ['DiscoveryCHAPAuth', 'chapAuthDiscovery', 'false'],
    ['SessionCHAPAuth', 'chapAuthSession', 'false'],
  ]),
  persistentVolumeClaim: fields('PersistentVolumeClaim (a reference to a PersistentVolumeClaim in the same namespace)', [
    ['ClaimName', 'claimName'],
    ['ReadOnly', 'readOnly', 'false'],
  ]),
  ephemeral: (w, source) => {
    w.field(2, 'Type', 'EphemeralVolume (an inline specification for a volume that gets created and deleted with the pod)');
    if (source.volumeClaimTemplate) claimBody(w, { ...source.volumeClaimTemplate, status: {} }, 2);
  },
  downwardAPI: (w, source) => {
    w.write(2, 'Type:\tDownwardAPI (a volume populated by information about the pod)\n    Items:\n');
    for (const item of source.items ?? []) {
      if (item.fieldRef) w.write(3, `${item.fieldRef.fieldPath} -> ${item.path}\n`);
      if (item.resourceFieldRef) w.write(3, `${item.resourceFieldRef.resource} -> ${item.path}\n`);
    }
  },
  projected: (w, source) => {
    w.field(2, 'Type', 'Projected (a volume that contains injected data from multiple sources)');
    for (const part of source.sources ?? []) {
      if (part.secret) {
        w.field(2, 'SecretName', part.secret.name);
        w.field(2, 'Optional', part.secret.optional ?? false);
      } else if (part.downwardAPI) w.field(2, 'DownwardAPI', 'true');
      else if (part.configMap) {
        w.field(2, 'ConfigMapName', part.configMap.name);
        w.field(2, 'Optional', part.configMap.optional ?? false);
      } else if (part.serviceAccountToken) w.field(2, 'TokenExpirationSeconds', part.serviceAccountToken.expirationSeconds);
    }
  },
  local: fields('LocalVolume (a persistent volume backed by local storage on a node)', [['Path', 'path']]),
  csi: (w, source) => {
    w.field(2, 'Type', 'CSI (a Container Storage Interface (CSI) volume source)');
    w.field(2, 'Driver', source.driver);
    w.field(2, 'FSType', source.fsType ?? '');
    if (source.volumeHandle !== undefined) w.field(2, 'VolumeHandle', source.volumeHandle);
    w.field(2, 'ReadOnly', source.readOnly ?? false);
    const attributes: Record<string, string> = source.volumeAttributes ?? {};
    const keys = Object.keys(attributes).sort(compareStrings);
    if (keys.length === 0) w.field(2, 'VolumeAttributes', '<none>');
    keys.forEach((key, i) => {
      const line = `${key}=${attributes[key]}`;
      w.write(2, `${i === 0 ? 'VolumeAttributes:' : '    '}\t${line.length > 140 ? `${line.slice(0, 140)}...` : line}\n`);
    });
  },
  image: fields('Image (a container image or OCI artifact)', [
    ['Reference', 'reference'],
    ['PullPolicy', 'pullPolicy'],
  ]),
};

const MODES: [string, string][] = [
  ['ReadWriteOnce', 'RWO'],
  ['ReadOnlyMany', 'ROX'],
  ['ReadWriteMany', 'RWX'],
  ['ReadWriteOncePod', 'RWOP'],
];

/** `RWO,ROX`, in the fixed order kubectl uses. */
export function accessModes(modes: readonly string[] | undefined): string {
  return MODES.filter(([mode]) => modes?.includes(mode))
    .map(([, short]) => short)
    .join(',');
}

export function storageClassOf(object: Obj): string {
  return object.metadata?.annotations?.['volume.beta.kubernetes.io/storage-class'] ?? object.spec?.storageClassName ?? '';
}

/** What a claim and an ephemeral volume's claim template share; `nowMs` given: a full claim with name, status and finalizers. */
export function claimBody(w: DescribeWriter, claim: Obj, level: number, nowMs?: number): void {
  const { metadata = {}, spec = {}, status = {} } = claim;
  const full = nowMs !== undefined;
  if (full) {
    w.field(level, 'Name', metadata.name);
    w.field(level, 'Namespace', metadata.namespace);
  }
  w.field(level, 'StorageClass', storageClassOf(claim));
  if (full) w.field(level, 'Status', metadata.deletionTimestamp ? `Terminating (lasts ${since(metadata.deletionTimestamp, nowMs)})` : (status.phase ?? ''));
  w.field(level, 'Volume', spec.volumeName ?? '');
  labelsAndAnnotations(w, claim);
  if (full) w.field(level, 'Finalizers', slice(metadata.finalizers));
  w.field(level, 'Capacity', spec.volumeName ? (status.capacity?.storage ?? '0') : '');
  w.field(level, 'Access Modes', spec.volumeName ? accessModes(status.accessModes) : '');
  if (spec.volumeMode) w.field(level, 'VolumeMode', spec.volumeMode);
  if (!spec.dataSource) return;
  w.write(level, 'DataSource:\n');
  if (spec.dataSource.apiGroup !== undefined) w.field(level + 1, 'APIGroup', spec.dataSource.apiGroup);
  w.field(level + 1, 'Kind', spec.dataSource.kind);
  w.field(level + 1, 'Name', spec.dataSource.name);
}
