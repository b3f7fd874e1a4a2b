import { Helper, type Info } from '../resource/info.ts';
import type { Session } from '../session.ts';
import { CliError, isNotFound } from '../util/errors.ts';
import type { Obj } from '../util/object.ts';
import { untilWithSync, WaitTimeout } from '../util/until.ts';

/** wait's IsDeleted: resolves when the object is gone or another one has its name. */
export async function waitDeleted(session: Session, info: Info, uid: string | undefined, timeoutMs: number): Promise<void> {
  if (info.name === '') throw new CliError('resource name must be provided');
  const helper = new Helper(session, info.mapping);
  let present: Obj;
  try {
    present = await helper.get(info.namespace, info.name);
  } catch (error) {
    if (isNotFound(error)) return;
    throw error;
  }
  if (uid !== undefined && present.metadata?.uid !== uid) return;
  if (timeoutMs < 0) throw new CliError(`timed out waiting for the condition on ${info.mapping.resource}/${info.name}`);
  if (timeoutMs === 0) throw new CliError(`condition not met for ${info.objectName}`);
  try {
    await untilWithSync(session, helper, info.namespace, info.name, {
      timeoutMs,
      precondition: (object) => object === undefined || (uid !== undefined && object.metadata?.uid !== uid),
      done: ({ type }) => type === 'DELETED',
    });
  } catch (error) {
    if (error instanceof WaitTimeout) throw new CliError(`timed out waiting for the condition on ${info.mapping.resource}/${info.name}`);
    throw error;
  }
}

/** Asks every `pollMs` until the object is not found; throws a CliError at `deadlineMs` of virtual time. */
export async function untilGone(session: Session, helper: Helper, info: Info, deadlineMs: number, pollMs: number): Promise<void> {
  for (;;) {
    try {
      await helper.get(info.namespace, info.name);
    } catch (error) {
      if (isNotFound(error)) return;
      throw error;
    }
    if (session.nowMs >= deadlineMs) throw new CliError('timed out waiting for the condition');
    await session.process.sleep(pollMs);
  }
}
