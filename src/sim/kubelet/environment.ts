import { parseQuantity, quantityMilliValue, quantityValue } from '../kinds/quantity.ts';
import type { ConfigMap, Container, EnvVarSource, ResourceFieldSelector, Secret, Service } from '../kinds/types.ts';
import { decodeBase64 } from './base64.ts';
import { ConfigError } from './config-error.ts';
import { expand } from './expansion.ts';
import { containerSpec } from './kill.ts';
import type { PodWorker } from './pod-worker.ts';

/** Models `makeEnvironmentVariables`: a container's own variables in declared order, then those of Services. Throws `ConfigError`. */
export function makeEnvironment(worker: PodWorker, container: Container, podIp: string): Map<string, string> {
  const pod = worker.pod;
  const namespace = pod.metadata?.namespace ?? '';
  const client = worker.kubelet.client;
  const own = new Map<string, string>();
  const services = serviceEnvironment(client.informer<Service>('v1/services').list(), namespace, pod.spec?.enableServiceLinks !== false);

  const configMap = (name: string, optional: boolean | undefined): ConfigMap | undefined => {
    const found = client.resource<ConfigMap>('v1/configmaps').get(namespace, name);
    if (!found && !optional) throw new ConfigError(`configmap "${name}" not found`);
    return found;
  };
  const secret = (name: string, optional: boolean | undefined): Secret | undefined => {
    const found = client.resource<Secret>('v1/secrets').get(namespace, name);
    if (!found && !optional) throw new ConfigError(`secret "${name}" not found`);
    return found;
  };

  for (const source of container.envFrom ?? []) {
    const entries = source.configMapRef
      ? Object.entries(configMap(source.configMapRef.name ?? '', source.configMapRef.optional)?.data ?? {})
      : source.secretRef
        ? Object.entries(secret(source.secretRef.name ?? '', source.secretRef.optional)?.data ?? {}).map(([key, value]): [string, string] => [
            key,
            text(decodeBase64(value)),
          ])
        : [];
    for (const [key, value] of entries) own.set(`${source.prefix ?? ''}${key}`, value);
  }

  const lookup = (name: string): string | undefined => own.get(name) ?? services.get(name);
  for (const variable of container.env ?? []) {
    let value: string | undefined = variable.value ?? '';
    if (value !== '') value = expand(value, lookup);
    else if (variable.valueFrom) {
      value = fromSource(variable.valueFrom);
      if (value === undefined) continue;
    }
    own.set(variable.name ?? '', value);
  }
  for (const [name, value] of services) if (!own.has(name)) own.set(name, value);
  return own;

  function fromSource(source: EnvVarSource): string | undefined {
    if (source.fieldRef) return fieldValue(worker, source.fieldRef.fieldPath ?? '', podIp);
    if (source.resourceFieldRef) return resourceFieldValue(worker, source.resourceFieldRef, container);
    if (source.configMapKeyRef) {
      const { name = '', key = '', optional } = source.configMapKeyRef;
      const found = configMap(name, optional);
      if (!found) return undefined;
      const value = found.data?.[key];
      if (value === undefined && !optional) throw new ConfigError(`couldn't find key ${key} in ConfigMap ${namespace}/${name}`);
      return value;
    }
    if (source.secretKeyRef) {
      const { name = '', key = '', optional } = source.secretKeyRef;
      const found = secret(name, optional);
      if (!found) return undefined;
      const value = found.data?.[key];
      if (value === undefined) {
        if (!optional) throw new ConfigError(`couldn't find key ${key} in Secret ${namespace}/${name}`);
        return undefined;
      }
      return text(decodeBase64(value));
    }
    return '';
  }
}

function text(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}

/** Value of a downward API field (`podFieldSelectorRuntimeValue`, `fieldpath.ExtractFieldPathAsString`). */
export function fieldValue(worker: PodWorker, fieldPath: string, podIp: string): string {
  const { pod, kubelet } = worker;
  const keyed = /^metadata\.(annotations|labels)\['(.*)'\]$/.exec(fieldPath);
  if (keyed) return (keyed[1] === 'labels' ? pod.metadata?.labels : pod.metadata?.annotations)?.[keyed[2] as string] ?? '';
  switch (fieldPath) {
    case 'metadata.annotations':
      return formatMap(pod.metadata?.annotations);
    case 'metadata.labels':
      return formatMap(pod.metadata?.labels);
    case 'metadata.name':
      return pod.metadata?.name ?? '';
    case 'metadata.namespace':
      return pod.metadata?.namespace ?? '';
    case 'metadata.uid':
      return pod.metadata?.uid ?? '';
    case 'spec.nodeName':
      return pod.spec?.nodeName ?? '';
    case 'spec.serviceAccountName':
      return pod.spec?.serviceAccountName ?? '';
    case 'status.hostIP':
    case 'status.hostIPs':
      return kubelet.nodeIp;
    case 'status.podIP':
    case 'status.podIPs':
      return podIp;
    default:
      throw new ConfigError(`unsupported fieldPath: ${fieldPath}`);
  }
}

/** Labels or annotations as a downward API file shows them: one `key="value"` per line, sorted. */
function formatMap(map: Record<string, string> | undefined): string {
  return Object.entries(map ?? {})
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, value]) => `${key}=${JSON.stringify(value)}`)
    .join('\n');
}

/** Models `containerResourceRuntimeValue`: whole units of the divisor, rounded up; limits default to what the node can give. */
export function resourceFieldValue(worker: PodWorker, selector: ResourceFieldSelector, own: Container | undefined): string {
  const container = selector.containerName ? containerSpec(worker.pod, selector.containerName) : own;
  if (!container) throw new ConfigError(`container ${selector.containerName} not found`);
  const [kind, name = ''] = (selector.resource ?? '').split('.') as ['limits' | 'requests', string];
  const allocatable = worker.kubelet.allocatable();
  const limit = container.resources?.limits?.[name];
  const request = container.resources?.requests?.[name] ?? limit;
  const value = kind === 'limits' ? (limit ?? allocatable[name] ?? '0') : (request ?? '0');
  const divisor = selector.divisor && parseQuantity(selector.divisor).nano > 0n ? selector.divisor : '1';
  if (name === 'cpu') return String(Math.ceil(quantityMilliValue(value) / quantityMilliValue(divisor)));
  return String(Math.ceil(quantityValue(value) / quantityValue(divisor)));
}

/** Models `getServiceEnvVarMap` and `envvars.FromServices`. */
export function serviceEnvironment(services: readonly Service[], namespace: string, links: boolean): Map<string, string> {
  const out = new Map<string, string>();
  const chosen = services
    .filter((service) => {
      const ip = service.spec?.clusterIP;
      if (!ip || ip === 'None') return false;
      const isMaster = service.metadata?.namespace === 'default' && service.metadata.name === 'kubernetes';
      return isMaster || (links && service.metadata?.namespace === namespace);
    })
    .sort((a, b) => ((a.metadata?.name ?? '') < (b.metadata?.name ?? '') ? -1 : 1));
  for (const service of chosen) {
    const prefix = (service.metadata?.name ?? '').replaceAll('-', '_').toUpperCase();
    const ip = service.spec?.clusterIP ?? '';
    const host = ip.includes(':') ? `[${ip}]` : ip;
    const ports = service.spec?.ports ?? [];
    out.set(`${prefix}_SERVICE_HOST`, ip);
    out.set(`${prefix}_SERVICE_PORT`, String(ports[0]?.port ?? ''));
    for (const port of ports) {
      if (port.name) out.set(`${prefix}_SERVICE_PORT_${port.name.replaceAll('-', '_').toUpperCase()}`, String(port.port));
    }
    ports.forEach((port, index) => {
      const protocol = (port.protocol ?? 'TCP').toLowerCase();
      const url = `${protocol}://${host}:${port.port}`;
      if (index === 0) out.set(`${prefix}_PORT`, url);
      const portPrefix = `${prefix}_PORT_${port.port}_${protocol.toUpperCase()}`;
      out.set(portPrefix, url);
      out.set(`${portPrefix}_PROTO`, protocol);
      out.set(`${portPrefix}_PORT`, String(port.port));
      out.set(`${portPrefix}_ADDR`, ip);
    });
  }
  return out;
}
