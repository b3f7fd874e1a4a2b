import { COMMAND_ROWS, GLOBAL_FLAGS } from './flag-table.ts';
import { type FlagDefinition, FlagSet, parseDefinitions } from './flags.ts';

/** A command of the tree: "" is kubectl itself, "rollout status" a subcommand. */
export interface Command {
  path: string;
  /** Last word of the path. */
  name: string;
  aliases: string[];
  children: Command[];
  parent: Command | undefined;
  usage: string;
  flagSpec: string;
}

/** Flags that must be given, per command (cobra's MarkFlagRequired). */
export const REQUIRED: Record<string, string[]> = {
  run: ['image'],
  scale: ['replicas'],
  autoscale: ['max'],
  'create deployment': ['image'],
  'create cronjob': ['image', 'schedule'],
  'create clusterrolebinding': ['clusterrole'],
  'create service externalname': ['external-name'],
};

const SUGGEST_FOR: Record<string, string[]> = { get: ['list', 'ls'], delete: ['rm', 'remove'], describe: ['inspect'], top: ['stats'] };

let cachedRoot: Command | undefined;

/** The command tree, built when first asked for. */
export function commandTree(): Command {
  if (cachedRoot) return cachedRoot;
  const root: Command = { path: '', name: 'kubectl', aliases: [], children: [], parent: undefined, usage: 'kubectl [flags]', flagSpec: '' };
  const byPath = new Map<string, Command>([['', root]]);
  for (const [path, row] of Object.entries(COMMAND_ROWS)) {
    const cut = path.lastIndexOf(' ');
    const parent = byPath.get(cut < 0 ? '' : path.slice(0, cut)) ?? root;
    const command: Command = {
      path,
      name: path.slice(cut + 1),
      aliases: row.aliases?.split(' ') ?? [],
      children: [],
      parent,
      usage: row.usage,
      flagSpec: row.flags,
    };
    parent.children.push(command);
    byPath.set(path, command);
  }
  cachedRoot = root;
  return root;
}

let globalDefinitions: FlagDefinition[] | undefined;

/** Flags that every command takes. */
export function globalFlags(): FlagDefinition[] {
  globalDefinitions ??= parseDefinitions(GLOBAL_FLAGS);
  return globalDefinitions;
}

/** A fresh flag set for a command, --help included. */
export function flagSetFor(command: Command): FlagSet {
  const flags = new FlagSet();
  flags.add(parseDefinitions(command.flagSpec));
  flags.add(globalFlags());
  flags.add([{ name: 'help', shorthand: 'h', type: 'b', defaultText: '', withoutValue: 'true' }]);
  return flags;
}

function takesValue(flags: FlagSet, argument: string): boolean {
  if (argument.includes('=')) return false;
  if (argument.startsWith('--')) return flags.lookup(argument.slice(2))?.withoutValue === undefined;
  return argument.length === 2 && flags.shorthand(argument[1] as string)?.withoutValue === undefined;
}

/** cobra's Find: the command that the arguments name, and the arguments that are left for it. */
export function findCommand(root: Command, args: readonly string[]): { command: Command; args: string[] } {
  let command = root;
  let rest = [...args];
  for (;;) {
    const flags = flagSetFor(command);
    let found: Command | undefined;
    let at = -1;
    for (let i = 0; i < rest.length; i++) {
      const argument = rest[i] as string;
      if (argument === '--') break;
      if (argument.startsWith('-') && argument.length > 1) {
        if (takesValue(flags, argument)) i++;
        continue;
      }
      if (argument === '') continue;
      found = command.children.find((child) => child.name === argument || child.aliases.includes(argument));
      at = i;
      break;
    }
    if (!found) return { command, args: rest };
    rest = [...rest.slice(0, at), ...rest.slice(at + 1)];
    command = found;
  }
}

/** Commands whose name is near to what was typed (cobra's SuggestionsFor). */
export function suggestions(root: Command, typed: string): string[] {
  return root.children
    .filter((child) => child.name !== 'options' && child.name !== 'alpha')
    .filter(
      (child) =>
        levenshtein(typed.toLowerCase(), child.name.toLowerCase()) <= 2 ||
        child.name.toLowerCase().startsWith(typed.toLowerCase()) ||
        (SUGGEST_FOR[child.name] ?? []).some((word) => word.toLowerCase() === typed.toLowerCase()),
    )
    .map((child) => child.name);
}

function levenshtein(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      row.push(Math.min((previous[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, (previous[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1)));
    }
    previous = row;
  }
  return previous[b.length] ?? 0;
}
