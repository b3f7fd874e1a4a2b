import { nameOf, plain, row, workloadCells } from '../lifecycle.ts';
import { defaultPodTemplate } from '../pod/defaults.ts';
import { formatLabels } from '../selector.ts';
import type { KindStrategy } from '../strategy.ts';
import type { ConfigMap, PodTemplate, Secret, ServiceAccount } from '../types.ts';
import { encodeBase64 } from './base64.ts';

export const configMapStrategy: KindStrategy<ConfigMap> = {
  resource: 'v1/configmaps',
  ...plain,
  tableRow: row(({ data, binaryData }) => [Object.keys(data ?? {}).length + Object.keys(binaryData ?? {}).length]),
};

export const secretStrategy: KindStrategy<Secret> = {
  resource: 'v1/secrets',
  applyDefaults(secret) {
    // stringData is write-only: it is merged into data.
    for (const [key, text] of Object.entries(secret.stringData ?? {})) {
      secret.data ??= {};
      secret.data[key] = encodeBase64(text);
    }
    delete secret.stringData;
    secret.type ||= 'Opaque';
  },
  ...plain,
  selectableFields: ({ type = '' }) => ({ type }),
  tableRow: row(({ type = '', data }) => [type, Object.keys(data ?? {}).length]),
};

export const serviceAccountStrategy: KindStrategy<ServiceAccount> = {
  resource: 'v1/serviceaccounts',
  ...plain,
  tableRow: row(() => []),
};

export const podTemplateStrategy: KindStrategy<PodTemplate> = {
  resource: 'v1/podtemplates',
  applyDefaults: ({ template }) => defaultPodTemplate(template),
  prepareForCreate(object) {
    object.metadata = { ...object.metadata, generation: 1 };
  },
  tableRow: (object) => [nameOf(object), ...workloadCells(object.template?.spec?.containers), formatLabels(object.template?.metadata?.labels)],
};
