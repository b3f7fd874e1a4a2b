import { StatusError } from '../status-error.ts';

export interface MediaType {
  type: string;
  parameters: Readonly<Record<string, string>>;
}

/** What the client wants the answer to be. */
export interface OutputFormat {
  encoding: 'json' | 'yaml';
  /** Another shape than the object itself. */
  as?: 'Table' | 'PartialObjectMetadata' | 'PartialObjectMetadataList';
  pretty?: boolean;
}

/** Parses an Accept header, best first (q-values, then order). */
export function parseAccept(header: string): MediaType[] {
  return header
    .split(',')
    .map((part, index) => {
      const [type = '', ...rest] = part.split(';').map((piece) => piece.trim());
      const parameters: Record<string, string> = {};
      for (const piece of rest) {
        const equals = piece.indexOf('=');
        if (equals > 0) parameters[piece.slice(0, equals).toLowerCase()] = piece.slice(equals + 1).replace(/^"|"$/g, '');
      }
      return { type: type.toLowerCase(), parameters, index, quality: Number(parameters.q ?? 1) };
    })
    .filter((media) => media.type !== '' && media.quality > 0)
    .sort((a, b) => b.quality - a.quality || a.index - b.index);
}

const ENCODINGS: Record<string, OutputFormat['encoding']> = {
  'application/json': 'json',
  'application/*': 'json',
  '*/*': 'json',
  'application/yaml': 'yaml',
};

/** True when the header names anything the routes produce (go-restful's check comes before the handlers'). */
export function isProducible(header: string | undefined): boolean {
  if (!header) return true;
  return parseAccept(header).some(
    ({ type }) => type in ENCODINGS || type === 'application/vnd.kubernetes.protobuf' || type === 'application/json;stream=watch',
  );
}

export const AVAILABLE = 'application/json, application/yaml, application/vnd.kubernetes.protobuf';

/** What an answer may be turned into: single objects, lists, or neither (subresources' own kinds, Status). */
export function negotiateOutput(header: string | undefined, shapes: { table: boolean; list: boolean }): OutputFormat {
  if (!header) return { encoding: 'json' };
  for (const { type, parameters } of parseAccept(header)) {
    const encoding = ENCODINGS[type];
    if (!encoding) continue;
    const pretty = parameters.pretty === '1' || parameters.pretty === 'true';
    if (!parameters.as) return { encoding, pretty };
    if (parameters.g !== 'meta.k8s.io' || (parameters.v !== 'v1' && parameters.v !== 'v1beta1')) continue;
    if (parameters.as === 'Table' && shapes.table && parameters.v === 'v1') return { encoding, as: 'Table', pretty };
    if (parameters.as === 'PartialObjectMetadata' && !shapes.list) return { encoding, as: 'PartialObjectMetadata', pretty };
    if (parameters.as === 'PartialObjectMetadataList' && shapes.list) return { encoding, as: 'PartialObjectMetadataList', pretty };
    // A watch of metadata asks for single objects, too.
    if (parameters.as === 'PartialObjectMetadata' && shapes.list) return { encoding, as: 'PartialObjectMetadataList', pretty };
  }
  throw notAcceptable();
}

export function notAcceptable(): StatusError {
  return new StatusError({
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    message: `only the following media types are accepted: ${AVAILABLE}`,
    reason: 'NotAcceptable',
    code: 406,
  });
}

export function unsupportedMediaType(accepted: string): StatusError {
  return new StatusError({
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    message: `the body of the request was in an unknown format - accepted media types include: ${accepted}`,
    reason: 'UnsupportedMediaType',
    code: 415,
  });
}
