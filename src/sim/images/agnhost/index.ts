import { fromByteText, program } from '../../../applets/applet.ts';
import { readResolvConf, resolveHost } from '../../../applets/resolver.ts';
import { encodeText } from '../../../unix/index.ts';
import { Errno } from '../../../unix/types.ts';
import { forever, parseGoDuration, type Subcommand } from './common.ts';
import { mounttest } from './mounttest.ts';
import { netexec } from './netexec.ts';
import { grpcHealthChecking, guestbook, liveness, nettest, porter, serveHostname, testWebserver } from './servers.ts';

/**
 * registry.k8s.io/e2e-test-images/agnhost: the subcommands that upstream's conformance specs use. Others say that they
 * are not simulated yet. Left out: SCTP, WebSockets, webhooks.
 */
/** Flags that stand alone; a word after them is not their value. */
const SWITCHES = new Set(['http', 'tcp', 'udp', 'close', 'json-response', 'break_on_expected_content']);
const SHORT: Readonly<Record<string, string>> = { t: 'log-lines-total', d: 'run-duration' };

function parseFlags(args: readonly string[]): { flags: Map<string, string>; operands: string[] } {
  const flags = new Map<string, string>();
  const operands: string[] = [];
  for (let i = 0; i < args.length; i++) {
    const match = /^--?([a-z][\w-]*)(?:=(.*))?$/s.exec(args[i] as string);
    const name = SHORT[match?.[1] ?? ''] ?? match?.[1];
    const next = args[i + 1];
    if (!match || name === undefined) operands.push(args[i] as string);
    else if (match[2] !== undefined) flags.set(name, match[2]);
    else if (next !== undefined && !(next.startsWith('-') && !/^-\d/.test(next)) && !SWITCHES.has(name)) {
      flags.set(name, next);
      i++;
    } else flags.set(name, 'true');
  }
  return { flags, operands };
}

const connect: Subcommand = async (applet, flags, operands) => {
  const [host = '', port = ''] = (operands[0] ?? '').split(':');
  const timeoutMs = parseGoDuration(flags.get('timeout') ?? '0') || 127_000;
  const found = await resolveHost(applet.process, fromByteText(host));
  const fail = async (word: string): Promise<number> => {
    await applet.err(`${word}\n`);
    return 1;
  };
  if ('failure' in found || !found.addresses[0]) return fail(`DNS: lookup ${host}: no such host`);
  const { net } = applet.process.machine;
  try {
    if (flags.get('protocol') === 'udp') {
      await applet.process.guard(net.datagram(found.addresses[0], Number(port), encodeText('echo hello'), { timeoutMs, signal: applet.process.signal }));
      return 0;
    }
    const socket = await applet.process.guard(net.connect(found.addresses[0], Number(port), { timeoutMs, signal: applet.process.signal }));
    socket.close();
    return 0;
  } catch (error) {
    if (!(error instanceof Errno)) throw error;
    return fail(error.code === 'ECONNREFUSED' ? 'REFUSED' : error.code === 'ETIMEDOUT' ? 'TIMEOUT' : `OTHER: ${error.message}`);
  }
};

/** Lines such as an API server might log, evenly over the run's duration, as klog writes them. */
const logsGenerator: Subcommand = async (applet, flags) => {
  const { kernel } = applet.process;
  const total = Number(flags.get('log-lines-total') ?? 0);
  const durationMs = parseGoDuration(flags.get('run-duration') ?? '0');
  const klog = (level: string, line: number): string => {
    const at = new Date(kernel.now()).toISOString();
    return `${level}${at.slice(5, 7)}${at.slice(8, 10)} ${at.slice(11, 23)}000       ${applet.process.pid} logs_generator.go:${line}] `;
  };
  if (total <= 0 || durationMs <= 0) {
    await applet.err(total <= 0 ? `${klog('F', 65)}Invalid total number of lines: ${total}\n` : `${klog('F', 69)}Invalid duration: 0s\n`);
    return 255;
  }
  for (let id = 0; id < total; id++) {
    const method = kernel.random.pick(['GET', 'POST', 'PUT']);
    const namespace = kernel.random.pick(['kube-system', 'default', 'ns']);
    const name = Array.from({ length: kernel.random.between(3, 4) }, () => kernel.random.pick([...'bcdfghjklmnpqrstvwxz2456789'])).join('');
    await applet.process.err(`${klog('I', 76)}${id} ${method} /api/v1/namespaces/${namespace}/pods/${name} ${kernel.random.between(200, 599)}\n`);
    await applet.process.sleep(durationMs / total);
  }
  return 0;
};

const says =
  (textOf: (applet: Parameters<Subcommand>[0]) => string): Subcommand =>
  async (applet) => {
    await applet.process.out(textOf(applet));
    return 0;
  };

const SUBCOMMANDS: Readonly<Record<string, Subcommand>> = {
  netexec,
  'serve-hostname': serveHostname,
  liveness,
  porter,
  connect,
  mounttest,
  nettest,
  guestbook,
  'grpc-health-checking': grpcHealthChecking,
  'logs-generator': logsGenerator,
  'test-webserver': testWebserver,
  pause: async (applet) => {
    await applet.process.out('Paused\n');
    return forever(applet);
  },
  help: says(
    () =>
      `Usage:\n  app [command]\n\nAvailable Commands:\n${Object.keys(SUBCOMMANDS)
        .sort()
        .map((name) => `  ${name}\n`)
        .join('')}`,
  ),
  'dns-suffix': says((applet) => `${readResolvConf(applet.process.machine).search.join(',')}\n`),
  'dns-server-list': says((applet) => `${readResolvConf(applet.process.machine).servers.join(',')}\n`),
  'etc-hosts': says((applet) => applet.fs.readText('/etc/hosts')),
  'entrypoint-tester': says((applet) => `[${applet.process.argv.join(' ')}]\n`),
};

export const agnhostProgram = program('[command]', async (applet) => {
  const [name = 'help', ...rest] = applet.args;
  const command = SUBCOMMANDS[name];
  if (!command) {
    await applet.err(`error: agnhost ${name} is not simulated yet\n`);
    return 1;
  }
  const { flags, operands } = parseFlags(rest);
  return command(applet, flags, operands);
});
