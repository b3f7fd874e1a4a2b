import { createShell } from '../../shell/create-shell.ts';
import type { Program } from '../../unix/types.ts';

const ash = createShell('ash');

/** The shells that BusyBox images carry, by name under /bin. */
export const shellPrograms: Readonly<Record<string, Program>> = { sh: ash, ash };

/** Of images that bring GNU bash. */
export const bash = createShell('bash');
