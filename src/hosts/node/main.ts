import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { kubeconfig } from '../../lab/kubeconfig.ts';
import type { PresetName } from '../../sim/cluster.ts';
import { HostError, startClusterHost } from './cluster-host.ts';

const USAGE = `Usage: chartroom <command>

  cluster   serve a simulated Kubernetes v1.36.3 cluster to kubectl and other clients
              --port 8001  --dns-port 8053  --address 127.0.0.1  --seed TEXT  --speed 1
              --preset k3d|single  --kubeconfig FILE
  replay    play transcript files on a fresh cluster and print what it answered
              FILE...  --out FILE  --kubectl builtin|real  --seed TEXT  --compare  --verbose
  lab       a lab in this terminal, or its steps on a real cluster
              NAME  --speed 1  --seed TEXT
              --run                 types the steps itself and compares with the lesson  --verbose
              --context CONTEXT     does so with kubectl on a real cluster, in a namespace of its own
                --namespace NAME  --keep  --kubectl PATH  --yes-this-cluster
`;

async function main(argv: readonly string[]): Promise<number> {
  const [command, ...rest] = argv;
  switch (command) {
    case 'cluster':
      return clusterCommand(rest);
    case 'replay': {
      const { values, positionals } = parse(rest, {
        out: { type: 'string' },
        kubectl: { type: 'string', default: 'builtin' },
        seed: { type: 'string', default: 'replay' },
        compare: { type: 'boolean', default: false },
        verbose: { type: 'boolean', short: 'v', default: false },
      });
      const { replayCommand } = await import('./replay-command.ts');
      return replayCommand(positionals, {
        out: values.out as string | undefined,
        kubectl: String(values.kubectl),
        seed: String(values.seed),
        compare: values.compare === true,
        verbose: values.verbose === true,
      });
    }
    case 'lab': {
      const { values, positionals } = parse(rest, {
        run: { type: 'boolean', default: false },
        context: { type: 'string' },
        'yes-this-cluster': { type: 'boolean', default: false },
        namespace: { type: 'string' },
        keep: { type: 'boolean', default: false },
        kubectl: { type: 'string' },
        seed: { type: 'string' },
        speed: { type: 'string', default: '1' },
        verbose: { type: 'boolean', short: 'v', default: false },
      });
      const { labCommand } = await import('./lab-command.ts');
      return labCommand(positionals, {
        run: values.run === true,
        context: values.context as string | undefined,
        yesThisCluster: values['yes-this-cluster'] === true,
        namespace: values.namespace as string | undefined,
        keep: values.keep === true,
        kubectl: values.kubectl as string | undefined,
        seed: values.seed as string | undefined,
        speed: speedNumber(values.speed),
        verbose: values.verbose === true,
      });
    }
    case undefined:
    case 'help':
    case '--help':
    case '-h':
      process.stdout.write(USAGE);
      return 0;
    default:
      throw new HostError(`unknown command "${command}"\n\n${USAGE}`);
  }
}

async function clusterCommand(argv: readonly string[]): Promise<number> {
  const { values } = parse(argv, {
    port: { type: 'string', default: '8001' },
    'dns-port': { type: 'string', default: '8053' },
    address: { type: 'string', default: '127.0.0.1' },
    seed: { type: 'string', default: 'chartroom' },
    speed: { type: 'string', default: '1' },
    preset: { type: 'string', default: 'k3d' },
    kubeconfig: { type: 'string' },
  });
  const preset = String(values.preset);
  if (preset !== 'k3d' && preset !== 'single') throw new HostError(`--preset must be "k3d" or "single", not "${preset}"`);
  const speed = speedNumber(values.speed);
  const host = await startClusterHost({
    port: portNumber('--port', values.port),
    dnsPort: portNumber('--dns-port', values['dns-port']),
    address: String(values.address),
    seed: String(values.seed),
    speed,
    preset: preset as PresetName,
  });
  console.log(`Kubernetes v1.36.3 (simulated) at ${host.url}, DNS at ${String(values.address)}:${host.dnsPort} (UDP)`);
  if (values.kubeconfig) {
    writeFileSync(String(values.kubeconfig), kubeconfig(host.url));
    console.log(`kubeconfig written: export KUBECONFIG=${String(values.kubeconfig)}`);
  } else {
    console.log(`kubectl --server=${host.url} get nodes`);
  }
  await new Promise<void>((resolve) => {
    process.once('SIGINT', resolve);
    process.once('SIGTERM', resolve);
  });
  await host.close();
  return 0;
}

function speedNumber(value: unknown): number {
  const speed = Number(value);
  if (!(speed >= 0)) throw new HostError(`--speed must be a number of virtual seconds per second, not "${String(value)}"`);
  return speed;
}

function portNumber(flag: string, value: unknown): number {
  const port = Number(value);
  if (!Number.isInteger(port) || port < 0 || port > 65_535) throw new HostError(`${flag} must be a port number between 0 and 65535, not "${String(value)}"`);
  return port;
}

type Options = NonNullable<Parameters<typeof parseArgs>[0]>['options'];

function parse(args: readonly string[], options: Options): { values: Record<string, unknown>; positionals: string[] } {
  try {
    return parseArgs({ args: [...args], options, allowPositionals: true });
  } catch (error) {
    throw new HostError((error as Error).message);
  }
}

main(process.argv.slice(2)).then(
  (code) => {
    process.exitCode = code;
  },
  (error: unknown) => {
    if (!(error instanceof HostError)) throw error;
    console.error(`error: ${error.message}`);
    process.exitCode = 1;
  },
);
