import { parseQuantity } from '../quantity.ts';
import type { Container, EphemeralContainer, LifecycleHandler, Pod, PodSpec, PodTemplateSpec, Probe, Volume } from '../types.ts';

/** Defaults of Pods and Pod templates (`pkg/apis/core/v1/defaults.go`). */

const REFERENCE =
  /^(?:(?:[A-Za-z0-9.-]+|\[[a-fA-F0-9:]+\])(?::\d+)?\/)?[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*(?::([\w][\w.-]{0,127}))?(@[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,})?$/;

/** The tag that decides the pull policy: "latest" when neither tag nor digest is given; empty for what is no image name. */
function imageTag(image: string): string {
  const match = REFERENCE.exec(image);
  if (!match) return '';
  return match[1] ?? (match[2] === undefined ? 'latest' : '');
}

export const pullPolicyFor = (image: string | undefined): 'Always' | 'IfNotPresent' => (imageTag(image ?? '') === 'latest' ? 'Always' : 'IfNotPresent');

const MILLI = 1_000_000n;

/** Amounts finer than a thousandth are rounded up (`SetDefaults_ResourceList`). */
export function roundResources(...lists: (Record<string, string> | undefined)[]): void {
  for (const list of lists) {
    for (const [name, text] of Object.entries(list ?? {})) {
      const { nano } = parseQuantity(text);
      if (nano % MILLI !== 0n) (list as Record<string, string>)[name] = `${nano / MILLI + (nano > 0n ? 1n : 0n)}m`;
    }
  }
}

function defaultHandler(handler: LifecycleHandler | Probe | undefined): void {
  if (!handler?.httpGet) return;
  handler.httpGet.path ||= '/';
  handler.httpGet.scheme ||= 'HTTP';
}

function defaultProbe(probe: Probe | undefined): void {
  if (!probe) return;
  defaultHandler(probe);
  probe.timeoutSeconds ||= 1;
  probe.periodSeconds ||= 10;
  probe.successThreshold ||= 1;
  probe.failureThreshold ||= 3;
  if (probe.grpc) probe.grpc.service ??= '';
}

function defaultContainer(container: Container | EphemeralContainer): void {
  for (const port of container.ports ?? []) port.protocol ||= 'TCP';
  for (const { valueFrom } of container.env ?? []) {
    if (valueFrom?.fieldRef) valueFrom.fieldRef.apiVersion ||= 'v1';
    if (valueFrom?.resourceFieldRef) valueFrom.resourceFieldRef.divisor ??= '0';
  }
  container.resources ??= {};
  roundResources(container.resources.limits, container.resources.requests);
  defaultProbe(container.livenessProbe);
  defaultProbe(container.readinessProbe);
  defaultProbe(container.startupProbe);
  defaultHandler(container.lifecycle?.postStart);
  defaultHandler(container.lifecycle?.preStop);
  // Behind a feature gate that is off.
  if (container.lifecycle?.stopSignal !== undefined) delete container.lifecycle.stopSignal;
  container.imagePullPolicy ||= pullPolicyFor(container.image);
  container.terminationMessagePath ||= '/dev/termination-log';
  container.terminationMessagePolicy ||= 'File';
}

function defaultVolume(volume: Volume): void {
  if (Object.keys(volume).every((key) => key === 'name')) volume.emptyDir = {};
  const { secret, configMap, downwardAPI, projected, hostPath, ephemeral, image } = volume;
  for (const source of [secret, configMap, downwardAPI, projected]) if (source) source.defaultMode ??= 420;
  const files = [...(downwardAPI?.items ?? [])];
  for (const source of projected?.sources ?? []) {
    if (source.serviceAccountToken) source.serviceAccountToken.expirationSeconds ??= 3600;
    files.push(...(source.downwardAPI?.items ?? []));
  }
  for (const { fieldRef, resourceFieldRef } of files) {
    if (fieldRef) fieldRef.apiVersion ||= 'v1';
    if (resourceFieldRef) resourceFieldRef.divisor ??= '0';
  }
  if (hostPath) hostPath.type ??= '';
  if (image) image.pullPolicy ||= pullPolicyFor(image.reference);
  const claim = ephemeral?.volumeClaimTemplate?.spec;
  if (claim) {
    claim.volumeMode ??= 'Filesystem';
    roundResources(claim.resources?.limits, claim.resources?.requests);
  }
}

export function allContainers(spec: PodSpec | undefined): (Container | EphemeralContainer)[] {
  return [...(spec?.initContainers ?? []), ...(spec?.containers ?? []), ...(spec?.ephemeralContainers ?? [])];
}

/** Defaults that every PodSpec gets, in Pods and in templates. */
export function defaultPodSpec(spec: PodSpec): void {
  for (const volume of spec.volumes ?? []) defaultVolume(volume);
  for (const container of allContainers(spec)) defaultContainer(container);
  roundResources(spec.overhead, spec.resources?.limits, spec.resources?.requests);
  spec.dnsPolicy ||= 'ClusterFirst';
  spec.restartPolicy ||= 'Always';
  spec.securityContext ??= {};
  spec.terminationGracePeriodSeconds ??= 30;
  spec.schedulerName ||= 'default-scheduler';
  // With host networking every container port is a port of the host.
  if (spec.hostNetwork) {
    for (const container of [...(spec.containers ?? []), ...(spec.initContainers ?? [])]) {
      for (const port of container.ports ?? []) port.hostPort ||= port.containerPort;
    }
  }
  // serviceAccount is the old name of serviceAccountName; the server writes both.
  spec.serviceAccountName ||= spec.serviceAccount;
  if (spec.serviceAccountName) spec.serviceAccount = spec.serviceAccountName;
  else {
    delete spec.serviceAccountName;
    delete spec.serviceAccount;
  }
}

export function defaultPodTemplate(template: PodTemplateSpec | undefined): void {
  if (!template) return;
  template.metadata ??= {};
  template.spec ??= { containers: [] };
  defaultPodSpec(template.spec);
}

/** What only Pods get, not templates. */
export function defaultPod(pod: Pod): void {
  pod.spec ??= { containers: [] };
  defaultPodSpec(pod.spec);
  for (const { resources } of [...(pod.spec.containers ?? []), ...(pod.spec.initContainers ?? [])]) {
    if (resources?.limits) resources.requests = { ...resources.limits, ...resources.requests };
  }
  pod.spec.enableServiceLinks ??= true;
  pod.status ??= {};
}
