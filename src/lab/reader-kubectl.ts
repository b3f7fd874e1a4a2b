import { createKubectl } from '../kubectl/index.ts';
import type { Transport } from '../sim/transport.ts';
import type { Program } from '../unix/types.ts';
import { CLUSTER_ADDRESS } from './kubeconfig.ts';
import { beginCommand, notingDoor } from './last-command.ts';

const MOST_SAID = 8_000;

/** The reader's kubectl: each of its requests carries the command line, and what goes wrong is kept for `why`. */
export function readerKubectl(door: Transport): Program {
  return async (process) => {
    if (process.argv[1]?.startsWith('__complete')) return createKubectl({ transport: at(door) })(process);
    const words = process.argv.map((word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`));
    const last = beginCommand(door, words.join(' '), process.kernel.now());
    const say = process.err.bind(process);
    process.err = (text) => {
      if (last.said.length < MOST_SAID) last.said += text;
      return say(text);
    };
    const named = notingDoor(door, last);
    last.exit = await createKubectl({ transport: at(named) })(process);
    return last.exit;
  };
}

/** Nothing else is reachable from the laptop. */
const at =
  (door: Transport) =>
  (server: string): Transport | undefined =>
    server === CLUSTER_ADDRESS ? door : undefined;
