import type { Random } from '../../kernel/index.ts';
import type { ApiObject, ResourceId } from '../client/types.ts';

/** One complaint about a field, printed as the API server prints it: `spec.replicas: Invalid value: -1: must be …`. */
export interface FieldError {
  type: 'Required value' | 'Invalid value' | 'Unsupported value' | 'Duplicate value' | 'Forbidden' | 'Not found' | 'Too long' | 'Too many' | 'Internal error';
  field: string;
  /** The value as the server would print it (already formatted: strings quoted, objects as Go prints them in v1.36). Absent for Required and Forbidden. */
  value?: string;
  detail: string;
}

/** What a strategy may ask of the server: reading other objects, chance, the time. */
export interface StrategyContext {
  nowMs: number;
  random: Random;
  /** The request is a dry run: allocators hand out upstream's stand-in values and keep nothing. */
  dryRun?: boolean;
  get<T extends ApiObject>(resource: ResourceId, namespace: string, name: string): T | undefined;
  list<T extends ApiObject>(resource: ResourceId, namespace?: string): readonly T[];
}

/** One column value of the server-side Table: string, number or boolean. */
export type Cell = string | number | boolean | null;

/**
 * What the API server knows of one kind beyond its schema. All parts are optional: a kind without a strategy is stored
 * and validated by its schema alone. Functions get mutable copies where they return nothing.
 * (Models `k8s.io/kubernetes/pkg/registry/<group>/<kind>/strategy.go`, `pkg/apis/<group>/<version>/defaults.go`,
 * `pkg/apis/<group>/validation` and `pkg/printers/internalversion/printers.go`.)
 */
export interface KindStrategy<T extends ApiObject = ApiObject> {
  resource: ResourceId;
  /** Defaults that the schema does not hold. */
  applyDefaults?(object: T): void;
  /** Clears what a client may not set on create (status), allocates what the server allocates. */
  prepareForCreate?(object: T, context: StrategyContext): void;
  /** Keeps status, bumps generation when spec changed (the generic rule runs when this is absent). */
  prepareForUpdate?(object: T, old: T, context: StrategyContext): void;
  validate?(object: T, context: StrategyContext): FieldError[];
  validateUpdate?(object: T, old: T, context: StrategyContext): FieldError[];
  validateStatusUpdate?(object: T, old: T): FieldError[];
  /** `Warning:` header text of every request for the kind, reads included (upstream's APILifecycleDeprecated). */
  deprecation?: string;
  /** `Warning:` header texts of creates and updates. */
  warnings?(object: T, old?: T): string[];
  /** Field selectors besides metadata.name and metadata.namespace. */
  selectableFields?(object: T): Readonly<Record<string, string>>;
  /** One Table row; columns are those of facts/table-columns.json, in order. */
  tableRow?(object: T, context: StrategyContext): Cell[];
  /** `scale` subresource: read and write the number of replicas. */
  scale?: { get(object: T): { spec: number; status: number; selector: string }; set(object: T, replicas: number): void };
  /** Marks the object instead of removing it at the first deletion: somebody has to clean up behind it. */
  markDeleted?(object: T, context: StrategyContext): void;
  /** Default deletion grace (Pods: spec.terminationGracePeriodSeconds); undefined: at once. */
  gracePeriodSeconds?(object: T): number | undefined;
}

/**
 * An admission plugin. `admit` may change the object; `validate` runs after all of them. Refusing is throwing a StatusError.
 */
export interface AdmissionPlugin {
  name: string;
  admit?(request: AdmissionRequest): void;
  validate?(request: AdmissionRequest): void;
}

export interface AdmissionRequest {
  operation: 'CREATE' | 'UPDATE' | 'DELETE' | 'CONNECT';
  resource: ResourceId;
  subresource: string;
  namespace: string;
  name: string;
  /** Mutable on CREATE and UPDATE. */
  object: ApiObject | undefined;
  old: ApiObject | undefined;
  dryRun: boolean;
  /** Who asks, and where `Warning:` texts go; absent where nobody can be told. */
  user?: { username: string; groups: readonly string[]; uid?: string };
  warnings?: string[];
  context: StrategyContext;
}
