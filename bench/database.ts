import { setup } from '../src/sim/images/mysql/testing/pods.ts';
import { createTty, decodeText } from '../src/unix/index.ts';

/** Wall time from a MySQL server that is ready to its client's first prompt, the client's code not loaded before. */
export async function measureDatabase(): Promise<string[]> {
  const { start, kernel } = setup('bench');
  const server = start('db');
  await kernel.advance({ untilMs: kernel.now() + 20_000, until: () => server.log().includes('port: 3306') });
  let screen = '';
  const terminal = createTty({
    kernel,
    columns: 100,
    rows: 30,
    output(chunk) {
      screen += decodeText(chunk);
    },
  });
  const slave = terminal.tty.openSlave();
  const began = performance.now();
  server.machine.start(['mysql'], { env: new Map([['MYSQL_PWD', 'secret']]), cwd: '/', stdin: slave, stdout: slave, stderr: slave });
  await kernel.advance({ untilMs: kernel.now() + 5000, until: () => screen.includes('mysql> ') });
  const prompt = performance.now() - began;
  await server.crash();
  return [`first mysql prompt once the server is ready: ${prompt.toFixed(0)} ms (aim: under 1,000)`];
}
