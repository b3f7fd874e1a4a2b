import type { Session } from '../session.ts';
import { CliError } from '../util/errors.ts';
import type { Obj } from '../util/object.ts';

/** The objects of a kustomization folder. */
export function buildKustomization(_session: Session, path: string): Obj[] {
  throw new CliError(`kustomize (${path}) is not simulated yet`);
}
