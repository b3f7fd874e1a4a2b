/** How `break`, `return`, `exit` and errors leave what is running. */
export class BreakLoop {
  levels: number;
  readonly continues: boolean;
  constructor(levels: number, continues: boolean) {
    this.levels = levels;
    this.continues = continues;
  }
}

export class ReturnFrom {
  readonly status: number;
  constructor(status: number) {
    this.status = status;
  }
}

export class ExitShell {
  readonly status: number;
  constructor(status: number) {
    this.status = status;
  }
}

/** Ctrl-C in an interactive shell: back to the prompt. */
export class Interrupted {}

/** An error that ends a non-interactive shell and brings an interactive one back to its prompt. The message is complete. */
export class ShellFailure {
  readonly message: string;
  readonly status: number;
  /** The message was shown already: where the error arose, its redirects were in force. */
  told = false;
  constructor(message: string, status: number) {
    this.message = message;
    this.status = status;
  }
}

/** A redirection that failed: the command does not run and has this status. */
export class RedirectFailure {
  readonly message: string;
  constructor(message: string) {
    this.message = message;
  }
}
