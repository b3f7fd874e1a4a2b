import type { HttpResponse } from '../../transport.ts';
import type { Verbs } from '../verbs.ts';
import { versionInfo } from './discovery.ts';
import { textResponse } from './response.ts';

/** Requests by their labels (`apiserver_request_total`). */
export class RequestCounts {
  readonly #counts = new Map<string, number>();

  add(labels: Readonly<Record<string, string>>): void {
    const key = labelText(labels);
    this.#counts.set(key, (this.#counts.get(key) ?? 0) + 1);
  }

  lines(): string[] {
    return [...this.#counts].sort(([a], [b]) => (a < b ? -1 : 1)).map(([labels, count]) => `apiserver_request_total${labels} ${count}`);
  }
}

function labelText(labels: Readonly<Record<string, string>>): string {
  const pairs = Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${pairs.map(([name, value]) => `${name}="${value}"`).join(',')}}`;
}

const metric = (name: string, type: string, help: string, lines: readonly string[]): string[] => [`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`, ...lines];

/** `/metrics` in Prometheus' text format: what this server really counts. */
export function metricsText(verbs: Verbs, requests: RequestCounts): HttpResponse {
  const { major, minor, gitVersion, gitCommit, gitTreeState, buildDate, goVersion, compiler, platform } = versionInfo as Record<string, string>;
  const build = { major, minor, git_version: gitVersion, git_commit: gitCommit, git_tree_state: gitTreeState, build_date: buildDate };
  const stored = new Map<string, string>();
  for (const info of verbs.registry.all()) {
    if (info.storage !== info.id && !info.custom) continue;
    const labels = labelText({ group: info.group, resource: info.resource });
    if (info.verbs.has('list')) stored.set(labels, `apiserver_resource_objects${labels} ${verbs.bucket(info).list('').length}`);
  }
  const lines = [
    ...metric('apiserver_request_total', 'counter', '[STABLE] Requests answered, by verb, resource and HTTP code.', requests.lines()),
    ...metric(
      'apiserver_resource_objects',
      'gauge',
      '[ALPHA] Objects stored, by resource.',
      [...stored].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, line]) => line),
    ),
    ...metric('kubernetes_build_info', 'gauge', '[ALPHA] What this server was built from.', [
      `kubernetes_build_info${labelText({ ...(build as Record<string, string>), go_version: goVersion ?? '', compiler: compiler ?? '', platform: platform ?? '' })} 1`,
    ]),
  ];
  const response = textResponse(200, `${lines.join('\n')}\n`);
  return { ...response, headers: { 'cache-control': 'no-cache, private', 'content-type': 'text/plain; version=0.0.4; charset=utf-8; escaping=underscores' } };
}
