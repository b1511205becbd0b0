import { afterEach, beforeEach, expect, test } from 'vitest';

import { inWords } from '../../../src/adapters/redis/trouble.ts';
import { openWorkQueue } from '../../../src/adapters/bullmq/work-queue.ts';
import type { WorkQueueOptions } from '../../../src/adapters/bullmq/work-queue-options.ts';
import type { Bell, BellAnswer, WorkQueue } from '../../../src/ports/work-queue.ts';
import { Answers, bellFor, DONE } from '../../contract/bells.ts';
import { startTestRedis, type TestRedis } from '../../support/redis.ts';

const WITHIN_SECONDS = { timeout: 15_000, interval: 50 };

let redis: TestRedis;
let queues: WorkQueue[];
let troubles: { error: unknown; bell: Bell | null }[];

beforeEach(async () => {
  redis = await startTestRedis({ commandTimeoutMs: 500 });
  queues = [];
  troubles = [];
});
afterEach(async () => {
  await Promise.all(queues.map((queue) => queue.close()));
  await redis.close();
});

function open(options: Partial<WorkQueueOptions> = {}): WorkQueue {
  const queue = openWorkQueue({
    prefix: 'outage',
    connections: { producer: redis.connect('producer'), worker: redis.connect('worker') },
    onError: (error, bell) => void troubles.push({ error, bell }),
    ...options,
  });
  queues.push(queue);
  return queue;
}

/** As the sweep does: rings until Redis takes it. */
async function ringAgainAndAgain(queue: WorkQueue, bell: Bell, answers: Answers): Promise<void> {
  const heard = async () => {
    await queue.ring(bell).catch(() => undefined);
    return answers.bells.some(({ version }) => version === bell.version);
  };
  await expect.poll(heard, WITHIN_SECONDS).toBe(true);
}

test('a flush while a bell is answered does not lose the bell when it asks for more', async () => {
  const queue = open();
  const answers = new Answers();
  const flushed = Promise.withResolvers<void>();
  await queue.listen('poll', 1, async (bell) => {
    answers.record(bell);
    if (answers.bells.length > 1) return DONE;
    await flushed.promise;
    return { kind: 'later', delayMs: 5 };
  });
  await queue.ring(bellFor(1));
  await answers.until(1);
  await redis.connect('producer').flushall();
  flushed.resolve();
  await answers.until(2);
  expect(answers.bells).toEqual([bellFor(1), bellFor(1)]);
});

test('a flush while a bell is answered does not hurt the listener', async () => {
  const queue = open();
  const answers = new Answers();
  const flushed = Promise.withResolvers<void>();
  await queue.listen('poll', 1, async (bell) => {
    answers.record(bell);
    await flushed.promise;
    return DONE;
  });
  await queue.ring(bellFor(1));
  await answers.until(1);
  await redis.connect('producer').flushall();
  flushed.resolve();
  await queue.ring(bellFor(2));
  await answers.until(2);
  expect(answers.bells).toEqual([bellFor(1), bellFor(2)]);
});

test('listeners go on by themselves after the server was killed, once and again', async () => {
  const queue = open();
  const answers = new Answers();
  await queue.listen('poll', 2, answers.done);
  await queue.ring(bellFor(1, 1));
  await answers.until(1);
  for (const version of [2, 3]) {
    const pid = redis.serverPid();
    process.kill(pid ?? 0, 'SIGKILL');
    await ringAgainAndAgain(queue, bellFor(1, version), answers);
    expect(redis.serverPid()).not.toBe(pid);
  }
});

test('a bell that was being answered when the server died is answered to its end', async () => {
  const queue = open();
  const answers = new Answers();
  const killed = Promise.withResolvers<void>();
  await queue.listen('poll', 1, async (bell) => {
    answers.record(bell);
    if (answers.bells.length > 1) return DONE;
    await killed.promise;
    return { kind: 'later', delayMs: 5 };
  });
  await queue.ring(bellFor(1));
  await answers.until(1);
  process.kill(redis.serverPid() ?? 0, 'SIGKILL');
  killed.resolve();
  await answers.until(2);
  expect(answers.bells).toEqual([bellFor(1), bellFor(1)]);
});

test('a bell that Redis lost is rung again though the first tries fail', async () => {
  const producer = redis.connect('producer');
  const queue = open({ connections: { producer, worker: redis.connect('worker') } });
  const answers = new Answers();
  const flushed = Promise.withResolvers<void>();
  await queue.listen('poll', 1, async (bell) => {
    answers.record(bell);
    if (answers.bells.length > 1) return DONE;
    await flushed.promise;
    return { kind: 'later', delayMs: 5 };
  });
  await queue.ring(bellFor(1));
  await answers.until(1);
  await redis.connect('worker').flushall();
  producer.disconnect();
  flushed.resolve();
  await expect.poll(() => troubles.length, WITHIN_SECONDS).toBeGreaterThanOrEqual(2);
  await producer.connect();
  await answers.until(2);
  expect(answers.bells).toEqual([bellFor(1), bellFor(1)]);
});

test('a server that froze and thawed is worked with as before', async () => {
  const queue = open();
  const answers = new Answers();
  await queue.listen('poll', 1, answers.done);
  await queue.ring(bellFor(1, 1));
  await answers.until(1);
  const pid = redis.serverPid() ?? 0;
  process.kill(pid, 'SIGSTOP');
  const rung = queue.ring(bellFor(1, 2));
  process.kill(pid, 'SIGCONT');
  await rung;
  await answers.until(2);
  expect(redis.serverPid()).toBe(pid);
});

test('ringing fails while the server is frozen, and does not wait for ever', async () => {
  const queue = open();
  await queue.ring(bellFor(1, 1));
  const pid = redis.serverPid() ?? 0;
  process.kill(pid, 'SIGSTOP');
  try {
    await expect(queue.ring(bellFor(1, 2))).rejects.toThrow(/timed out/);
  } finally {
    process.kill(pid, 'SIGCONT');
  }
});

test('stopping is bounded while the server is frozen', async () => {
  const queue = open();
  const listener = await queue.listen('poll', 1, new Answers().done);
  const pid = redis.serverPid() ?? 0;
  process.kill(pid, 'SIGSTOP');
  const startMs = performance.now();
  await listener.stop(100);
  expect(performance.now() - startMs).toBeLessThan(3_000);
  process.kill(pid, 'SIGCONT');
});

test("a dead answerer's bell is handed to another", async () => {
  const quick = { lockDurationMs: 400, stalledIntervalMs: 200 };
  const doomedClient = redis.connect('worker');
  const answers = new Answers();
  const doomed = open({
    ...quick,
    connections: { producer: redis.connect('producer'), worker: doomedClient },
  });
  const never = Promise.withResolvers<BellAnswer>();
  await doomed.listen('poll', 1, (bell) => {
    answers.record(bell);
    return never.promise;
  });
  await doomed.ring(bellFor(1));
  await answers.until(1);
  // Without its connection it cannot renew its lock, as a dead process cannot.
  doomedClient.disconnect();
  const survivor = open(quick);
  await survivor.listen('poll', 1, answers.done);
  await answers.until(2);
  expect(answers.bells).toEqual([bellFor(1), bellFor(1)]);
  never.resolve(DONE);
});

test('what an answer throws is told as it is, with its bell', async () => {
  const queue = open({ inWords });
  const answers = new Answers();
  const planned = Object.assign(new Error('the disk timed out'), { code: 'E', syscall: 'open' });
  await queue.listen('poll', 1, async (bell) => {
    answers.record(bell);
    if (answers.bells.length === 1) throw planned;
    return DONE;
  });
  await queue.ring(bellFor(1));
  await answers.until(2);
  expect(troubles).toEqual([{ error: planned, bell: bellFor(1) }]);
  expect(troubles[0]?.error).toBe(planned);
});

test('Redis holds ids only, nothing of answered bells, and few events', async () => {
  const queue = open();
  const client = redis.connect('producer');
  await queue.ring(bellFor(1), 60_000);
  const job = await client.hgetall(`outage:poll:${bellFor(1).job}-c000001-1`);
  expect(JSON.parse(job['data'] ?? '')).toEqual({
    job: bellFor(1).job,
    chunk: 'c000001',
    version: 1,
  });
  const answers = new Answers();
  await queue.listen('merge', 10, answers.done);
  for (let version = 1; version <= 400; version += 1) {
    await queue.ring(bellFor(2, version, 'merge'));
  }
  await answers.until(400);
  await queue.close();
  const left = await client.keys('outage:merge:*c000002*');
  expect(left).toEqual([]);
  expect(await client.xlen('outage:merge:events')).toBeLessThan(400);
});
