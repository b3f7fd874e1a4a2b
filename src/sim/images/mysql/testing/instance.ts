import { Random, randomUid } from '../../../../kernel/index.ts';
import { Instance } from '../instance.ts';
import type { Host, Session } from '../session.ts';
import { newState } from '../state.ts';
import { startVariables } from '../variables.ts';

/** A server without network and files, at a time of its own. */
export function testInstance(nowMs = Date.UTC(2024, 1, 29, 12, 34, 56)): { instance: Instance; session(): Session } {
  const random = new Random('instance');
  const host: Host = {
    hostname: 'test',
    now: () => nowMs,
    random: () => random.float(),
    uuid: () => randomUid(random),
    wait: async () => 'timeout',
    append: () => {},
    save: () => {},
    rotate: () => {},
    purge: () => {},
  };
  const instance = new Instance(host, newState(randomUid(random)), startVariables([]).values);
  instance.state.accounts.push({
    user: 'root',
    host: '%',
    plugin: 'caching_sha2_password',
    hash: '',
    grants: [{ privileges: ['ALL PRIVILEGES'], on: { database: '*', table: '*' }, grantOption: true }],
  });
  return {
    instance,
    session() {
      const session = instance.newSession('root', 'localhost');
      session.account = instance.state.accounts[0];
      instance.sessions.set(session.id, session);
      return session;
    },
  };
}
