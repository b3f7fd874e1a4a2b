import { goJson } from '../format/go-json.ts';
import type { Obj } from '../util/object.ts';

export const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration';

/** The object as JSON without the annotation: what the annotation holds (GetModifiedConfiguration without annotate). */
export function configurationOf(object: Obj): string {
  const annotations = { ...object.metadata?.annotations };
  delete annotations[LAST_APPLIED];
  return `${goJson({ ...object, metadata: { ...object.metadata, annotations } })}\n`;
}

/** CreateApplyAnnotation: writes the annotation into the object. */
export function setLastApplied(object: Obj, typed = false): void {
  const text = typed ? `${goJson(object, { keepOrder: true })}\n` : configurationOf(object);
  object.metadata = { ...object.metadata, annotations: { ...object.metadata?.annotations, [LAST_APPLIED]: text } };
}

/** Only when the object has the annotation already. */
export function updateLastApplied(object: Obj): void {
  if (object.metadata?.annotations?.[LAST_APPLIED]) setLastApplied(object);
}
