import type { Session } from '../session.ts';
import type { Obj } from '../util/object.ts';

/** kubectl cluster-info: the control plane and the services of the cluster. */
export async function clusterInfo(session: Session, _args: string[]): Promise<void> {
  const { server } = session.clientConfig;
  const coloured = session.process.stdout.kind === 'tty';
  const paint = (text: string, code: number): string => (coloured ? `\u001b[0;${code}m${text}\u001b[0m` : text);
  let services: Obj;
  try {
    await session.mapper();
    services = await session.client.request('GET', `/api/v1/namespaces/${session.flags.text('namespace') || 'kube-system'}/services`, {
      query: { labelSelector: 'kubernetes.io/cluster-service=true' },
    });
  } catch (error) {
    await session.out("\nTo further debug and diagnose cluster problems, use 'kubectl cluster-info dump'.\n");
    throw error;
  }
  await session.out(`${paint('Kubernetes control plane', 32)} is running at ${paint(server, 33)}\n`);
  for (const service of (services.items ?? []) as Obj[]) {
    const ingress: Obj[] = service.status?.loadBalancer?.ingress ?? [];
    let link = '';
    if (ingress.length > 0) {
      const address = ingress[0]?.ip || ingress[0]?.hostname;
      for (const port of service.spec.ports as Obj[]) link += `http://${address}:${port.port} `;
    } else {
      const ports: Obj[] = service.spec?.ports ?? [];
      let name = service.metadata.name as string;
      if (ports.length > 0) {
        const [port] = ports;
        const scheme = port?.name === 'https' || port?.port === 443 ? 'https:' : '';
        name = `${scheme}${name}:${port?.name ?? ''}`;
      }
      const { namespace } = service.metadata;
      link = `${server}/api/v1/namespaces/${namespace}/services/${name}/proxy`;
    }
    const label = service.metadata.labels?.['kubernetes.io/name'] || service.metadata.name;
    await session.out(`${paint(label, 32)} is running at ${paint(link, 33)}\n`);
  }
  await session.out("\nTo further debug and diagnose cluster problems, use 'kubectl cluster-info dump'.\n");
}
