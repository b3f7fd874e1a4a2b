import type { Transport } from '../../sim/transport.ts';
import type { Process } from '../../unix/types.ts';
import { Helper } from '../resource/info.ts';
import { groupResource } from '../rest/discovery.ts';
import { Session } from '../session.ts';
import { CliError } from '../util/errors.ts';
import { compareStrings, type Obj } from '../util/object.ts';
import { type Command, commandTree, findCommand, flagSetFor, globalFlags, REQUIRED } from './command.ts';
import { type FlagDefinition, FlagError, type FlagSet } from './flags.ts';
import { SUMMARIES } from './summaries.ts';

/** Candidates with cobra's directive: 0 file names may follow, 2 no space, 4 no file names, 8 files with these endings. */
interface Completion {
  candidates: string[];
  directive: number;
}

const NO_FILES = 4;
const NO_SPACE = 2;
const nothing: Completion = { candidates: [], directive: NO_FILES };
const files: Completion = { candidates: [], directive: 0 };
const manifests: Completion = { candidates: ['json', 'yaml', 'yml'], directive: 8 };

const DIRECTIVES: Record<number, string> = {
  0: 'ShellCompDirectiveDefault',
  2: 'ShellCompDirectiveNoSpace',
  4: 'ShellCompDirectiveNoFileComp',
  8: 'ShellCompDirectiveFilterFileExt',
  6: 'ShellCompDirectiveNoSpace, ShellCompDirectiveNoFileComp',
};

const TYPE_AND_NAMES = ['get', 'describe', 'delete', 'edit', 'label', 'annotate', 'patch', 'debug'];
const PODS_ONLY = ['port-forward', 'attach', 'exec', 'logs'];
/** Commands without a completion of their own: the shell offers files. */
const UNFINISHED =
  /^(set env|run|wait|events|version|options|api-.*|certificate .*|auth .*|config (get-contexts|view)|kustomize|create .+|plugin .*|cluster-info.*|proxy|diff|replace)$/;
const POD_OWNERS = ['daemonsets', 'deployments', 'pods', 'jobs', 'replicasets', 'replicationcontrollers', 'services', 'statefulsets'];
const WITH_CONTAINERS = ['daemonsets', 'deployments', 'pods', 'cronjobs', 'replicasets', 'replicationcontrollers', 'statefulsets'];
const LIMITED: Record<string, string[]> = {
  'set image': WITH_CONTAINERS,
  'set resources': WITH_CONTAINERS,
  'set serviceaccount': WITH_CONTAINERS,
  scale: ['deployment', 'replicaset', 'replicationcontroller', 'statefulset'],
  autoscale: ['deployment', 'replicaset', 'replicationcontroller', 'statefulset'],
  'rollout history': ['deployment', 'daemonset', 'statefulset'],
  'rollout status': ['deployment', 'daemonset', 'statefulset'],
  'rollout undo': ['deployment', 'daemonset', 'statefulset'],
  'rollout restart': ['deployment', 'daemonset', 'statefulset'],
  'rollout pause': ['deployment'],
  'rollout resume': ['deployment'],
  expose: ['pod', 'service', 'replicationcontroller', 'deployment', 'replicaset'],
  taint: ['node'],
};
const NAMES_OF: Record<string, string> = { cordon: 'nodes', uncordon: 'nodes', drain: 'nodes', 'top node': 'nodes', 'top pod': 'pods' };

const GET_FORMATS =
  'json yaml kyaml name go-template go-template-file template templatefile jsonpath jsonpath-as-json jsonpath-file custom-columns custom-columns-file wide';

/** `kubectl __complete …`: candidates for the last word, a line each, and at last the directive. */
export async function complete(
  process: Process,
  args: readonly string[],
  transport: (server: string) => Transport,
  withDescriptions: boolean,
): Promise<number> {
  if (args.length === 0) throw new CliError('requires at least 1 arg(s), only received 0');
  const typed = args.at(-1) ?? '';
  let completion = nothing;
  try {
    completion = await candidates(process, args.slice(0, -1), typed, transport);
  } catch (error) {
    if (error instanceof Error && (error.name === 'Killed' || error.name === 'Errno')) throw error;
  }
  const lines = completion.candidates.map((line) => (withDescriptions ? line : (line.split('\t', 1)[0] ?? '')));
  await process.out(`${[...lines, `:${completion.directive}`].join('\n')}\n`);
  await process.err(`Completion ended with directive: ${DIRECTIVES[completion.directive]}\n`);
  return 0;
}

async function candidates(process: Process, before: readonly string[], typed: string, transport: (server: string) => Transport): Promise<Completion> {
  const { command, args } = findCommand(commandTree(), before);
  const flags = flagSetFor(command);
  const afterDash = before.includes('--');
  const previous = before.at(-1) ?? '';
  const waiting = afterDash ? undefined : waitingFlag(flags, previous);
  let given = [...args];
  if (waiting) given = given.slice(0, -1);
  try {
    flags.parse(given);
  } catch (error) {
    if (!(error instanceof FlagError)) throw error;
  }
  const session = new Session(process, flags, `kubectl ${command.path}`.trim(), transport);
  if (waiting) return flagValue(session, command, waiting, typed, '');
  if (!afterDash && typed.startsWith('-')) {
    const equals = typed.indexOf('=');
    if (equals > 0 && typed.startsWith('--')) {
      const flag = flags.lookup(typed.slice(2, equals));
      return flag ? flagValue(session, command, flag, typed.slice(equals + 1), '') : nothing;
    }
    return flagNames(flags, typed);
  }
  if (afterDash) return nothing;
  if (command.path === '' && flags.rest[0] === 'help') return commandWords(commandTree(), typed);
  if (command.children.length > 0 && flags.rest.length === 0 && flags.given().length === 0) {
    const words = commandWords(command, typed);
    if (words.candidates.length > 0 || command.path !== 'create') return words;
  }
  const required = (REQUIRED[command.path] ?? []).filter((name) => !flags.changed(name) && `--${name}`.startsWith(typed)).map((name) => `--${name}`);
  const words = await wordsOf(session, command, flags.rest, typed);
  return { candidates: [...required, ...words.candidates], directive: words.directive };
}

function commandWords(command: Command, typed: string): Completion {
  const words = command.children.map((child) => [child.name, SUMMARIES[child.path] ?? '']);
  if (command.path === '') words.push(['help', '看指令的說明']);
  return {
    candidates: words
      .filter(([name]) => name?.startsWith(typed) && name !== 'alpha')
      .map((word) => word.join('\t'))
      .sort(),
    directive: NO_FILES,
  };
}

/** The flag that the next word is the value of. */
function waitingFlag(flags: FlagSet, word: string): FlagDefinition | undefined {
  if (!word.startsWith('-') || word.includes('=') || word === '-' || word === '--') return undefined;
  const flag = word.startsWith('--') ? flags.lookup(word.slice(2)) : flags.shorthand(word.at(-1) ?? '');
  return flag?.withoutValue === undefined ? flag : undefined;
}

function flagNames(flags: FlagSet, typed: string): Completion {
  const out: string[] = [];
  // Those of all commands come before the command's own.
  const shared = new Set(globalFlags().map((flag) => flag.name));
  const rank = (flag: FlagDefinition): string => (shared.has(flag.name) ? '0' : '1') + flag.name;
  for (const flag of flags.definitions().sort((a, b) => (rank(a) < rank(b) ? -1 : 1))) {
    const again = flag.type === 'l' || flag.type === 'a';
    if (flags.changed(flag.name) && !again) continue;
    if (`--${flag.name}`.startsWith(typed)) out.push(`--${flag.name}`);
    if (flag.shorthand && typed === '-') out.push(`-${flag.shorthand}`);
  }
  return { candidates: out, directive: NO_FILES };
}

async function flagValue(session: Session, command: Command, flag: FlagDefinition, typed: string, lead: string): Promise<Completion> {
  const list = (words: readonly string[]): Completion => ({
    candidates: words.filter((word) => word.startsWith(typed)).map((word) => lead + word),
    directive: NO_FILES,
  });
  const config = session.kubeConfig;
  switch (flag.name) {
    case 'namespace':
      return list(await namesOf(session, 'namespaces'));
    case 'context':
      return list([...config.contexts.keys()].sort());
    case 'cluster':
      return list([...config.clusters.keys()].sort());
    case 'user':
      return list([...config.users.keys()].sort());
    case 'output':
      return command.path === 'get' ? list(GET_FORMATS.split(' ')) : files;
    case 'filename':
      return manifests;
    case 'subresource':
      return list(['status', 'scale', 'resize']);
    case 'container':
      return command.path === 'logs' ? files : list(await containersOf(session, session.flags.rest[0] ?? ''));
    default:
      return files;
  }
}

async function containersOf(session: Session, name: string): Promise<string[]> {
  const pod = name.startsWith('pod/') ? name.slice(4) : name;
  if (pod === '') return [];
  const mapper = await session.mapper();
  const object = await new Helper(session, mapper.forKind('Pod', '', 'v1')).get(session.namespace, pod);
  return [...(object.spec?.containers ?? []), ...(object.spec?.initContainers ?? [])].map((container: Obj) => container.name as string);
}

async function wordsOf(session: Session, command: Command, rest: readonly string[], typed: string): Promise<Completion> {
  const { path } = command;
  const filter = (words: readonly string[], directive = NO_FILES): Completion => ({
    candidates: words.filter((word) => word.startsWith(typed) && !rest.includes(word)),
    directive,
  });
  if (path.startsWith('config ')) return configWords(session, path, rest, typed);
  if (path === 'completion') return rest.length === 0 ? filter(['bash', 'fish', 'powershell', 'zsh']) : nothing;
  if (path === 'explain' || UNFINISHED.test(path)) return files;
  if (path === 'cp') return rest.length === 0 ? copyWords(session, typed) : files;
  const limited = LIMITED[path];
  if (limited) return typeAndNames(session, rest, typed, limited);
  const single = NAMES_OF[path];
  if (single) return rest.length > 0 && path === 'top pod' ? nothing : filter(await namesOf(session, single));
  if (TYPE_AND_NAMES.includes(path)) return typeAndNames(session, rest, typed, undefined);
  if (PODS_ONLY.includes(path)) {
    if (rest.length > 0) return path === 'logs' && rest.length === 1 ? filter(await containersOf(session, rest[0] ?? '')) : nothing;
    const slash = typed.indexOf('/');
    if (slash >= 0) return slashNames(session, typed, slash);
    const pods = filter(await namesOf(session, 'pods'));
    const owners = filter(POD_OWNERS.filter((word) => word.startsWith(typed)).map((word) => `${word}/`));
    if (pods.candidates.length === 0 && owners.candidates.length > 0) return { candidates: owners.candidates, directive: NO_FILES | NO_SPACE };
    return { candidates: [...pods.candidates, ...owners.candidates], directive: NO_FILES };
  }
  return path === 'apply' && session.flags.given().length > 0 ? files : nothing;
}

/** cp: `namespace/`, `pod:` and files that begin as typed. */
async function copyWords(session: Session, typed: string): Promise<Completion> {
  if (/^[./~]/.test(typed) || typed.includes(':')) return files;
  const slash = typed.indexOf('/');
  if (slash >= 0) {
    const namespace = typed.slice(0, slash);
    const list = await session.client.request('GET', `/api/v1/namespaces/${namespace}/pods`);
    const pods = ((list.items ?? []) as Obj[]).map((item) => `${namespace}/${item.metadata?.name}:`);
    return { candidates: pods.filter((word) => word.startsWith(typed)), directive: NO_SPACE };
  }
  const words = [...(await namesOf(session, 'namespaces')).map((name) => `${name}/`), ...(await namesOf(session, 'pods')).map((name) => `${name}:`)];
  const found = words.filter((word) => word.startsWith(typed));
  if (typed === '') found.push('./', '/');
  else if (found.length > 0) {
    const { fs } = session.process.machine;
    for (const name of fs.readdir(session.process.cwd)) {
      if (name.startsWith(typed)) found.push(fs.stat(session.process.resolve(name)).type === 'directory' ? `${name}/` : name);
    }
  }
  return { candidates: found, directive: NO_SPACE };
}

function configWords(session: Session, path: string, rest: readonly string[], typed: string): Completion {
  if (rest.length > 0) return nothing;
  const { kubeConfig } = session;
  const word = path.slice('config '.length);
  let source = new Map<string, unknown>();
  if (word.endsWith('context')) source = kubeConfig.contexts;
  else if (word.endsWith('cluster')) source = kubeConfig.clusters;
  else if (/user|credentials/.test(word)) source = kubeConfig.users;
  return { candidates: [...source.keys()].sort().filter((name) => name.startsWith(typed)), directive: NO_FILES };
}

async function typeAndNames(session: Session, rest: readonly string[], typed: string, types: readonly string[] | undefined): Promise<Completion> {
  const slash = typed.indexOf('/');
  if (rest.length === 0) {
    if (slash >= 0) return slashNames(session, typed, slash);
    const known = types ?? (await resourceTypes(session));
    const comma = typed.lastIndexOf(',') + 1;
    const lead = typed.slice(0, comma);
    return {
      candidates: known.filter((word) => word.startsWith(typed.slice(comma))).map((word) => lead + word),
      directive: NO_FILES,
    };
  }
  if ((rest[0] ?? '').includes('/')) {
    if (slash >= 0) return slashNames(session, typed, slash);
    return nothing;
  }
  const names = await namesOf(session, rest[0] ?? '');
  return { candidates: names.filter((name) => name.startsWith(typed) && !rest.slice(1).includes(name)), directive: NO_FILES };
}

async function slashNames(session: Session, typed: string, slash: number): Promise<Completion> {
  const type = typed.slice(0, slash);
  const names = await namesOf(session, type);
  return { candidates: names.map((name) => `${type}/${name}`).filter((word) => word.startsWith(typed)), directive: NO_FILES };
}

async function resourceTypes(session: Session): Promise<string[]> {
  const mapper = await session.mapper();
  const names = mapper.discovery.resources
    .filter((resource) => !resource.name.includes('/') && resource.verbs.includes('get'))
    .sort((a, b) => compareStrings(a.group, b.group) || compareStrings(a.name, b.name))
    .map((resource) => groupResource(resource.name, resource.group));
  return [...new Set(names)];
}

async function namesOf(session: Session, type: string): Promise<string[]> {
  const mapper = await session.mapper();
  const mapping = mapper.mappingFor(type);
  const list = await new Helper(session, mapping).list(mapping.namespaced ? session.namespace : '');
  return ((list.items ?? []) as Obj[]).map((item) => item.metadata?.name as string).sort();
}
