import type { Transport } from '../../sim/transport.ts';
import type { Process } from '../../unix/types.ts';
import { Helper } from '../resource/info.ts';
import type { Mapping } from '../rest/discovery.ts';
import { Session } from '../session.ts';
import { CliError, ConfigurationError, ConnectionError, NoResourceMatch, StatusError } from '../util/errors.ts';
import { type Command, commandTree, findCommand, flagSetFor } from './command.ts';
import { FlagError, type FlagSet } from './flags.ts';
import { SUMMARIES } from './summaries.ts';

/** cobra's directives: what the shell does when there is no candidate. */
const DEFAULT = 0;
const NO_SPACE = 2;
const NO_FILES = 4;

interface Answer {
  /** Candidates, optionally with a description after a tab. */
  words: string[];
  directive: number;
}

const files: Answer = { words: [], directive: DEFAULT };
const nothing: Answer = { words: [], directive: NO_FILES };

const OUTPUTS = [
  'json',
  'yaml',
  'kyaml',
  'name',
  'go-template',
  'go-template-file',
  'template',
  'templatefile',
  'jsonpath',
  'jsonpath-as-json',
  'jsonpath-file',
];
/** Commands whose arguments are a type and then names of it. */
const TYPE_THEN_NAMES = new Set([
  'get',
  'describe',
  'delete',
  'edit',
  'label',
  'annotate',
  'patch',
  'wait',
  'expose',
  'explain',
  'set env',
  'set image',
  'set resources',
  'set serviceaccount',
]);
const POD_COMMANDS = new Set(['logs', 'exec', 'attach', 'port-forward', 'debug']);
const NODE_COMMANDS = new Set(['cordon', 'uncordon', 'drain', 'top node']);
/** Commands that work on some types only. */
const SOME_TYPES: Record<string, string[]> = {
  scale: ['deployment', 'replicaset', 'replicationcontroller', 'statefulset'],
  autoscale: ['deployment', 'replicaset', 'replicationcontroller', 'statefulset'],
  'rollout history': ['deployment', 'daemonset', 'statefulset'],
  'rollout pause': ['deployment'],
  'rollout restart': ['deployment', 'daemonset', 'statefulset'],
  'rollout resume': ['deployment'],
  'rollout status': ['deployment', 'daemonset', 'statefulset'],
  'rollout undo': ['deployment', 'daemonset', 'statefulset'],
};

/** `kubectl __complete …`: candidates for the last word, one a line, then the directive; always exit 0. */
export async function complete(process: Process, args: readonly string[], transport: (server: string) => Transport, descriptions: boolean): Promise<number> {
  const typed = args.at(-1) ?? '';
  const answer = await answerFor(process, args.slice(0, -1), typed, transport);
  const lines = answer.words.map((word) => (descriptions ? word : (word.split('\t')[0] ?? '')));
  await process.out(`${[...lines, `:${answer.directive}`].join('\n')}\n`);
  await process.err(
    `Completion ended with directive: ${answer.directive === DEFAULT ? 'ShellCompDirectiveDefault' : answer.directive === NO_FILES ? 'ShellCompDirectiveNoFileComp' : 'ShellCompDirectiveNoSpace, ShellCompDirectiveNoFileComp'}\n`,
  );
  return 0;
}

async function answerFor(process: Process, before: readonly string[], typed: string, transport: (server: string) => Transport): Promise<Answer> {
  const { command, args } = findCommand(commandTree(), before);
  const flags = flagSetFor(command);
  const waiting = flagWaitingForValue(flags, args);
  try {
    flags.parse(waiting === undefined ? args : args.slice(0, -1));
  } catch (error) {
    if (!(error instanceof FlagError)) throw error;
    return files;
  }
  const session = new Session(process, flags, `kubectl ${command.path}`, transport);
  try {
    const inline = /^--([a-z-]+)=(.*)$/s.exec(typed);
    if (waiting !== undefined) return await flagValue(session, waiting, typed, '');
    if (inline) return await flagValue(session, inline[1] ?? '', inline[2] ?? '', `--${inline[1]}=`);
    if (typed.startsWith('-')) return flagNames(flags, typed);
    if (command.children.length > 0) return subcommands(command, typed);
    return await argument(session, command, flags.rest, typed);
  } catch (error) {
    // A cluster that does not answer has no names to offer; that is no reason to disturb the prompt.
    if (
      error instanceof StatusError ||
      error instanceof ConnectionError ||
      error instanceof CliError ||
      error instanceof ConfigurationError ||
      error instanceof NoResourceMatch
    )
      return nothing;
    throw error;
  }
}

/** The name of a flag at the end that still needs its value. */
function flagWaitingForValue(flags: FlagSet, args: readonly string[]): string | undefined {
  const last = args.at(-1);
  if (last === undefined || !last.startsWith('-') || last.includes('=') || args.includes('--')) return undefined;
  const flag = last.startsWith('--') ? flags.lookup(last.slice(2)) : last.length === 2 ? flags.shorthand(last[1] as string) : undefined;
  return flag && flag.withoutValue === undefined ? flag.name : undefined;
}

function matching(words: readonly string[], typed: string): string[] {
  return words.filter((word) => word.startsWith(typed));
}

function flagNames(flags: FlagSet, typed: string): Answer {
  const names = flags.definitions().map((flag) => `--${flag.name}`);
  return { words: matching(names, typed).sort(), directive: NO_FILES };
}

function subcommands(command: Command, typed: string): Answer {
  const words = command.children
    .filter((child) => child.name !== 'alpha' && child.name.startsWith(typed))
    .map((child) => `${child.name}\t${SUMMARIES[child.path] ?? ''}`);
  return { words: words.sort(), directive: NO_FILES };
}

async function flagValue(session: Session, name: string, typed: string, prefix: string): Promise<Answer> {
  const offer = (words: readonly string[]): Answer => ({ words: matching(words, typed).map((word) => prefix + word), directive: NO_FILES });
  switch (name) {
    case 'namespace':
      return offer(await namesOf(session, 'namespaces'));
    case 'output':
      return offer(session.commandPath === 'kubectl get' ? [...OUTPUTS, 'wide', 'custom-columns', 'custom-columns-file'] : OUTPUTS);
    case 'context':
      return offer([...session.kubeConfig.contexts.keys()]);
    case 'cluster':
      return offer([...session.kubeConfig.clusters.keys()]);
    case 'user':
      return offer([...session.kubeConfig.users.keys()]);
    case 'dry-run':
      return offer(['none', 'client', 'server']);
    case 'cascade':
      return offer(['background', 'foreground', 'orphan']);
    case 'container':
      return offer(await containersOf(session));
    case 'filename':
    case 'kustomize':
    case 'kubeconfig':
    case 'patch-file':
      return files;
    default:
      return nothing;
  }
}

async function containersOf(session: Session): Promise<string[]> {
  const pod = (session.flags.rest[0] ?? '').replace(/^pods?\//, '');
  if (pod === '') return [];
  const object = await session.client.request('GET', `/api/v1/namespaces/${session.namespace}/pods/${pod}`);
  return [...(object.spec?.initContainers ?? []), ...(object.spec?.containers ?? [])].map((container: { name: string }) => container.name);
}

async function argument(session: Session, command: Command, given: readonly string[], typed: string): Promise<Answer> {
  const { path } = command;
  if (POD_COMMANDS.has(path)) return given.length > 0 ? nothing : namesOrTyped(session, 'pods', typed);
  if (path === 'top pod') return { words: matching(await namesOf(session, 'pods'), typed), directive: NO_FILES };
  if (NODE_COMMANDS.has(path)) return { words: others(await namesOf(session, 'nodes'), given, typed), directive: NO_FILES };
  if (path === 'taint')
    return given.length === 0
      ? { words: matching(['node'], typed), directive: NO_FILES }
      : { words: others(await namesOf(session, 'nodes'), given.slice(1), typed), directive: NO_FILES };
  if (path === 'config use-context' || path === 'config delete-context' || path === 'config rename-context')
    return { words: matching([...session.kubeConfig.contexts.keys()], typed), directive: NO_FILES };
  const some = SOME_TYPES[path];
  if (some) {
    if (typed.includes('/')) return typeAndName(session, typed);
    if (given.length > 0) return { words: others(await namesOf(session, given[0] as string), given.slice(1), typed), directive: NO_FILES };
    return { words: matching(some, typed), directive: NO_FILES };
  }
  if (!TYPE_THEN_NAMES.has(path)) return path === 'cp' ? namesOrTyped(session, 'pods', typed) : files;
  if (typed.includes('/')) return typeAndName(session, typed);
  const first = given[0];
  if (first === undefined) return { words: matching(await typeNames(session), typed), directive: NO_FILES };
  if (path === 'explain' || first.includes('/')) return nothing;
  return { words: others(await namesOf(session, first.split(',')[0] as string), given.slice(1), typed), directive: NO_FILES };
}

/** Pod names, or `type/name` once a slash is there. */
async function namesOrTyped(session: Session, type: string, typed: string): Promise<Answer> {
  if (typed.includes('/')) return typeAndName(session, typed);
  return { words: matching(await namesOf(session, type), typed), directive: NO_FILES };
}

async function typeAndName(session: Session, typed: string): Promise<Answer> {
  const type = typed.slice(0, typed.indexOf('/'));
  const names = (await namesOf(session, type)).map((name) => `${type}/${name}`);
  return { words: matching(names, typed), directive: names.length === 0 ? NO_FILES | NO_SPACE : NO_FILES };
}

function others(names: readonly string[], given: readonly string[], typed: string): string[] {
  return matching(
    names.filter((name) => !given.includes(name)),
    typed,
  );
}

/** Plural names; with their group where two groups share one. */
async function typeNames(session: Session): Promise<string[]> {
  const { resources } = (await session.mapper()).discovery;
  const listable = resources.filter((resource) => resource.verbs.includes('get') || resource.verbs.includes('list'));
  return [
    ...new Set(
      listable
        .map((resource) => (resource.group === '' ? resource.name : `${resource.name}.${resource.group}`))
        .flatMap((full) => [full.split('.')[0] as string, ...(full.includes('.') ? [full] : [])]),
    ),
  ].sort();
}

async function namesOf(session: Session, type: string): Promise<string[]> {
  let mapping: Mapping;
  try {
    mapping = (await session.mapper()).mappingFor(type);
  } catch (error) {
    if (error instanceof StatusError || error instanceof ConnectionError) throw error;
    return [];
  }
  const list = await new Helper(session, mapping).list(mapping.namespaced ? session.namespace : '');
  return (list.items ?? []).map((item: { metadata: { name: string } }) => item.metadata.name).sort();
}
