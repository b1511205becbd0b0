import { afterAll, beforeAll, expect, test } from 'vitest';

import { openWorkQueue } from '../../../src/adapters/bullmq/work-queue.ts';
import { Answers, bellFor, DONE } from '../../contract/bells.ts';
import { startTestRedis, type TestRedis } from '../../support/redis.ts';

const AN_HOUR_MS = 3_600_000;

let redis: TestRedis;
beforeAll(async () => {
  redis = await startTestRedis();
});
afterAll(() => redis.close());

test('the depths tell of bells that wait, sleep and are being answered, by queue', async () => {
  const queue = openWorkQueue({
    prefix: 'depths',
    connections: { producer: redis.connect('producer'), worker: redis.connect('worker') },
    onError: () => undefined,
  });
  const none = { waiting: 0, active: 0, delayed: 0 };
  const names = ['plan', 'dispatch', 'poll', 'settle', 'merge'];
  expect(await queue.depths()).toEqual(names.map((name) => ({ queue: name, ...none })));

  const release = Promise.withResolvers<void>();
  const answers = new Answers();
  const listener = await queue.listen('settle', 1, async (bell) => {
    answers.record(bell);
    await release.promise;
    return DONE;
  });
  await queue.ring(bellFor(1, 1, 'settle'));
  await answers.until(1);
  for (const chunk of [2, 3]) await queue.ring(bellFor(chunk, 1, 'settle'));
  await queue.ring(bellFor(4, 1, 'poll'), AN_HOUR_MS);
  const depths = new Map((await queue.depths()).map(({ queue: name, ...rest }) => [name, rest]));
  expect(depths.get('settle')).toEqual({ waiting: 2, active: 1, delayed: 0 });
  expect(depths.get('poll')).toEqual({ waiting: 0, active: 0, delayed: 1 });
  release.resolve();
  await listener.stop(5_000);
  await queue.close();
});
