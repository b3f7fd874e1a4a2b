import { Aborted, DisposableStore, type Kernel } from '../kernel/index.ts';
import { Errno, type Program } from '../unix/index.ts';
import { createApiServer } from './apiserver/index.ts';
import type { Cluster, ClusterOptions } from './cluster.ts';
import type { ControllerContext } from './controllers/controller.ts';
import { startControllers } from './controllers/index.ts';
import { whenNeeded } from './controllers/when-needed.ts';
import { createImageCatalog } from './images/index.ts';
import { admissionPlugins, strategies, validatingTransport } from './kinds/index.ts';
import type { Pod } from './kinds/types.ts';
import { KubeletFleet } from './kubelet/fleet.ts';
import { CLUSTER_DNS_IP } from './kubelet/host-files.ts';
import { machineLauncher } from './kubelet/machine-launcher.ts';
import { VolumeStore } from './kubelet/volume-store.ts';
import { createClusterNetwork, type OwnedStack } from './network/index.ts';
import { PodLimit } from './presets/pod-limit.ts';
import { createPreset } from './presets/preset.ts';
import { createControllerRoles, createSystemObjects, expireBootEvents } from './presets/system-objects.ts';
import { startScheduler } from './scheduler/index.ts';
import type { Transport } from './transport.ts';

export type { Cluster, ClusterOptions, NodeControl, PresetName, WriteRecord } from './cluster.ts';
export { podStatusText } from './kinds/index.ts';

const DEFAULT_MAX_PODS = 5_000;
const DNS_TIMEOUT_MS = 5_000;
const API_PORT = 6443;
/** Agents join this long after the server. */
const JOIN_MS = 12_000;

async function loadProvisioner() {
  const { LocalPathProvisioner } = await import('./kubelet/local-path-provisioner.ts');
  return ({ kernel, client }: ControllerContext) => new LocalPathProvisioner(kernel, client);
}

/** The API server's port on its node; what answers there is fetched when the first Pod comes. */
function listenSecurely(kernel: Kernel, stack: OwnedStack, transport: Transport): OwnedStack {
  const listener = stack.listen(API_PORT);
  const accept = async (): Promise<void> => {
    for (;;) {
      const socket = await listener.accept();
      const { serveSecurely } = await kernel.external(import('./apiserver/secure-port.ts'));
      serveSecurely(transport, socket).catch((error) => kernel.onError(error));
    }
  };
  accept().catch((error) => {
    if (!(error instanceof Aborted)) kernel.onError(error);
  });
  return stack;
}

/**
 * Builds a cluster and lets it run in virtual time until it looks as one that has been up for a while: nodes Ready, system Pods
 * Running. The kernel must not be playing meanwhile.
 */
export async function createCluster(options: ClusterOptions): Promise<Cluster> {
  const { kernel } = options;
  const preset = createPreset(options.preset, options.agents);
  const store = new DisposableStore();
  const limit = new PodLimit(options.maxPods ?? DEFAULT_MAX_PODS);
  const server = createApiServer({ kernel, strategies, admission: [...admissionPlugins, limit.plugin] });
  store.add(server.onWrite((write) => limit.observe(write)));
  const { client } = server;
  const network = createClusterNetwork({ kernel, client });
  const images = createImageCatalog({ kernel, client });
  createSystemObjects(client, preset);
  store.add(startControllers({ kernel, client }));
  store.add(startScheduler({ kernel, client }));
  const fleet = store.add(new KubeletFleet({ kernel, client, network, images, launch: machineLauncher(kernel), volumes: new VolumeStore(kernel) }));
  store.add(whenNeeded(['v1/persistentvolumeclaims', 'v1/persistentvolumes'], loadProvisioner)({ kernel, client }));
  server.setPodAccess(async () => new (await import('./kubelet/pod-access.ts')).FleetPodAccess(client, fleet));
  const transport = validatingTransport(kernel, server.transport);
  // As k3d does it: the server is up first, so the system Pods run there; then the agents join.
  const [first, ...others] = preset.nodes;
  if (first) {
    fleet.add(first);
    store.add(listenSecurely(kernel, network.nodeStack(first.name), transport));
  }
  await kernel.advance({ untilMs: kernel.now() + JOIN_MS });
  for (const node of others) fleet.add(node);
  await kernel.advance({ untilMs: kernel.now() + preset.ageMs });
  expireBootEvents(client);
  await kernel.settle();
  createControllerRoles(kernel, client);
  return {
    kernel,
    client,
    transport,
    writes: server.writes,
    onWrite: (listener) => server.onWrite(listener),
    nodes: fleet,
    async queryDns(message) {
      try {
        return await network.nodeStack(preset.nodes[0]?.name ?? '').datagram(CLUSTER_DNS_IP, 53, message, { timeoutMs: DNS_TIMEOUT_MS });
      } catch (error) {
        if (error instanceof Errno) return undefined;
        throw error;
      }
    },
    podStack(namespace, name) {
      const pod = client.resource<Pod>('v1/pods').get(namespace, name);
      return fleet
        .kubelet(pod?.spec?.nodeName ?? '')
        ?.sandboxes.get(pod?.metadata?.uid ?? '')
        ?.openStack();
    },
    watchDraws: (listener) => network.watchDraws(listener),
    dispose: () => store.dispose(),
  };
}

/** curl, for machines beside the cluster: loaded when it is first run. */
export const loadCurl = async (): Promise<Program> => (await import('./images/curl.ts')).curlProgram;
