import { afterAll, beforeAll, expect, test } from 'vitest';

import { openLiveBoard } from '../../../src/adapters/redis/live-board.ts';
import { chunkIdOf, type JobId } from '../../../src/domain/ids.ts';
import { liveBoardContract } from '../../contract/live-board.ts';
import { startTestRedis, type TestRedis } from '../../support/redis.ts';

let redis: TestRedis;
let prefixes = 0;

beforeAll(async () => {
  redis = await startTestRedis();
});
afterAll(() => redis.close());

liveBoardContract('Redis', async () => {
  prefixes += 1;
  const client = redis.connect('producer');
  const board = openLiveBoard({ redis: client, prefix: `board${prefixes}` });
  return {
    board,
    forget: async () => void (await client.flushall()),
    close: async () => client.disconnect(),
  };
});

test('every key carries the prefix, and boards with other prefixes do not meet', async () => {
  const client = redis.connect('producer');
  await client.flushall();
  const one = openLiveBoard({ redis: client, prefix: 'one' });
  const two = openLiveBoard({ redis: client, prefix: 'two' });
  const holder = { job: `job_${'0'.repeat(26)}` as JobId, chunk: chunkIdOf(0) };
  const other = { ...holder, chunk: chunkIdOf(1) };
  await one.markReady();
  await one.takeSlot('m', holder, 1);
  await one.takeSlot('m', other, 1);
  const progress = { phase: 'waiting', reason: '', total: 1, done: 0, failed: 0 };
  await one.setProgress(holder, progress);
  const keys = await client.keys('*');
  expect(keys.filter((key) => !key.startsWith('one:board:'))).toEqual([]);
  expect(keys).toHaveLength(5);
  expect(await two.isReady()).toBe(false);
  expect(await two.holders('m')).toEqual([]);
  expect(await two.progress(holder.job)).toEqual(new Map());
});

test('a board whose server died is unready on the next one, and works once rebuilt', async () => {
  const server = await startTestRedis();
  const board = openLiveBoard({ redis: server.connect('producer'), prefix: 'board' });
  const holder = { job: `job_${'0'.repeat(26)}` as JobId, chunk: chunkIdOf(0) };
  try {
    await board.markReady();
    expect(await board.takeSlot('m', holder, 1)).toBe('taken');
    process.kill(server.serverPid() ?? 0, 'SIGKILL');
    // Right after the death it may fail, as it shall: fast.
    const take = () => board.takeSlot('m', holder, 1).catch(() => 'failed');
    await expect.poll(take, { timeout: 10_000, interval: 20 }).toBe('unready');
    await board.restoreSlot('m', holder);
    await board.markReady();
    expect(await board.takeSlot('m', { ...holder, chunk: chunkIdOf(1) }, 1)).toBe('parked');
  } finally {
    await server.close();
  }
});
