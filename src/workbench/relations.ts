import type { ClusterModel, Row, Slot } from './cluster-model.ts';

/** What belongs to a selected object: for the drawing, and as a sentence. */
export interface Relations {
  /** As the drawing names them: "pods/default/web-0". */
  objects: ReadonlySet<string>;
  /** Whether a line of the drawing ("bearing/…", "hang/…") belongs to it. */
  line(key: string): boolean;
  /** For screen readers and the text outline. */
  says: string;
}

const podName = (slot: Slot, row: Row): string | undefined => (slot.pod ? `pods/${slot.pod.namespace}/${slot.pod.name}` : slot.missing) ?? row.object;

/** The relations of one object of the chart; undefined when it is no longer there. */
export function relationsOf(model: ClusterModel, object: string): Relations | undefined {
  const [plural = '', namespace = '', name = ''] = object.split('/');
  const objects = new Set<string>();
  const lines = new Set<string>();
  const words: string[] = [];
  const claimsOf = (slot: Slot): void => {
    for (const claim of slot.claims) {
      objects.add(`persistentvolumeclaims/${claim.namespace}/${claim.name}`);
      lines.add(`hang/${slot.key}/${claim.name}`);
    }
  };
  const rowOf = (row: Row): void => {
    if (row.object) objects.add(row.object);
    if (row.name) words.push(`屬於 ${row.kind} ${row.name}`);
  };
  const listed = (what: string, names: readonly string[]): void => {
    if (names.length > 0) words.push(`${what} ${names.join('、')}`);
  };
  let found = false;

  for (const row of model.rows) {
    if (row.object === object) {
      found = true;
      for (const slot of row.slots) {
        const pod = podName(slot, row);
        if (pod) objects.add(pod);
        claimsOf(slot);
      }
      for (const service of row.services) objects.add(`services/${service.namespace}/${service.name}`);
      listed(
        'Pod：',
        row.slots.flatMap((slot) => slot.pod?.name ?? []),
      );
      listed(
        'PVC：',
        row.slots.flatMap((slot) => slot.claims.map((claim) => claim.name)),
      );
      listed(
        'Service：',
        row.services.map((service) => service.name),
      );
    }
    for (const slot of row.slots) {
      if (podName(slot, row) === object) {
        found = true;
        rowOf(row);
        claimsOf(slot);
        if (slot.pod?.node) {
          objects.add(`nodes//${slot.pod.node}`);
          words.push(`在節點 ${slot.pod.node}`);
        }
        listed(
          '掛著 PVC',
          slot.claims.map((claim) => claim.name),
        );
        const services = row.services.filter((service) => service.endpoints.some((endpoint) => endpoint.ip === slot.pod?.ip));
        for (const service of services) {
          objects.add(`services/${service.namespace}/${service.name}`);
          lines.add(`bearing/${service.namespace}/${service.name}/${slot.pod?.uid}`);
        }
        listed(
          '指向它的 Service 是',
          services.map((service) => service.name),
        );
      }
      if (plural === 'persistentvolumeclaims' && slot.claims.some((claim) => claim.namespace === namespace && claim.name === name)) {
        found = true;
        rowOf(row);
        const pod = podName(slot, row);
        if (pod) objects.add(pod);
        lines.add(`hang/${slot.key}/${name}`);
        words.push(slot.pod ? `Pod ${slot.pod.name} 掛著它` : '現在沒有 Pod 掛著它');
      }
    }
    for (const service of row.services) {
      if (object !== `services/${service.namespace}/${service.name}`) continue;
      found = true;
      const pods = row.slots.flatMap(({ pod }) => (pod && service.endpoints.some((endpoint) => endpoint.ip === pod.ip) ? [pod] : []));
      for (const pod of pods) {
        objects.add(`pods/${pod.namespace}/${pod.name}`);
        lines.add(`bearing/${service.namespace}/${service.name}/${pod.uid}`);
      }
      if (row.object) objects.add(row.object);
      listed(
        '指向 Pod',
        pods.map((pod) => pod.name),
      );
    }
  }
  for (const node of model.nodes) {
    if (object !== `nodes//${node.name}`) continue;
    found = true;
    for (const pod of node.pods) objects.add(`pods/${pod.namespace}/${pod.name}`);
    listed(
      '上面有 Pod',
      node.pods.map((pod) => pod.name),
    );
  }
  const loose = [
    ...model.looseServices.map((service) => `services/${service.namespace}/${service.name}`),
    ...model.looseClaims.map((claim) => `persistentvolumeclaims/${claim.namespace}/${claim.name}`),
  ];
  if (!found && !loose.includes(object)) return undefined;
  return {
    objects,
    line: (key) => lines.has(key),
    says: `選了 ${name}。${words.length > 0 ? `${words.join('；')}。` : '沒有跟它相連的東西。'}`,
  };
}
