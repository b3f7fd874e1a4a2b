import fc from 'fast-check';

/** Command lines made from kubectl's grammar over the fixture's objects; none of them changes the cluster. */

const TYPES = [
  'pods',
  'po',
  'sts',
  'svc',
  'deploy',
  'cm',
  'pvc',
  'pv',
  'nodes',
  'ns',
  'ds',
  'rs',
  'job',
  'cj',
  'ingress',
  'netpol',
  'sa',
  'role',
  'sh',
  'events.v1.',
  'statefulsets.apps',
  'nope',
  'secret',
  'endpointslices',
];
const NAMES = ['web-0', 'web', 'nginx', 'two', 'settings', 'nope', 'junk', 'lonely', 'team', 'default'];
const SELECTORS = ['app=nginx', 'app!=nginx', 'app in (nginx,two)', '!app', 'tier', 'app=front,tier=one', 'app notin (x)', 'a=='];
const PATHS = [
  '.metadata.name',
  '.metadata.labels.app',
  '.spec.replicas',
  '.status.phase',
  '.metadata.nope',
  '.spec.containers[*].image',
  '.metadata.namespace',
  '.kind',
];

const word = (words: readonly string[]): fc.Arbitrary<string> => fc.constantFrom(...words);
const maybe = (arbitrary: fc.Arbitrary<string>): fc.Arbitrary<string> => fc.option(arbitrary, { nil: '', freq: 2 });
const quoted = (text: string): string => (/^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`);
const line = (...parts: readonly string[]): string => parts.filter((part) => part !== '').join(' ');

/** A flag with a value in one of the ways it may be written. */
const spelled = (long: string, short: string, value: string): fc.Arbitrary<string> =>
  word([
    `--${long}=${quoted(value)}`,
    `--${long} ${quoted(value)}`,
    ...(short ? [`-${short} ${quoted(value)}`, `-${short}${quoted(value)}`, `-${short}=${quoted(value)}`] : []),
  ]);
const flagOf = (long: string, short: string, values: fc.Arbitrary<string>): fc.Arbitrary<string> => values.chain((value) => spelled(long, short, value));

const selector = flagOf('selector', 'l', word(SELECTORS));
const namespace = fc.oneof(flagOf('namespace', 'n', word(['default', 'kube-system', 'team', 'nope'])), word(['-A', '--all-namespaces']));
const types = fc.oneof(
  word(TYPES),
  fc.uniqueArray(word(TYPES), { minLength: 2, maxLength: 3 }).map((list) => list.join(',')),
);
const names = fc.oneof(
  fc.constant(''),
  word(NAMES),
  fc.uniqueArray(word(NAMES), { minLength: 2, maxLength: 3 }).map((list) => list.join(' ')),
);
const target = fc.oneof(
  { weight: 3, arbitrary: fc.tuple(types, names).map(([type, name]) => line(type, name)) },
  fc
    .array(
      fc.tuple(word(TYPES), word(NAMES)).map((pair) => pair.join('/')),
      { minLength: 1, maxLength: 3 },
    )
    .map((list) => list.join(' ')),
);

const jsonPath = fc
  .array(
    fc.oneof(
      word(PATHS).map((path) => `{${path}}`),
      word(PATHS).map((path) => `{.items[*]${path}}`),
      word(PATHS).map((path) => `{range .items[*]}{${path}}{"\\n"}{end}`),
      fc.tuple(fc.integer({ min: -3, max: 3 }), word(PATHS)).map(([index, path]) => `{.items[${index}]${path}}`),
      fc
        .tuple(word(PATHS.slice(0, 4)), word(['==', '!=', '>']), word(['"web-0"', '3', '"Running"']))
        .map(([path, sign, value]) => `{.items[?(@${path}${sign}${value})].metadata.name}`),
      word([' ', 'text', '{"\\t"}', '{', '}', '{end}', '{.a[}']),
    ),
    { minLength: 1, maxLength: 3 },
  )
  .map((parts) => parts.join(''));
const goTemplate = fc
  .array(
    fc.oneof(
      word([
        '.kind',
        '.nope',
        '.metadata.name',
        'len .items',
        'printf "%s|%v" .kind .apiVersion',
        'eq .kind "List"',
        '.metadata',
        'print 1 "a"',
        'index .items 0',
        'nope',
      ]).map((body) => `{{${body}}}`),
      word(PATHS.slice(0, 5)).map((path) => `{{range .items}}{{${path}}} {{end}}`),
      word(['{{if .items}}a{{else}}b{{end}}', '{{with .metadata}}{{.name}}{{end}}', '{{- "x" -}} ', 'text', '{{', '{{end}}']),
    ),
    { minLength: 1, maxLength: 3 },
  )
  .map((parts) => parts.join(''));
const columns = fc.uniqueArray(word(PATHS), { minLength: 1, maxLength: 3 }).map((paths) => paths.map((path, i) => `C${i}:${path}`).join(','));
const output = flagOf(
  'output',
  'o',
  fc.oneof(
    { weight: 3, arbitrary: word(['wide', 'yaml', 'json', 'name', 'kyaml', 'nope', 'go-template', 'JSON']) },
    jsonPath.map((text) => `jsonpath=${text}`),
    jsonPath.map((text) => `jsonpath-as-json=${text}`),
    goTemplate.map((text) => `go-template=${text}`),
    columns.map((text) => `custom-columns=${text}`),
  ),
);
const getFlag = fc.oneof(
  selector,
  namespace,
  output,
  word([
    '--show-labels',
    '--no-headers',
    '--show-kind',
    '--ignore-not-found',
    '--chunk-size=3',
    '-L app',
    '--label-columns=app,tier',
    '--nope',
    '-z',
    '--no-headers=x',
  ]),
  flagOf('sort-by', '', word(PATHS.slice(0, 5))),
  flagOf('field-selector', '', word(['metadata.name=web-0', 'status.phase!=Running', 'a=b', 'metadata.namespace=default'])),
);
const get = fc.tuple(target, fc.array(getFlag, { maxLength: 3 })).map(([what, flags]) => line('get', what, ...flags));

const dryRun = word(['--dry-run=client', '--dry-run=client -o yaml', '--dry-run=client -o name', '--dry-run=client -o json', '--dry-run=server']);
const describe = fc.tuple(target, maybe(selector), maybe(namespace)).map((parts) => line('describe', ...parts, '--show-events=false'));
const change = fc.oneof(
  fc
    .tuple(word(['label', 'annotate']), target, word(['a=b', 'app=x', 'app-', 'a=b c-', 'a', 'a=b=c', '']), maybe(word(['--overwrite', '--all'])), dryRun)
    .map((parts) => line(...parts)),
  fc.tuple(target, word(['--replicas=2', '--replicas=-1', '', '--replicas=2 --current-replicas=3']), dryRun).map((parts) => line('scale', ...parts)),
  fc
    .tuple(
      target,
      maybe(selector),
      word(['', '--all', '--force', '--cascade=orphan', '--grace-period=3']),
      word(['--dry-run=client', '--dry-run=client -o name']),
    )
    .map((parts) => line('delete', ...parts)),
  fc
    .tuple(
      word(TYPES),
      word(NAMES),
      word(['{"metadata":{"labels":{"q":"r"}}}', '{"spec":{"replicas":2}}', '[]', '{', 'a: b', '{"metadata":{"name":"x"}}']),
      word(['', '--type=merge', '--type=json', '--type=x']),
    )
    .map(([type, name, patch, kind]) => line('patch', type, name, '-p', quoted(patch), kind, '--dry-run=client')),
  fc
    .tuple(word(['deploy/nginx-deployment', 'sts/web', 'po/two', 'cm/settings', 'sts,deploy --all']), word(['nginx=x', '*=x', 'nope=x', 'nginx', '']), dryRun)
    .map(([what, image, how]) => line('set image', what, image === '' ? '' : quoted(image), how)),
  fc
    .tuple(
      word(['deploy/nginx-deployment', 'sts/web', 'svc/nginx', 'po/two', 'cm/settings', 'nope/x']),
      word(['', '--port=80', '--port=80,443', '--port=x', '--target-port=web --port=1', '--type=NodePort --port=80', '--name=other --port=80']),
      dryRun,
    )
    .map((parts) => line('expose', ...parts)),
);
const generators = fc.oneof(
  fc
    .tuple(
      word(['x', 'X', 'a.b', '']),
      word(['--image=nginx', '--image=a --image=b', '']),
      maybe(word(['--replicas=2', '--port=80', '-r 3'])),
      maybe(word(['-- sh -c ls'])),
      dryRun,
    )
    .map(([name, image, more, command, how]) => line('create deployment', name, image, more, how, command)),
  fc
    .tuple(
      word([
        '--from-literal=a=b',
        '--from-literal=a',
        '--from-file=dir',
        '--from-file=p.txt',
        '--from-file=k=p.txt',
        '--from-env-file=env.txt',
        '--from-file=gone',
      ]),
      word(['cm x', 'secret generic x', 'cm', 'secret generic x --type=t']),
      dryRun,
    )
    .map(([source, what, how]) => line('create', what, source, how)),
  fc
    .tuple(
      word(['clusterip', 'nodeport', 'loadbalancer', 'externalname', 'nope']),
      word(['--tcp=80', '--tcp=80:http', '--tcp=x', '', '--external-name=a.b', '--tcp=1:2,3']),
      word(['--dry-run=client', '--dry-run=client -o yaml']),
    )
    .map(([kind, port, how]) => line('create svc', kind, 'x', port, how)),
  fc
    .tuple(
      word(['role', 'clusterrole']),
      maybe(word(['--verb=get', '--verb=get,list', '--verb=nope'])),
      maybe(word(['--resource=pods', '--resource=pods,deploy.apps', '--resource=pods/log', '--resource=nope'])),
      maybe(word(['--resource-name=a', '--non-resource-url=/x'])),
      word(['--dry-run=client', '--dry-run=client -o yaml']),
    )
    .map(([kind, ...parts]) => line('create', kind, 'x', ...parts)),
  fc
    .tuple(
      maybe(word(['--env=A=b', '--labels=a=b', '--port=80', '--restart=Never', '--command', '--privileged', '-it', '--rm'])),
      maybe(word(['-- echo hi'])),
      dryRun,
    )
    .map(([flag, command, how]) => line('run x --image=nginx', flag, how, command)),
);
const explain = fc
  .tuple(
    word(['pod', 'sts', 'svc', 'deploy', 'sh', 'pvc', 'nope', 'ingress', 'job']),
    fc.array(word(['spec', 'status', 'metadata', 'template', 'containers', 'ports', 'labels', 'nope', 'rules']), { maxLength: 4 }),
    maybe(word(['--recursive', '--api-version=v1', '--api-version=apps/v1'])),
  )
  .map(([type, fields, flag]) => line('explain', [type, ...fields].join('.'), flag));
const canI = fc
  .tuple(word(['get', 'list', 'create', '*', 'nope']), word(TYPES), maybe(word(['web-0'])), maybe(word(['--as=jane', '-A', '-q', '--subresource=log'])))
  .map(([verb, type, name, flag]) => line('auth can-i', quoted(verb), type, name, flag));
const completion = fc
  .tuple(
    word(['get', 'describe', 'delete', 'logs', 'exec', 'rollout status', 'scale', 'label', 'edit', 'config use-context', 'explain']),
    maybe(word(['pods', 'sts', 'svc', '-n kube-system', '--show-labels'])),
    word(["''", 'w', 'pods/', 'sts/w', 'n', '-', '--sh']),
  )
  .map((parts) => line('__complete', ...parts));

export const commandLine: fc.Arbitrary<string> = fc
  .oneof(
    { weight: 8, arbitrary: get },
    { weight: 2, arbitrary: describe },
    { weight: 5, arbitrary: change },
    { weight: 4, arbitrary: generators },
    { weight: 1, arbitrary: explain },
    { weight: 1, arbitrary: canI },
    { weight: 1, arbitrary: completion },
  )
  .map((text) => `kubectl ${text}`);

/** `count` command lines, the same for the same seed; none twice. */
export function generatedLines(count: number, seed: number): string[] {
  return [...new Set(fc.sample(commandLine, { numRuns: count, seed }))];
}
