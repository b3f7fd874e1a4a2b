import type { FieldError } from '../kinds/strategy.ts';

/** One entry of `details.causes`. */
export interface StatusCause {
  reason?: string;
  message?: string;
  field?: string;
}

/** `metav1.Status` as JSON. */
export interface Status {
  kind: 'Status';
  apiVersion: 'v1';
  metadata: { continue?: string; remainingItemCount?: number; resourceVersion?: string };
  status?: 'Success' | 'Failure';
  message?: string;
  reason?: string;
  details?: { name?: string; group?: string; kind?: string; uid?: string; causes?: StatusCause[]; retryAfterSeconds?: number };
  code?: number;
}

/** What a group and a plural (or a kind) are called together in messages: "statefulsets.apps", "pods". */
export interface GroupResource {
  group: string;
  resource: string;
}

export function qualifiedName(of: GroupResource): string {
  return of.group ? `${of.resource}.${of.group}` : of.resource;
}

/** Go's `%q` for the strings that occur in API messages. */
export function quote(text: string): string {
  return JSON.stringify(text);
}

/**
 * A failure of the API, carrying the `metav1.Status` that goes over the wire
 * (models `k8s.io/apimachinery/pkg/api/errors`).
 */
export class StatusError extends Error {
  readonly status: Status;

  constructor(status: Status) {
    super(status.message ?? status.reason ?? 'unknown');
    this.name = 'StatusError';
    this.status = status;
  }

  get code(): number {
    return this.status.code ?? 500;
  }

  get reason(): string {
    return this.status.reason ?? '';
  }
}

function failure(code: number, reason: string, message: string, details?: Status['details']): StatusError {
  return new StatusError({ kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', message, reason, ...(details ? { details } : {}), code });
}

/** Details without empty members, in Go's order (name, group, kind, …). */
function about(of: GroupResource, name: string, more?: Partial<NonNullable<Status['details']>>): NonNullable<Status['details']> {
  return { ...(name ? { name } : {}), ...(of.group ? { group: of.group } : {}), ...(of.resource ? { kind: of.resource } : {}), ...more };
}

export function newNotFound(of: GroupResource, name: string): StatusError {
  return failure(404, 'NotFound', `${qualifiedName(of)} ${quote(name)} not found`, about(of, name));
}

export function newAlreadyExists(of: GroupResource, name: string): StatusError {
  return failure(409, 'AlreadyExists', `${qualifiedName(of)} ${quote(name)} already exists`, about(of, name));
}

export function newGenerateNameConflict(of: GroupResource, name: string): StatusError {
  const message = `${qualifiedName(of)} ${quote(name)} already exists, the server was not able to generate a unique name for the object`;
  return failure(409, 'AlreadyExists', message, about(of, name, { retryAfterSeconds: 1 }));
}

export function newUnauthorized(): StatusError {
  return failure(401, 'Unauthorized', 'Unauthorized');
}

export function newForbidden(of: GroupResource, name: string, why: string, causes?: StatusCause[]): StatusError {
  const subject = qualifiedName(of);
  const message = subject === '' ? `forbidden: ${why}` : name === '' ? `${subject} is forbidden: ${why}` : `${subject} ${quote(name)} is forbidden: ${why}`;
  return failure(403, 'Forbidden', message, about(of, name, causes ? { causes } : {}));
}

export function newConflict(of: GroupResource, name: string, why: string): StatusError {
  return failure(409, 'Conflict', `Operation cannot be fulfilled on ${qualifiedName(of)} ${quote(name)}: ${why}`, about(of, name));
}

/** Keys of the store that are not named after their resource. */
const REGISTRY_NAMES: Readonly<Record<string, string>> = {
  services: 'services/specs',
  endpoints: 'services/endpoints',
  nodes: 'minions',
  ingresses: 'ingress',
};

/** A precondition that the store found broken: the storage error's own words come through. */
export function newPreconditionConflict(of: GroupResource, namespace: string, name: string, why: string): StatusError {
  const key = `/registry/${REGISTRY_NAMES[of.resource] ?? of.resource}/${namespace ? `${namespace}/` : ''}${name}`;
  return newConflict(of, name, `StorageError: invalid object, Code: 4, Key: ${key}, ResourceVersion: 0, AdditionalErrorMsg: Precondition failed: ${why}`);
}

export const OPTIMISTIC_LOCK_MESSAGE = 'the object has been modified; please apply your changes to the latest version and try again';

export function newApplyConflict(causes: StatusCause[], message: string): StatusError {
  return failure(409, 'Conflict', message, { causes });
}

export function newResourceExpired(message: string, continueToken?: string): StatusError {
  const error = failure(410, 'Expired', message);
  if (continueToken) error.status.metadata = { continue: continueToken };
  return error;
}

export function newBadRequest(message: string): StatusError {
  return failure(400, 'BadRequest', message);
}

export function newTooManyRequests(message: string, retryAfterSeconds: number, causes?: StatusCause[]): StatusError {
  const details = { ...(causes ? { causes } : {}), ...(retryAfterSeconds ? { retryAfterSeconds } : {}) };
  return failure(429, 'TooManyRequests', message, details);
}

export function newServiceUnavailable(message: string): StatusError {
  return failure(503, 'ServiceUnavailable', message);
}

export function newMethodNotSupported(of: GroupResource, action: string): StatusError {
  return failure(405, 'MethodNotAllowed', `${action} is not supported on resources of kind ${quote(qualifiedName(of))}`, about(of, ''));
}

export function newInternalError(message: string): StatusError {
  return failure(500, 'InternalError', `Internal error occurred: ${message}`, { causes: [{ message }] });
}

export function newTimeout(message: string, retryAfterSeconds: number, causes?: StatusCause[]): StatusError {
  return failure(504, 'Timeout', `Timeout: ${message}`, { ...(causes ? { causes } : {}), ...(retryAfterSeconds ? { retryAfterSeconds } : {}) });
}

export function newRequestEntityTooLarge(message: string): StatusError {
  return failure(413, 'RequestEntityTooLarge', `Request entity too large: ${message}`);
}

/** What the server says where no handler knows more (`NewGenericServerResponse`). */
export function newGenericServerResponse(code: number, serverMessage = ''): StatusError {
  const known: Record<number, [string, string]> = {
    404: ['NotFound', 'the server could not find the requested resource'],
    405: ['MethodNotAllowed', 'the server does not allow this method on the requested resource'],
    406: ['NotAcceptable', serverMessage],
    415: ['UnsupportedMediaType', serverMessage],
    422: ['Invalid', 'the server rejected our request due to an error in our request'],
  };
  const [reason, message] = known[code] ?? ['InternalError', `an error on the server (${quote(serverMessage)}) has prevented the request from succeeding`];
  return failure(code, reason, message, {});
}

const CAUSE_REASONS: Record<FieldError['type'], string> = {
  'Required value': 'FieldValueRequired',
  'Invalid value': 'FieldValueInvalid',
  'Unsupported value': 'FieldValueNotSupported',
  'Duplicate value': 'FieldValueDuplicate',
  Forbidden: 'FieldValueForbidden',
  'Not found': 'FieldValueNotFound',
  'Too long': 'FieldValueTooLong',
  'Too many': 'FieldValueTooMany',
  'Internal error': 'InternalError',
};

/** `field.Error.ErrorBody()`. */
export function errorBody(error: FieldError): string {
  const head = error.value === undefined ? error.type : `${error.type}: ${error.value}`;
  return error.detail === '' ? head : `${head}: ${error.detail}`;
}

/** 422 with every complaint once (`NewInvalid`; repeats are folded as `utilerrors.Aggregate` does). */
export function newInvalid(kind: GroupResource, name: string, errors: readonly FieldError[]): StatusError {
  const causes = errors.map((error) => ({ reason: CAUSE_REASONS[error.type], message: errorBody(error), field: error.field }));
  const texts = [...new Set(errors.map((error) => `${error.field}: ${errorBody(error)}`))];
  const tail = texts.length === 0 ? '' : `: ${texts.length === 1 ? texts[0] : `[${texts.join(', ')}]`}`;
  return failure(422, 'Invalid', `${qualifiedName(kind)} ${quote(name)} is invalid${tail}`, about(kind, name, { causes }));
}

/** 500 without a reason: how plain Go errors leave the server. */
export function plainError(message: string): StatusError {
  return new StatusError({ kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', message, code: 500 });
}

/** The kind in the place of the resource, as `NewInvalid` and `BeforeDelete` name it. */
export function kindOf(info: { group: string; kind: string }): { group: string; resource: string } {
  return { group: info.group, resource: info.kind };
}

export function isStatusError(error: unknown, reason?: string): error is StatusError {
  return error instanceof StatusError && (reason === undefined || error.reason === reason);
}
