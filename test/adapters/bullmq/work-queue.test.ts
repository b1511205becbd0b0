import { afterAll, beforeAll } from 'vitest';

import { openWorkQueue } from '../../../src/adapters/bullmq/work-queue.ts';
import { workQueueContract } from '../../contract/work-queue.ts';
import { startTestRedis, type TestRedis } from '../../support/redis.ts';

let redis: TestRedis;
let prefixes = 0;

beforeAll(async () => {
  redis = await startTestRedis();
});
afterAll(() => redis.close());

workQueueContract('BullMQ', async () => {
  prefixes += 1;
  const queue = openWorkQueue({
    prefix: `contract${prefixes}`,
    connections: { producer: redis.connect('producer'), worker: redis.connect('worker') },
    onError: () => undefined,
  });
  return { queue, close: () => queue.close() };
});
