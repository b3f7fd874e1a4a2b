import { toYaml } from '../format/yaml-write.ts';
import { buildKustomization } from '../kustomize/index.ts';
import type { Session } from '../session.ts';
import { CliError } from '../util/errors.ts';

/** kubectl kustomize. */
export async function kustomize(session: Session, args: string[]): Promise<void> {
  if (args.length > 1) throw new CliError('specify one path to kustomization.yaml');
  const objects = await buildKustomization(session, args[0] ?? '.');
  const text = objects.map(toYaml).join('---\n');
  const file = session.flags.text('output');
  if (file === '') await session.out(text);
  else session.process.machine.fs.writeFile(session.process.resolve(file), text);
}
