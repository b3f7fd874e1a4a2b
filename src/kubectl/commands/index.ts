import type { Session } from '../session.ts';
import { apiResources, apiVersions } from './api-resources.ts';
import { apply } from './apply.ts';
import { attach } from './attach.ts';
import { create } from './create.ts';
import { del } from './delete.ts';
import { describe } from './describe.ts';
import { exec } from './exec.ts';
import { expose } from './expose.ts';
import { get } from './get.ts';
import { annotate, label } from './label.ts';
import { logs } from './logs.ts';
import { patch } from './patch.ts';
import { rolloutHistory, rolloutPause, rolloutRestart, rolloutResume, rolloutStatus, rolloutUndo } from './rollout.ts';
import { run } from './run.ts';
import { scale } from './scale.ts';
import { setImage } from './set-image.ts';
import { version } from './version.ts';
import { wait } from './wait.ts';

/** Runs a command; the exit code is 0 unless it says otherwise or throws. */
// biome-ignore lint/suspicious/noConfusingVoidType: most commands have no code of their own
export type CommandRun = (session: Session, args: string[]) => Promise<number | void>;

const COMMANDS: Record<string, CommandRun> = {
  get,
  describe,
  create,
  apply,
  delete: del,
  run,
  expose,
  scale,
  exec,
  attach,
  logs,
  wait,
  patch,
  label,
  annotate,
  version,
  'api-resources': apiResources,
  'api-versions': apiVersions,
  'set image': setImage,
  'rollout status': rolloutStatus,
  'rollout history': rolloutHistory,
  'rollout undo': rolloutUndo,
  'rollout restart': rolloutRestart,
  'rollout pause': rolloutPause,
  'rollout resume': rolloutResume,
};

type Module = Record<string, CommandRun | unknown>;

/** Modules loaded when a command of theirs is first used: path prefix → import and export name. */
const LAZY: Record<string, [load: () => Promise<Module>, name: string]> = {
  'cluster-info': [() => import('./cluster-info.ts'), 'clusterInfo'],
  'cluster-info dump': [() => import('./cluster-info.ts'), 'clusterInfoDump'],
};

/** The program of a command path ("rollout status"); undefined for a command that only groups others. */
export async function commandRun(session: Session, path: string): Promise<CommandRun | undefined> {
  const own = COMMANDS[path];
  if (own) return own;
  const lazy = LAZY[path];
  if (!lazy) return undefined;
  const module = await session.process.kernel.external(lazy[0]());
  return module[lazy[1]] as CommandRun;
}
