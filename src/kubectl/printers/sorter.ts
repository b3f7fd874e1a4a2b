import { JsonPath, relaxedJsonPath } from '../format/jsonpath.ts';
import { CliError, errorText } from '../util/errors.ts';
import { goSort } from '../util/go-sort.ts';
import { compareStrings, type Json, type Obj, quote } from '../util/object.ts';
import { compareQuantity, parseQuantity } from '../util/quantity.ts';

/** isLess of kubectl's sorter, for JSON values. */
export function isLess(a: Json, b: Json): boolean {
  if (a === null || a === undefined) return b !== null && b !== undefined;
  if (b === null || b === undefined) return false;
  if (typeof a === 'string' && typeof b === 'string') {
    const x = parseQuantity(a);
    const y = parseQuantity(b);
    return x !== undefined && y !== undefined ? compareQuantity(x, y) < 0 : compareStrings(a, b) < 0;
  }
  if (typeof a === 'number' && typeof b === 'number') return a < b;
  if (Array.isArray(a) && Array.isArray(b)) {
    for (let i = 0; i < Math.min(a.length, b.length); i++) if (!isLess(a[i], b[i])) return false;
    return true;
  }
  throw new CliError(`unsortable type: ${typeof a}`);
}

/** Sorts items by a JSONPath of the object that `objectOf` gives (TableSorter and RuntimeSort). */
export function sortByPath<T>(items: T[], objectOf: (item: T) => Obj | undefined, sortBy: string, strict: boolean): T[] {
  let field = sortBy;
  try {
    field = relaxedJsonPath(sortBy);
  } catch (error) {
    if (strict) throw new CliError(errorText(error));
  }
  let path: JsonPath;
  try {
    path = new JsonPath(field, { allowMissingKeys: true });
  } catch (error) {
    throw new CliError(strict ? errorText(error) : `sorting error: ${errorText(error)}`);
  }
  const rows = items.map((item) => {
    try {
      return { item, value: path.find(objectOf(item) ?? {})[0] ?? [] };
    } catch (error) {
      throw new CliError(strict ? errorText(error) : `Failed to get values for [][]reflect.Value(nil) using ${field} (${errorText(error)})`);
    }
  });
  if (rows.length > 0 && !rows.some((row) => row.value.length > 0)) {
    throw new CliError(`couldn't find any field with path ${quote(field)} in the list of objects`);
  }
  goSort(rows, (a, b) => {
    if (a.value.length === 0) return true;
    if (b.value.length === 0) return false;
    return isLess(a.value[0], b.value[0]);
  });
  return rows.map((row) => row.item);
}
