import type { AdmissionPlugin, AdmissionRequest } from '../../kinds/strategy.ts';
import type { EndpointSlice, MutatingWebhookConfiguration, Service, ValidatingWebhook, ValidatingWebhookConfiguration } from '../../kinds/types.ts';
import { newInternalError } from '../status-error.ts';
import { matchesRule, matchesSelectors } from './match.ts';

/**
 * Admission webhooks. None is ever called: nothing in a simulated cluster speaks TLS to the API server. A webhook that a
 * request concerns is therefore unreachable, and its failurePolicy decides, in the words a real server has for that.
 */

const GROUP = 'admissionregistration.k8s.io/v1';

/** Why the call does not get through. */
function unreachable({ clientConfig, timeoutSeconds = 10 }: ValidatingWebhook, request: AdmissionRequest): string {
  const { url, service } = clientConfig ?? {};
  const query = `timeout=${timeoutSeconds}s`;
  const post = (target: string): string => `Post "${target}${target.includes('?') ? '&' : '?'}${query}": `;
  if (!service) {
    const host = /^https:\/\/([^/:?]+)/.exec(url ?? '')?.[1] ?? '';
    return `${post(url ?? '')}dial tcp: lookup ${host}: no such host`;
  }
  const { name = '', namespace = '', path = '', port = 443 } = service;
  const call = post(`https://${name}.${namespace}.svc:${port}/${path.replace(/^\//, '')}`);
  const found = request.context.get<Service>('v1/services', namespace, name);
  if (!found) return `${call}service "${name}" not found`;
  const slices = request.context.list<EndpointSlice>('discovery.k8s.io/v1/endpointslices', namespace);
  const ready = slices.some(
    ({ metadata, endpoints = [] }) =>
      metadata?.labels?.['kubernetes.io/service-name'] === name && endpoints.some(({ conditions }) => conditions?.ready !== false),
  );
  if (!ready) return `${call}no endpoints available for service "${name}"`;
  return `${call}dial tcp ${found.spec?.clusterIP}:${port}: connect: connection refused`;
}

function callAll(kind: 'mutating' | 'validating', request: AdmissionRequest): void {
  if (request.resource.startsWith('admissionregistration.k8s.io/')) return;
  const configurations = request.context.list<MutatingWebhookConfiguration | ValidatingWebhookConfiguration>(`${GROUP}/${kind}webhookconfigurations`);
  for (const { webhooks = [] } of configurations) {
    for (const webhook of webhooks) {
      if (webhook.failurePolicy === 'Ignore' || !matchesSelectors(webhook, request) || !webhook.rules?.some((rule) => matchesRule(rule, request))) continue;
      throw newInternalError(`failed calling webhook ${JSON.stringify(webhook.name ?? '')}: failed to call webhook: ${unreachable(webhook, request)}`);
    }
  }
}

export const mutatingAdmissionWebhook: AdmissionPlugin = { name: 'MutatingAdmissionWebhook', admit: (request) => callAll('mutating', request) };
export const validatingAdmissionWebhook: AdmissionPlugin = { name: 'ValidatingAdmissionWebhook', validate: (request) => callAll('validating', request) };
