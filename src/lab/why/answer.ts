import type { Cluster } from '../../sim/cluster.ts';
import { resourceByName } from '../checks.ts';
import { clusterAt } from '../moments.ts';
import type { SessionRequest } from '../protocol.ts';
import { explain } from './index.ts';
import type { Explanation } from './types.ts';

/**
 * Answers the page's `why`: about an object, a name ("dns"), the last command ("last"), or what a reader typed ("text":
 * "pod/web-1", "sts/web .spec.replicas", "web-0.nginx"); as of now or of an earlier moment. Throws with a sentence for the reader.
 */
export function answerWhy(cluster: Cluster, request: SessionRequest & { type: 'why' }): Explanation | undefined {
  const { resource, namespace, name, field } = request;
  const then = request.atMs === undefined ? cluster : { ...cluster, ...clusterAt(cluster, request.atMs) };
  if (resource === 'last') return explain(then, 'last');
  if (resource === 'dns') return explain(then, { dns: name, namespace });
  if (resource !== 'text') return explain(then, { resource, namespace, name, ...(field === undefined ? {} : { field }) });
  const [object = '', path] = name.trim().split(/\s+/);
  const [type = '', named] = object.split('/');
  if (named === undefined) return explain(then, { dns: object, namespace });
  let info: ReturnType<typeof resourceByName>;
  try {
    info = resourceByName(type);
  } catch {
    throw new Error(`沒有叫「${type}」的資源類型`);
  }
  return explain(then, { resource: info.id, namespace: info.namespaced ? namespace : '', name: named, ...(path === undefined ? {} : { field: path }) });
}
