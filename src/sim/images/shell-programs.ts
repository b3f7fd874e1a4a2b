import type { Program } from '../../unix/types.ts';

/** The shells that images carry, by name under /bin. */
export const shellPrograms: Readonly<Record<string, Program>> = {};
