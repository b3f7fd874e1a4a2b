/** What listens on the reader's laptop: kubectl proxy and port-forward, asked with curl. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Reader } from './why/testing/reader.ts';

test('kubectl proxy gives the API to programs without credentials, and keeps its filter', async () => {
  const reader = await Reader.start();
  const said = await reader.run(
    'kubectl proxy & sleep 1; curl -s localhost:8001/healthz; echo; curl -s localhost:8001/api/v1/namespaces/default/pods/web-0/exec; curl -s -X POST -H \'content-type: application/json\' -d \'{"metadata":{"name":"x"}}\' -o /dev/null -w \'%{http_code}\\n\' localhost:8001/api/v1/namespaces/default/configmaps',
  );
  assert.equal(said, 'Starting to serve on 127.0.0.1:8001\nok\nForbidden\n201\n');
  assert.match(await reader.run('kubectl get configmap x -o name'), /configmap\/x/);
  assert.match(await reader.fails('kubectl proxy'), /^error: listen tcp 127\.0\.0\.1:8001: bind: address already in use\n$/);
  assert.equal(
    await reader.run('kubectl proxy --port=8002 --api-prefix=/k8s & sleep 1; curl -s localhost:8002/k8s/healthz; echo; curl -s localhost:8002/healthz'),
    'Starting to serve on 127.0.0.1:8002\nok\n404 page not found\n',
  );
  assert.match(await reader.fails('kubectl proxy --www=/tmp'), /is not simulated yet/);
});

test("a watch through the proxy streams, and ends with the client's patience", async () => {
  const reader = await Reader.start();
  const events = await reader.run(
    "kubectl proxy --port=8003 > /dev/null & sleep 1; curl -s -m 5 'localhost:8003/api/v1/namespaces/default/pods?watch=1' > events & sleep 1; kubectl delete pod web-0 --wait=false; sleep 6; grep -c ADDED events",
  );
  assert.match(events, /\n[1-9]\d*\n$/);
});

test('kubectl port-forward carries a connection to the Pod', async () => {
  const reader = await Reader.start();
  await reader.seconds(60);
  const said = await reader.run('kubectl port-forward pod/web-0 8080:80 & sleep 1; curl -s localhost:8080 | grep -o "<title>.*</title>"');
  assert.equal(said, 'Forwarding from 127.0.0.1:8080 -> 80\nHandling connection for 8080\n<title>Welcome to nginx!</title>\n');
});
