import assert from 'node:assert/strict';
import { nodeClock } from '../../../hosts/node/clock.ts';
import { createEnvironment, type Environment } from '../../environment.ts';
import { simulatedTarget } from '../../simulated-target.ts';
import { explain } from '../index.ts';
import type { Explanation } from '../types.ts';

export const WEB = `
apiVersion: v1
kind: Service
metadata: {name: nginx}
spec: {clusterIP: None, selector: {app: nginx}, ports: [{port: 80, name: web}]}
---
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: web}
spec:
  serviceName: nginx
  replicas: 3
  selector: {matchLabels: {app: nginx}}
  template:
    metadata: {labels: {app: nginx}}
    spec:
      terminationGracePeriodSeconds: 5
      containers:
      - name: nginx
        image: nginx:1.27
        volumeMounts: [{name: data, mountPath: /data}]
  volumeClaimTemplates:
  - metadata: {name: data}
    spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}
`;

/** One reader's cluster: what they type, how long they wait, what they ask. */
export class Reader {
  readonly environment: Environment;
  readonly #target: ReturnType<typeof simulatedTarget>;

  private constructor(environment: Environment) {
    this.environment = environment;
    this.#target = simulatedTarget(environment);
  }

  static async start(manifest = WEB): Promise<Reader> {
    const reader = new Reader(await createEnvironment({ host: nodeClock, seed: 'why', preset: 'k3d', files: { 'web.yaml': manifest } }));
    await reader.run('kubectl apply -f web.yaml');
    return reader;
  }

  async run(command: string): Promise<string> {
    const { exit, stdout, stderr } = await this.#target.execute(command);
    assert.equal(exit, 0, `$ ${command}\n${stdout}${stderr}`);
    return stdout;
  }

  /** A command that fails; gives what it said. */
  async fails(command: string): Promise<string> {
    const { exit, stdout, stderr } = await this.#target.execute(command);
    assert.notEqual(exit, 0, `$ ${command}\n${stdout}`);
    return stdout + stderr;
  }

  /** Puts a file in the reader's home. */
  file(name: string, text: string): void {
    this.#target.writeFile(name, text);
  }

  async write(name: string, text: string): Promise<void> {
    this.#target.writeFile(name, text);
    await this.run(`kubectl apply -f ${name}`);
  }

  seconds(count: number): Promise<void> {
    return this.#target.sleep(count * 1000);
  }

  why(resource: string, name: string, field?: string): Explanation {
    const namespace = ['v1/nodes', 'v1/persistentvolumes', 'v1/namespaces'].includes(resource) ? '' : 'default';
    return explain(this.environment.cluster, { resource, namespace, name, ...(field === undefined ? {} : { field }) });
  }

  /** Why the last command failed. */
  whyLast(): Explanation {
    return explain(this.environment.cluster, 'last') ?? { subject: '', found: false, chain: [], obstacles: [] };
  }

  whyName(dns: string, namespace = 'default'): Explanation {
    return explain(this.environment.cluster, { dns, namespace });
  }
}

export const rules = (found: Explanation): string[] => found.chain.map((link) => link.rule);
export const held = (found: Explanation): string[] => found.obstacles.map((one) => one.rule);
