import type { Obj } from './object.ts';
import { quote } from './object.ts';

/** A failure that kubectl tells as `error: <message>`, exit code 1. */
export class CliError extends Error {}

/** Ends the command with this code; the message, when there is one, goes to stderr as it is. */
export class ExitError extends Error {
  readonly code: number;
  constructor(code: number, message = '') {
    super(message);
    this.code = code;
  }
}

/** A metav1.Status that the server answered (apierrors.StatusError). */
export class StatusError extends Error {
  readonly status: Obj;
  constructor(status: Obj) {
    super(status.message ?? '');
    this.status = status;
  }
  get reason(): string {
    return this.status.reason ?? '';
  }
  get code(): number {
    return this.status.code ?? 0;
  }
}

/** The server could not be reached (url.Error); `reason` is what is wrong, the message tells the request, too. */
export class ConnectionError extends Error {
  readonly reason: string;
  readonly host: string;
  readonly url: string;
  readonly op: string;
  constructor(op: string, url: string, host: string, reason: string) {
    super(`${op} ${quote(url)}: ${reason}`);
    this.reason = reason;
    this.op = op;
    this.url = url;
    this.host = host;
  }
}

/** kubeconfig problems: `Error in configuration: …` (clientcmd.IsConfigurationInvalid). */
export class ConfigurationError extends Error {}

/** Several errors at once (utilerrors.Aggregate). */
export class AggregateFailure extends Error {
  readonly errors: readonly unknown[];
  constructor(errors: readonly unknown[]) {
    super(aggregateMessage(errors));
    this.errors = errors;
  }
}

/** meta.NoResourceMatchError. */
export class NoResourceMatch extends Error {
  readonly resource: string;
  readonly group: string;
  readonly version: string;
  constructor(resource: string, group = '', version = '') {
    super(`no matches for ${group ? `${group}/` : '/'}${version}, Resource=${resource}`);
    this.resource = resource;
    this.group = group;
    this.version = version;
  }
}

/** meta.NoKindMatchError. */
export class NoKindMatch extends Error {
  constructor(kind: string, group: string, versions: readonly string[]) {
    const full = versions.map((version) => (group ? `${group}/${version}` : version));
    super(
      full.length === 0
        ? `no matches for kind ${quote(kind)} in group ${quote(group)}`
        : full.length === 1
          ? `no matches for kind ${quote(kind)} in version ${quote(full[0] ?? '')}`
          : `no matches for kind ${quote(kind)} in versions [${full.map(quote).join(' ')}]`,
    );
  }
}

/** utilerrors.aggregate.Error(): one message alone, several in brackets, repeats left out. */
function aggregateMessage(errors: readonly unknown[]): string {
  const seen = new Set<string>();
  for (const error of flatten(errors)) seen.add(errorText(error));
  const messages = [...seen];
  return messages.length === 1 ? (messages[0] ?? '') : `[${messages.join(', ')}]`;
}

export function errorText(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function flatten(errors: readonly unknown[]): unknown[] {
  return errors.flatMap((error) => (error instanceof AggregateFailure ? flatten(error.errors) : [error]));
}

/** Throws nothing, the error itself, or an aggregate, as utilerrors.NewAggregate followed by a return does. */
export function throwAggregate(errors: readonly unknown[]): void {
  if (errors.length === 0) return;
  if (errors.length === 1) throw errors[0];
  throw new AggregateFailure(errors);
}

export function isStatus(error: unknown, reason: string): error is StatusError {
  return error instanceof StatusError && error.reason === reason;
}

export const isNotFound = (error: unknown): error is StatusError =>
  isStatus(error, 'NotFound') || (error instanceof StatusError && error.code === 404 && !error.reason);
export const isConflict = (error: unknown): error is StatusError => isStatus(error, 'Conflict');

/** A StatusError with another message (fmt.Errorf loses the type upstream, AddSourceToErr keeps it). */
export function withMessage(error: StatusError, message: string): StatusError {
  return new StatusError({ ...error.status, message });
}

/** cmdutil.AddSourceToErr. */
export function addSource(verb: string, source: string, error: unknown): unknown {
  if (source === '') return error;
  if (error instanceof StatusError) return withMessage(error, `error when ${verb} ${quote(source)}: ${error.message}`);
  if (error instanceof Error && error.name === 'Killed') return error;
  return new CliError(`error when ${verb} ${quote(source)}: ${errorText(error)}`);
}

/** cmdutil.StandardErrorMessage; undefined when the error is of no known kind. */
export function standardErrorMessage(error: unknown): string | undefined {
  if (error instanceof StatusError) {
    if (error.reason === 'Unauthorized') return `error: You must be logged in to the server (${error.message})`;
    if (error.reason) return `Error from server (${error.reason}): ${error.message}`;
    return `Error from server: ${error.message}`;
  }
  if (error instanceof ConnectionError) {
    if (error.reason.includes('connection refused')) {
      return `The connection to the server ${error.host} was refused - did you specify the right host or port?`;
    }
    return `Unable to connect to the server: ${error.reason}`;
  }
  return undefined;
}

function messageForError(error: unknown): string {
  return standardErrorMessage(error) ?? errorText(error);
}

/** cmdutil.MultilineError. */
function multilineError(prefix: string, messages: readonly string[]): string {
  if (messages.length === 1) return `${prefix}${messages[0]}\n`;
  return `${prefix}\n${messages.map((message) => `* ${message}\n`).join('')}`;
}

/** cmdutil.CheckErr: what is written to stderr and the exit code. */
export function describeFailure(input: unknown): { message: string; code: number } {
  let error = input;
  // An answer with parts missing that every server sends: upstream would read them as empty.
  if (error instanceof TypeError || error instanceof RangeError) return { message: 'error: the answer of the server lacks parts of the object', code: 1 };
  if (error instanceof AggregateFailure && error.errors.length === 1) error = error.errors[0];
  if (error instanceof ExitError) return { message: error.message, code: error.code };
  if (error instanceof StatusError && error.reason === 'Invalid') {
    const details = error.status.details as Obj | undefined;
    let text = 'The request is invalid';
    if (!details) return { message: error.message ? `${text}: ${error.message}` : text, code: 1 };
    const causes: Obj[] = details.causes ?? [];
    if (details.kind || details.name) text = `The ${details.kind ?? ''} ${quote(details.name ?? '')} is invalid`;
    else if (error.message && causes.length === 0) text += `: ${error.message}`;
    if (causes.length === 0) return { message: text, code: 1 };
    const messages = new Set(causes.map((cause) => `${cause.field ?? ''}: ${cause.message ?? ''}`));
    return { message: multilineError(`${text}: `, [...messages]), code: 1 };
  }
  if (error instanceof ConfigurationError) return { message: multilineError('Error in configuration: ', [error.message]), code: 1 };
  if (error instanceof NoResourceMatch) {
    let text = `the server doesn't have a resource type ${quote(error.resource)}`;
    if (error.group) text += ` in group ${quote(error.group)}`;
    if (error.version) text += `${error.group ? ' and' : ' in'} version ${quote(error.version)}`;
    return { message: text, code: 1 };
  }
  if (error instanceof AggregateFailure) return { message: error.errors.map((each) => `${messageForError(each)}\n`).join(''), code: 1 };
  const standard = standardErrorMessage(error);
  if (standard !== undefined) return { message: standard, code: 1 };
  const text = errorText(error);
  return { message: text.startsWith('error: ') ? text : `error: ${text}`, code: 1 };
}
