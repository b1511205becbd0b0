import { afterAll, beforeAll, expect, test } from 'vitest';

import { openStepAges } from '../../../src/adapters/redis/step-ages.ts';
import { RedisTrouble } from '../../../src/adapters/redis/trouble.ts';
import { createWriteProbe } from '../../../src/adapters/redis/write-probe.ts';
import { OwnRedis } from '../../outages/own-redis.ts';
import { startTestRedis, type TestRedis } from '../../support/redis.ts';
import { eventually } from '../../support/program.ts';

let redis: TestRedis;
beforeAll(async () => {
  redis = await startTestRedis();
});
afterAll(() => redis.close());

test('what one process has told another sees, and it grows older until told again', async () => {
  const told = openStepAges({ redis: redis.connect('producer'), prefix: 'ages' });
  const seen = openStepAges({ redis: redis.connect('producer'), prefix: 'ages' });
  expect(await seen.now()).toBeNull();
  await told.tell({ poll: 5_000, settle: 10 });
  const first = await seen.now();
  expect(Object.keys(first ?? {})).toEqual(['poll', 'settle']);
  expect(first?.['poll']).toBeGreaterThanOrEqual(5_000);
  await eventually(async () => {
    expect((await seen.now())?.['poll']).toBeGreaterThan(first?.['poll'] ?? 0);
  });
  await told.tell({});
  expect(await seen.now()).toEqual({});
});

test('ages of one prefix are not seen under another', async () => {
  const one = openStepAges({ redis: redis.connect('producer'), prefix: 'one' });
  const other = openStepAges({ redis: redis.connect('producer'), prefix: 'other' });
  await one.tell({ poll: 1 });
  expect(await other.now()).toBeNull();
});

test('a full Redis is trouble to the probe, and is well again when it has room', async () => {
  const own = await OwnRedis.start();
  try {
    await own.ask(async (client) => {
      const probe = createWriteProbe({ redis: client, prefix: 'p' });
      await probe();
      expect(await client.ttl('p:write-probe')).toBeGreaterThan(0);
      await own.limitMemory(1);
      const error: unknown = await probe().catch((reason: unknown) => reason);
      expect(error).toBeInstanceOf(RedisTrouble);
      expect(error).toMatchObject({ kind: 'memory' });
      await own.limitMemory(0);
      await probe();
    });
  } finally {
    await own.close();
  }
});
