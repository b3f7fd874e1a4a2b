#!/usr/bin/env node
// Starts main.ts, whose types only Node 24 can strip, on whichever Node was there first.
import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const major = Number(process.versions.node.split('.')[0]);
const node = major >= 24 ? process.execPath : join(dirname(createRequire(import.meta.url).resolve('node/package.json')), 'bin/node');
const result = spawnSync(node, [join(here, 'main.ts'), ...process.argv.slice(2)], { stdio: 'inherit' });
process.exitCode = result.status ?? 1;
