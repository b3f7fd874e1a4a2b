import { makePrinter } from '../printers/print-flags.ts';
import type { Session } from '../session.ts';
import { CliError, errorText } from '../util/errors.ts';
import type { Obj } from '../util/object.ts';
import { openLog } from './logs.ts';

/** What is dumped of every namespace: API path, resource, name of its file. */
const LISTS = [
  ['/api/v1', 'events', 'events'],
  ['/api/v1', 'replicationcontrollers', 'replication-controllers'],
  ['/api/v1', 'services', 'services'],
  ['/apis/apps/v1', 'daemonsets', 'daemonsets'],
  ['/apis/apps/v1', 'deployments', 'deployments'],
  ['/apis/apps/v1', 'replicasets', 'replicasets'],
  ['/api/v1', 'pods', 'pods'],
] as const;

/** kubectl cluster-info dump: lists and logs, to standard output or into a directory. */
export async function clusterInfoDump(session: Session): Promise<void> {
  const { flags, client } = session;
  const output = flags.text('output');
  const printer = await makePrinter(session, '');
  if (flags.number('pod-running-timeout') <= 0) throw new CliError('--pod-running-timeout must be higher than zero');
  const directory = flags.text('output-directory');
  const extension = output === 'json' || output === 'yaml' ? `.${output}` : '.txt';
  const put = async (name: string, text: string): Promise<void> => {
    if (directory === '' || directory === '-') return session.out(text);
    const { fs } = session.process.machine;
    const path = session.process.resolve(`${directory}/${name}`);
    fs.mkdir(path.slice(0, path.lastIndexOf('/')), { recursive: true });
    fs.writeFile(path, text, { mode: 0o600 });
  };
  const list = async (path: string, name: string): Promise<Obj> => {
    const found = await client.request('GET', path);
    await put(name + extension, printer.print(found, { typed: true }));
    return found;
  };
  await list('/api/v1/nodes', 'nodes');
  let namespaces = flags.list('namespaces');
  if (flags.bool('all-namespaces')) namespaces = ((await client.request('GET', '/api/v1/namespaces')).items ?? []).map((item: Obj) => item.metadata.name);
  else if (namespaces.length === 0) namespaces = ['kube-system', session.namespace];
  for (const namespace of namespaces) {
    let pods: Obj = {};
    for (const [base, resource, file] of LISTS) pods = await list(`${base}/namespaces/${namespace}/${resource}`, `${namespace}/${file}`);
    for (const pod of (pods.items ?? []) as Obj[]) {
      let text = '';
      for (const container of [...(pod.spec.initContainers ?? []), ...(pod.spec.containers ?? [])] as Obj[]) text += await logOf(session, pod, container.name);
      await put(`${namespace}/${pod.metadata.name}/logs.txt`, text);
    }
  }
  if (directory !== '' && directory !== '-') await session.out(`Cluster info dumped to ${directory}\n`);
}

async function logOf(session: Session, pod: Obj, container: string): Promise<string> {
  const of = `logs for container ${container} of pod ${pod.metadata.namespace}/${pod.metadata.name} ====\n`;
  let text = `==== START ${of}`;
  const decoder = new TextDecoder();
  try {
    for await (const chunk of openLog(session, pod, { container })) text += decoder.decode(chunk, { stream: true });
  } catch (error) {
    if (error instanceof Error && (error.name === 'Killed' || error.name === 'Errno')) throw error;
    text += `Request log error: ${errorText(error)}\n`;
  }
  return `${text}==== END ${of}`;
}
