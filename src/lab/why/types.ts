import type { ObjectRef } from '../../sim/cause.ts';

/** One step of the answer to 「為什麼？」, from the thing asked about back towards the reader. */
export interface ExplanationLink {
  atMs: number;
  /** Who acted: "statefulset-controller", "kubelet/k3d-demo-agent-0", "kubectl". */
  actor: string;
  /** "asked": a request that was refused. */
  verb: 'created' | 'changed' | 'deleted' | 'asked';
  object: ObjectRef;
  /** Id of the rule followed (content/rules.json). */
  rule: string;
  detail: Readonly<Record<string, string>>;
  /** The rule in one sentence, zh-TW. */
  text: string;
  /** The official document. */
  doc?: string;
  /** The command the reader typed, at the end of the chain. */
  command?: string;
}

/** Why something is not (yet) as one expects, found by looking at the cluster as it is. */
export interface Obstacle {
  rule: string;
  text: string;
  doc?: string;
  object?: ObjectRef;
  /** What was seen, in the cluster's own words. */
  evidence: string;
}

/** The answer to 「為什麼？」. */
export interface Explanation {
  /** "pod/mysql-1", "dns web-0.nginx". */
  subject: string;
  found: boolean;
  /** Newest first; ends with the reader's command when it can be traced back that far. */
  chain: readonly ExplanationLink[];
  obstacles: readonly Obstacle[];
}

/** One step of a name's or a request's way, in the order it is gone. */
export interface TraceStep {
  rule: string;
  /** False where the way ends, or leads past what was meant. */
  ok: boolean;
  text: string;
  doc?: string;
  object?: ObjectRef;
  evidence: string;
}

/** What the tracer saw: every step was really taken in the cluster. */
export interface Trace {
  /** "dns web-0.nginx", "http://nginx/". */
  subject: string;
  /** "default/client". */
  from: string;
  reached: boolean;
  steps: readonly TraceStep[];
}
