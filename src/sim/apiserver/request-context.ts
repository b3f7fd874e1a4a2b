import type { Cause } from '../cause.ts';

/** Who asks, as `authentication.k8s.io/v1 UserInfo`. */
export interface UserInfo {
  username: string;
  uid?: string;
  groups: readonly string[];
  extra?: Readonly<Record<string, readonly string[]>>;
}

/** What travels with one request through the verbs. */
export interface RequestContext {
  user: UserInfo;
  cause: Cause;
  /** Manager of the fields that are written. */
  fieldManager: string;
  dryRun: boolean;
  /** `Warning` header texts, in order; verbs add to it. */
  warnings: string[];
}

/** In-process components act with the rights of the control plane. */
export const SYSTEM_USER: UserInfo = { username: 'system:apiserver', groups: ['system:masters', 'system:authenticated'] };
