import { compareStrings, type Obj } from '../util/object.ts';
import { type DescribeContext, events, heading, labelsAndAnnotations, multiline, orNone, rfc1123, since, slice } from './common.ts';
import { type Amount, formatAmount, parseAmount, podResources, sumResources } from './resources.ts';
import type { DescribeWriter } from './writer.ts';

const ROLE_PREFIX = 'node-role.kubernetes.io/';
const STANDARD_RESOURCES = new Set(['cpu', 'memory', 'ephemeral-storage', 'pods']);

export async function describeNode(node: Obj, context: DescribeContext, w: DescribeWriter): Promise<void> {
  const { metadata, spec = {}, status = {} } = node;
  const name: string = metadata.name;
  const selector = encodeURIComponent(`spec.nodeName=${name},status.phase!=Failed,status.phase!=Succeeded`);
  const pods = await context.source.list(`/api/v1/pods?fieldSelector=${selector}`);
  const lease = await context.source.get(`/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases/${name}`);

  const roles = Object.keys(metadata.labels ?? {})
    .filter((label) => label.startsWith(ROLE_PREFIX) && label.length > ROLE_PREFIX.length)
    .map((label) => label.slice(ROLE_PREFIX.length));
  const legacyRole = metadata.labels?.['kubernetes.io/role'];
  if (legacyRole) roles.push(legacyRole);
  w.field(0, 'Name', name);
  w.field(0, 'Roles', orNone([...new Set(roles)].sort(compareStrings).join(',')));
  labelsAndAnnotations(w, node);
  w.field(0, 'CreationTimestamp', rfc1123(metadata.creationTimestamp));
  const taints: Obj[] = [...(spec.taints ?? [])].sort((a, b) => compareStrings(`${a.effect},${a.key}`, `${b.effect},${b.key}`));
  multiline(
    w,
    'Taints',
    taints.map((taint) => `${taint.key}${taint.value ? `=${taint.value}` : ''}:${taint.effect}`),
  );
  w.field(0, 'Unschedulable', spec.unschedulable ?? false);
  if (lease) {
    w.write(0, 'Lease:\n');
    w.field(1, 'HolderIdentity', lease.spec?.holderIdentity ?? '<unset>');
    w.field(1, 'AcquireTime', lease.spec?.acquireTime ? rfc1123(lease.spec.acquireTime) : '<unset>');
    w.field(1, 'RenewTime', lease.spec?.renewTime ? rfc1123(lease.spec.renewTime) : '<unset>');
  } else w.field(0, 'Lease', `Failed to get lease: leases.coordination.k8s.io "${name}" not found`);
  if (status.conditions?.length) {
    w.write(0, 'Conditions:\n');
    w.write(1, 'Type\tStatus\tLastHeartbeatTime\tLastTransitionTime\tReason\tMessage\n');
    w.write(1, '----\t------\t-----------------\t------------------\t------\t-------\n');
    for (const c of status.conditions)
      w.write(1, `${c.type} \t${c.status} \t${rfc1123(c.lastHeartbeatTime)} \t${rfc1123(c.lastTransitionTime)} \t${c.reason ?? ''} \t${c.message ?? ''}\n`);
  }
  w.write(0, 'Addresses:\n');
  for (const address of status.addresses ?? []) w.field(1, address.type, address.address);
  for (const [title, list] of [
    ['Capacity', status.capacity],
    ['Allocatable', status.allocatable],
  ] as [string, Record<string, string> | undefined][]) {
    if (!list) continue;
    w.write(0, `${title}:\n`);
    for (const resource of Object.keys(list).sort(compareStrings)) w.field(1, resource, list[resource]);
  }
  w.write(0, 'System Info:\n');
  const info = status.nodeInfo ?? {};
  for (const [label, key] of [
    ['Machine ID', 'machineID'],
    ['System UUID', 'systemUUID'],
    ['Boot ID', 'bootID'],
    ['Kernel Version', 'kernelVersion'],
    ['OS Image', 'osImage'],
    ['Operating System', 'operatingSystem'],
    ['Architecture', 'architecture'],
    ['Container Runtime Version', 'containerRuntimeVersion'],
    ['Kubelet Version', 'kubeletVersion'],
  ] as const) {
    w.field(1, label, info[key] ?? '');
  }
  if (spec.podCIDR) w.field(0, 'PodCIDR', spec.podCIDR);
  if (spec.podCIDRs?.length) w.field(0, 'PodCIDRs', spec.podCIDRs.join(','));
  if (spec.providerID) w.field(0, 'ProviderID', spec.providerID);
  nodeResources(w, pods, status.allocatable ?? status.capacity ?? {}, context.source.nowMs);
  events(w, context);
}

function nodeResources(w: DescribeWriter, pods: readonly Obj[], allocatable: Record<string, string>, nowMs: number): void {
  const none: Amount = { milli: 0, binary: false };
  const share = (amount: Amount, resource: string): string => {
    const whole = parseAmount(allocatable[resource]).milli;
    return `${formatAmount(amount)} (${whole === 0 ? 0 : Math.trunc((amount.milli / whole) * 100)}%)`;
  };
  w.field(0, 'Non-terminated Pods', `(${pods.length} in total)`);
  w.write(1, 'Namespace\tName\t\tCPU Requests\tCPU Limits\tMemory Requests\tMemory Limits\tAge\n');
  w.write(1, '---------\t----\t\t------------\t----------\t---------------\t-------------\t---\n');
  for (const pod of pods) {
    const requests = podResources(pod, 'requests');
    const limits = podResources(pod, 'limits');
    const cells = (['cpu', 'memory'] as const).flatMap((resource) => [
      share(requests.get(resource) ?? none, resource),
      share(limits.get(resource) ?? none, resource),
    ]);
    w.write(1, `${pod.metadata.namespace}\t${pod.metadata.name}\t\t${cells.join('\t')}\t${since(pod.metadata.creationTimestamp, nowMs)}\n`);
  }
  const requests = sumResources(pods, 'requests');
  const limits = sumResources(pods, 'limits');
  w.write(0, 'Allocated resources:\n  (Total limits may be over 100 percent, i.e., overcommitted.)\n');
  w.table(1, ['Resource', 'Requests', 'Limits'], []);
  for (const resource of ['cpu', 'memory', 'ephemeral-storage'])
    w.write(1, `${resource}\t${share(requests.get(resource) ?? none, resource)}\t${share(limits.get(resource) ?? none, resource)}\n`);
  const others = Object.keys(allocatable).sort(compareStrings);
  for (const resource of others.filter((other) => other.startsWith('hugepages-')))
    w.write(1, `${resource}\t${share(requests.get(resource) ?? none, resource)}\t${share(limits.get(resource) ?? none, resource)}\n`);
  for (const resource of others.filter((other) => !other.startsWith('hugepages-') && !STANDARD_RESOURCES.has(other))) {
    w.write(1, `${resource}\t${formatAmount(requests.get(resource) ?? none)}\t${formatAmount(limits.get(resource) ?? none)}\n`);
  }
}

export async function describeNamespace(namespace: Obj, context: DescribeContext, w: DescribeWriter): Promise<void> {
  const { metadata, status = {} } = namespace;
  const quotas = await context.source.list(`/api/v1/namespaces/${metadata.name}/resourcequotas`);
  const ranges = await context.source.list(`/api/v1/namespaces/${metadata.name}/limitranges`);
  w.field(0, 'Name', metadata.name);
  labelsAndAnnotations(w, namespace);
  w.field(0, 'Status', status.phase ?? '');
  if (status.conditions?.length) {
    w.write(0, 'Conditions:\n');
    w.table(
      1,
      ['Type', 'Status', 'LastTransitionTime', 'Reason', 'Message'],
      status.conditions.map((c: Obj) => [c.type, c.status, rfc1123(c.lastTransitionTime), c.reason, c.message]),
    );
  }
  w.write(0, '\n');
  if (quotas.length === 0) w.write(0, 'No resource quota.\n');
  else w.write(0, 'Resource Quotas\n');
  for (const quota of [...quotas].sort((a, b) => compareStrings(a.metadata.name, b.metadata.name))) {
    w.field(1, 'Name', quota.metadata.name);
    quotaScopes(w, 1, '* ', quota);
    w.write(1, 'Resource\tUsed\tHard\n');
    // Three dashes each, unlike `describe quota`.
    w.write(1, '--------\t---\t---\n');
    quotaRows(w, 1, quota);
  }
  w.write(0, '\n');
  if (ranges.length === 0) {
    w.write(0, 'No LimitRange resource.\n');
    return;
  }
  w.write(0, 'Resource Limits\n Type\tResource\tMin\tMax\tDefault Request\tDefault Limit\tMax Limit/Request Ratio\n');
  w.write(0, ' ----\t--------\t---\t---\t---------------\t-------------\t-----------------------\n');
  for (const range of ranges) limitRows(w, range, ' ');
}

const SCOPE_HELP: Record<string, string> = {
  Terminating: 'Matches all pods that have an active deadline. These pods have a limited lifespan on a node before being actively terminated by the system.',
  NotTerminating:
    'Matches all pods that do not have an active deadline. These pods usually include long running pods whose container command is not expected to terminate.',
  BestEffort: 'Matches all pods that do not have resource requirements set. These pods have a best effort quality of service.',
  NotBestEffort: 'Matches all pods that have at least one resource requirement set. These pods have a burstable or guaranteed quality of service.',
};

function quotaScopes(w: DescribeWriter, level: number, bullet: string, quota: Obj): void {
  const scopes: string[] = [...(quota.spec?.scopes ?? [])].sort(compareStrings);
  if (scopes.length === 0) return;
  w.field(level, 'Scopes', scopes.join(', '));
  for (const scope of scopes) if (SCOPE_HELP[scope]) w.write(level, `${bullet}${SCOPE_HELP[scope]}\n`);
}

function quotaRows(w: DescribeWriter, level: number, quota: Obj): void {
  const hard: Record<string, string> = quota.status?.hard ?? {};
  for (const resource of Object.keys(hard).sort(compareStrings)) w.write(level, `${resource}\t${quota.status?.used?.[resource] ?? '0'}\t${hard[resource]}\n`);
}

export function describeQuota(quota: Obj, _context: DescribeContext, w: DescribeWriter): void {
  heading(w, quota);
  quotaScopes(w, 0, ' * ', quota);
  w.table(0, ['Resource', 'Used', 'Hard'], []);
  quotaRows(w, 0, quota);
}

export function describeLimitRange(range: Obj, _context: DescribeContext, w: DescribeWriter): void {
  heading(w, range);
  w.write(0, 'Type\tResource\tMin\tMax\tDefault Request\tDefault Limit\tMax Limit/Request Ratio\n');
  w.write(0, '----\t--------\t---\t---\t---------------\t-------------\t-----------------------\n');
  limitRows(w, range, '');
}

function limitRows(w: DescribeWriter, range: Obj, prefix: string): void {
  const columns = ['min', 'max', 'defaultRequest', 'default', 'maxLimitRequestRatio'];
  for (const item of range.spec?.limits ?? []) {
    const resources = new Set(columns.flatMap((column) => Object.keys(item[column] ?? {})));
    for (const resource of [...resources].sort(compareStrings))
      w.write(0, `${prefix}${item.type}\t${resource}\t${columns.map((column) => item[column]?.[resource] ?? '-').join('\t')}\n`);
  }
}

export function describeConfigMap(map: Obj, context: DescribeContext, w: DescribeWriter): void {
  heading(w, map);
  labelsAndAnnotations(w, map);
  w.write(0, '\nData\n====\n');
  for (const key of Object.keys(map.data ?? {}).sort(compareStrings)) w.write(0, `${key}:\n----\n${map.data[key]}\n\n`);
  w.write(0, '\nBinaryData\n====\n');
  for (const key of Object.keys(map.binaryData ?? {}).sort(compareStrings)) w.write(0, `${key}: ${base64Length(map.binaryData[key])} bytes\n`);
  w.write(0, '\n');
  events(w, context);
}

export function describeSecret(secret: Obj, _context: DescribeContext, w: DescribeWriter): void {
  heading(w, secret);
  labelsAndAnnotations(w, secret);
  w.write(0, `\nType:\t${secret.type ?? ''}\n`);
  w.write(0, '\nData\n====\n');
  for (const key of Object.keys(secret.data ?? {}).sort(compareStrings)) {
    const shown = key === 'token' && secret.type === 'kubernetes.io/service-account-token';
    w.field(0, key, shown ? atob(secret.data[key]) : `${base64Length(secret.data[key])} bytes`);
  }
}

function base64Length(text: string): number {
  return Math.floor((text.replaceAll('=', '').length * 3) / 4);
}

export function describeServiceAccount(account: Obj, context: DescribeContext, w: DescribeWriter): void {
  heading(w, account);
  labelsAndAnnotations(w, account);
  const secrets: string[] = (account.imagePullSecrets ?? []).map((reference: Obj) => reference.name);
  const title = 'Image pull secrets:';
  if (secrets.length === 0) w.write(0, `${title}\t<none>\n`);
  secrets.forEach((name, i) => {
    w.write(0, `${i === 0 ? title : ' '.repeat(title.length)}\t${name}\n`);
  });
  events(w, context);
}

/** Roles and ClusterRoles: rules broken down to one resource each, then gathered by verbs. */
export function describeRole(role: Obj, _context: DescribeContext, w: DescribeWriter): void {
  w.field(0, 'Name', role.metadata.name);
  labelsAndAnnotations(w, role);
  w.write(0, 'PolicyRule:\n');
  const compact = new Map<string, { group: string; resource: string; names: string[]; urls: string[]; verbs: string[] }>();
  const add = (group: string, resource: string, names: string[], urls: string[], verb: string): void => {
    const key = JSON.stringify([group, resource, names, urls]);
    const rule = compact.get(key) ?? { group, resource, names, urls, verbs: [] };
    if (!rule.verbs.includes(verb)) rule.verbs.push(verb);
    compact.set(key, rule);
  };
  for (const rule of role.rules ?? []) {
    for (const verb of rule.verbs ?? []) {
      for (const group of rule.apiGroups ?? []) {
        for (const resource of rule.resources ?? []) {
          if (rule.resourceNames?.length) for (const name of rule.resourceNames) add(group, resource, [name], [], verb);
          else add(group, resource, [], [], verb);
        }
      }
      for (const url of rule.nonResourceURLs ?? []) add('', '', [], [url], verb);
    }
  }
  const sortKey = (rule: { group: string; resource: string; names: string[]; urls: string[]; verbs: string[] }): string =>
    `Verbs:${slice(rule.verbs)},APIGroups:${slice(rule.urls.length > 0 ? [] : [rule.group])},Resources:${slice(rule.resource ? [rule.resource] : [])},ResourceNames:${slice(rule.names)},NonResourceURLs:${slice(rule.urls)},`;
  w.table(
    1,
    ['Resources', 'Non-Resource URLs', 'Resource Names', 'Verbs'],
    [...compact.values()]
      .sort((a, b) => compareStrings(sortKey(a), sortKey(b)))
      .map((rule) => {
        const [resource = '', subresource] = rule.resource.split('/');
        const text = `${resource}${rule.group ? `.${rule.group}` : ''}${subresource ? `/${subresource}` : ''}`;
        return [text, slice(rule.urls), slice(rule.names), slice(rule.verbs)];
      }),
  );
}

export function describeRoleBinding(binding: Obj, _context: DescribeContext, w: DescribeWriter): void {
  w.field(0, 'Name', binding.metadata.name);
  labelsAndAnnotations(w, binding);
  w.write(0, 'Role:\n');
  w.field(1, 'Kind', binding.roleRef?.kind ?? '');
  w.field(1, 'Name', binding.roleRef?.name ?? '');
  w.write(0, 'Subjects:\n');
  w.table(
    1,
    ['Kind', 'Name', 'Namespace'],
    (binding.subjects ?? []).map((subject: Obj) => [subject.kind, subject.name, subject.namespace ?? '']),
  );
}
