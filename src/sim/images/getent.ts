import { type Applet, Failure, fromByteText, program } from '../../applets/applet.ts';
import { resolveHost } from '../../applets/resolver.ts';

/** `getent hosts NAME…` and `getent ahosts NAME…`; other databases are files that can be read as they are. */
async function getent(applet: Applet): Promise<number> {
  const [database = '', ...keys] = applet.args;
  if (database === 'passwd' || database === 'group') {
    const lines = applet.fs.readText(`/etc/${database}`).split('\n').filter(Boolean);
    const found = keys.length === 0 ? lines : lines.filter((line) => keys.some((key) => line.split(':')[0] === key || line.split(':')[2] === key));
    for (const line of found) await applet.put(`${line}\n`);
    return found.length === 0 ? 2 : 0;
  }
  if (!database.endsWith('hosts')) throw new Failure(`Unknown database: ${database}`, 1);
  for (const key of keys) {
    const found = await resolveHost(applet.process, fromByteText(key));
    if ('failure' in found) return 2;
    for (const address of found.addresses.slice(0, database === 'hosts' ? 1 : undefined))
      await applet.put(`${address.padEnd(15)} ${[...new Set([found.canonicalName, key])].join('  ')}\n`);
  }
  return 0;
}

export const getentProgram = program('database [key ...]', getent);
