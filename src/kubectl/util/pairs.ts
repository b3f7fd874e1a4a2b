import { CliError } from './errors.ts';

/** cmdutil.GetResourcesAndPairs: resources first, then KEY=VALUE or KEY-. */
export function resourcesAndPairs(args: readonly string[], pairType: string): { resources: string[]; pairs: string[] } {
  const resources: string[] = [];
  const pairs: string[] = [];
  for (const arg of args) {
    const pair = (arg.includes('=') && !arg.startsWith('=')) || (arg.endsWith('-') && arg !== '-');
    if (pair) pairs.push(arg);
    else if (pairs.length === 0) resources.push(arg);
    else throw new CliError(`all resources must be specified before ${pairType} changes: ${arg}`);
  }
  return { resources, pairs };
}

/** cmdutil.ParsePairs. */
export function parsePairs(args: readonly string[], pairType: string, supportRemove: boolean): { pairs: Record<string, string>; removed: string[] } {
  const pairs: Record<string, string> = {};
  const removed: string[] = [];
  const invalid: string[] = [];
  for (const arg of args) {
    const equals = arg.indexOf('=');
    if (equals > 0) pairs[arg.slice(0, equals)] = arg.slice(equals + 1);
    else if (supportRemove && arg.endsWith('-') && arg !== '-') removed.push(arg.slice(0, -1));
    else invalid.push(arg);
  }
  if (invalid.length > 0) throw new CliError(`invalid ${pairType} format: ${invalid.join(', ')}`);
  return { pairs, removed };
}
