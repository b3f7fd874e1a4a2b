/** Points at an object (and the revision of it) that somebody saw. */
export interface ObjectRef {
  /** "apps/v1/statefulsets", "v1/pods". */
  resource: string;
  namespace: string;
  name: string;
  uid?: string;
  resourceVersion?: string;
}

/**
 * Why a write happened. Every write carries one; 「為什麼？」 walks `because` back to the reader.
 */
export interface Cause {
  /** Who acts, by the name the real component has: "kubectl", "statefulset-controller", "scheduler", "kubelet/k3d-demo-agent-0". */
  actor: string;
  /** What it was reacting to. */
  because?: ObjectRef;
  /** Id of the rule applied, for instance "statefulset/create-next-ordinal"; the texts in zh-TW are data in `content`. */
  rule: string;
  /** Values the rule's sentence shows ({ordinal: "1", waitingFor: "mysql-0"}). */
  detail?: Readonly<Record<string, string>>;
}
