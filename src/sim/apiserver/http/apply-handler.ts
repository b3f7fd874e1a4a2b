import type { ApiObject } from '../../client/types.ts';
import { convert, DecodeError } from '../decode.ts';
import { applyConfiguration } from '../managed-fields/apply.ts';
import { typedErrors } from '../managed-fields/validate-typed.ts';
import type { RequestContext } from '../request-context.ts';
import type { ResourceInfo } from '../resources.ts';
import type { ObjectNode } from '../schema.ts';
import { newBadRequest, newConflict, plainError } from '../status-error.ts';
import type { Verbs } from '../verbs.ts';
import { parseBody } from './body.ts';
import { JsonSyntaxError } from './json.ts';
import type { WriteParameters } from './options.ts';
import { checkIdentity, type ResourceRequest } from './resource-request.ts';
import { parseYaml, YamlSyntaxError } from './yaml.ts';

type Json = Record<string, unknown>;

/** Server-side apply: creates what is missing. Throws 409 with the conflicts. */
export function applyResource(
  verbs: Verbs,
  request: ResourceRequest,
  text: string,
  parameters: WriteParameters,
  context: RequestContext,
): { object: ApiObject; created: boolean } {
  const { info, namespace, name, subresource } = request;
  let body: unknown;
  try {
    body = text.trimStart().startsWith('{') ? parseBody(text, 'application/json').value : parseYaml(text).value;
  } catch (error) {
    if (error instanceof YamlSyntaxError || error instanceof JsonSyntaxError) throw newBadRequest(`error decoding YAML: ${error.message}`);
    throw error;
  }
  if (typeof body !== 'object' || body === null || Array.isArray(body))
    throw newBadRequest('error decoding YAML: error unmarshaling JSON: json: cannot unmarshal into Go value of type map[string]interface {}');
  const config = body as ApiObject & Json;
  if (!config.kind || !config.apiVersion) throw newBadRequest(`invalid object type: ${config.apiVersion ?? ''}, Kind=${config.kind ?? ''}`);
  if (config.apiVersion !== info.groupVersion)
    throw newBadRequest(`Incorrect version specified in apply patch. Specified patch version: ${config.apiVersion}, expected: ${info.groupVersion}`);
  if (config.metadata?.managedFields) throw newBadRequest('metadata.managedFields must be nil');
  const wrong = typedErrors(info.node, config);
  if (wrong.length > 0) {
    const text = wrong.length === 1 ? wrong[0] : ['errors:', ...wrong.map((one) => `  ${one}`)].join('\n');
    throw plainError(`failed to create typed patch object (${namespace}/${name}; ${info.groupVersion}, Kind=${info.kind}): ${text}`);
  }
  let clean: ApiObject;
  try {
    clean = convertConfig(info.node, config);
  } catch (error) {
    if (error instanceof DecodeError)
      throw plainError(
        `failed to convert new object (${namespace}/${name}; ${info.groupVersion}, Kind=${info.kind}) to proper version (${info.groupVersion}): ${error.message}`,
      );
    throw error;
  }
  const stored = info.alias ? (verbs.registry.get(info.alias.stored) as ResourceInfo) : info;
  return verbs.update(
    stored,
    namespace,
    name,
    (found) => {
      const existing = found && info.alias ? info.alias.toWire(found) : found;
      const applied = applyConfiguration(
        info,
        existing,
        clean,
        { manager: parameters.fieldManager, force: parameters.force ?? false, subresource, now: verbs.now() },
        (merged) => verbs.applyDefaults(info, convert(info.node, merged, { strict: [], checkTypes: true })),
      );
      applied.metadata ??= {};
      applied.metadata.name ??= name;
      if (!existing && clean.metadata?.uid) {
        throw newConflict(info, name, `uid mismatch: the provided object specified uid ${clean.metadata.uid}, and no existing object was found`);
      }
      if (applied.metadata.name) checkIdentity(request, applied);
      return info.alias ? verbs.normalize(stored, info.alias.toStored(applied)) : applied;
    },
    context,
    { subresource, allowCreate: true, managed: true, ...(clean.metadata?.uid ? { uid: clean.metadata.uid } : {}) },
  );
}

/** What the client applies, cleaned by type but without anything filled in: only what it says is owned. */
function convertConfig(node: ObjectNode, config: ApiObject): ApiObject {
  const full = convert(node, config, { strict: [], checkTypes: true });
  return onlyGiven(full, config) as ApiObject;
}

/** Keeps of `full` what `given` mentions. Emptied optional values (`data: {}`) stay as the client wrote them. */
function onlyGiven(full: unknown, given: unknown): unknown {
  if (Array.isArray(given)) {
    const list = Array.isArray(full) ? full : [];
    return given.map((item, i) => onlyGiven(list[i], item));
  }
  if (typeof given === 'object' && given !== null) {
    const source = (full ?? {}) as Json;
    const out: Json = {};
    for (const key of Object.keys(given)) {
      const value = (given as Json)[key];
      if (value === null) continue;
      out[key] = onlyGiven(source[key], value);
    }
    return out;
  }
  return full === undefined ? given : full;
}
