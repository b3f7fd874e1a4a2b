import type { Transport } from '../sim/transport.ts';
import { Killed, type Process } from '../unix/types.ts';
import type { FlagSet } from './cli/flags.ts';
import { RestClient } from './rest/client.ts';
import { type ClientConfig, type KubeConfig, loadKubeConfig, resolveClient } from './rest/config.ts';
import { Discovery, RestMapper } from './rest/discovery.ts';
import { parseDuration } from './util/duration.ts';
import { CliError, ConnectionError, errorText } from './util/errors.ts';
import { quote } from './util/object.ts';

/** none, client or server: what --dry-run asks for. */
export type DryRun = 'none' | 'client' | 'server';

/** Commands that ask for the API groups less often than the builder of resources does. */
const ATTEMPTS: Record<string, number> = { run: 1, 'api-resources': 1, taint: 2, explain: 2, 'auth can-i': 2, 'create role': 2, 'create clusterrole': 2 };

/** Commands that look for the server before they look for the namespace: the words for a context that is missing differ. */
const SERVER_FIRST =
  /^kubectl (create|apply$|replace|diff|set env|cordon|uncordon|drain|wait|explain|api-|cluster-info|auth|top node|certificate|version|autoscale|expose|run)/;

/** One run of kubectl: its process, its flags, and what it learns about the cluster while it runs. */
export class Session {
  readonly process: Process;
  readonly flags: FlagSet;
  /** "kubectl rollout status" */
  readonly commandPath: string;
  readonly #transport: (server: string) => Transport;
  #kubeConfig: KubeConfig | undefined;
  #clientConfig: ClientConfig | undefined;
  #client: RestClient | undefined;
  #mapper: RestMapper | undefined;
  readonly #warned = new Set<string>();
  warningCount = 0;
  /** How often upstream's command asks a server that cannot be reached for its groups; each failure is logged. */
  discoveryAttempts: number;
  /** Warnings found while looking up resources, printed before the next output. */
  readonly #pendingWarnings: string[] = [];

  constructor(process: Process, flags: FlagSet, commandPath: string, transport: (server: string) => Transport) {
    this.process = process;
    this.flags = flags;
    this.commandPath = commandPath;
    this.#transport = transport;
    this.discoveryAttempts = ATTEMPTS[commandPath.slice('kubectl '.length)] ?? 5;
  }

  get nowMs(): number {
    return this.process.kernel.now();
  }

  async out(text: string): Promise<void> {
    await this.#flushWarnings();
    if (text !== '') await this.process.out(text);
  }

  async err(text: string): Promise<void> {
    await this.#flushWarnings();
    if (text !== '') await this.process.err(text);
  }

  /** WarningPrinter.Print: every call prints. */
  async warn(text: string): Promise<void> {
    await this.process.err(`${this.#warningLabel()} ${text}\n`);
  }

  async #flushWarnings(): Promise<void> {
    for (const text of this.#pendingWarnings.splice(0)) await this.warn(text);
  }

  /** In yellow on a terminal that can show it. */
  #warningLabel(): string {
    const { env, stderr } = this.process;
    const term = env.get('TERM') ?? '';
    const colour = stderr.kind === 'tty' && !env.has('NO_COLOR') && term !== '' && term !== 'dumb';
    return colour ? '\u001b[33;1mWarning:\u001b[0m' : 'Warning:';
  }

  /** A warning from the server: each text once per run. */
  async serverWarning(text: string): Promise<void> {
    this.warningCount++;
    if (this.#warned.has(text)) return;
    this.#warned.add(text);
    await this.warn(text);
  }

  /** klog, as kubectl logs by itself: `W1123 08:00:00.000000   12345 file.go:1] text`. */
  async klog(level: 'I' | 'W' | 'E', place: string, text: string): Promise<void> {
    const iso = new Date(this.nowMs).toISOString();
    const stamp = `${iso.slice(5, 7)}${iso.slice(8, 10)} ${iso.slice(11, 23)}000`;
    await this.err(`${level}${stamp} ${String(this.process.pid).padStart(7)} ${place}] ${text}\n`);
  }

  get kubeConfig(): KubeConfig {
    this.#kubeConfig ??= loadKubeConfig(
      { fs: this.process.machine.fs, resolve: (path) => this.process.resolve(path), env: this.process.env },
      this.flags.text('kubeconfig'),
    );
    return this.#kubeConfig;
  }

  /** The same for `config`, to which a file that is not there is an empty one. */
  get startingConfig(): KubeConfig {
    return loadKubeConfig(
      { fs: this.process.machine.fs, resolve: (path) => this.process.resolve(path), env: this.process.env },
      this.flags.text('kubeconfig'),
      false,
    );
  }

  get clientConfig(): ClientConfig {
    const raw = this.flags.has('raw') && this.flags.text('raw') !== '';
    const serverFirst = raw || SERVER_FIRST.test(this.commandPath);
    this.#clientConfig ??= resolveClient(this.kubeConfig, this.flags, this.process, serverFirst);
    return this.#clientConfig;
  }

  get namespace(): string {
    return this.clientConfig.namespace;
  }

  /** True when --namespace was given: objects from files must agree with it. */
  get enforceNamespace(): boolean {
    return this.clientConfig.namespaceGiven;
  }

  get client(): RestClient {
    if (this.#client) return this.#client;
    const { server, headers } = this.clientConfig;
    const client = new RestClient(
      this.process,
      this.#transport(server),
      server,
      { ...headers, 'kubectl-command': this.commandPath },
      {
        onWarning: (text) => this.serverWarning(text),
        onResponse: async (request, response, tookMs) => {
          const verbosity = this.flags.number('v');
          // Upstream keeps what it learns of the groups on disk: these requests are seldom made.
          if (verbosity < 6 || /\/apis?\?timeout=/.test(request.url)) return;
          const { logResponse } = await this.process.kernel.external(import('./rest/verbose.ts'));
          await logResponse(this, verbosity, request, response, tookMs);
        },
      },
    );
    client.timeoutMs = requestTimeout(this.flags.text('request-timeout'));
    this.#client = client;
    return client;
  }

  /** Discovery and mapper, asked from the server once per run. */
  async mapper(): Promise<RestMapper> {
    if (this.#mapper) return this.#mapper;
    let discovery: Discovery;
    try {
      discovery = await Discovery.load(this.client);
    } catch (error) {
      if (error instanceof ConnectionError) {
        const text = `couldn't get current server API group list: ${error.message}`;
        for (let i = 0; i < this.discoveryAttempts; i++) await this.klog('E', 'memcache.go:265', `"Unhandled Error" err=${quote(text)}`);
      }
      throw error;
    }
    this.#mapper = new RestMapper(discovery, (text) => this.#pendingWarnings.push(text));
    return this.#mapper;
  }

  /** cmdutil.GetDryRunStrategy. */
  async dryRun(): Promise<DryRun> {
    const value = this.flags.text('dry-run');
    switch (value) {
      case 'client':
      case 'server':
      case 'none':
        return value;
      case 'unchanged':
        await this.klog('W', 'helpers.go:719', '--dry-run is deprecated and can be replaced with --dry-run=client.');
        return 'client';
    }
    if (/^(1|t|T|TRUE|true|True)$/.test(value)) {
      await this.klog('W', 'helpersgo:733', `--dry-run=${value} is deprecated (boolean value) and can be replaced with --dry-run=client.`);
      return 'client';
    }
    if (/^(0|f|F|FALSE|false|False)$/.test(value)) {
      await this.klog('W', 'helpers.go:736', `--dry-run=${value} is deprecated (boolean value) and can be replaced with --dry-run=none.`);
      return 'none';
    }
    throw new CliError(`Invalid dry-run value (${value}). Must be "none", "server", or "client".`);
  }

  /** cmdutil.GetValidationDirective: Strict, Warn or Ignore. */
  validation(): 'Strict' | 'Warn' | 'Ignore' {
    const value = this.flags.text('validate');
    if (value === 'strict' || /^(1|t|T|TRUE|true|True)$/.test(value)) return 'Strict';
    if (value === 'warn') return 'Warn';
    if (value === 'ignore' || /^(0|f|F|FALSE|false|False)$/.test(value)) return 'Ignore';
    throw new CliError(`invalid - validate option ${quote(value)}; must be one of: strict (or true), warn, ignore (or false)`);
  }

  /** cmdutil.UsageErrorf. */
  usageError(message: string): CliError {
    return new CliError(`${message}\nSee '${this.commandPath} -h' for help and examples`);
  }

  /** Text of a file named on the command line; errors in Go's words (`open x: no such file or directory`). */
  readFile(path: string): string {
    try {
      return this.process.machine.fs.readText(this.process.resolve(path));
    } catch (error) {
      if (error instanceof Killed) throw error;
      throw new CliError(`open ${path}: ${lowerFirst(errorText(error))}`);
    }
  }
}

/** Go says "no such file or directory" where strerror says "No such file or directory". */
export function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}

function requestTimeout(text: string): number {
  if (/^\d+$/.test(text)) return Number(text) * 1000;
  try {
    return parseDuration(text);
  } catch {
    throw new CliError(
      `Invalid timeout value. Timeout must be a single integer in seconds, or an integer followed by a corresponding time unit (e.g. 1s | 2m | 3h)`,
    );
  }
}
