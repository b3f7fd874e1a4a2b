import { jsonYamlPrinter, noCompatiblePrinter } from '../printers/print-flags.ts';
import { TabWriter } from '../printers/tab-writer.ts';
import type { ApiResource, Discovery } from '../rest/discovery.ts';
import { groupResource } from '../rest/discovery.ts';
import type { Session } from '../session.ts';
import { CliError, errorText } from '../util/errors.ts';
import { compareStrings, goList, joinApiVersion, type Obj } from '../util/object.ts';

/** kubectl api-versions. */
export async function apiVersions(session: Session, args: string[]): Promise<void> {
  if (args.length > 0) throw session.usageError(`unexpected arguments: ${goList(args)}`);
  session.discoveryAttempts = 0;
  let groups: Discovery['groups'];
  try {
    groups = (await session.mapper()).discovery.groups;
  } catch (error) {
    if (error instanceof Error && error.name === 'Killed') throw error;
    throw new CliError(`couldn't get available api versions from server: ${errorText(error)}`);
  }
  const versions = groups.flatMap((group) => group.versions.map((version) => joinApiVersion(group.name, version.version)));
  await session.out(
    versions
      .sort(compareStrings)
      .map((version) => `${version}\n`)
      .join(''),
  );
}

/** kubectl api-resources. */
export async function apiResources(session: Session, args: string[]): Promise<void> {
  const { flags } = session;
  if (args.length > 0) throw session.usageError(`unexpected arguments: ${goList(args)}`);
  const output = flags.text('output');
  if (!['', 'wide', 'name', 'json', 'yaml', 'kyaml'].includes(output)) throw noCompatiblePrinter(output, ['json', 'kyaml', 'name', 'wide', 'yaml']);
  const sortBy = flags.text('sort-by');
  if (!['', 'name', 'kind'].includes(sortBy)) throw new CliError('--sort-by accepts only name or kind');
  const { discovery } = await session.mapper();
  const wantedGroup = flags.changed('api-group') ? flags.text('api-group') : undefined;
  const verbs = flags.list('verbs');
  const categories = flags.list('categories');
  let resources = discovery.resources.filter(
    (api) =>
      api.verbs.length > 0 &&
      (wantedGroup === undefined || api.group === wantedGroup) &&
      (!flags.changed('namespaced') || api.namespaced === flags.bool('namespaced')) &&
      verbs.every((verb) => api.verbs.includes(verb)) &&
      categories.every((category) => api.categories.includes(category)),
  );
  // Preferred versions only, as ServerPreferredResources gives them.
  const seen = new Set<string>();
  resources = resources.filter((api) => {
    const key = groupResource(api.name, api.group);
    if (seen.has(key)) return false;
    seen.add(key);
    return true;
  });
  const byName = (a: ApiResource, b: ApiResource): number => compareStrings(a.name, b.name);
  if (sortBy === 'kind') resources.sort((a, b) => compareStrings(a.kind, b.kind));
  else if (sortBy === 'name') resources.sort(byName);
  else resources.sort((a, b) => compareStrings(a.group, b.group) || byName(a, b));
  if (output === 'name') {
    await session.out(resources.map((api) => `${groupResource(api.name, api.group)}\n`).join(''));
    return;
  }
  if (output !== '' && output !== 'wide') return printList(session, output, resources);
  const writer = new TabWriter();
  const wide = output === 'wide';
  if (!flags.bool('no-headers')) writer.write(`NAME\tSHORTNAMES\tAPIVERSION\tNAMESPACED\tKIND${wide ? '\tVERBS\tCATEGORIES' : ''}\n`);
  for (const api of resources) {
    const cells = [api.name, api.shortNames.join(','), joinApiVersion(api.group, api.version), String(api.namespaced), api.kind];
    if (wide) cells.push(api.verbs.join(','), api.categories.join(','));
    writer.write(`${cells.join('\t')}\n`);
  }
  await session.out(writer.flush());
}

async function printList(session: Session, output: string, resources: readonly ApiResource[]): Promise<void> {
  const list: Obj = {
    kind: 'APIResourceList',
    apiVersion: 'v1',
    groupVersion: '',
    resources: resources.map((api) => ({
      name: api.name,
      singularName: api.singular,
      namespaced: api.namespaced,
      ...(api.group ? { group: api.group } : {}),
      version: api.version,
      kind: api.kind,
      verbs: api.verbs,
      ...(api.shortNames.length > 0 ? { shortNames: api.shortNames } : {}),
      ...(api.categories.length > 0 ? { categories: api.categories } : {}),
    })),
  };
  const printer = await jsonYamlPrinter(session, output);
  await session.out(printer?.print(list, { typed: true }) ?? '');
}
