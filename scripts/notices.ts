/** Writes THIRD-PARTY-NOTICES.md: the packages whose code reaches readers, with their licences. Run after changing dependencies. */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

interface Manifest {
  name: string;
  version: string;
  license?: string;
  dependencies?: Record<string, string>;
}

const own = JSON.parse(readFileSync('package.json', 'utf8')) as Manifest;
const found = new Map<string, Manifest>();

function visit(name: string): void {
  const file = join('node_modules', name, 'package.json');
  if (found.has(name) || !existsSync(file)) return;
  const manifest = JSON.parse(readFileSync(file, 'utf8')) as Manifest;
  found.set(name, manifest);
  for (const dependency of Object.keys(manifest.dependencies ?? {})) visit(dependency);
}

for (const name of Object.keys(own.dependencies ?? {})) visit(name);

let out = `# Third-party notices

Kubernetes API facts (types, defaults, discovery, table columns) in \`src/sim/kinds/facts/\` were read from a running
Kubernetes v1.36.3 API server; the protobuf field numbers in \`src/hosts/node/protobuf-fields.json\` are those of
\`k8s.io/api\` v0.36.3 and its sisters. Kubernetes is licensed under the Apache License 2.0, Copyright The Kubernetes Authors. The simulated components model its
behaviour and say its messages; the YAML scanner models that of go-yaml and libyaml (MIT, Copyright Kirill Simonov and
Canonical Ltd.).

The packages below are part of what readers load. Tools used only for building and testing are named in \`package.json\`.
`;
for (const [name, manifest] of [...found].sort(([a], [b]) => (a < b ? -1 : 1))) {
  out += `\n## ${name} ${manifest.version}\n\nLicence: ${manifest.license ?? 'see below'}\n`;
  const directory = join('node_modules', name);
  const licence = readdirSync(directory).find((file) => /^licen[cs]e/i.test(file));
  if (licence) out += `\n\`\`\`text\n${readFileSync(join(directory, licence), 'utf8').trim()}\n\`\`\`\n`;
}
writeFileSync('THIRD-PARTY-NOTICES.md', out);
