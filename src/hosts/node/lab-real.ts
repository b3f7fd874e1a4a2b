import { execFile, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { type CheckResult, evaluateCheck, resourceByName } from '../../lab/checks.ts';
import type { LabCheck, LabCommand } from '../../lab/schema.ts';
import type { CommandTranscript } from '../../lab/transcript.ts';
import type { ApiObject, Client } from '../../sim/client/types.ts';
import { HostError } from './cluster-host.ts';
import type { LabFolder } from './lab-files.ts';
import { reportStep, type StepReport } from './lab-report.ts';

const run = promisify(execFile);
const WAIT_LIMIT_MS = 300_000;
const POLL_MS = 500;
const CHECK_LIMIT_MS = 120_000;

export interface RealLabOptions {
  folder: LabFolder;
  context: string;
  /** Path of a kubectl; its directory is put in front of PATH. */
  kubectl: string;
  /** Runs although the context does not look like a cluster on this machine. */
  anyCluster: boolean;
  namespace: string;
  /** Leaves the namespace with everything in it. */
  keep: boolean;
  say(text: string): void;
  /** Where another kubeconfig lies (tests). */
  kubeconfig?: string;
}

/**
 * Runs a lab's steps with a real kubectl on a real cluster, in a namespace of its own that is removed afterwards.
 * Throws HostError when the context is unknown, not local, or the namespace is taken.
 */
export async function runLabOnRealCluster(options: RealLabOptions): Promise<StepReport[]> {
  const { context, kubectl, namespace, say } = options;
  const outer = { ...process.env, ...(options.kubeconfig ? { KUBECONFIG: options.kubeconfig } : {}) };
  const ask = async (...args: string[]): Promise<string> => (await run(kubectl, ['--context', context, ...args], { env: outer, maxBuffer: 64 << 20 })).stdout;
  await refuseForeign(options, ask);
  await createNamespace(options, ask);

  const home = mkdtempSync(join(tmpdir(), 'chartroom-lab-'));
  const stopSignals = new AbortController();
  const onSignal = (): void => stopSignals.abort();
  process.once('SIGINT', onSignal);
  try {
    const target = new RealTarget(options, home, await ask('config', 'view', '--minify', '--flatten', '--raw'), outer);
    for (const command of options.folder.lab.setup) {
      const result = await target.execute({ run: command });
      if (result.exit !== 0) throw new HostError(`the setup failed: ${command}\n${result.output}`);
    }
    const reports: StepReport[] = [];
    for (const step of options.folder.lab.steps) {
      if (stopSignals.signal.aborted) throw new HostError('interrupted');
      say(`\n# ${step.title}\n`);
      const printed: CommandTranscript[] = [];
      const commands: readonly LabCommand[] = step.commands.length > 0 ? step.commands : (step.solution ?? []).map((line) => ({ run: line }));
      for (const command of commands) {
        if (command.waitFor) await target.until(command.waitFor, WAIT_LIMIT_MS);
        if (command.sleepSeconds) await pause(command.sleepSeconds * 1000);
        say(`$ ${command.run}\n`);
        const result = await target.execute(command);
        say(result.output);
        printed.push(result);
      }
      const missed: StepReport['missed'] = [];
      for (const check of step.checks) {
        const result = await target.until(check, CHECK_LIMIT_MS);
        if (!result.holds) missed.push(result);
      }
      reports.push(reportStep(step, printed, options.folder.transcript, missed));
    }
    return reports;
  } finally {
    process.off('SIGINT', onSignal);
    rmSync(home, { recursive: true, force: true });
    if (!options.keep) {
      say(`\ndeleting namespace ${namespace} …\n`);
      await ask('delete', 'namespace', namespace, '--wait=true', '--timeout=120s').catch((error: Error) =>
        say(`could not delete namespace ${namespace}: ${error.message}\n`),
      );
    }
  }
}

/** A cluster on this machine: its API server is reached through the loopback, or it is a tool's local cluster. */
async function refuseForeign(options: RealLabOptions, ask: (...args: string[]) => Promise<string>): Promise<void> {
  let server: string;
  try {
    server = (await ask('config', 'view', '--minify', '-o', 'jsonpath={.clusters[0].cluster.server}')).trim();
  } catch (error) {
    throw new HostError(`kubectl does not know the context "${options.context}": ${firstLine(error)}`);
  }
  const host = URL.canParse(server) ? new URL(server).hostname.replace(/^\[|\]$/g, '') : '';
  const loopback = host === 'localhost' || host === '0.0.0.0' || host === '::1' || /^127\./.test(host) || /^(?:kubernetes|host)\.docker\.internal$/.test(host);
  const privateAddress = /^(?:10\.|192\.168\.|172\.(?:1[6-9]|2\d|3[01])\.)/.test(host);
  const localTool = /^(?:k3d-|kind-|minikube|docker-desktop|rancher-desktop|colima|orbstack)/.test(options.context) && privateAddress;
  if (!loopback && !localTool && !options.anyCluster) {
    throw new HostError(`context "${options.context}" leads to ${server}, which is not a cluster on this machine. If you mean it, say --yes-this-cluster`);
  }
}

async function createNamespace(options: RealLabOptions, ask: (...args: string[]) => Promise<string>): Promise<void> {
  try {
    await ask('create', 'namespace', options.namespace);
  } catch (error) {
    const message = firstLine(error);
    if (message.includes('AlreadyExists')) {
      throw new HostError(
        `namespace "${options.namespace}" exists already; delete it (kubectl --context ${options.context} delete namespace ${options.namespace}) or name another with --namespace`,
      );
    }
    throw new HostError(`cannot make namespace "${options.namespace}": ${message}`);
  }
}

function firstLine(error: unknown): string {
  const { stderr, message } = error as { stderr?: string; message: string };
  return (stderr || message).trim().split('\n')[0] ?? '';
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

class RealTarget {
  readonly #options: RealLabOptions;
  readonly #home: string;
  readonly #env: NodeJS.ProcessEnv;

  constructor(options: RealLabOptions, home: string, kubeconfig: string, outer: NodeJS.ProcessEnv) {
    this.#options = options;
    this.#home = home;
    mkdirSync(join(home, '.kube'));
    // The context's default namespace is the lab's own.
    const config = kubeconfig.replace(/^(\s*)(user: .*)$/m, (line, indent: string) =>
      kubeconfig.includes('namespace:') ? line : `${indent}namespace: ${options.namespace}\n${line}`,
    );
    writeFileSync(join(home, '.kube/config'), config.replace(/^(\s*namespace:).*$/m, `$1 ${options.namespace}`), { mode: 0o600 });
    for (const [name, text] of Object.entries(options.folder.files)) {
      mkdirSync(dirname(join(home, name)), { recursive: true });
      writeFileSync(join(home, name), this.#there(text));
    }
    this.#env = {
      ...outer,
      HOME: home,
      KUBECONFIG: join(home, '.kube/config'),
      PATH: `${dirname(options.kubectl)}${delimiter}${outer.PATH ?? ''}`,
      LC_ALL: 'C.UTF-8',
    };
  }

  /** Names of the default namespace become those of the lab's own. */
  #there(text: string): string {
    return text
      .replace(/\.default(?=\.svc\b|[\s"'.]|$)/gm, `.${this.#options.namespace}`)
      .replace(/(-n |--namespace[= ]|namespace: )default\b/g, `$1${this.#options.namespace}`);
  }

  /** … and back, so that outputs compare. */
  #here(text: string): string {
    return text.replaceAll('\r\n', '\n').replaceAll(this.#options.namespace, 'default');
  }

  async execute(command: LabCommand): Promise<CommandTranscript> {
    const child = spawn('bash', ['-c', this.#there(command.run)], { cwd: this.#home, env: this.#env, stdio: ['ignore', 'pipe', 'pipe'], detached: true });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (chunk: string) => (output += chunk));
    let closed = false;
    const ended = new Promise<number>((resolve, reject) => {
      child.on('error', reject);
      child.on('close', (code, signal) => {
        closed = true;
        resolve(code ?? (signal === 'SIGINT' ? 130 : 137));
      });
    });
    const signal = (name: NodeJS.Signals): void => {
      if (!closed && child.pid) process.kill(-child.pid, name);
    };
    const limit = setTimeout(() => signal('SIGKILL'), WAIT_LIMIT_MS + 30_000);
    if (command.stopWhen ?? command.stopAfterSeconds) {
      const deadline = Date.now() + (command.stopAfterSeconds === undefined ? WAIT_LIMIT_MS : command.stopAfterSeconds * 1000);
      while (!closed && Date.now() < deadline && !(command.stopWhen && (await this.look(command.stopWhen)).holds)) await pause(POLL_MS);
      signal('SIGINT');
    }
    const exit = await ended;
    clearTimeout(limit);
    return { run: command.run, exit, output: this.#here(output) };
  }

  /** Polls until a check holds; what it found at last. */
  async until(check: LabCheck, limitMs: number): Promise<CheckResult> {
    const deadline = Date.now() + limitMs;
    for (;;) {
      const result = await this.look(check);
      if (result.holds || Date.now() >= deadline) return result;
      await pause(POLL_MS);
    }
  }

  async look(check: LabCheck): Promise<CheckResult> {
    const [type = ''] = check.object.split('/');
    const resource = resourceByName(type);
    const namespace = check.namespace === undefined || check.namespace === 'default' ? this.#options.namespace : check.namespace;
    const { stdout } = await run(this.#options.kubectl, ['get', resource.resource, ...(resource.namespaced ? ['-n', namespace] : []), '-o', 'json'], {
      env: this.#env,
      maxBuffer: 64 << 20,
    });
    const { items } = JSON.parse(stdout) as { items: ApiObject[] };
    const client = {
      resource: () => ({ get: (_: string, name: string) => items.find((item) => item.metadata?.name === name), list: () => items }),
    } as unknown as Client;
    return evaluateCheck({ ...check, ...(resource.namespaced ? { namespace } : {}) }, client);
  }
}
