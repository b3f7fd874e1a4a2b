import type { ApiObject } from '../../client/types.ts';
import { humanDuration } from '../duration.ts';
import { age, createdAtRow, nameOf, plain, row, withGeneration, withStatus } from '../lifecycle.ts';
import type { KindStrategy } from '../strategy.ts';
import type {
  APIService,
  CertificateSigningRequest,
  DeviceClass,
  FlowSchema,
  MutatingAdmissionPolicy,
  MutatingAdmissionPolicyBinding,
  MutatingWebhookConfiguration,
  PriorityLevelConfiguration,
  ResourceV1ResourceClaim as ResourceClaim,
  ResourceClaimTemplate,
  ResourceSlice,
  ValidatingAdmissionPolicy,
  ValidatingAdmissionPolicyBinding,
  ValidatingWebhookConfiguration,
} from '../types.ts';

/** Kinds nothing in the simulation acts on: their defaults, generations and tables. */

function csrStatus({ status }: CertificateSigningRequest): string {
  const has = (wanted: string): boolean => status?.conditions?.some(({ type }) => type === wanted) ?? false;
  const verdict = has('Denied') ? 'Denied' : has('Approved') ? 'Approved' : 'Pending';
  return verdict + (has('Failed') ? ',Failed' : '') + (status?.certificate ? ',Issued' : '');
}

export const certificateSigningRequestStrategy: KindStrategy<CertificateSigningRequest> = {
  resource: 'certificates.k8s.io/v1/certificatesigningrequests',
  ...withStatus<CertificateSigningRequest>(),
  selectableFields: ({ spec }) => ({ 'spec.signerName': spec?.signerName ?? '' }),
  tableRow: (request, context) => {
    const { spec = {} } = request;
    return [
      nameOf(request),
      age(request, context),
      spec.signerName || '<none>',
      spec.username ?? '',
      spec.expirationSeconds === undefined ? '<none>' : humanDuration(spec.expirationSeconds * 1000),
      csrStatus(request),
    ];
  },
};

const ADMISSION = 'admissionregistration.k8s.io/v1';

interface Matching {
  matchPolicy?: string;
  namespaceSelector?: unknown;
  objectSelector?: unknown;
}

function defaultMatching(matching: Matching | undefined): void {
  if (!matching) return;
  matching.matchPolicy ??= 'Equivalent';
  matching.namespaceSelector ??= {};
  matching.objectSelector ??= {};
}

const webhooks = <T extends MutatingWebhookConfiguration | ValidatingWebhookConfiguration>(resource: string, mutating: boolean): KindStrategy<T> => ({
  resource: `${ADMISSION}/${resource}`,
  applyDefaults(configuration) {
    for (const webhook of configuration.webhooks ?? []) {
      webhook.failurePolicy ??= 'Fail';
      webhook.timeoutSeconds ??= 10;
      defaultMatching(webhook as Matching);
      if (mutating) (webhook as { reinvocationPolicy?: string }).reinvocationPolicy ??= 'Never';
      for (const rule of webhook.rules ?? []) rule.scope ??= '*';
      if (webhook.clientConfig?.service) webhook.clientConfig.service.port ??= 443;
    }
  },
  ...withStatus<T>({ initial: () => undefined, generation: (object) => (object as T).webhooks }),
  tableRow: row(({ webhooks: list }) => [list?.length ?? 0]),
});

const admissionPolicy = <T extends MutatingAdmissionPolicy | ValidatingAdmissionPolicy>(resource: string, count: (policy: T) => number): KindStrategy<T> => ({
  resource: `${ADMISSION}/${resource}`,
  applyDefaults({ spec }) {
    if (!spec) return;
    spec.failurePolicy ??= 'Fail';
    defaultMatching(spec.matchConstraints as Matching | undefined);
    for (const rule of [...(spec.matchConstraints?.resourceRules ?? []), ...(spec.matchConstraints?.excludeResourceRules ?? [])]) rule.scope ??= '*';
  },
  ...withGeneration<T>(resource.startsWith('validating') ? undefined : () => undefined),
  tableRow: row((policy) => {
    const kind = policy.spec?.paramKind;
    return [count(policy), kind ? `${kind.apiVersion}/${kind.kind}` : '<unset>'];
  }),
});

const policyBinding = (resource: string): KindStrategy<MutatingAdmissionPolicyBinding | ValidatingAdmissionPolicyBinding> => ({
  resource: `${ADMISSION}/${resource}`,
  applyDefaults: ({ spec }) => defaultMatching(spec?.matchResources as Matching | undefined),
  ...withGeneration<MutatingAdmissionPolicyBinding>(() => undefined),
  tableRow: row(({ spec }) => {
    const reference = spec?.paramRef;
    return [spec?.policyName ?? '', reference?.name ? `${reference.namespace || '*'}/${reference.name}` : '<unset>'];
  }),
});

const FLOW = 'flowcontrol.apiserver.k8s.io/v1';

const flowSchemaStrategy: KindStrategy<FlowSchema> = {
  resource: `${FLOW}/flowschemas`,
  applyDefaults({ spec }) {
    if (spec) spec.matchingPrecedence ||= 1000;
  },
  ...withGeneration<FlowSchema>(),
  tableRow: (schema, context) => [
    nameOf(schema),
    schema.spec?.priorityLevelConfiguration?.name ?? '',
    schema.spec?.matchingPrecedence ?? 0,
    schema.spec?.distinguisherMethod?.type ?? '<none>',
    age(schema, context),
    schema.status?.conditions?.find(({ type }) => type === 'Dangling')?.status ?? '?',
  ],
};

const priorityLevelStrategy: KindStrategy<PriorityLevelConfiguration> = {
  resource: `${FLOW}/prioritylevelconfigurations`,
  applyDefaults({ spec }) {
    const { exempt, limited } = spec ?? {};
    if (exempt) {
      exempt.nominalConcurrencyShares ??= 0;
      exempt.lendablePercent ??= 0;
    }
    if (!limited) return;
    limited.nominalConcurrencyShares ??= 30;
    limited.lendablePercent ??= 0;
    const queuing = limited.limitResponse?.queuing;
    if (!queuing) return;
    queuing.handSize ||= 8;
    queuing.queues ||= 64;
    queuing.queueLengthLimit ||= 50;
  },
  ...withGeneration<PriorityLevelConfiguration>(),
  tableRow: row(({ spec }) => {
    const limited = spec?.limited;
    const queuing = limited?.limitResponse?.queuing;
    const or = (value: number | undefined): number | string => value ?? '<none>';
    return [spec?.type ?? '', or(limited?.nominalConcurrencyShares), or(queuing?.queues), or(queuing?.handSize), or(queuing?.queueLengthLimit)];
  }),
};

const RESOURCE = 'resource.k8s.io/v1';

function claimState({ metadata, status }: ResourceClaim): string {
  const states = metadata?.deletionTimestamp ? ['deleted'] : [];
  if (status?.allocation) states.push('allocated', ...(status.reservedFor?.length ? ['reserved'] : []));
  else if (!metadata?.deletionTimestamp) states.push('pending');
  return states.join(',');
}

const deviceClassStrategy: KindStrategy<DeviceClass> = {
  resource: `${RESOURCE}/deviceclasses`,
  ...withGeneration<DeviceClass>(() => undefined),
  tableRow: row(() => []),
};
const resourceClaimStrategy: KindStrategy<ResourceClaim> = {
  resource: `${RESOURCE}/resourceclaims`,
  ...withStatus<ResourceClaim>(),
  tableRow: row((claim) => [claimState(claim)]),
};
const resourceClaimTemplateStrategy: KindStrategy<ResourceClaimTemplate> = {
  resource: `${RESOURCE}/resourceclaimtemplates`,
  ...plain,
  tableRow: row(() => []),
};
const resourceSliceStrategy: KindStrategy<ResourceSlice> = {
  resource: `${RESOURCE}/resourceslices`,
  ...withGeneration<ResourceSlice>(() => undefined),
  selectableFields: ({ spec }) => ({ 'spec.nodeName': spec?.nodeName ?? '', 'spec.driver': spec?.driver ?? '' }),
  tableRow: row(({ spec = {} }) => [spec.nodeName ?? '', spec.driver ?? '', spec.pool?.name ?? '']),
};

const apiServiceStrategy: KindStrategy<APIService> = {
  resource: 'apiregistration.k8s.io/v1/apiservices',
  applyDefaults({ spec }) {
    if (spec?.service) spec.service.port ??= 443;
  },
  ...withStatus<APIService>(),
  tableRow: row(({ spec, status }) => {
    const available = status?.conditions?.find(({ type }) => type === 'Available');
    const word = available ? (available.status === 'True' ? 'True' : `${available.status} (${available.reason})`) : 'Unknown';
    return [spec?.service ? `${spec.service.namespace}/${spec.service.name}` : 'Local', word];
  }),
};

const customResourceDefinitionStrategy: KindStrategy<ApiObject> = {
  resource: 'apiextensions.k8s.io/v1/customresourcedefinitions',
  tableRow: createdAtRow,
};

export const otherStrategies = [
  certificateSigningRequestStrategy,
  webhooks('mutatingwebhookconfigurations', true),
  webhooks('validatingwebhookconfigurations', false),
  admissionPolicy<ValidatingAdmissionPolicy>('validatingadmissionpolicies', ({ spec }) => spec?.validations?.length ?? 0),
  admissionPolicy<MutatingAdmissionPolicy>('mutatingadmissionpolicies', ({ spec }) => spec?.mutations?.length ?? 0),
  policyBinding('validatingadmissionpolicybindings'),
  policyBinding('mutatingadmissionpolicybindings'),
  flowSchemaStrategy,
  priorityLevelStrategy,
  deviceClassStrategy,
  resourceClaimStrategy,
  resourceClaimTemplateStrategy,
  resourceSliceStrategy,
  apiServiceStrategy,
  customResourceDefinitionStrategy,
] as readonly KindStrategy[];
