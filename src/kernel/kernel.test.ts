import assert from 'node:assert/strict';
import { test } from 'node:test';
import { testKernel } from './testing/index.ts';

test('time moves only from timer to timer, and equal instants keep their order', async () => {
  const kernel = testKernel();
  const start = kernel.now();
  const log: string[] = [];
  kernel.timer(20, () => log.push(`b@${kernel.now() - start}`));
  kernel.timer(10, () => {
    log.push(`a@${kernel.now() - start}`);
    kernel.soon(() => log.push('soon after a'));
  });
  kernel.timer(20, () => log.push(`c@${kernel.now() - start}`));
  await kernel.advance({ untilMs: start + 100 });
  assert.deepEqual(log, ['a@10', 'soon after a', 'b@20', 'c@20']);
  assert.equal(kernel.now(), start + 100);
});

test('promises settle before time moves on', async () => {
  const kernel = testKernel();
  const start = kernel.now();
  const log: string[] = [];
  const program = async (name: string): Promise<void> => {
    for (let i = 0; i < 3; i++) {
      await kernel.sleep(5);
      for (let j = 0; j < 50; j++) await Promise.resolve();
      log.push(`${name}${kernel.now() - start}`);
    }
  };
  void program('x');
  void program('y');
  await kernel.advance({ untilMs: start + 50 });
  assert.deepEqual(log, ['x5', 'y5', 'x10', 'y10', 'x15', 'y15']);
});

test('the same seed draws the same numbers, another seed others', () => {
  const draw = (seed: string): number[] => Array.from({ length: 5 }, () => testKernel(seed).random.uint32());
  assert.deepEqual(draw('one'), draw('one'));
  assert.notDeepEqual(draw('one'), draw('two'));
});

test('a hold keeps the clock still until the outside work is done', async () => {
  const kernel = testKernel();
  const start = kernel.now();
  let seen = -1;
  kernel.timer(1, () => {
    void kernel.external(new Promise<void>((resolve) => setTimeout(resolve, 5))).then(() => {
      seen = kernel.now() - start;
    });
  });
  await kernel.advance({ untilMs: start + 1000 });
  assert.equal(seen, 1);
});

test('an input waits until the instant it falls into is finished', async () => {
  const kernel = testKernel();
  const log: string[] = [];
  kernel.timer(1, () => {
    kernel.input(() => log.push('input'));
    void (async () => {
      for (let i = 0; i < 3; i++) {
        await Promise.resolve();
        kernel.soon(() => log.push(`work ${i}`));
      }
    })();
  });
  await kernel.advance({ untilMs: kernel.now() + 5 });
  assert.deepEqual(log, ['work 0', 'work 1', 'work 2', 'input']);
});

test('a player keeps pace with wall time, pauses, and runs ahead when told', async () => {
  const kernel = testKernel();
  const start = kernel.now();
  const player = kernel.play(0);
  let ticks = 0;
  const tick = (): void => {
    ticks++;
    kernel.timer(1000, tick);
  };
  kernel.timer(1000, tick);
  await new Promise((resolve) => setTimeout(resolve, 20));
  assert.equal(kernel.now(), start);
  await player.fastForward({ untilMs: start + 3_600_000 });
  assert.equal(kernel.now(), start + 3_600_000);
  assert.equal(ticks, 3600);
  await player.fastForward({ untilMs: start + 9_000_000, until: () => ticks >= 4000 });
  assert.equal(ticks, 4000);
  player.dispose();
  await player.finished;
});
