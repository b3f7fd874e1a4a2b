import type { ApiObject } from '../../client/types.ts';
import { convert, DecodeError } from '../decode.ts';
import { applyConfiguration } from '../managed-fields/apply.ts';
import { typedErrors } from '../managed-fields/validate-typed.ts';
import type { RequestContext } from '../request-context.ts';
import type { ResourceInfo } from '../resources.ts';
import type { ObjectNode } from '../schema.ts';
import { newBadRequest, newConflict, plainError } from '../status-error.ts';
import type { Verbs } from '../verbs.ts';
import { goKind } from './body.ts';
import { JsonSyntaxError, parseJson } from './json.ts';
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
    body = readConfig(text) ?? {};
  } catch (error) {
    if (error instanceof YamlSyntaxError) throw newBadRequest(`error decoding YAML: error converting YAML to JSON: ${error.message}`);
    throw error;
  }
  if (typeof body !== 'object' || Array.isArray(body)) {
    const found = `json: cannot unmarshal ${goKind(body)} into Go value of type map[string]interface {}`;
    throw newBadRequest(`error decoding YAML: error unmarshaling JSON: while decoding JSON: ${found}`);
  }
  const config = body as ApiObject & Json;
  const given = typeOf(config.apiVersion ?? '', config.kind ?? '');
  if (given !== typeOf(info.groupVersion, info.kind)) throw newBadRequest(`invalid object type: ${given}`);
  if (config.metadata?.managedFields) throw newBadRequest('metadata.managedFields must be nil');
  const who = `${config.metadata?.namespace ?? ''}/${config.metadata?.name ?? ''}; ${given}`;
  const wrong = typedErrors(info.node, config);
  if (wrong.length > 0) {
    const text = wrong.length === 1 ? wrong[0] : ['errors:', ...wrong.map((one) => `  ${one}`)].join('\n');
    throw plainError(`failed to create typed patch object (${who}): ${text}`);
  }
  let clean: ApiObject;
  try {
    clean = convertConfig(info.node, config);
  } catch (error) {
    if (error instanceof DecodeError) throw plainError(`failed to convert new object (${who}) to proper version: ${error.message}`);
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
      checkIdentity(request, applied);
      return info.alias ? verbs.normalize(stored, info.alias.toStored(applied)) : applied;
    },
    context,
    { subresource, allowCreate: true, managed: true, ...(clean.metadata?.uid ? { uid: clean.metadata.uid } : {}) },
  );
}

/** `GroupVersionKind.String()`: "/v1, Kind=Pod". */
const typeOf = (groupVersion: string, kind: string): string => `${groupVersion.includes('/') ? '' : '/'}${groupVersion}, Kind=${kind}`;

/** YAML, in the words of go-yaml. JSON is YAML too; what reads as JSON needs no second look. */
function readConfig(text: string): unknown {
  if (text.trimStart().startsWith('{')) {
    try {
      return parseJson(text).value;
    } catch (error) {
      if (!(error instanceof JsonSyntaxError)) throw error;
    }
  }
  return parseYaml(text).value;
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
