/** One lab.yaml, after parsing. Fields are described in CONTRIBUTING.md; the parser refuses what is not here. */
export interface Lab {
  /** Folder name. */
  name: string;
  title: string;
  cluster: 'k3d' | 'single';
  /** Commands run silently before the reader sees the prompt. */
  setup: readonly string[];
  /** Names of files in the lab's folder (manifests/…) that lie in the reader's home. */
  files: readonly string[];
  steps: readonly LabStep[];
  /** Pairs of clusters to look at side by side, opened from the lesson. */
  twins: readonly LabTwins[];
}

/** Two clusters on one clock that get the same commands and differ in their files. */
export interface LabTwins {
  id: string;
  title: string;
  /** Commands run silently in both before the reader sees the prompt. */
  setup: readonly string[];
  /** Offered as buttons, in this order. */
  commands: readonly string[];
  /** Two. */
  sides: readonly {
    title: string;
    /** Name in the reader's home → name in manifests/. */
    files: Readonly<Record<string, string>>;
    /** What this side prints when the commands are run, and the other does not: regular expressions by line. */
    sees: readonly string[];
  }[];
}

export interface LabStep {
  id: string;
  title: string;
  /** What to type, line by line. Empty: the reader finds it (a challenge). */
  commands: readonly LabCommand[];
  checks: readonly LabCheck[];
  /**
   * What a command of the reader's must have printed, as regular expressions (`^` and `$` are line ends): for steps whose
   * point is to see something. Which command printed it does not matter. A step has `checks`, `sees` or both.
   */
  sees: readonly string[];
  /** The goal counts only once this earlier step's was reached: for goals that held before. */
  after?: string;
  /** Three grades: a nudge, the way, the answer. */
  hints: readonly string[];
  /** Commands that reach the step's goal; tests run them. Absent when `commands` do. */
  solution?: readonly string[];
  /** A second way to the goal, played by the tests; it must be accepted. */
  alternative?: readonly string[];
  /** What looks like a way and is none, played by the tests before `alternative`; it must not be accepted. */
  wrong?: readonly string[];
  /** What shows a misunderstanding, by one of three signs, and what to say then. */
  misconceptions: readonly {
    /** Regular expression on a command line the reader typed. */
    typed?: string;
    /** Regular expression on what a command printed. */
    printed?: string;
    /** A check that, when it holds, tells the misconception. */
    state?: LabCheck;
    says: string;
  }[];
}

export interface LabCommand {
  run: string;
  /** Stop it with Ctrl-C once this holds (a watch), or after so many virtual seconds. */
  stopWhen?: LabCheck;
  stopAfterSeconds?: number;
  /** Before this command: until this holds (at most 300 virtual seconds). */
  waitFor?: LabCheck;
  /** Before this command: this much virtual time. */
  sleepSeconds?: number;
  /** Chance decides the output: shown, not compared. */
  random?: boolean;
  expectExit?: number;
}

/** A statement on cluster state. All given parts must hold. */
export interface LabCheck {
  /** "sts/mysql-statefulset", "pod/busybox", "pvc" (any of that type). */
  object: string;
  namespace?: string;
  /** JSONPath as kubectl's; omitted: existence. */
  path?: string;
  equals?: string;
  matches?: string;
  /** Number of objects (with `labels`) or of values at `path`. */
  count?: number;
  labels?: string;
  absent?: boolean;
  /** Created after that other object, by whole seconds: what was deleted and came back is younger than what stayed. */
  youngerThan?: string;
}
