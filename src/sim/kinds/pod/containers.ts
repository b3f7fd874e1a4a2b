import type { Check } from '../check.ts';
import { isHttpHeaderName, isPortName } from '../meta/names.ts';
import { checkResources } from '../resources.ts';
import type { Container, ContainerPort, EphemeralContainer, LifecycleHandler, PodSpec, Probe, VolumeDevice, VolumeMount } from '../types.ts';
import { checkEnv, checkEnvFrom } from './env.ts';
import { descending } from './paths.ts';
import { checkSecurityContext } from './security.ts';
import type { VolumeNames } from './volumes.ts';

/** Containers of every sort (`validateContainers`, `validateInitContainers`, `validateEphemeralContainers`). */

export const PROTOCOLS = ['SCTP', 'TCP', 'UDP'];
const PULL_POLICIES = ['Always', 'IfNotPresent', 'Never'];

/** What containers need to know of their Pod. */
export interface PodScope {
  spec: PodSpec;
  volumes: VolumeNames;
  claims: ReadonlySet<string>;
}

function checkPorts(check: Check, field: string, ports: readonly ContainerPort[]): void {
  const names = new Set<string>();
  ports.forEach(({ name = '', containerPort = 0, hostPort = 0, protocol }, i) => {
    const at = `${field}[${i}]`;
    if (name !== '') {
      const messages = isPortName(name);
      for (const message of messages) check.invalid(`${at}.name`, name, message);
      if (messages.length === 0 && names.has(name)) check.duplicate(`${at}.name`, name);
      names.add(name);
    }
    if (containerPort === 0) check.required(`${at}.containerPort`);
    else check.port(`${at}.containerPort`, containerPort);
    if (hostPort !== 0) check.port(`${at}.hostPort`, hostPort);
    check.oneOf(`${at}.protocol`, protocol, PROTOCOLS);
  });
}

function checkMounts(check: Check, field: string, container: Container, volumes: VolumeNames): void {
  const devices = container.volumeDevices ?? [];
  const seen = new Set<string>();
  (container.volumeMounts ?? []).forEach((mount: VolumeMount, i) => {
    const at = `${field}[${i}]`;
    const { name = '', mountPath = '', subPath = '', subPathExpr = '', mountPropagation, recursiveReadOnly } = mount;
    check.given(`${at}.name`, name);
    if (!volumes.has(name)) check.notFound(`${at}.name`, name);
    check.given(`${at}.mountPath`, mountPath);
    if (seen.has(mountPath)) check.invalid(`${at}.mountPath`, mountPath, 'must be unique');
    seen.add(mountPath);
    if (devices.some((device) => device.name === name)) check.invalid(`${at}.name`, name, 'must not already exist in volumeDevices');
    if (devices.some((device) => device.devicePath === mountPath))
      check.invalid(`${at}.mountPath`, mountPath, 'must not already exist as a path in volumeDevices');
    if (subPath !== '') descending(check, `${field}.subPath`, subPath);
    if (subPathExpr !== '') {
      if (subPath !== '') check.invalid(`${at}.subPathExpr`, subPathExpr, 'subPathExpr and subPath are mutually exclusive');
      descending(check, `${field}.subPathExpr`, subPathExpr);
    }
    if (mountPropagation !== undefined) {
      check.oneOf(`${field}.mountPropagation`, mountPropagation, ['Bidirectional', 'HostToContainer', 'None']);
      if (mountPropagation === 'Bidirectional' && !container.securityContext?.privileged) {
        check.forbidden(`${field}.mountPropagation`, 'Bidirectional mount propagation is available only to privileged containers');
      }
    }
    if (recursiveReadOnly !== undefined && recursiveReadOnly !== 'Disabled') {
      const place = `${field}.recursiveReadOnly`;
      if (recursiveReadOnly !== 'Enabled' && recursiveReadOnly !== 'IfPossible')
        check.notSupported(place, recursiveReadOnly, ['Disabled', 'Enabled', 'IfPossible']);
      else {
        if (!mount.readOnly) check.forbidden(place, 'may only be specified when readOnly is true');
        if (mountPropagation !== undefined && mountPropagation !== 'None') {
          check.forbidden(place, 'may only be specified when mountPropagation is None or not specified');
        }
      }
    }
  });
}

function checkDevices(check: Check, field: string, container: Container, volumes: VolumeNames): void {
  const mounts = container.volumeMounts ?? [];
  const [names, paths] = [new Set<string>(), new Set<string>()];
  (container.volumeDevices ?? []).forEach(({ name = '', devicePath = '' }: VolumeDevice, i) => {
    const at = `${field}[${i}]`;
    check.given(`${at}.name`, name);
    if (names.has(name)) check.invalid(`${at}.name`, name, 'must be unique');
    const volume = volumes.get(name);
    if (volume && !volume.isClaim) check.invalid(`${at}.name`, name, 'can only use volume source type of PersistentVolumeClaim or Ephemeral for block mode');
    if (!volume) check.notFound(`${at}.name`, name);
    check.given(`${at}.devicePath`, devicePath);
    if (paths.has(devicePath)) check.invalid(`${at}.devicePath`, devicePath, 'must be unique');
    if (devicePath.split('/').includes('..')) check.invalid(`${at}.devicePath`, devicePath, "can not contain backsteps ('..')");
    else paths.add(devicePath);
    if (mounts.some((mount) => mount.name === name)) check.invalid(`${at}.name`, name, 'must not already exist in volumeMounts');
    if (mounts.some((mount) => mount.mountPath === devicePath))
      check.invalid(`${at}.devicePath`, devicePath, 'must not already exist as a path in volumeMounts');
    if (name !== '') names.add(name);
  });
}

function checkHandler(check: Check, at: string, handler: LifecycleHandler & Probe, gracePeriod: number | undefined): void {
  const { exec, httpGet, tcpSocket, grpc, sleep } = handler;
  const given = Object.entries({ exec, httpGet, tcpSocket, grpc, sleep }).filter(([, value]) => value !== undefined && value !== null);
  if (given.length === 0) check.required(at, 'must specify a handler type');
  const first = given[0]?.[0];
  if (first === 'exec' && !exec?.command?.length) check.required(`${at}.exec.command`);
  if (first === 'httpGet' && httpGet) {
    check.given(`${at}.httpGet.path`, httpGet.path);
    check.portOrName(`${at}.httpGet.port`, httpGet.port);
    if (!['HTTP', 'HTTPS'].includes(httpGet.scheme ?? '')) check.notSupported(`${at}.httpGet.scheme`, httpGet.scheme ?? '', ['HTTP', 'HTTPS']);
    for (const { name = '' } of httpGet.httpHeaders ?? []) check.rule(`${at}.httpGet.httpHeaders`, name, isHttpHeaderName);
  }
  if (first === 'tcpSocket') check.portOrName(`${at}.tcpSocket.port`, tcpSocket?.port);
  if (first === 'grpc') check.portOrName(`${at}.grpc.port`, grpc?.port);
  const seconds = sleep?.seconds ?? 0;
  if (first === 'sleep' && gracePeriod !== undefined && (seconds < 0 || seconds > gracePeriod)) {
    check.invalid(`${at}.sleep`, seconds, `must be non-negative and less than terminationGracePeriodSeconds (${gracePeriod})`);
  }
  for (const [name] of given.slice(1)) check.forbidden(`${at}.${name}`, 'may not specify more than 1 handler type');
}

function checkProbe(check: Check, at: string, probe: Probe | undefined, kind: 'liveness' | 'readiness' | 'startup', gracePeriod: number | undefined): void {
  if (!probe) return;
  checkHandler(check, at, probe, gracePeriod);
  for (const key of ['initialDelaySeconds', 'timeoutSeconds', 'periodSeconds', 'successThreshold', 'failureThreshold'] as const)
    check.nonNegative(`${at}.${key}`, probe[key]);
  const own = probe.terminationGracePeriodSeconds;
  if (own !== undefined && own <= 0) check.invalid(`${at}.terminationGracePeriodSeconds`, own, 'must be greater than 0');
  if (kind !== 'readiness') {
    if (probe.successThreshold !== 1) check.invalid(`${at}.successThreshold`, probe.successThreshold, 'must be 1');
  } else if (own !== undefined) check.invalid(`${at}.terminationGracePeriodSeconds`, own, 'must not be set for readinessProbes');
}

function checkLifecycleAndProbes(check: Check, at: string, container: Container, spec: PodSpec): void {
  const grace = spec.terminationGracePeriodSeconds;
  const { lifecycle } = container;
  if (lifecycle?.postStart) checkHandler(check, `${at}.lifecycle.postStart`, lifecycle.postStart, grace);
  if (lifecycle?.preStop) checkHandler(check, `${at}.lifecycle.preStop`, lifecycle.preStop, grace);
  for (const kind of ['liveness', 'readiness', 'startup'] as const) checkProbe(check, `${at}.${kind}Probe`, container[`${kind}Probe`], kind, grace);
}

function checkCommon(check: Check, at: string, container: Container, { spec, volumes, claims }: PodScope): void {
  const { name = '' } = container;
  if (check.given(`${at}.name`, name)) check.label(`${at}.name`, name);
  check.given(`${at}.image`, container.image);
  check.oneOf(`${at}.terminationMessagePolicy`, container.terminationMessagePolicy, ['File', 'FallbackToLogsOnError']);
  checkPorts(check, `${at}.ports`, container.ports ?? []);
  checkEnv(check, `${at}.env`, container.env ?? []);
  checkEnvFrom(check, `${at}.envFrom`, container.envFrom ?? []);
  checkMounts(check, `${at}.volumeMounts`, container, volumes);
  checkDevices(check, `${at}.volumeDevices`, container, volumes);
  check.oneOf(`${at}.imagePullPolicy`, container.imagePullPolicy, PULL_POLICIES);
  checkResources(check, `${at}.resources`, container.resources, claims);
  const resized = new Set<string>();
  (container.resizePolicy ?? []).forEach(({ resourceName = '', restartPolicy = '' }, i) => {
    const place = `${at}.resizePolicy`;
    if (resized.has(resourceName)) check.duplicate(`${place}[${i}]`, resourceName);
    resized.add(resourceName);
    check.oneOf(place, resourceName, ['cpu', 'memory']);
    check.oneOf(place, restartPolicy, ['NotRequired', 'RestartContainer']);
    if (spec.restartPolicy === 'Never' && restartPolicy !== 'NotRequired') {
      check.invalid(place, restartPolicy, "must be 'NotRequired' when pod `restartPolicy` is 'Never'");
    }
  });
  checkSecurityContext(check, `${at}.securityContext`, container.securityContext, spec.hostUsers !== false);
}

function checkRestartPolicy(check: Check, at: string, { restartPolicy, restartPolicyRules = [] }: Container): void {
  if (restartPolicy === undefined) {
    if (restartPolicyRules.length > 0) check.required(`${at}.restartPolicy`, 'must specify restartPolicy when restart rules are used');
  } else if (!['Always', 'Never', 'OnFailure'].includes(restartPolicy))
    check.notSupported(`${at}.restartPolicy`, restartPolicy, ['Always', 'Never', 'OnFailure']);
  check.maxItems(`${at}.restartPolicyRules`, restartPolicyRules.length, 20);
  restartPolicyRules.forEach(({ action = '', exitCodes }, i) => {
    const rule = `${at}.restartPolicyRules[${i}]`;
    if (!['Restart', 'RestartAllContainers'].includes(action)) check.notSupported(`${rule}.action`, action, ['Restart', 'RestartAllContainers']);
    if (!exitCodes) {
      check.required(`${rule}.exitCodes`, 'must be specified');
      return;
    }
    const { operator = '', values = [] } = exitCodes;
    if (!['In', 'NotIn'].includes(operator)) check.notSupported(`${rule}.exitCodes.operator`, operator, ['In', 'NotIn']);
    check.maxItems(`${rule}.exitCodes.values`, values.length, 255);
  });
}

/** The same port of the node cannot be taken twice. */
function checkHostPorts(check: Check, field: string, containers: readonly Container[]): void {
  const taken = new Set<string>();
  containers.forEach((container, i) => {
    (container.ports ?? []).forEach(({ protocol, hostIP = '', hostPort = 0 }, j) => {
      if (hostPort === 0) return;
      const key = `${protocol}/${hostIP}/${hostPort}`;
      if (taken.has(key)) check.duplicate(`${field}[${i}].ports[${j}].hostPort`, key);
      taken.add(key);
    });
  });
}

export function checkContainers(check: Check, field: string, scope: PodScope): void {
  const containers = scope.spec.containers ?? [];
  if (containers.length === 0) {
    check.required(field);
    return;
  }
  const names = new Set<string>();
  containers.forEach((container, i) => {
    const at = `${field}[${i}]`;
    const { name = '' } = container;
    checkCommon(check, at, container, scope);
    if (names.has(name)) check.duplicate(`${at}.name`, name);
    names.add(name);
    checkLifecycleAndProbes(check, at, container, scope.spec);
    checkRestartPolicy(check, at, container);
  });
  checkHostPorts(check, field, containers);
}

const ONLY_SIDECARS = 'may not be set for init containers without restartPolicy=Always';

export function checkInitContainers(check: Check, field: string, scope: PodScope): void {
  const names = new Set((scope.spec.containers ?? []).map(({ name = '' }) => name));
  (scope.spec.initContainers ?? []).forEach((container, i) => {
    const at = `${field}[${i}]`;
    const { name = '' } = container;
    checkCommon(check, at, container, scope);
    checkRestartPolicy(check, at, container);
    if (names.has(name)) check.duplicate(`${at}.name`, name);
    else if (name !== '') names.add(name);
    checkHostPorts(check, field, [container]);
    if (container.restartPolicy === 'Always') checkLifecycleAndProbes(check, at, container, scope.spec);
    else
      for (const key of ['lifecycle', 'livenessProbe', 'readinessProbe', 'startupProbe'] as const)
        if (container[key]) check.forbidden(`${at}.${key}`, ONLY_SIDECARS);
  });
}

/** Fields that make no sense in a container that comes late and is never restarted. */
const NOT_EPHEMERAL = ['ports', 'livenessProbe', 'readinessProbe', 'startupProbe', 'lifecycle'] as const;

export function checkEphemeralContainers(check: Check, field: string, scope: PodScope): void {
  const names = new Set([...(scope.spec.containers ?? []), ...(scope.spec.initContainers ?? [])].map(({ name = '' }) => name));
  (scope.spec.ephemeralContainers ?? []).forEach((container: EphemeralContainer, i) => {
    const at = `${field}[${i}]`;
    const { name = '', targetContainerName = '' } = container;
    checkCommon(check, at, container as Container, scope);
    if (names.has(name)) check.duplicate(`${at}.name`, name);
    if (targetContainerName !== '' && !names.has(targetContainerName)) check.notFound(`${at}.targetContainerName`, targetContainerName);
    names.add(name);
    for (const key of NOT_EPHEMERAL) {
      const value = container[key];
      if (value !== undefined && !(Array.isArray(value) && value.length === 0)) check.forbidden(`${at}.${key}`, 'cannot be set for an Ephemeral Container');
    }
    if (Object.keys(container.resources ?? {}).length > 0) check.forbidden(`${at}.resources`, 'cannot be set for an Ephemeral Container');
    (container.volumeMounts ?? []).forEach(({ subPath, subPathExpr }, j) => {
      if (subPath) check.forbidden(`${at}.volumeMounts[${j}].subPath`, 'cannot be set for an Ephemeral Container');
      if (subPathExpr) check.forbidden(`${at}.volumeMounts[${j}].subPathExpr`, 'cannot be set for an Ephemeral Container');
    });
  });
}
