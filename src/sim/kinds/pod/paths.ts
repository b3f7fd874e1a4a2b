import type { Check } from '../check.ts';

/** Rules for paths inside volumes and containers. */

export function noBacksteps(check: Check, field: string, path: string): void {
  if (path.split('/').includes('..')) check.invalid(field, path, "must not contain '..'");
}

/** Relative, and not above where it starts. */
export function descending(check: Check, field: string, path: string): void {
  if (path.startsWith('/')) check.invalid(field, path, 'must be a relative path');
  noBacksteps(check, field, path);
}

/** Names beginning with '..' are kept for the kubelet's own links. */
export function notReserved(check: Check, field: string, path: string): void {
  descending(check, field, path);
  if (path.startsWith('..') && !path.startsWith('../')) check.invalid(field, path, "must not start with '..'");
}

/** A field below another, or at the top of an object when that is empty. */
export const qualified = (root: string, field: string): string => (root === '' ? field : `${root}.${field}`);
