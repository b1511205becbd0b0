import { afterAll, beforeAll, expect, test } from 'vitest';

import { createFirstTime } from '../../../src/adapters/redis/first-time.ts';
import { startTestRedis, type TestRedis } from '../../support/redis.ts';

let redis: TestRedis;

beforeAll(async () => {
  redis = await startTestRedis();
});
afterAll(() => redis.close());

test('of all that ask the first is told so, for as long as it is remembered', async () => {
  const processes = [1, 2, 3].map(() =>
    createFirstTime({ redis: redis.connect('producer'), prefix: 'bw' }),
  );
  const answers = await Promise.all(processes.map((one) => one.isFirst('a', 60_000)));
  expect(answers.filter(Boolean)).toHaveLength(1);
  const client = redis.connect('producer');
  expect(await client.pttl('bw:seen:a')).toBeGreaterThan(50_000);
  expect(await processes[0]?.isFirst('b', 60_000)).toBe(true);
  await client.del('bw:seen:a');
  expect(await processes[1]?.isFirst('a', 60_000)).toBe(true);
});

test('installations do not meet', async () => {
  const [one, other] = ['one', 'other'].map((prefix) =>
    createFirstTime({ redis: redis.connect('producer'), prefix }),
  );
  expect(await one?.isFirst('c', 60_000)).toBe(true);
  expect(await other?.isFirst('c', 60_000)).toBe(true);
});
