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
  /** "meta.k8s.io/v1", of that shape. */
  version?: string;
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

/** What an answer may be turned into; whether the object fits is seen when it is there (`AllowsMediaTypeTransform`). */
const TRANSFORMS = ['Table', 'PartialObjectMetadata', 'PartialObjectMetadataList'] as const;

/** People's clients get JSON with line breaks (`isPrettyPrint`). */
const HUMANS = /^(curl|Wget|Mozilla\/5\.0)/;

/** Reads Accept, `pretty` and User-Agent. Throws 406 when nothing the client takes can be made; reviews and subresources' own kinds have no tables. */
export function negotiateOutput({ headers, query }: { headers: Readonly<Record<string, string>>; query: URLSearchParams }, table = true): OutputFormat {
  const wish = query.get('pretty');
  const human = wish ? ['1', 't', 'T', 'TRUE', 'true', 'True'].includes(wish) : HUMANS.test(headers['user-agent'] ?? '');
  const header = headers.accept;
  if (!header) return { encoding: 'json', pretty: human };
  for (const { type, parameters } of parseAccept(header)) {
    const encoding = ENCODINGS[type];
    if (!encoding || (parameters.stream !== undefined && parameters.stream !== 'watch')) continue;
    const pretty = human || parameters.pretty === '1';
    const { as, g, v } = parameters;
    if (as === undefined && g === undefined && v === undefined) return { encoding, pretty };
    if (g !== 'meta.k8s.io' || (v !== 'v1' && v !== 'v1beta1')) continue;
    const known = TRANSFORMS.find((kind) => kind === as);
    if (known && (known !== 'Table' || table)) return { encoding, as: known, version: `meta.k8s.io/${v}`, pretty };
  }
  throw notAcceptable();
}

/** How a failure is written: as the client likes it when that is a plain object, else as JSON (`ErrorNegotiated`). */
export function errorFormat(headers: Readonly<Record<string, string>>, query: URLSearchParams): OutputFormat {
  try {
    const { encoding, pretty } = negotiateOutput({ headers: { ...headers, accept: withoutTransforms(headers.accept) }, query });
    return { encoding, pretty };
  } catch {
    return { encoding: 'json', pretty: true };
  }
}

const withoutTransforms = (accept = ''): string =>
  accept
    .split(',')
    .filter((part) => !/;\s*(as|g|v)=/.test(part))
    .join(',') ||
  (accept && 'none');

export function notAcceptable(message = `only the following media types are accepted: ${AVAILABLE}`): StatusError {
  return new StatusError({
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    message,
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
