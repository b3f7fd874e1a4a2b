import type { Pod } from '../../kinds/types.ts';
import type { HttpResponse } from '../../transport.ts';
import type { ResourceInfo } from '../resources.ts';
import { newServiceUnavailable } from '../status-error.ts';
import type { Verbs } from '../verbs.ts';
import { respond, textResponse } from './response.ts';

/** What the kubelet serves besides (`pkg/kubelet/server`). */
const NOT_YET = ['configz', 'logs', 'metrics', 'stats', 'run', 'exec', 'attach', 'portForward', 'containerLogs', 'runningpods', 'checkpoint'];

/** `nodes/proxy`: the kubelet's own small API, as far as the API server can answer in its place: health and Pods. */
export function kubeletAnswer(verbs: Verbs, info: ResourceInfo, nameAndPort: string, path: string): HttpResponse {
  const [name = ''] = nameAndPort.split(':');
  verbs.get(info, '', name);
  const [first = ''] = path.split('/');
  if (path === 'healthz') return textResponse(200, 'ok');
  if (path === 'pods' || path === 'pods/') {
    const items = verbs.context.list<Pod>('v1/pods').filter(({ spec }) => spec?.nodeName === name);
    return respond(
      200,
      { kind: 'PodList', apiVersion: 'v1', metadata: {}, items: items.map(({ kind: _kind, apiVersion: _version, ...item }) => item) },
      { encoding: 'json' },
    );
  }
  if (NOT_YET.includes(first)) throw newServiceUnavailable(`error: the kubelet's /${first} is not simulated yet`);
  return textResponse(404, '404 page not found\n');
}
