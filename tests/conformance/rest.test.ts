import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { type Outcome, RestReplay, readConversations } from './rest-replay.ts';

for (const file of ['rest.json', 'rest-defaults.json']) {
  const conversations = readConversations(file);
  describe(file, () => {
    const replay = new RestReplay();
    let outcomes: Outcome[] = [];
    before(async () => {
      const namespace = file === 'rest.json' ? undefined : /\/namespaces\/(\w+)\//.exec(conversations[0]?.request.path ?? '')?.[1];
      if (namespace) {
        const headers = { 'content-type': 'application/json' };
        await replay.play([
          {
            name: 'prepare',
            request: { method: 'POST', path: '/api/v1/namespaces', headers, body: { metadata: { name: namespace } } },
            response: { status: 201, headers: {} },
          },
        ]);
      }
      outcomes = await replay.play(conversations);
    });
    after(() => replay.dispose());
    for (const [i, { name }] of conversations.entries()) {
      it(name, () => assert.deepEqual(outcomes[i]?.differences, []));
    }
  });
}
