import { nameOf, plain, row, withGeneration, withStatus } from '../lifecycle.ts';
import { formatLabelSelector } from '../selector.ts';
import type { KindStrategy } from '../strategy.ts';
import type { Ingress, IngressClass, IPAddress, NetworkPolicy, ServiceCIDR } from '../types.ts';

export const ingressStrategy: KindStrategy<Ingress> = {
  resource: 'networking.k8s.io/v1/ingresses',
  applyDefaults(ingress) {
    ingress.status ??= {};
    ingress.status.loadBalancer ??= {};
  },
  ...withGeneration<Ingress>(() => ({ loadBalancer: {} })),
  tableRow: row(({ spec = {}, status }) => {
    const hosts: string[] = [];
    let more = false;
    for (const { host } of spec.rules ?? []) {
      if (hosts.length === 3) more = true;
      if (!more && host) hosts.push(host);
    }
    const address = new Set((status?.loadBalancer?.ingress ?? []).map(({ ip, hostname }) => ip || hostname || '').filter(Boolean));
    return [
      spec.ingressClassName ?? '<none>',
      hosts.length === 0 ? '*' : hosts.join(',') + (more ? ` + ${(spec.rules?.length ?? 0) - 3} more...` : ''),
      [...address].sort().join(','),
      spec.tls?.length ? '80, 443' : '80',
    ];
  }),
};

export const DEFAULT_INGRESS_CLASS = 'ingressclass.kubernetes.io/is-default-class';

export const ingressClassStrategy: KindStrategy<IngressClass> = {
  resource: 'networking.k8s.io/v1/ingressclasses',
  applyDefaults({ spec }) {
    if (spec?.parameters) spec.parameters.scope ??= 'Cluster';
  },
  ...withGeneration<IngressClass>(() => undefined),
  tableRow: (ingressClass, context) => {
    const { parameters, controller = '' } = ingressClass.spec ?? {};
    const group = parameters?.apiGroup === undefined ? '' : `.${parameters.apiGroup}`;
    const cells = row<IngressClass>(() => [controller, parameters ? `${parameters.kind}${group}/${parameters.name}` : '<none>'])(ingressClass, context);
    const isDefault = ingressClass.metadata?.annotations?.[DEFAULT_INGRESS_CLASS] === 'true';
    return [nameOf(ingressClass) + (isDefault ? ' (default)' : ''), ...cells.slice(1)];
  },
};

export const networkPolicyStrategy: KindStrategy<NetworkPolicy> = {
  resource: 'networking.k8s.io/v1/networkpolicies',
  applyDefaults({ spec }) {
    if (!spec) return;
    spec.podSelector ??= {};
    for (const rule of [...(spec.ingress ?? []), ...(spec.egress ?? [])]) for (const port of rule.ports ?? []) port.protocol ??= 'TCP';
    if (!spec.policyTypes?.length) spec.policyTypes = spec.egress?.length ? ['Ingress', 'Egress'] : ['Ingress'];
  },
  ...withGeneration<NetworkPolicy>(() => undefined),
  tableRow: row(({ spec }) => [formatLabelSelector(spec?.podSelector ?? {})]),
};

export const ipAddressStrategy: KindStrategy<IPAddress> = {
  resource: 'networking.k8s.io/v1/ipaddresses',
  ...plain,
  tableRow: row(({ spec }) => {
    const parent = spec?.parentRef;
    if (!parent) return ['<none>'];
    const resource = `${parent.resource}${parent.group ? `.${parent.group}` : ''}`.toLowerCase();
    return [`${resource}${parent.namespace ? `/${parent.namespace}` : ''}/${parent.name}`];
  }),
};

export const serviceCidrStrategy: KindStrategy<ServiceCIDR> = {
  resource: 'networking.k8s.io/v1/servicecidrs',
  ...withStatus<ServiceCIDR>(),
  tableRow: row(({ spec }) => [spec?.cidrs?.join(',') ?? '']),
};
