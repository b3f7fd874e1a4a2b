import { goJson } from '../format/go-json.ts';
import { readDocuments, readYamlDocument } from '../format/yaml-read.ts';
import { toYaml } from '../format/yaml-write.ts';
import { base64, configKeyProblems } from '../generators/common.ts';
import { jsonMerge } from '../patch/json-merge.ts';
import { applyJsonPatch } from '../patch/json-patch.ts';
import { patchTypeOf } from '../patch/patch-meta.ts';
import { strategicMerge } from '../patch/strategic.ts';
import type { Session } from '../session.ts';
import { CliError, errorText } from '../util/errors.ts';
import { isObject, type Json, type Obj, splitApiVersion } from '../util/object.ts';
import { sha256 } from '../util/sha256.ts';
import { renameReferences } from './references.ts';

/** Marks a generated object until its name gets the hash of its final content. */
const NEEDS_HASH = 'internal.config.kubernetes.io/needsHashSuffix';

const NAMES = ['kustomization.yaml', 'kustomization.yml', 'Kustomization'];

/** Order in which kustomize prints kinds: what others need first, webhooks last. */
const FIRST =
  'Namespace ResourceQuota StorageClass CustomResourceDefinition ServiceAccount PodSecurityPolicy Role ClusterRole RoleBinding ClusterRoleBinding ConfigMap Secret Endpoints Service LimitRange PriorityClass PersistentVolume PersistentVolumeClaim Deployment StatefulSet CronJob PodDisruptionBudget'.split(
    ' ',
  );
const LAST = ['MutatingWebhookConfiguration', 'ValidatingWebhookConfiguration'];

const CLUSTER_KINDS = new Set(
  'Namespace Node PersistentVolume StorageClass ClusterRole ClusterRoleBinding CustomResourceDefinition PriorityClass IngressClass RuntimeClass CSIDriver CSINode VolumeAttachment APIService MutatingWebhookConfiguration ValidatingWebhookConfiguration'.split(
    ' ',
  ),
);

/** `kubectl kustomize <folder>`: the objects that a kustomization describes, in the order kustomize prints them. */
export async function buildKustomization(session: Session, path: string): Promise<Obj[]> {
  const absolute = session.process.resolve(path);
  if (!isFolder(session, absolute)) {
    throw new CliError(
      isFolder(session, absolute) === undefined
        ? `must build at directory: not a valid directory: evalsymlink failure on '${path}' : lstat ${absolute}: no such file or directory`
        : `must build at directory: '${path}': file is not directory`,
    );
  }
  const warnings: string[] = [];
  let objects: Obj[];
  try {
    objects = load(session, path.replace(/\/+$/, '') || '/', [], warnings);
  } finally {
    if (warnings.length > 0) await session.err(warnings.map((text) => `# Warning: ${text}\n`).join(''));
  }
  addHashes(objects);
  const rank = (object: Obj): number => {
    const first = FIRST.indexOf(object.kind);
    if (first >= 0) return first - FIRST.length;
    const last = LAST.indexOf(object.kind);
    return last >= 0 ? last + 1 : 0;
  };
  const key = (object: Obj): string =>
    `${splitApiVersion(object.apiVersion).join('_')}_${object.kind}\0${object.metadata?.namespace ?? ''}\0${object.metadata?.name ?? ''}`;
  return objects
    .map((object) => ({ object, rank: rank(object), key: key(object) }))
    .sort((a, b) => a.rank - b.rank || (a.key < b.key ? -1 : a.key > b.key ? 1 : 0))
    .map((entry) => entry.object);
}

function isFolder(session: Session, path: string): boolean | undefined {
  try {
    return session.process.machine.fs.stat(path).type === 'directory';
  } catch {
    return undefined;
  }
}

function addHashes(objects: readonly Obj[]): void {
  const renamed = new Map<string, string>();
  for (const object of objects) {
    const annotations = object.metadata?.annotations as Obj | undefined;
    if (annotations?.[NEEDS_HASH] === undefined) continue;
    delete annotations[NEEDS_HASH];
    if (Object.keys(annotations).length === 0) delete object.metadata.annotations;
    const { kind, data, binaryData, type } = object;
    const content = { kind, name: '', data: data ?? '', ...(binaryData ? { binaryData } : {}), ...(kind === 'Secret' ? { type } : {}) };
    renamed.set(`${kind}/${object.metadata.name}`, `${object.metadata.name}-${nameHash(goJson(content))}`);
  }
  renameReferences(objects, renamed);
}

/** What is known of a kustomization's fields; the last group is known and not built here. */
const BUILT =
  'apiVersion kind metadata resources bases namePrefix nameSuffix namespace commonLabels commonAnnotations labels images replicas patches patchesStrategicMerge patchesJson6902 configMapGenerator secretGenerator generatorOptions sortOptions'.split(
    ' ',
  );
const NOT_BUILT =
  'components crds configurations generators transformers validators helmCharts helmGlobals helmChartInflationGenerator openapi replacements vars buildMetadata'.split(
    ' ',
  );
const EDIT = "Run 'kustomize edit fix' to update your Kustomization automatically.";
const DEPRECATED: Record<string, string> = {
  bases: `'bases' is deprecated. Please use 'resources' instead. ${EDIT}`,
  commonLabels: `'commonLabels' is deprecated. Please use 'labels' instead. ${EDIT}`,
  patchesJson6902: `'patchesJson6902' is deprecated. Please use 'patches' instead. ${EDIT}`,
  patchesStrategicMerge: `'patchesStrategicMerge' is deprecated. Please use 'patches' instead. ${EDIT}`,
  vars: `'vars' is deprecated. Please use 'replacements' instead. [EXPERIMENTAL] ${EDIT}`,
};

function checkFields(config: Obj, warnings: string[]): void {
  for (const [field, text] of Object.entries(DEPRECATED)) if (config[field] !== undefined) warnings.push(text);
  for (const field of Object.keys(config)) {
    const empty = !config[field] || (Array.isArray(config[field]) && config[field].length === 0);
    if (field === 'helmCharts' && !empty) {
      throw new CliError(`trouble configuring builtin HelmChartInflationGenerator with config: \`\n${toYaml(config[field])}\`: must specify --enable-helm`);
    }
    if (NOT_BUILT.includes(field) && !empty) throw new CliError(`${field} in a kustomization is not simulated yet`);
    if (!NOT_BUILT.includes(field) && !BUILT.includes(field)) throw new CliError(`invalid Kustomization: json: unknown field ${JSON.stringify(field)}`);
  }
}

function readText(session: Session, path: string): string | undefined {
  try {
    return session.process.machine.fs.readText(session.process.resolve(path));
  } catch {
    return undefined;
  }
}

function load(session: Session, folder: string, above: readonly string[], warnings: string[]): Obj[] {
  const absolute = session.process.resolve(folder);
  if (above.includes(absolute)) throw new CliError(`accumulating resources: cycle detected: candidate root '${absolute}' visited before`);
  const file = NAMES.find((name) => readText(session, `${folder}/${name}`) !== undefined);
  if (!file) throw new CliError(`unable to find one of 'kustomization.yaml', 'kustomization.yml' or 'Kustomization' in directory '${absolute}'`);
  let config: Json;
  try {
    config = readYamlDocument(readText(session, `${folder}/${file}`) ?? '');
  } catch (error) {
    throw new CliError(`invalid Kustomization: ${errorText(error)}`);
  }
  if (config === null || config === undefined) throw new CliError('kustomization.yaml is empty');
  if (!isObject(config)) throw new CliError('invalid Kustomization: json: cannot unmarshal into Go value of type types.Kustomization');
  checkFields(config, warnings);
  let objects: Obj[] = [];
  for (const entry of [...(config.resources ?? []), ...(config.bases ?? [])] as string[]) {
    objects.push(...resource(session, `${folder}/${entry}`, entry, [...above, absolute], warnings));
  }
  const renamed = new Map<string, string>();
  for (const generator of (config.configMapGenerator ?? []) as Obj[]) objects.push(generated(session, folder, config, generator, 'ConfigMap'));
  for (const generator of (config.secretGenerator ?? []) as Obj[]) objects.push(generated(session, folder, config, generator, 'Secret'));
  objects = patched(session, folder, config, objects);
  for (const object of objects) transform(config, object, renamed);
  renameReferences(objects, renamed);
  return objects;
}

function resource(session: Session, path: string, entry: string, above: readonly string[], warnings: string[]): Obj[] {
  let type: string;
  try {
    type = session.process.machine.fs.stat(session.process.resolve(path)).type;
  } catch {
    const missing = `evalsymlink failure on '${session.process.resolve(path)}' : lstat ${session.process.resolve(path)}: no such file or directory`;
    throw new CliError(
      `accumulating resources: accumulation err='accumulating resources from '${entry}': ${missing}': must build at directory: not a valid directory: ${missing}`,
    );
  }
  if (type === 'directory') return load(session, path.replace(/\/+$/, ''), above, warnings);
  const documents = [...readDocuments(readText(session, path) ?? '')].filter(isObject);
  return documents.flatMap((document) => (Array.isArray(document.items) && String(document.kind).endsWith('List') ? document.items : [document]));
}

function generated(session: Session, folder: string, config: Obj, generator: Obj, kind: 'ConfigMap' | 'Secret'): Obj {
  const data: Record<string, string> = {};
  const add = (key: string, value: string): void => {
    const [problem] = configKeyProblems(key);
    if (problem) throw new CliError(`${JSON.stringify(key)} is not a valid key name: ${problem}`);
    data[key] = kind === 'Secret' ? base64(new TextEncoder().encode(value)) : value;
  };
  const file = (name: string): string => {
    const text = readText(session, `${folder}/${name}`);
    if (text === undefined)
      throw new CliError(`loading KV pairs: file sources: [${name}]: evalsymlink failure on '${session.process.resolve(`${folder}/${name}`)}'`);
    return text;
  };
  for (const name of [...(generator.envs ?? []), ...(generator.env ? [generator.env] : [])] as string[]) {
    for (const line of file(name).split('\n')) {
      const text = line.trimStart();
      if (text === '' || text.startsWith('#')) continue;
      const equals = text.indexOf('=');
      add(equals < 0 ? text : text.slice(0, equals), equals < 0 ? '' : text.slice(equals + 1));
    }
  }
  for (const source of (generator.files ?? []) as string[]) {
    const equals = source.indexOf('=');
    const path = equals < 0 ? source : source.slice(equals + 1);
    add(equals < 0 ? (path.split('/').at(-1) ?? path) : source.slice(0, equals), file(path));
  }
  for (const literal of (generator.literals ?? []) as string[]) {
    const equals = literal.indexOf('=');
    if (equals < 1) throw new CliError(`loading KV pairs: literal sources: [${literal}]: literal source '${literal}' should be in <key>=<value> format`);
    add(literal.slice(0, equals), literal.slice(equals + 1).replace(/^(['"])(.*)\1$/s, '$2'));
  }
  const [general, own]: [Obj, Obj] = [config.generatorOptions ?? {}, generator.options ?? {}];
  const options: Obj = { ...general, ...own };
  for (const key of ['labels', 'annotations']) if (general[key] || own[key]) options[key] = { ...general[key], ...own[key] };
  const sorted = Object.fromEntries(Object.entries(data).sort(([a], [b]) => (a < b ? -1 : 1)));
  const metadata: Obj = { name: generator.name };
  if (generator.namespace) metadata.namespace = generator.namespace;
  if (options.labels) metadata.labels = options.labels;
  if (options.annotations) metadata.annotations = options.annotations;
  const object: Obj = { apiVersion: 'v1', data: sorted, kind, metadata };
  if (options.immutable) object.immutable = true;
  if (kind === 'Secret') object.type = generator.type ?? 'Opaque';
  if (!options.disableNameSuffixHash) metadata.annotations = { ...metadata.annotations, [NEEDS_HASH]: 'true' };
  return object;
}

/** hasher.Encode: ten characters of the hash, without letters that make words. */
function nameHash(text: string): string {
  const swap: Record<string, string> = { '0': 'g', '1': 'h', '3': 'k', a: 'm', e: 't' };
  return [...sha256(text).slice(0, 10)].map((letter) => swap[letter] ?? letter).join('');
}

function patched(session: Session, folder: string, config: Obj, objects: Obj[]): Obj[] {
  const text = (entry: Obj): string => {
    if (entry.patch) return entry.patch;
    const found = readText(session, `${folder}/${entry.path}`);
    if (found === undefined)
      throw new CliError(
        `failed to get the patch file from path(${entry.path}): evalsymlink failure on '${session.process.resolve(`${folder}/${entry.path}`)}'`,
      );
    return found;
  };
  const entries: { target?: Obj; documents: Json[] }[] = [];
  for (const entry of (config.patches ?? []) as Obj[]) entries.push({ target: entry.target, documents: [...readDocuments(text(entry))] });
  for (const entry of (config.patchesStrategicMerge ?? []) as string[]) {
    entries.push({ documents: [...readDocuments(/\n|:\s/.test(entry) ? entry : text({ path: entry }))] });
  }
  for (const entry of (config.patchesJson6902 ?? []) as Obj[]) entries.push({ target: entry.target, documents: [...readDocuments(text(entry))] });
  let out = objects;
  for (const { target, documents } of entries) {
    for (const document of documents) {
      if (document === null) continue;
      let hits = 0;
      out = out.flatMap((object) => {
        if (!(target ? selects(target, object) : isObject(document) && samePart(document, object))) return [object];
        hits++;
        if (Array.isArray(document)) return [applyJsonPatch(object, document)];
        if (document.$patch === 'delete') return [];
        const [group] = splitApiVersion(object.apiVersion);
        const type = patchTypeOf(group, object.kind);
        const patch = target ? { ...document, metadata: { ...document.metadata, name: object.metadata?.name } } : document;
        return [type ? strategicMerge(object, patch, type) : jsonMerge(object, patch)];
      });
      if (hits === 0 && !target && isObject(document)) {
        throw new CliError(`no matches for Id ${idOf(document)}; failed to find unique target for patch ${idOf(document)}`);
      }
    }
  }
  return out;
}

function idOf(object: Obj): string {
  const [group, version] = splitApiVersion(object.apiVersion);
  return `${object.kind}.${version}.${group || '[noGrp]'}/${object.metadata?.name}.${object.metadata?.namespace || '[noNs]'}`;
}

const samePart = (patch: Obj, object: Obj): boolean =>
  patch.kind === object.kind && patch.apiVersion === object.apiVersion && patch.metadata?.name === object.metadata?.name;

function selects(target: Obj, object: Obj): boolean {
  const [group, version] = splitApiVersion(object.apiVersion);
  const match = (pattern: string | undefined, value: string): boolean => !pattern || new RegExp(`^(?:${pattern})$`).test(value);
  const labels = (text: string | undefined, have: Obj | undefined): boolean =>
    !text || text.split(',').every((part) => have?.[part.split('=')[0]?.trim() ?? ''] === part.split('=').at(-1)?.trim());
  return (
    match(target.kind, object.kind) &&
    match(target.group, group) &&
    match(target.version, version) &&
    match(target.name, object.metadata?.name ?? '') &&
    match(target.namespace, object.metadata?.namespace ?? '') &&
    labels(target.labelSelector, object.metadata?.labels) &&
    labels(target.annotationSelector, object.metadata?.annotations)
  );
}

/** namespace, prefixes, labels, annotations, images and replicas of one kustomization, on one object. */
function transform(config: Obj, object: Obj, renamed: Map<string, string>): void {
  object.metadata = { ...object.metadata };
  const { metadata } = object;
  if (config.namespace) {
    if (object.kind === 'Namespace') renamed.set(`Namespace/${metadata.name}`, config.namespace);
    else if (!CLUSTER_KINDS.has(object.kind)) metadata.namespace = config.namespace;
    for (const subject of (object.subjects ?? []) as Obj[])
      if (subject.kind === 'ServiceAccount' && subject.name === 'default') subject.namespace = config.namespace;
  }
  const key = `${object.kind}/${metadata.name}`;
  const affixes = object.kind !== 'Namespace' && object.kind !== 'CustomResourceDefinition' && (config.namePrefix || config.nameSuffix);
  if (affixes) {
    renamed.set(key, `${config.namePrefix ?? ''}${metadata.name}${config.nameSuffix ?? ''}`);
  }
  for (const label of labelSets(config)) addLabels(object, label.pairs, label.selectors, label.templates);
  if (config.commonAnnotations) {
    object.metadata = { ...object.metadata, annotations: { ...object.metadata.annotations, ...config.commonAnnotations } };
    for (const template of templatesOf(object)) {
      template.metadata = { ...template.metadata, annotations: { ...template.metadata?.annotations, ...config.commonAnnotations } };
    }
  }
  for (const image of (config.images ?? []) as Obj[]) setImages(object, image);
  for (const replicas of (config.replicas ?? []) as Obj[]) {
    if (replicas.name === object.metadata.name && ['Deployment', 'ReplicaSet', 'ReplicationController', 'StatefulSet'].includes(object.kind)) {
      object.spec = { ...object.spec, replicas: replicas.count };
    }
  }
}

function labelSets(config: Obj): { pairs: Obj; selectors: boolean; templates: boolean }[] {
  const out = ((config.labels ?? []) as Obj[]).map((entry) => ({
    pairs: entry.pairs as Obj,
    selectors: Boolean(entry.includeSelectors),
    templates: Boolean(entry.includeSelectors || entry.includeTemplates),
  }));
  if (config.commonLabels) out.push({ pairs: config.commonLabels, selectors: true, templates: true });
  return out;
}

function templatesOf(object: Obj): Obj[] {
  const { spec } = object;
  if (!isObject(spec)) return [];
  const out: Obj[] = [];
  if (isObject(spec.template) && object.kind !== 'PodTemplate') out.push(spec.template);
  if (isObject(spec.jobTemplate)) {
    out.push(spec.jobTemplate);
    if (isObject(spec.jobTemplate.spec?.template)) out.push(spec.jobTemplate.spec.template);
  }
  return out;
}

function addLabels(object: Obj, pairs: Obj, selectors: boolean, templates: boolean): void {
  const add = (target: Obj): void => {
    target.metadata = { ...target.metadata, labels: { ...target.metadata?.labels, ...pairs } };
  };
  add(object);
  if (templates) templatesOf(object).forEach(add);
  if (!selectors || !isObject(object.spec)) return;
  const { spec } = object;
  if (object.kind === 'Service' && isObject(spec.selector)) spec.selector = { ...spec.selector, ...pairs };
  else if (object.kind === 'ReplicationController') spec.selector = { ...spec.selector, ...pairs };
  else if (['Deployment', 'ReplicaSet', 'StatefulSet', 'DaemonSet'].includes(object.kind)) {
    spec.selector = { ...spec.selector, matchLabels: { ...spec.selector?.matchLabels, ...pairs } };
  }
}

function setImages(value: Json, image: Obj): void {
  if (Array.isArray(value)) for (const item of value) setImages(item, image);
  else if (isObject(value)) {
    for (const [key, item] of Object.entries(value)) {
      if ((key === 'containers' || key === 'initContainers') && Array.isArray(item)) {
        for (const container of item as Obj[]) if (typeof container.image === 'string') container.image = withImage(container.image, image);
      } else setImages(item, image);
    }
  }
}

function withImage(current: string, image: Obj): string {
  const match = /^([^@]*?)(:[^/@:]+)?(@.+)?$/.exec(current);
  if (!match || match[1] !== image.name) return current;
  let tail = (match[2] ?? '') + (match[3] ?? '');
  if (image.newTag !== undefined) tail = `:${image.newTag}`;
  if (image.digest) tail = image.newTag === undefined ? `@${image.digest}` : `:${image.newTag}@${image.digest}`;
  return (image.newName || image.name) + tail;
}
