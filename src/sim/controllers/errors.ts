/** Reads the `reason` of a `StatusError` (metav1.Status); undefined for other errors. */
function reasonOf(error: unknown): string | undefined {
  if (!(error instanceof Error) || error.name !== 'StatusError') return undefined;
  return (error as Error & { status?: { reason?: string } }).status?.reason;
}

export function isNotFound(error: unknown): boolean {
  return reasonOf(error) === 'NotFound';
}

export function isConflict(error: unknown): boolean {
  return reasonOf(error) === 'Conflict';
}

export function isAlreadyExists(error: unknown): boolean {
  return reasonOf(error) === 'AlreadyExists';
}

export function isStatusError(error: unknown): boolean {
  return error instanceof Error && error.name === 'StatusError';
}

/** True when the refusal's cause is that the namespace is being deleted (v1.NamespaceTerminatingCause). */
export function isNamespaceTerminating(error: unknown): boolean {
  if (!isStatusError(error)) return false;
  const status = (error as Error & { status?: { details?: { causes?: { reason?: string }[] } } }).status;
  return status?.details?.causes?.some((one) => one.reason === 'NamespaceTerminating') ?? false;
}

/**
 * A sync that could not finish and must be tried again with back-off, for reasons that are part of life (a claim is
 * still being deleted). Carries the name the work queue takes for such refusals.
 */
export class SyncError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'StatusError';
  }
}

/** Runs `work`, ignoring the refusal that the object is gone. */
export function ignoreNotFound(work: () => void): void {
  try {
    work();
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
}

/** Runs `work` again with a fresh object after a conflict, a few times (retry.RetryOnConflict). */
export function retryOnConflict<T>(work: (attempt: number) => T): T {
  for (let attempt = 0; ; attempt++) {
    try {
      return work(attempt);
    } catch (error) {
      if (!isConflict(error) || attempt >= 4) throw error;
    }
  }
}
