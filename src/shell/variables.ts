import type { Process } from '../unix/types.ts';

export interface Variable {
  value: string | undefined;
  exported: boolean;
  readonly: boolean;
  integer?: boolean;
  /** Indexed array of bash: numbers in order of their index, or text keys of an associative one. */
  array?: Map<string, string>;
  associative?: boolean;
}

/** Shell variables with function scopes: a local one hides the outer until its function returns. */
export class Variables {
  #values: Map<string, Variable>;
  #scopes: Map<string, Variable | undefined>[];
  #heldBytes = 0;

  constructor(from?: Variables) {
    this.#values = new Map();
    this.#scopes = [];
    if (from) {
      for (const [name, variable] of from.#values) this.#values.set(name, { ...variable, ...(variable.array ? { array: new Map(variable.array) } : {}) });
      this.#scopes = from.#scopes.map((scope) => new Map(scope));
    }
  }

  /** Accounts for what values hold; beyond what a machine has the shell is killed. */
  hold(process: Process, bytes: number): void {
    this.#heldBytes += bytes;
    if (bytes > 0) process.useMemory(this.#heldBytes);
  }

  find(name: string): Variable | undefined {
    return this.#values.get(name);
  }

  get(name: string): string | undefined {
    const variable = this.#values.get(name);
    return variable?.array ? variable.array.get('0') : variable?.value;
  }

  /** The variable, made if need be. */
  declare(name: string): Variable {
    let variable = this.#values.get(name);
    if (!variable) {
      variable = { value: undefined, exported: false, readonly: false };
      this.#values.set(name, variable);
    }
    return variable;
  }

  put(name: string, variable: Variable | undefined): void {
    if (variable) this.#values.set(name, variable);
    else this.#values.delete(name);
  }

  names(): string[] {
    return [...this.#values.keys()].sort((a, b) => (a < b ? -1 : 1));
  }

  enterScope(): void {
    this.#scopes.push(new Map());
  }

  leaveScope(): void {
    for (const [name, variable] of this.#scopes.pop() ?? []) this.put(name, variable);
  }

  get inFunction(): boolean {
    return this.#scopes.length > 0;
  }

  /** Makes a name local to the running function. Its value stays (`ash`) or is unset (`bash`). */
  makeLocal(name: string, keepValue: boolean): void {
    const scope = this.#scopes.at(-1);
    if (!scope || scope.has(name)) return;
    const outer = this.#values.get(name);
    scope.set(name, outer && { ...outer });
    if (keepValue && outer) this.#values.set(name, { ...outer });
    else this.#values.set(name, { value: undefined, exported: outer?.exported ?? false, readonly: false });
  }

  /** What children get. */
  environment(): Map<string, string> {
    const env = new Map<string, string>();
    for (const [name, variable] of this.#values) if (variable.exported && variable.value !== undefined) env.set(name, variable.value);
    return env;
  }
}
