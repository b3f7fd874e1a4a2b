import { compareStrings, type Obj, quote } from '../util/object.ts';
import {
  annotations,
  controllerOf,
  type DescribeContext,
  events,
  formatLabelSelector,
  heading,
  labels,
  labelsAndAnnotations,
  multiline,
  orNone,
  rfc1123,
  since,
  slice,
  trueFalse,
} from './common.ts';
import { resourceFieldValue } from './resources.ts';
import { volumeSource } from './volumes.ts';
import type { DescribeWriter } from './writer.ts';

export function describePod(pod: Obj, context: DescribeContext, w: DescribeWriter): void {
  const { metadata = {}, spec = {}, status = {} } = pod;
  heading(w, pod);
  if (spec.priority !== undefined) w.field(0, 'Priority', spec.priority);
  if (spec.priorityClassName) w.field(0, 'Priority Class Name', spec.priorityClassName);
  if (spec.runtimeClassName) w.field(0, 'Runtime Class Name', spec.runtimeClassName);
  if (spec.serviceAccountName) w.field(0, 'Service Account', spec.serviceAccountName);
  w.field(0, 'Node', spec.nodeName ? `${spec.nodeName}/${status.hostIP ?? ''}` : '<none>');
  if (status.startTime) w.field(0, 'Start Time', rfc1123(status.startTime));
  labelsAndAnnotations(w, pod);
  if (metadata.deletionTimestamp && status.phase !== 'Failed' && status.phase !== 'Succeeded') {
    w.field(0, 'Status', `Terminating (lasts ${since(metadata.deletionTimestamp, context.source.nowMs)})`);
    w.field(0, 'Termination Grace Period', `${metadata.deletionGracePeriodSeconds}s`);
  } else w.field(0, 'Status', status.phase ?? '');
  if (status.reason) w.field(0, 'Reason', status.reason);
  if (status.message) w.field(0, 'Message', status.message);
  seccomp(w, 0, 0, spec.securityContext?.seccompProfile);
  w.field(0, 'IP', status.podIP ?? '');
  if (status.podIPs?.length) {
    w.write(0, 'IPs:\n');
    for (const { ip } of status.podIPs) w.field(1, 'IP', ip);
  } else w.field(0, 'IPs', '<none>');
  const controller = controllerOf(pod);
  if (controller) w.field(0, 'Controlled By', controller);
  if (status.nominatedNodeName) w.field(0, 'NominatedNodeName', status.nominatedNodeName);
  if (spec.resources) {
    w.write(0, 'Resources:\n');
    resources(w, 1, spec.resources);
  }
  if (spec.initContainers?.length) containers(w, 'Init Containers', spec.initContainers, status.initContainerStatuses ?? [], '', pod);
  containers(w, 'Containers', spec.containers, status.containerStatuses ?? [], '', pod);
  if (spec.ephemeralContainers?.length) containers(w, 'Ephemeral Containers', spec.ephemeralContainers, status.ephemeralContainerStatuses ?? [], '', pod);
  const conditions: Obj[] = status.conditions ?? [];
  if (spec.readinessGates?.length) {
    w.write(0, 'Readiness Gates:\n  Type\tStatus\n');
    for (const gate of spec.readinessGates)
      w.write(1, `${gate.conditionType} \t${conditions.find((c) => c.type === gate.conditionType)?.status ?? '<none>'} \n`);
  }
  if (conditions.length > 0) {
    w.write(0, 'Conditions:\n  Type\tStatus\n');
    for (const condition of conditions) w.write(1, `${condition.type} \t${condition.status} \n`);
  }
  volumes(w, spec.volumes, '');
  w.field(0, 'QoS Class', status.qosClass ?? '');
  labels(w, 'Node-Selectors', spec.nodeSelector);
  tolerations(w, 'Tolerations', spec.tolerations);
  topologySpread(w, spec.topologySpreadConstraints, '');
  events(w, context);
}

/** The `Pod Template:` block of workloads. */
export function podTemplate(w: DescribeWriter, template: Obj | undefined): void {
  w.write(0, 'Pod Template:\n');
  if (!template) {
    w.write(1, '<unset>');
    return;
  }
  const spec = template.spec ?? {};
  labels(w, '  Labels', template.metadata?.labels);
  if (Object.keys(template.metadata?.annotations ?? {}).length > 0) annotations(w, '  Annotations', template.metadata?.annotations);
  if (spec.serviceAccountName) w.field(1, 'Service Account', spec.serviceAccountName);
  if (spec.initContainers?.length) containers(w, 'Init Containers', spec.initContainers, [], '  ', undefined);
  containers(w, 'Containers', spec.containers, [], '  ', undefined);
  volumes(w, spec.volumes, '  ');
  topologySpread(w, spec.topologySpreadConstraints, '  ');
  if (spec.priorityClassName) w.field(1, 'Priority Class Name', spec.priorityClassName);
  labels(w, '  Node-Selectors', spec.nodeSelector);
  tolerations(w, '  Tolerations', spec.tolerations);
}

function seccomp(w: DescribeWriter, level: number, innerLevel: number, profile: Obj | undefined): void {
  if (!profile) return;
  w.field(level, 'SeccompProfile', profile.type);
  if (profile.type === 'Localhost') w.field(innerLevel, 'LocalhostProfile', profile.localhostProfile);
}

/** `pod` resolves field references; a template has none, and its values stay empty. */
function containers(w: DescribeWriter, label: string, list: readonly Obj[] | undefined, statuses: readonly Obj[], space: string, pod: Obj | undefined): void {
  w.write(0, `${space}${label}:${list?.length ? '' : ' <none>'}\n`);
  for (const container of list ?? []) {
    const status = statuses.find((candidate) => candidate.name === container.name);
    w.write(1, `${space ? ' ' : ''}${container.name}:\n`);
    if (status) w.field(2, 'Container ID', status.containerID ?? '');
    w.field(2, 'Image', container.image ?? '');
    if (status) w.field(2, 'Image ID', status.imageID ?? '');
    const ports: Obj[] = container.ports ?? [];
    const portList = (key: string): string => ports.map((port) => `${port[key] ?? 0}/${port.protocol}${port.name ? ` (${port.name})` : ''}`).join(', ');
    w.field(2, ports.length > 1 ? 'Ports' : 'Port', orNone(portList('containerPort')));
    w.field(2, ports.length > 1 ? 'Host Ports' : 'Host Port', orNone(portList('hostPort')));
    seccomp(w, 2, 3, container.securityContext?.seccompProfile);
    for (const [title, words] of [
      ['Command', container.command],
      ['Args', container.args],
    ] as [string, string[] | undefined][]) {
      if (!words?.length) continue;
      w.write(2, `${title}:\n`);
      for (const line of words.flatMap((word) => word.split('\n'))) w.write(3, `${line}\n`);
    }
    if (status) containerState(w, status);
    resources(w, 2, container.resources);
    for (const [title, probe] of [
      ['Liveness', container.livenessProbe],
      ['Readiness', container.readinessProbe],
      ['Startup', container.startupProbe],
    ] as [string, Obj | undefined][]) {
      if (probe) w.field(2, title, describeProbe(probe));
    }
    environmentFrom(w, container.envFrom);
    environment(w, container, pod);
    mounts(w, container);
  }
}

function containerState(w: DescribeWriter, status: Obj): void {
  state(w, 'State', status.state ?? {});
  if (status.lastState?.terminated) state(w, 'Last State', status.lastState);
  w.field(2, 'Ready', trueFalse(status.ready ?? false));
  w.field(2, 'Restart Count', status.restartCount ?? 0);
}

function state(w: DescribeWriter, title: string, value: Obj): void {
  if (value.running) {
    w.field(2, title, 'Running');
    w.field(3, 'Started', rfc1123(value.running.startedAt));
  } else if (value.terminated) {
    const { reason, message, exitCode, signal, startedAt, finishedAt } = value.terminated;
    w.field(2, title, 'Terminated');
    if (reason) w.field(3, 'Reason', reason);
    if (message) w.field(3, 'Message', message);
    w.field(3, 'Exit Code', exitCode ?? 0);
    if (signal > 0) w.field(3, 'Signal', signal);
    w.field(3, 'Started', rfc1123(startedAt));
    w.field(3, 'Finished', rfc1123(finishedAt));
  } else {
    w.field(2, title, 'Waiting');
    if (value.waiting?.reason) w.field(3, 'Reason', value.waiting.reason);
  }
}

function resources(w: DescribeWriter, level: number, requirements: Obj | undefined): void {
  for (const [title, list] of [
    ['Limits', requirements?.limits],
    ['Requests', requirements?.requests],
  ] as [string, Record<string, string> | undefined][]) {
    const names = Object.keys(list ?? {}).sort(compareStrings);
    if (names.length > 0) w.write(level, `${title}:\n`);
    for (const name of names) w.field(level + 1, name, list?.[name]);
  }
}

/** As in `Liveness: http-get http://:80/ delay=0s timeout=1s period=10s #success=1 #failure=3`. */
function describeProbe(probe: Obj): string {
  const attributes = `delay=${probe.initialDelaySeconds ?? 0}s timeout=${probe.timeoutSeconds ?? 0}s period=${probe.periodSeconds ?? 0}s #success=${probe.successThreshold ?? 0} #failure=${probe.failureThreshold ?? 0}`;
  if (probe.exec) return `exec ${slice(probe.exec.command)} ${attributes}`;
  if (probe.httpGet) {
    const { scheme, host = '', port, path = '' } = probe.httpGet;
    const authority = `${host.includes(':') ? `[${host}]` : host}:${port}`;
    return `http-get ${String(scheme ?? '').toLowerCase()}://${authority}${path && !path.startsWith('/') ? '/' : ''}${encodeURI(path)} ${attributes}`;
  }
  if (probe.tcpSocket) return `tcp-socket ${probe.tcpSocket.host ?? ''}:${probe.tcpSocket.port} ${attributes}`;
  if (probe.grpc) return `grpc <pod>:${probe.grpc.port} ${probe.grpc.service ?? ''} ${attributes}`;
  return `unknown ${attributes}`;
}

function environmentFrom(w: DescribeWriter, sources: readonly Obj[] | undefined): void {
  if (!sources?.length) return;
  w.write(2, 'Environment Variables from:\n');
  for (const source of sources) {
    const reference = source.configMapRef ?? source.secretRef ?? {};
    const kind = source.configMapRef ? 'ConfigMap' : source.secretRef ? 'Secret' : '';
    w.write(3, `${reference.name ?? ''}\t${kind}${source.prefix ? ` with prefix '${source.prefix}'` : ''}\tOptional: ${reference.optional ?? false}\n`);
  }
}

function environment(w: DescribeWriter, container: Obj, pod: Obj | undefined): void {
  const variables: Obj[] = container.env ?? [];
  w.write(2, `Environment:${variables.length > 0 ? '' : '\t<none>'}\n`);
  for (const { name, value, valueFrom } of variables) {
    if (!valueFrom) {
      String(value ?? '')
        .split('\n')
        .forEach((line, i) => {
          w.write(3, i === 0 ? `${name}:\t${line}\n` : `\t${line}\n`);
        });
    } else if (valueFrom.fieldRef) {
      const { apiVersion, fieldPath } = valueFrom.fieldRef;
      w.write(3, `${name}:\t${pod ? fieldValue(pod, fieldPath) : ''} (${apiVersion}:${fieldPath})\n`);
    } else if (valueFrom.resourceFieldRef) {
      const { resource } = valueFrom.resourceFieldRef;
      let text = resourceFieldValue(container, valueFrom.resourceFieldRef);
      if (text === '0' && (resource === 'limits.cpu' || resource === 'limits.memory')) text = 'node allocatable';
      w.write(3, `${name}:\t${text} (${resource})\n`);
    } else {
      const reference = valueFrom.secretKeyRef ?? valueFrom.configMapKeyRef;
      if (!reference) continue;
      const where = valueFrom.secretKeyRef ? `in secret '${reference.name}'` : `of config map '${reference.name}'`;
      w.write(3, `${name}:\t<set to the key '${reference.key}' ${where}>\tOptional: ${reference.optional ?? false}\n`);
    }
  }
}

/** Only metadata can be told without asking the kubelet; kubectl leaves the rest empty. */
function fieldValue(pod: Obj, path: string): string {
  const metadata = pod.metadata ?? {};
  const subscript = /^metadata\.(labels|annotations)\['(.*)'\]$/.exec(path);
  if (subscript) return metadata[subscript[1] ?? '']?.[subscript[2] ?? ''] ?? '';
  if (path === 'metadata.labels' || path === 'metadata.annotations') {
    const map = metadata[path.slice('metadata.'.length)] ?? {};
    return Object.keys(map)
      .sort(compareStrings)
      .map((key) => `${key}=${quote(map[key])}`)
      .join('\n');
  }
  if (path === 'metadata.name' || path === 'metadata.namespace' || path === 'metadata.uid') return metadata[path.slice('metadata.'.length)] ?? '';
  return '';
}

function mounts(w: DescribeWriter, container: Obj): void {
  const list: Obj[] = [...(container.volumeMounts ?? [])].sort((a, b) => compareStrings(a.mountPath, b.mountPath));
  const none = list.length === 0 ? '\t<none>' : '';
  w.write(2, `Mounts:${none}\n`);
  for (const mount of list)
    w.write(3, `${mount.mountPath} from ${mount.name} (${mount.readOnly ? 'ro' : 'rw'}${mount.subPath ? `,path=${quote(mount.subPath)}` : ''})\n`);
  const devices: Obj[] = [...(container.volumeDevices ?? [])].sort((a, b) => compareStrings(a.devicePath, b.devicePath));
  if (devices.length === 0) return;
  w.write(2, `Devices:${none}\n`);
  for (const device of devices) w.write(3, `${device.devicePath} from ${device.name}\n`);
}

function volumes(w: DescribeWriter, list: readonly Obj[] | undefined, space: string): void {
  if (!list?.length) {
    w.write(0, `${space}Volumes:\t<none>\n`);
    return;
  }
  w.write(0, `${space}Volumes:\n`);
  for (const volume of list) {
    w.write(1, `${space ? ' ' : ''}${volume.name}:\n`);
    volumeSource(w, volume);
  }
}

function tolerations(w: DescribeWriter, title: string, list: readonly Obj[] | undefined): void {
  const lines = [...(list ?? [])]
    .sort((a, b) => compareStrings(a.key ?? '', b.key ?? ''))
    .map(({ key = '', value = '', effect = '', operator, tolerationSeconds }) => {
      let text = `${key}${value ? `=${value}` : ''}${effect ? `:${effect}` : ''}`;
      if (operator === 'Exists' && !value) text += key || effect ? ' op=Exists' : 'op=Exists';
      return tolerationSeconds === undefined ? text : `${text} for ${tolerationSeconds}s`;
    });
  multiline(w, title, lines);
}

function topologySpread(w: DescribeWriter, constraints: readonly Obj[] | undefined, space: string): void {
  if (!constraints?.length) return;
  const lines = [...constraints]
    .sort((a, b) => compareStrings(a.topologyKey, b.topologyKey))
    .map(
      (c) =>
        `${c.topologyKey}:${c.whenUnsatisfiable} when max skew ${c.maxSkew} is exceeded${c.labelSelector ? ` for selector ${formatLabelSelector(c.labelSelector)}` : ''}`,
    );
  multiline(w, 'Topology Spread Constraints', lines, space);
}
