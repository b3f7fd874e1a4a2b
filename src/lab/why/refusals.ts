import type { Client } from '../../sim/client/types.ts';
import type { Cluster } from '../../sim/cluster.ts';
import type { Pod } from '../../sim/kinds/types.ts';
import { resourceByName } from '../checks.ts';
import type { LastCommand, Refusal } from '../last-command.ts';
import { chainFrom } from './chain.ts';
import { changesSpec, WriteHistory } from './history.ts';
import { obstacle } from './obstacles.ts';
import { podObstacles } from './pods.ts';
import { ruleText } from './rules.ts';
import type { Explanation, ExplanationLink, Obstacle } from './types.ts';

type Named = Pick<Refusal, 'resource' | 'namespace' | 'name'>;

/**
 * Which rule a refusal follows: the first whose pattern is in "<reason>: <message>". Named groups are the values of the
 * rule's sentence. The words are those of k8s.io/apimachinery's errors and of the kinds' validation.
 */
const RULES: readonly (readonly [rule: string, pattern: RegExp])[] = [
  ['refused/tab', /found character that cannot start any token/],
  ['refused/yaml', /error (converting YAML to JSON|parsing) ?(?<file>\S*)/],
  ['refused/unknown-field', /unknown field "(?<field>[^"]+)"/],
  ['refused/duplicate-field', /duplicate field "(?<field>[^"]+)"|key "(?<key>[^"]+)" already set in map/],
  ['refused/no-type', /the server doesn't have a resource type "(?<type>[^"]*)"|no matches for kind "(?<kind>[^"]*)"/],
  ['refused/usage', /unknown (command|flag|shorthand flag)|flag needs an argument|required flag|unexpected args|accepts \d+ arg/],
  ['refused/no-volume', /volumeMounts\[\d+\]\.name: Not found: "(?<volume>[^"]+)"/],
  ['refused/statefulset-immutable', /updates to statefulset spec for fields other than/],
  ['refused/pod-immutable', /pod updates may not change fields other than/],
  ['refused/claim-immutable', /spec is immutable after creation except resources\.requests/],
  ['refused/claim-shrink', /field can not be less than/],
  ['refused/claim-no-expansion', /only dynamically provisioned pvc can be resized and the storageclass/],
  ['refused/selector', /`selector` does not match template `labels`/],
  ['refused/immutable', /field is immutable/],
  ['refused/namespace-terminating', /because it is being terminated/],
  ['refused/quota', /exceeded quota: (?<quota>[^,]+),/],
  ['refused/disruption-budget', /violate the pod's disruption budget/],
  ['refused/apply-conflict', /Apply failed with \d+ conflict/],
  ['refused/conflict', /the object has been modified/],
  ['refused/already-exists', /AlreadyExists|already exists/],
  ['refused/container-waiting', /is waiting to start|previous terminated container/],
  ['refused/container-missing', /container not found|is not valid for pod|a container name must be specified/],
  ['refused/node-unreachable', /no route to host|connection refused.*10250/],
  ['refused/not-allowed', /cannot \w+ resource "[^"]+"|Unauthorized/],
  ['refused/no-namespace', /namespaces "(?<namespace>[^"]+)" not found/],
  ['refused/not-found', /NotFound|not found/],
  ['refused/name', /RFC (1123|1035)/],
  ['refused/required', /(?<field>[\w.[\]]+): Required value/],
  ['refused/value', /(?<field>[\w.[\]]+): (Unsupported|Invalid) value/],
  ['refused/timed-out', /timed out waiting/],
];

/** Why the reader's last command failed: what the API server (or kubectl itself) refused, by which rule, and what led there. */
export function explainLastCommand({ client, writes }: Pick<Cluster, 'client' | 'writes'>, last: LastCommand): Explanation {
  const refusal = last.refusals.at(-1);
  const evidence = (refusal?.message ?? last.said).trim();
  const { rule, detail } = ruleOf(`${refusal?.reason ?? ''}: ${evidence}`);
  const obstacles = [obstacle(rule, detail, evidence)];
  const chain: ExplanationLink[] = [asked(last, refusal)];
  const culprit = refusal && culpritOf(rule, refusal, detail);
  if (culprit && refusal) {
    obstacles.push(...culpritObstacles(client, rule, culprit));
    const history = new WriteHistory(writes);
    const start = history.last(culprit, Number.POSITIVE_INFINITY, changesSpec);
    if (start) chain.push(...chainFrom(history, start));
  }
  return { subject: `$ ${last.command}`, found: false, chain, obstacles };
}

function ruleOf(text: string): { rule: string; detail: Record<string, string> } {
  for (const [rule, pattern] of RULES) {
    const match = pattern.exec(text);
    if (!match) continue;
    const detail = Object.entries(match.groups ?? {}).filter((entry): entry is [string, string] => entry[1] !== undefined);
    return { rule, detail: Object.fromEntries(detail) };
  }
  return { rule: 'refused/other', detail: {} };
}

/** The command itself as the newest link: it is the reader who acted, and the API server who saw it. */
function asked(last: LastCommand, refusal: Refusal | undefined): ExplanationLink {
  const rule = refusal ? 'request/refused' : 'request/not-sent';
  const object = { resource: refusal?.resource ?? '', namespace: refusal?.namespace ?? '', name: refusal?.name ?? '' };
  return { atMs: last.atMs, actor: 'kubectl', verb: 'asked', object, rule, detail: {}, ...ruleText(rule), command: last.command };
}

/** The object that stood in the way, when it is one whose history explains the refusal. */
function culpritOf(rule: string, refusal: Refusal, detail: Readonly<Record<string, string>>): Named | undefined {
  const { resource, namespace, name } = refusal;
  switch (rule) {
    case 'refused/namespace-terminating':
      return { resource: 'v1/namespaces', namespace: '', name: namespace };
    case 'refused/quota':
      return { resource: resourceByName('resourcequotas').id, namespace, name: detail.quota ?? '' };
    case 'refused/already-exists':
    case 'refused/conflict':
    case 'refused/not-found':
    case 'refused/container-waiting':
    case 'refused/statefulset-immutable':
    case 'refused/claim-immutable':
    case 'refused/claim-no-expansion':
      return name === '' ? undefined : { resource, namespace, name };
    default:
      return undefined;
  }
}

function culpritObstacles(client: Client, rule: string, culprit: Named): Obstacle[] {
  if (rule !== 'refused/container-waiting') return [];
  const pod = client.resource<Pod>('v1/pods').get(culprit.namespace, culprit.name);
  return pod ? podObstacles(client, pod) : [];
}
