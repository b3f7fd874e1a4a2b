import type { Pod } from '../kinds/types.ts';
import { ConfigError } from './config-error.ts';

const CLUSTER_DOMAIN = 'cluster.local';
export const CLUSTER_DNS_IP = '10.43.0.10';

/** Host name and domain of a Pod (`GeneratePodHostNameAndDomain`). */
export interface PodHostName {
  hostname: string;
  /** "<subdomain>.<namespace>.svc.cluster.local", or empty. */
  domain: string;
  /** What `hostname` prints: the FQDN with setHostnameAsFQDN. */
  nodename: string;
}

/** Throws `ConfigError` when the FQDN is too long for the kernel. */
export function podHostName(pod: Pod): PodHostName {
  const spec = pod.spec ?? {};
  if (spec.hostnameOverride !== undefined) {
    const hostname = truncate(spec.hostnameOverride);
    return { hostname, domain: '', nodename: hostname };
  }
  const hostname = truncate(spec.hostname || pod.metadata?.name || '');
  const domain = spec.subdomain ? `${spec.subdomain}.${pod.metadata?.namespace}.svc.${CLUSTER_DOMAIN}` : '';
  if (!spec.setHostnameAsFQDN || !domain) return { hostname, domain, nodename: hostname };
  const fqdn = `${hostname}.${domain}`;
  if (fqdn.length > 64) {
    throw new ConfigError(
      `Failed to construct FQDN from pod hostname and cluster domain, FQDN ${fqdn} is too long (64 characters is the max, ${fqdn.length} characters requested)`,
    );
  }
  return { hostname, domain, nodename: fqdn };
}

function truncate(name: string): string {
  return name.length <= 63 ? name : name.slice(0, 63).replace(/[-.]+$/, '');
}

/** /etc/hosts of a Pod (`managedHostsFileContent`). */
export function hostsFile(pod: Pod, podIps: readonly string[]): string {
  const { hostname, domain } = podHostName(pod);
  let out =
    '# Kubernetes-managed hosts file.\n127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\nfe00::0\tip6-localnet\nfe00::0\tip6-mcastprefix\nfe00::1\tip6-allnodes\nfe00::2\tip6-allrouters\n';
  for (const ip of podIps) out += domain ? `${ip}\t${hostname}.${domain}\t${hostname}\n` : `${ip}\t${hostname}\n`;
  return out + hostAliases(pod);
}

/** /etc/hosts of a host-network Pod: the node's own file with the kubelet's header. */
export function nodeHostsFile(pod: Pod, nodeName: string, nodeIp: string): string {
  return `# Kubernetes-managed hosts file (host network).\n127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\nfe00::\tip6-localnet\nff00::\tip6-mcastprefix\nff02::1\tip6-allnodes\nff02::2\tip6-allrouters\n${nodeIp}\t${nodeName}\n${hostAliases(pod)}`;
}

function hostAliases(pod: Pod): string {
  const aliases = pod.spec?.hostAliases ?? [];
  if (aliases.length === 0) return '';
  return `\n# Entries added by HostAliases.\n${aliases.map((alias) => `${alias.ip}\t${(alias.hostnames ?? []).join('\t')}\n`).join('')}`;
}

/** /etc/resolv.conf of a Pod (models `network/dns`). */
export function resolvConf(pod: Pod): string {
  const spec = pod.spec ?? {};
  const policy = spec.dnsPolicy ?? 'ClusterFirst';
  let servers: string[] = [];
  let searches: string[] = [];
  let options: string[] = [];
  if (policy === 'ClusterFirstWithHostNet' || (policy === 'ClusterFirst' && !spec.hostNetwork)) {
    servers = [CLUSTER_DNS_IP];
    searches = [`${pod.metadata?.namespace}.svc.${CLUSTER_DOMAIN}`, `svc.${CLUSTER_DOMAIN}`, CLUSTER_DOMAIN];
    options = ['ndots:5'];
  } else if (policy !== 'None') servers = ['172.18.0.1'];
  const extra = spec.dnsConfig;
  if (extra) {
    servers = [...new Set([...servers, ...(extra.nameservers ?? [])])];
    searches = [...new Set([...searches, ...(extra.searches ?? [])])];
    const merged = new Map(options.map((option) => [option.split(':')[0] as string, option]));
    for (const option of extra.options ?? [])
      merged.set(option.name ?? '', option.value === undefined || option.value === '' ? (option.name ?? '') : `${option.name}:${option.value}`);
    options = [...merged.values()];
  }
  let out = '';
  if (searches.length > 0) out += `search ${searches.slice(0, 32).join(' ')}\n`;
  for (const server of servers.slice(0, 3)) out += `nameserver ${server}\n`;
  if (options.length > 0) out += `options ${options.join(' ')}\n`;
  return out;
}
