import { execFileSync } from 'node:child_process';
import { createEnvironment } from '../../lab/environment.ts';
import { runLab } from '../../lab/transcript.ts';
import { nodeClock } from './clock.ts';
import { HostError } from './cluster-host.ts';
import { type LabFolder, readLabFolder } from './lab-files.ts';
import { runLabOnRealCluster } from './lab-real.ts';
import { formatReport, reportStep, type StepReport } from './lab-report.ts';
import { runLabInTerminal } from './lab-terminal.ts';
import { realKubectl } from './real-kubectl.ts';

export interface LabCommandOptions {
  /** Types the steps itself and reports, instead of leaving the terminal to the reader. */
  run: boolean;
  context?: string;
  yesThisCluster: boolean;
  namespace?: string;
  keep: boolean;
  kubectl?: string;
  kubeconfig?: string;
  seed?: string;
  speed: number;
  verbose: boolean;
}

/** `chartroom lab NAME [--run] [--context CONTEXT …]`. Returns the exit code. */
export async function labCommand(names: readonly string[], options: LabCommandOptions): Promise<number> {
  const [name, ...more] = names;
  if (name === undefined || more.length > 0) throw new HostError('lab needs the name of one lab, such as "statefulset"');
  const folder = readLabFolder(name);
  if (options.context === undefined) {
    if (!options.run && process.stdin.isTTY && process.stdout.isTTY) {
      return runLabInTerminal(folder, options.seed ?? name, options.speed, { input: process.stdin, output: process.stdout });
    }
    return report(await runOnSimulator(folder, options.seed ?? name), options.verbose);
  }
  const reports = await runLabOnRealCluster({
    folder,
    context: options.context,
    kubectl: findKubectl(options.kubectl),
    anyCluster: options.yesThisCluster,
    namespace: options.namespace ?? `chartroom-${name}`,
    keep: options.keep,
    say: (text) => void process.stdout.write(text),
    ...(options.kubeconfig ? { kubeconfig: options.kubeconfig } : {}),
  });
  return report(reports, options.verbose);
}

function report(reports: readonly StepReport[], verbose: boolean): number {
  const { text, ok } = formatReport(reports, verbose);
  process.stdout.write(text);
  return ok ? 0 : 1;
}

async function runOnSimulator(folder: LabFolder, seed: string): Promise<StepReport[]> {
  const { lab, files, transcript } = folder;
  const environment = await createEnvironment({ host: nodeClock, seed, preset: lab.cluster, files });
  try {
    const result = await runLab(lab, environment);
    return lab.steps.map((step) => {
      const printed = result.transcript.steps.find((candidate) => candidate.id === step.id)?.commands ?? [];
      return reportStep(
        step,
        printed,
        transcript,
        result.missed.filter((missed) => missed.step === step.id).map((missed) => missed.result),
      );
    });
  } finally {
    environment.dispose();
  }
}

function findKubectl(given: string | undefined): string {
  if (given) return given;
  try {
    return execFileSync(process.platform === 'win32' ? 'where' : 'which', ['kubectl'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })
      .trim()
      .split('\n')[0]!;
  } catch {
    const carried = realKubectl();
    if (carried) return carried;
    throw new HostError('no kubectl in PATH; install it (https://kubernetes.io/docs/tasks/tools/) or say where it is with --kubectl');
  }
}
