import { fixture } from './world.ts';

/** The working directory of both kubectls. */
export const FILES: Readonly<Record<string, string>> = {
  'kinds.yaml': fixture('kinds.yaml'),
  'ships.yaml': fixture('ships.yaml'),
  't.tpl': '{{range .items}}{{.kind}}/{{.metadata.name}}\n{{end}}',
  'p.txt': '{.items[*].metadata.name}',
  'cols.txt': 'NAME           IMAGE\nmetadata.name  .spec.containers[*].image\n',
  'bad.txt': 'NAME IMAGE\nmetadata.name\n',
  'a.txt': 'a\n',
  'b.txt': 'b\n',
  'empty.yaml': '',
  'bad.yaml': 'apiVersion: v1\nkind: ConfigMap\n metadata:\n  name: x\n',
  'notk8s.yaml': 'hello: world\n',
  'noname.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata: {}\ndata: {a: b}\n',
  'genname.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata: {generateName: x-}\n',
  'nons.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: far, namespace: nowhere}\n',
  'new.yaml':
    'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: fresh, labels: {set: one}}\ndata:\n  key: value\n  number: "5"\n---\napiVersion: v1\nkind: Secret\nmetadata: {name: fresh}\nstringData: {a: b}\n',
  'changed.yaml':
    'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\ndata: {mode: slow, other: x}\n---\napiVersion: v1\nkind: Secret\nmetadata: {name: login}\ntype: kubernetes.io/basic-auth\nstringData: {username: me, password: other}\n',
  'list.yaml':
    'apiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: ConfigMap, metadata: {name: l1}}\n- {apiVersion: v1, kind: ServiceAccount, metadata: {name: l2}}\n',
  'unknown.yaml':
    'apiVersion: example.com/v1\nkind: Thing\nmetadata: {name: x}\n---\napiVersion: v1\nkind: Nope\nmetadata: {name: z}\n---\napiVersion: v9\nkind: Pod\nmetadata: {name: z}\n',
  'wrong.yaml':
    'apiVersion: v1\nkind: Pod\nmetadata: {name: wrong, label: {a: b}}\nspec:\n  container: []\n  containers:\n  - {name: c, image: nginx, ports: [{containerPort: 80, nam: web}]}\n',
  'dup.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: dup}\ndata:\n  a: "1"\n  a: "2"\n',
  'patch.yaml': 'spec:\n  replicas: 7\n',
  'env.txt': '# comment\nA=1\nB=two words\n\nC="quoted"\nNOT_SET\n',
  'bad.env': 'A=1\n1 bad=x\n',
  'dir/one.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: one}\ndata: {a: b}\n',
  'dir/two.json': '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"two"},"data":{"n":"1"}}\n',
  'dir/notes.txt': 'nothing\n',
  'dir/deep/three.yml': 'apiVersion: v1\nkind: Service\nmetadata: {name: three}\nspec: {ports: [{port: 1}]}\n',
  'kus/kustomization.yaml': `resources: [web.yaml]
namePrefix: dev-
nameSuffix: -x
namespace: team
commonLabels: {env: dev}
commonAnnotations: {by: kustomize}
images:
- {name: nginx, newTag: "1.27"}
- {name: busybox, newName: reg.example.com/box, digest: "sha256:24a0c4b4a4c0eb97a1aabb8e29f18e917d05abfe1b7a7c07857230879ce7d3d3"}
replicas: [{name: site, count: 4}]
configMapGenerator:
- name: conf
  literals: [a=b, "c=d e"]
  files: [web.txt, renamed=web.txt]
- name: plain
  envs: [my.env]
  options: {disableNameSuffixHash: true, labels: {x: z}, annotations: {nn: m}, immutable: true}
secretGenerator:
- name: pass
  type: Opaque
  literals: [password=secret]
generatorOptions: {labels: {made: by}}
patches:
- path: patch.yaml
- target: {kind: Service}
  patch: |-
    - {op: add, path: /spec/ports/-, value: {name: b, port: 81}}
`,
  'kus/web.yaml': `apiVersion: apps/v1
kind: Deployment
metadata: {name: site}
spec:
  replicas: 1
  selector: {matchLabels: {app: site}}
  template:
    metadata: {labels: {app: site}}
    spec:
      containers:
      - name: c
        image: nginx:1.24
        envFrom: [{configMapRef: {name: conf}}, {secretRef: {name: pass}}]
        env: [{name: A, valueFrom: {configMapKeyRef: {name: plain, key: K}}}]
      - {name: d, image: busybox}
      volumes: [{name: v, configMap: {name: conf}}, {name: w, secret: {secretName: pass}}]
---
apiVersion: v1
kind: Service
metadata: {name: site}
spec: {selector: {app: site}, ports: [{name: a, port: 80}]}
`,
  'kus/patch.yaml':
    'apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: site}\nspec:\n  template:\n    spec:\n      containers:\n      - {name: c, env: [{name: EXTRA, value: "1"}]}\n',
  'kus/web.txt': 'text\nof two lines\n',
  'kus/my.env': 'K=v\n# no\nL=w\n',
  'kus2/kustomization.yaml': `apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
resources: [../kus3]
components: [../kuscomp]
labels:
- pairs: {team: a}
  includeSelectors: true
  includeTemplates: true
- pairs: {only: meta}
replacements:
- source: {kind: ConfigMap, name: facts, fieldPath: data.host}
  targets:
  - select: {kind: Deployment}
    fieldPaths: [spec.template.spec.containers.0.env.0.value, "spec.template.spec.containers.[name=main].args.0"]
    options: {delimiter: "=", index: 1}
configurations: []
sortOptions: {order: fifo}
buildMetadata: [originAnnotations]
`,
  'kus3/kustomization.yml': `resources: [all.yaml]
vars:
- {name: WHERE, objref: {kind: ConfigMap, name: facts, apiVersion: v1}, fieldref: {fieldpath: data.host}}
`,
  'kus3/all.yaml': `apiVersion: v1
kind: ConfigMap
metadata: {name: facts}
data: {host: sea.example.com}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: main}
spec:
  selector: {matchLabels: {app: main}}
  template:
    metadata: {labels: {app: main}}
    spec: {containers: [{name: main, image: nginx, args: [host=x, $(WHERE)], env: [{name: A, value: host=y}]}]}
`,
  'kuscomp/kustomization.yaml':
    'apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\npatches:\n- target: {kind: Deployment, name: ma.*}\n  patch: |-\n    - op: add\n      path: /spec/replicas\n      value: 3\n',
  'kus4/kustomization.yaml': 'resources: [nope.yaml]\n',
  'kus5/kustomization.yaml': 'resorces: [a]\n',
  'kus6/kustomization.yaml': 'helmCharts: [{name: x, repo: https://example.com}]\n',
  'kus7/kustomization.yaml': '',
};
