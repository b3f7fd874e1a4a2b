import { DURATIONS } from '../sim/durations.ts';
import type { Transport } from '../sim/transport.ts';
import { Errno, type Process, type Program } from '../unix/types.ts';
import { commandTree, findCommand, flagSetFor, REQUIRED, suggestions } from './cli/command.ts';
import { FlagError } from './cli/flags.ts';
import { commandRun } from './commands/index.ts';
import { unreachableTransport } from './rest/unreachable.ts';
import { Session } from './session.ts';
import { describeFailure, ExitError, errorText } from './util/errors.ts';

const DEPRECATED: Record<string, string> = {
  record: '--record will be removed in the future',
  'cpu-percent': "Use --cpu with percentage or resource quantity format (e.g., '70%' for utilization or '500m' for milliCPU).",
};

/**
 * The kubectl program. It reads its kubeconfig from $KUBECONFIG or ~/.kube/config in the process's filesystem, and
 * talks to the server named there through the transport that the host gives for it; undefined: nothing is at that address.
 */
export function createKubectl(options: { transport: (server: string) => Transport | undefined }): Program {
  return async (process) => {
    const [least, most] = DURATIONS.kubectlStartMs;
    await process.sleep(least + process.kernel.random.int(most - least + 1));
    try {
      return await main(process, process.argv.slice(1), (server) => options.transport(server) ?? unreachableTransport(server));
    } catch (error) {
      if (error instanceof Errno && error.code === 'EPIPE') return 141;
      if (error instanceof Error && error.name === 'Killed') throw error;
      const failure = describeFailure(error);
      if (failure.message !== '') await process.err(failure.message.endsWith('\n') ? failure.message : `${failure.message}\n`);
      return failure.code;
    }
  };
}

async function main(process: Process, argv: string[], transport: (server: string) => Transport): Promise<number> {
  const root = commandTree();
  if (argv[0] === '__complete' || argv[0] === '__completeNoDesc') {
    const { complete } = await process.kernel.external(import('./cli/complete.ts'));
    return complete(process, argv.slice(1), transport, argv[0] === '__complete');
  }
  const { command, args } = findCommand(root, argv);
  const commandPath = command.path === '' ? 'kubectl' : `kubectl ${command.path}`;
  if (command === root && args[0] === 'help') return help(process, args.slice(1));
  const flags = flagSetFor(command);
  try {
    if (command === root) {
      // An unknown command is told before an unknown flag, as cobra's Find does.
      const word = firstWord(args);
      if (word !== undefined) {
        const plugin = await runPlugin(process, args);
        if (plugin !== undefined) return plugin;
        const near = suggestions(root, word);
        const hint = near.length > 0 ? `\n\nDid you mean this?\n${near.map((name) => `\t${name}\n`).join('')}` : '';
        throw new Error(`unknown command "${word}" for "kubectl"${hint}`);
      }
    }
    flags.parse(args);
  } catch (error) {
    if (!(error instanceof FlagError)) throw error;
    throw new ExitError(1, `error: ${error.message}\nSee '${commandPath} --help' for usage.`);
  }
  for (const name of flags.given()) {
    const note = DEPRECATED[name];
    if (note) await process.err(`Flag --${name} has been deprecated, ${note}\n`);
  }
  if (flags.bool('help')) return help(process, command.path === '' ? [] : command.path.split(' '));
  const missing = (REQUIRED[command.path] ?? []).filter((name) => !flags.changed(name));
  if (missing.length > 0) throw new Error(`required flag(s) ${missing.map((name) => `"${name}"`).join(', ')} not set`);
  const session = new Session(process, flags, commandPath, transport);
  if (flags.number('v') >= 6) {
    const { logStart } = await process.kernel.external(import('./rest/verbose.ts'));
    await logStart(session);
  }
  const run = await commandRun(session, command.path);
  if (!run) return group(process, session, command.path, flags.rest);
  const failureCode = command.path === 'diff' ? 1 : 0;
  try {
    const code = (await run(session, flags.rest)) ?? 0;
    await session.out('');
    if (code === 0 && flags.bool('warnings-as-errors') && session.warningCount > 0) {
      throw new Error(`${session.warningCount} warning${session.warningCount === 1 ? '' : 's'} received`);
    }
    return code;
  } catch (error) {
    if (error instanceof Error && (error.name === 'Killed' || error.name === 'Errno')) throw error;
    await session.out('');
    const failure = describeFailure(error);
    throw new ExitError(error instanceof ExitError ? failure.code : failure.code + failureCode, failure.message);
  }
}

function firstWord(args: readonly string[]): string | undefined {
  const root = flagSetFor(commandTree());
  for (let i = 0; i < args.length; i++) {
    const argument = args[i] as string;
    if (argument === '--') return undefined;
    if (!argument.startsWith('-')) return argument;
    const flag = argument.startsWith('--') ? root.lookup(argument.slice(2)) : root.shorthand(argument[1] ?? '');
    if (!argument.includes('=') && flag?.withoutValue === undefined && (argument.startsWith('--') || argument.length === 2)) i++;
  }
  return undefined;
}

/** A command that only groups others: help with exit code 1, or an error about the unknown part. */
async function group(process: Process, session: Session, path: string, rest: string[]): Promise<number> {
  if (path === '') {
    await help(process, []);
    return 0;
  }
  if (rest.length > 0 && path !== 'certificate') throw session.usageError(`unknown command "${rest.join(' ')}"`);
  await help(process, path.split(' '), true);
  return path === 'certificate' ? 0 : 1;
}

async function help(process: Process, words: string[], toStderr = false): Promise<number> {
  const { helpText } = await process.kernel.external(import('./cli/help.ts'));
  const text = helpText(words);
  if (toStderr && words[0] !== 'rollout' && words[0] !== 'certificate') await process.err(text);
  else await process.out(text);
  return 0;
}

/** kubectl-<name> on the PATH, as plugins are found: the longest name first. Undefined when there is none. */
async function runPlugin(process: Process, args: readonly string[]): Promise<number | undefined> {
  const words: string[] = [];
  for (const argument of args) {
    if (argument.startsWith('-')) break;
    words.push(argument.replaceAll('-', '_'));
  }
  for (let count = words.length; count > 0; count--) {
    const found = process.which(`kubectl-${words.slice(0, count).join('-')}`);
    if (!found) continue;
    try {
      return await process.exec([found, ...args.slice(count)]);
    } catch (error) {
      throw new ExitError(1, `Error: ${errorText(error)}`);
    }
  }
  return undefined;
}
