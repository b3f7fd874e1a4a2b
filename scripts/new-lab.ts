/** `npm run new-lab -- NAME`: a lesson and its lab to begin with; both build and pass as they are. Refuses to overwrite. */
import { existsSync, globSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';

const name = process.argv[2] ?? '';
if (!/^[a-z][a-z0-9-]{1,40}$/.test(name)) {
  console.error('usage: npm run new-lab -- NAME (small letters, digits and "-", as it will stand in the address)');
  process.exit(2);
}
const lesson = `content/lessons/${name}.mdx`;
for (const path of [lesson, `labs/${name}`]) {
  if (existsSync(path)) {
    console.error(`${path} is there already`);
    process.exit(1);
  }
}
const orders = globSync('content/lessons/*.mdx').map((path) => Number(/^ {2}order: (\d+)/m.exec(readFileSync(path, 'utf8'))?.[1] ?? 0));

mkdirSync(`labs/${name}/manifests`, { recursive: true });
writeFileSync(
  `labs/${name}/manifests/pod.yaml`,
  `apiVersion: v1
kind: Pod
metadata:
  name: first
spec:
  containers:
    - name: nginx
      image: nginx
`,
);
writeFileSync(
  `labs/${name}/lab.yaml`,
  `name: ${name}
title: 新的實驗
cluster: k3d
files:
  - pod.yaml
steps:
  - id: first
    title: 開一個 Pod
    commands:
      - run: kubectl apply -f pod.yaml
    checks:
      - object: pod/first
        path: '{.status.phase}'
        equals: Running
    hints:
      - 檔案在家目錄，用 kubectl apply -f 送出。
`,
);
writeFileSync(
  lesson,
  `---
title: 新的一課
description: 一句話說這一課教什麼。
lab: ${name}
minutes: 10
sidebar:
  order: ${Math.max(...orders) + 10}
goals:
  - 讀完之後做得到的一件事
---
import { Step } from '../../src/components/index.ts';

<Step id="first">

從這裡開始寫。

</Step>
`,
);
console.log(`${lesson}\nlabs/${name}/lab.yaml\nnow: npm run transcripts -- ${name}, then npm run dev`);
