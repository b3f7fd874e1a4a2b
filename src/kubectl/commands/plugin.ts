import { commandTree, findCommand } from '../cli/command.ts';
import type { Session } from '../session.ts';
import { ExitError, errorText } from '../util/errors.ts';

/** kubectl plugin list. */
export async function pluginList(session: Session): Promise<void> {
  const { process } = session;
  const { fs } = process.machine;
  const problems: string[] = [];
  const plugins: string[] = [];
  for (const folder of new Set((process.env.get('PATH') ?? '').split(':'))) {
    if (folder.trim() === '') continue;
    let names: string[];
    try {
      names = fs.readdir(process.resolve(folder));
    } catch (error) {
      const text = errorText(error);
      await session.err(
        `Unable to read directory ${JSON.stringify(folder)} from your PATH: open ${folder}: ${text.charAt(0).toLowerCase()}${text.slice(1)}. Skipping...\n`,
      );
      continue;
    }
    for (const name of names) {
      const path = `${folder.replace(/\/+$/, '')}/${name}`;
      if (name.startsWith('kubectl-') && fs.stat(path).type !== 'directory') plugins.push(path);
    }
  }
  if (plugins.length > 0) await session.out('The following compatible plugins are available:\n\n');
  else problems.push('error: unable to find any kubectl plugins in your PATH');
  const seen = new Map<string, string>();
  let warnings = 0;
  for (const path of plugins) {
    const name = path.slice(path.lastIndexOf('/') + 1);
    await session.out(`${session.flags.bool('name-only') ? name : path}\n`);
    const notes: string[] = [];
    if ((fs.stat(path).mode & 0o111) === 0) notes.push(`warning: ${path} identified as a kubectl plugin, but it is not executable`);
    const earlier = seen.get(name);
    if (earlier) notes.push(`warning: ${path} is overshadowed by a similarly named plugin: ${earlier}`);
    else seen.set(name, path);
    const { command, args } = findCommand(commandTree(), name.split('-').slice(1));
    if (command.path !== '' && args.length === 0) notes.push(`warning: ${name} overwrites existing command: ${JSON.stringify(`kubectl ${command.path}`)}`);
    for (const note of notes) await session.err(`  - ${note}\n`);
    warnings += notes.length;
  }
  if (warnings > 0) problems.push(warnings === 1 ? 'error: one plugin warning was found' : `error: ${warnings} plugin warnings were found`);
  if (problems.length > 0) throw new ExitError(1, `${problems.join('\n')}\n`);
}
