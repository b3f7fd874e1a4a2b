/** Twins: the same commands in two clusters on one clock; each side prints what its lab says, and the other does not. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { labNames, loadLab } from '../../scripts/labs.ts';
import { nodeClock } from '../../src/hosts/node/clock.ts';
import { plain } from '../../src/lab/command-output.ts';
import type { SessionNotice } from '../../src/lab/protocol.ts';
import { createSession } from '../../src/lab/session.ts';

/** A reader needs about this long between commands. */
const BETWEEN_COMMANDS_MS = 2_000;

for (const name of labNames()) {
  for (const twins of loadLab(name).lab.twins) {
    test(`twins ${name}/${twins.id}`, async () => {
      const notices: SessionNotice[] = [];
      const session = createSession({ host: nodeClock, notify: (notice) => notices.push(notice) });
      const sides = twins.sides.map(({ files }) => ({
        files: Object.fromEntries(Object.entries(files).map(([at, manifest]) => [at, readFileSync(`labs/${name}/manifests/${manifest}`, 'utf8')])),
      }));
      await session.handle({ type: 'start-twins', preset: 'k3d', seed: name, sides, setup: twins.setup });
      await session.handle({ type: 'set-speed', speed: 0 });
      for (const terminal of ['0', '1']) await session.handle({ type: 'open-terminal', terminal, columns: 120, rows: 40 });
      const screens = (): string[] =>
        ['0', '1'].map((terminal) =>
          plain(notices.flatMap((notice) => (notice.type === 'output' && notice.terminal === terminal ? [notice.data] : [])).join('')),
        );
      for (const command of twins.commands) {
        await session.handle({ type: 'run', terminal: 'both', command });
        await session.handle({ type: 'skip', ms: BETWEEN_COMMANDS_MS });
        for (let waited = 0; waited < 120 && !screens().every((screen) => screen.endsWith('$ ')); waited++) await session.handle({ type: 'skip', ms: 500 });
      }
      session.dispose();

      assert.deepEqual(
        notices.filter((notice) => notice.type === 'failed'),
        [],
      );
      for (const [index, side] of twins.sides.entries()) {
        for (const pattern of side.sees) {
          assert.match(screens()[index] ?? '', new RegExp(pattern, 'm'), `${side.title} prints it`);
          assert.doesNotMatch(screens()[1 - index] ?? '', new RegExp(pattern, 'm'), `the other side does not print what ${side.title} prints`);
        }
      }
      const views = notices.filter((notice) => notice.type === 'view');
      assert.deepEqual([...new Set(views.map((notice) => notice.side))].sort(), [0, 1]);
    });
  }
}
