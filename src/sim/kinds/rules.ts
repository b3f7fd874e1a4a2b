import type { ApiObject } from '../client/types.ts';
import { Check } from './check.ts';
import { validateObjectMeta, validateObjectMetaUpdate } from './meta/index.ts';
import { isDns1123Subdomain, type NameValidator } from './meta/names.ts';
import type { KindStrategy } from './strategy.ts';

interface Rules<T> {
  namespaced: boolean;
  /** New objects get only the checks of metadata that the API server makes for every kind. */
  metaByServer?: boolean;
  /** DNS subdomain unless told otherwise. */
  name?: NameValidator;
  /** What must hold of every object. `old` is there on updates. */
  check?(check: Check, object: T, old?: T): void;
  /** What must hold of changes besides; runs before `check`. */
  change?(check: Check, object: T, old: T): void;
  /** Status updates besides metadata. */
  status?(check: Check, object: T, old: T): void;
}

/** Validation of a kind in the usual order: metadata first, then changes, then the object itself. */
export function rules<T extends ApiObject>({ namespaced, metaByServer = false, name = isDns1123Subdomain, check: whole, change, status }: Rules<T>) {
  const validators: Required<Pick<KindStrategy<T>, 'validate' | 'validateUpdate' | 'validateStatusUpdate'>> = {
    validate(object) {
      const check = new Check();
      if (!metaByServer) check.add(validateObjectMeta(object, { namespaced, nameValidator: name }));
      whole?.(check, object);
      return check.errors;
    },
    validateUpdate(object, old) {
      const check = new Check().add(validateObjectMetaUpdate(object, old));
      change?.(check, object, old);
      whole?.(check, object, old);
      return check.errors;
    },
    validateStatusUpdate(object, old) {
      const check = new Check().add(validateObjectMetaUpdate(object, old));
      status?.(check, object, old);
      return check.errors;
    },
  };
  return validators;
}
