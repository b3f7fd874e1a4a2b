import { compareStrings, type Obj } from '../util/object.ts';
import { type DescribeContext, events, formatLabels, labelsAndAnnotations, multiline, rfc1123, since, slice, trueFalse } from './common.ts';
import { accessModes, claimBody, storageClassOf, volumeSource } from './volumes.ts';
import type { DescribeWriter } from './writer.ts';

export async function describeClaim(claim: Obj, context: DescribeContext, w: DescribeWriter): Promise<void> {
  const { metadata, status = {} } = claim;
  const pods = await context.source.list(`/api/v1/namespaces/${metadata.namespace}/pods`);
  const owners = new Set((metadata.ownerReferences ?? []).filter((owner: Obj) => owner.kind === 'Pod').map((owner: Obj) => owner.uid));
  const uses = (pod: Obj): boolean => (pod.spec?.volumes ?? []).some((volume: Obj) => volume.persistentVolumeClaim?.claimName === metadata.name);
  claimBody(w, claim, 0, context.source.nowMs);
  multiline(
    w,
    'Used By',
    pods
      .filter((pod) => uses(pod) || owners.has(pod.metadata?.uid))
      .map((pod) => String(pod.metadata?.name))
      .sort(compareStrings),
  );
  if (status.conditions?.length) {
    w.write(0, 'Conditions:\n');
    // The dashes under LastProbeTime are longer than the word, so this is no ordinary table.
    w.write(1, 'Type\tStatus\tLastProbeTime\tLastTransitionTime\tReason\tMessage\n');
    w.write(1, '----\t------\t-----------------\t------------------\t------\t-------\n');
    for (const c of status.conditions)
      w.write(1, `${c.type} \t${c.status} \t${rfc1123(c.lastProbeTime)} \t${rfc1123(c.lastTransitionTime)} \t${c.reason ?? ''} \t${c.message ?? ''}\n`);
  }
  events(w, context);
}

export function describeVolume(volume: Obj, context: DescribeContext, w: DescribeWriter): void {
  const { metadata, spec = {}, status = {} } = volume;
  w.field(0, 'Name', metadata.name);
  labelsAndAnnotations(w, volume);
  w.field(0, 'Finalizers', slice(metadata.finalizers));
  w.field(0, 'StorageClass', storageClassOf(volume));
  w.field(0, 'Status', metadata.deletionTimestamp ? `Terminating (lasts ${since(metadata.deletionTimestamp, context.source.nowMs)})` : (status.phase ?? ''));
  w.field(0, 'Claim', spec.claimRef ? `${spec.claimRef.namespace}/${spec.claimRef.name}` : '');
  w.field(0, 'Reclaim Policy', spec.persistentVolumeReclaimPolicy ?? '');
  w.field(0, 'Access Modes', accessModes(spec.accessModes));
  if (spec.volumeMode) w.field(0, 'VolumeMode', spec.volumeMode);
  w.field(0, 'Capacity', spec.capacity?.storage ?? '0');
  const required = spec.nodeAffinity?.required;
  w.field(0, 'Node Affinity', required ? '' : '<none>');
  if (required) {
    const terms: Obj[] = required.nodeSelectorTerms ?? [];
    w.field(1, 'Required Terms', terms.length === 0 ? '<none>' : '');
    terms.forEach((term, i) => {
      const expressions = ((term.matchExpressions ?? []) as Obj[]).map(
        (e) => `${e.key} ${String(e.operator).toLowerCase()}${e.values?.length ? ` [${e.values.join(', ')}]` : ''}`,
      );
      if (expressions.length === 0) w.field(2, `Term ${i}`, '<none>');
      expressions.forEach((text, j) => {
        w.write(2, j === 0 ? `Term ${i}:\t${text}\n` : `\t${text}\n`);
      });
    });
  }
  w.field(0, 'Message', status.message ?? '');
  w.write(0, 'Source:\n');
  volumeSource(w, spec);
  events(w, context);
}

export function describeStorageClass(storageClass: Obj, context: DescribeContext, w: DescribeWriter): void {
  const { metadata } = storageClass;
  const isDefault = ['storageclass.kubernetes.io/is-default-class', 'storageclass.beta.kubernetes.io/is-default-class'].some(
    (key) => metadata.annotations?.[key] === 'true',
  );
  w.field(0, 'Name', metadata.name);
  w.field(0, 'IsDefaultClass', isDefault ? 'Yes' : 'No');
  w.field(0, 'Annotations', formatLabels(metadata.annotations));
  w.field(0, 'Provisioner', storageClass.provisioner);
  w.field(0, 'Parameters', formatLabels(storageClass.parameters));
  w.field(0, 'AllowVolumeExpansion', trueFalse(storageClass.allowVolumeExpansion));
  if (storageClass.mountOptions?.length) {
    w.write(0, 'MountOptions:\n');
    for (const option of storageClass.mountOptions) w.write(1, `${option}\n`);
  } else w.field(0, 'MountOptions', '<none>');
  if (storageClass.reclaimPolicy) w.field(0, 'ReclaimPolicy', storageClass.reclaimPolicy);
  if (storageClass.volumeBindingMode) w.field(0, 'VolumeBindingMode', storageClass.volumeBindingMode);
  const topologies: Obj[] | undefined = storageClass.allowedTopologies;
  if (topologies) {
    w.field(0, 'AllowedTopologies', topologies.length === 0 ? '<none>' : '');
    topologies.forEach((term, i) => {
      ((term.matchLabelExpressions ?? []) as Obj[]).forEach((e, j) => {
        w.write(1, `${j === 0 ? `Term ${i}:` : ''}\t${e.key} in [${(e.values ?? []).join(', ')}]\n`);
      });
    });
  }
  events(w, context);
}
