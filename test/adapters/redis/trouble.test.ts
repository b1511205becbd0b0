import { afterEach, expect, test } from 'vitest';

import { openLiveBoard } from '../../../src/adapters/redis/live-board.ts';
import { openRedis, type RedisHandle } from '../../../src/adapters/redis/open.ts';
import { inWords, RedisTrouble } from '../../../src/adapters/redis/trouble.ts';
import { openWorkQueue } from '../../../src/adapters/bullmq/work-queue.ts';
import { chunkIdOf, type JobId } from '../../../src/domain/ids.ts';
import type { WorkQueue } from '../../../src/ports/work-queue.ts';
import { Answers, bellFor } from '../../contract/bells.ts';
import { freePort, OwnRedis } from '../../outages/own-redis.ts';

const WITHIN_SECONDS = { timeout: 15_000, interval: 20 };
const NOT_LOST = 'nothing is lost';
/** They take a second or more to load. */
const KEYS = 20_000;

const HOLDER = { job: `job_${'0'.repeat(26)}` as JobId, chunk: chunkIdOf(0) };
const PROGRESS = { phase: 'waiting', reason: '', total: 1, done: 0, failed: 0 };

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.toReversed()) await close();
  closing.length = 0;
});

async function ownRedis(...settings: string[]): Promise<OwnRedis> {
  const redis = await OwnRedis.start(settings);
  closing.push(() => redis.close());
  return redis;
}

interface Opened {
  readonly handle: RedisHandle;
  readonly queue: WorkQueue;
  readonly lines: string[];
}

async function open(url: string, more: object = {}): Promise<Opened> {
  const lines: string[] = [];
  const log = (line: string): void => void lines.push(line);
  const folders = { dataDir: '/nowhere', runtimeDir: '/nowhere', cacheDir: '/nowhere' };
  const guard = { guardIntervalMs: 100, commandTimeoutMs: 1_000 };
  const handle = await openRedis({ url, serverBin: null, ...folders, log, ...guard, ...more });
  const queue = openWorkQueue({
    prefix: 'trouble',
    connections: { producer: handle.connect('producer'), worker: handle.connect('worker') },
    inWords,
    onError: (error) => {
      if (!handle.hear(error)) throw error;
    },
  });
  closing.push(async () => {
    await queue.close();
    await handle.close();
  });
  return { handle, queue, lines };
}

/** Each way in which a server refuses writes, and how it begins and ends. */
const REFUSALS = [
  {
    words: /out of memory/,
    begin: (redis: OwnRedis) => redis.limitMemory(1),
    end: (redis: OwnRedis) => redis.limitMemory(0),
  },
  {
    words: /read-only replica/,
    begin: async (redis: OwnRedis) => redis.replicate(await freePort()),
    end: (redis: OwnRedis) => redis.replicate(null),
  },
  {
    words: /cannot save to its disk/,
    begin: (redis: OwnRedis) =>
      redis.ask(async (client) => {
        // No file can be made there, whoever asks.
        await client.config('SET', 'dir', '/proc', 'save', '1 1');
        await client.bgsave();
        const isOver = async () => /bgsave_status:err/.test(await client.info('persistence'));
        await expect.poll(isOver, WITHIN_SECONDS).toBe(true);
      }),
    end: (redis: OwnRedis) => redis.ask((client) => client.config('SET', 'save', '')),
  },
];

test.each(REFUSALS)(
  'while a server refuses writes ($words) people hear it once, and bells ring afterwards',
  async ({ words, begin, end }) => {
    const redis = await ownRedis('--enable-protected-configs', 'yes');
    const { handle, queue, lines } = await open(redis.url);
    const board = openLiveBoard({ redis: handle.connect('producer'), prefix: 'trouble' });
    await board.markReady();
    const answers = new Answers();
    await queue.listen('poll', 2, answers.done);
    await queue.ring(bellFor(1));
    await answers.until(1);
    await begin(redis);
    await expect(queue.ring(bellFor(2))).rejects.toThrow(words);
    await expect(queue.wake(bellFor(2))).rejects.toThrow(NOT_LOST);
    await expect(board.setProgress(HOLDER, PROGRESS)).rejects.toThrow(words);
    await expect(board.takeSlot('m', HOLDER, 1)).rejects.toBeInstanceOf(RedisTrouble);
    await expect
      .poll(() => lines.filter((line) => words.test(line)), WITHIN_SECONDS)
      .toHaveLength(1);
    await end(redis);
    await expect.poll(() => lines.at(-1), WITHIN_SECONDS).toBe('Redis takes writes again.');
    await board.setProgress(HOLDER, PROGRESS);
    await queue.ring(bellFor(2));
    await answers.until(2);
    expect(lines.filter((line) => words.test(line))).toHaveLength(1);
    expect(lines.filter((line) => /OOM|READONLY|MISCONF/.test(line))).toEqual([]);
  },
);

test('a bell that could not be laid to sleep for want of memory rings again', async () => {
  const redis = await ownRedis();
  const { queue } = await open(redis.url);
  const answers = new Answers();
  const full = Promise.withResolvers<void>();
  await queue.listen('poll', 1, async (bell) => {
    answers.record(bell);
    if (answers.bells.length > 1) return { kind: 'done' };
    await full.promise;
    return { kind: 'later', delayMs: 5 };
  });
  await queue.ring(bellFor(1));
  await answers.until(1);
  await redis.limitMemory(1);
  full.resolve();
  await expect(queue.ring(bellFor(2))).rejects.toThrow(/out of memory/);
  await redis.limitMemory(0);
  await answers.until(2);
  expect(answers.bells).toEqual([bellFor(1), bellFor(1)]);
});

test('an eviction policy that is set while we run is told of, its mending too', async () => {
  const redis = await ownRedis();
  const { handle, lines } = await open(redis.url);
  const policy = (name: string) =>
    redis.ask((client) => client.config('SET', 'maxmemory-policy', name));
  await policy('allkeys-lru');
  const told = () => lines.filter((line) => /allkeys-lru.*noeviction/.test(line)).length;
  await expect.poll(told, WITHIN_SECONDS).toBe(1);
  expect((await handle.inspect()).ok).toBe(false);
  await policy('noeviction');
  await expect.poll(() => lines.at(-1), WITHIN_SECONDS).toBe('Redis is as it should be again.');
  await policy('allkeys-lru');
  await expect.poll(told, WITHIN_SECONDS).toBe(2);
});

test.each([
  ['without its password', (port: number) => `redis://127.0.0.1:${port}`, /password/],
  ['with a wrong password', (port: number) => `redis://:wrong@127.0.0.1:${port}`, /password/],
  ['with a wrong name', (port: number) => `redis://nobody:x@127.0.0.1:${port}`, /password/],
  [
    'for a database that it lacks',
    (port: number) => `redis://:right@127.0.0.1:${port}/99`,
    /database/,
  ],
])('a server that is asked %s is refused at once', async (_words, urlOf, message) => {
  const redis = await ownRedis('--requirepass', 'right');
  const startMs = performance.now();
  await expect(open(urlOf(redis.port))).rejects.toMatchObject({
    code: 'configuration',
    message: expect.stringMatching(message),
  });
  expect(performance.now() - startMs).toBeLessThan(2_000);
});

test('a read-only replica is refused when it is opened', async () => {
  const redis = await ownRedis();
  await redis.replicate(await freePort());
  await expect(open(redis.url)).rejects.toThrow(/replica: let REDIS_URL name the primary/);
});

test('a server that loads its data is waited for, and people are told', async () => {
  // It looks up after each 1,024 commands of its file, each of which takes 100 µs then.
  const redis = await ownRedis('--key-load-delay', '100');
  await redis.ask(async (client) => {
    const pipeline = client.pipeline();
    for (let key = 0; key < KEYS; key += 1) pipeline.set(`key ${key}`, 'x');
    await pipeline.exec();
  });
  await redis.kill();
  await redis.boot('whole');
  // It loads for longer than a silent server would be waited for.
  const { handle, lines } = await open(redis.url, { openTimeoutMs: 1_500 });
  expect(lines).toContainEqual(expect.stringMatching(/is loading its data; waiting/));
  expect(await handle.connect('producer').dbsize()).toBeGreaterThanOrEqual(KEYS);
});

test('after a second of silence people are told that we wait', async () => {
  const redis = await ownRedis();
  redis.freeze();
  const lines: string[] = [];
  const log = (line: string): void => {
    lines.push(line);
    redis.thaw();
  };
  const { handle } = await open(redis.url, { log });
  expect(lines).toEqual([expect.stringMatching(/^Waiting for Redis at .*, up to 10 s/)]);
  expect(await handle.connect('producer').ping()).toBe('PONG');
});

test('a server whose memory is full, or nearly full, says so when it is asked', async () => {
  const redis = await ownRedis();
  const { handle } = await open(redis.url);
  const { memory } = await handle.inspect();
  await redis.limitMemory(Math.round((memory?.usedBytes ?? 0) * 1.05));
  expect((await handle.inspect()).warnings).toContainEqual(expect.stringMatching(/9\d % of its/));
  await redis.limitMemory(1);
  expect(await handle.inspect()).toMatchObject({
    ok: false,
    troubles: [expect.stringMatching(/out of memory/)],
  });
});
