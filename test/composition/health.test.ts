import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { expect, onTestFinished, test } from 'vitest';

import { createFileBlobStore } from '../../src/adapters/file/blob-store.ts';
import { openRedis, type RedisHandle } from '../../src/adapters/redis/open.ts';
import { checkHealth, type Health, type HealthParts } from '../../src/composition/health.ts';
import { OwnRedis } from '../outages/own-redis.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const HEALTH_LIMIT_MS = 2_000;

async function openedRedis(): Promise<{ redis: OwnRedis; handle: RedisHandle }> {
  const redis = await OwnRedis.start();
  const folders = { dataDir: '/nowhere', runtimeDir: '/nowhere', cacheDir: '/nowhere' };
  const log = (): void => undefined;
  const handle = await openRedis({ url: redis.url, serverBin: null, ...folders, log });
  onTestFinished(async () => {
    await handle.close();
    await redis.close();
  });
  return { redis, handle };
}

async function partsWith(changes: Partial<HealthParts>): Promise<HealthParts> {
  return {
    redis: null,
    blobs: createFileBlobStore(join(await temporaryFolder(), 'store')),
    freeBytes: () => Promise.resolve(2_000),
    minFreeBytes: 1_000,
    nonce: () => 'n1',
    ...changes,
  };
}

function problemOf(health: Health, name: string): string | null | undefined {
  return health.findings.find((finding) => finding.name === name)?.problem;
}

test('a house in which all works is well and nothing is left of the question', async () => {
  const { handle } = await openedRedis();
  const folder = await temporaryFolder();
  const parts = await partsWith({ redis: handle, blobs: createFileBlobStore(folder) });
  const health = await checkHealth(parts);
  expect(health.findings.map(({ name, problem }) => [name, problem])).toEqual([
    ['redis', null],
    ['store', null],
    ['room', null],
  ]);
  expect(health.ok).toBe(true);
  expect(await createFileBlobStore(folder).list('local/health')).toEqual([]);
});

test('a frozen Redis is found within two seconds, and found well when it has thawed', async () => {
  const { redis, handle } = await openedRedis();
  const parts = await partsWith({ redis: handle });
  redis.freeze();
  const startMs = performance.now();
  const frozen = await checkHealth(parts);
  expect(performance.now() - startMs).toBeLessThan(HEALTH_LIMIT_MS);
  expect(frozen.ok).toBe(false);
  expect(problemOf(frozen, 'redis')).toMatch(/see whether it hangs|does not answer/);
  redis.thaw();
  expect((await checkHealth(parts)).ok).toBe(true);
});

test('a Redis that is gone, full or evicting is a problem with its way out', async () => {
  const { redis, handle } = await openedRedis();
  const parts = await partsWith({ redis: handle });
  const problem = async () => problemOf(await checkHealth(parts), 'redis');
  await redis.limitMemory(1);
  expect(await problem()).toMatch(/out of memory: raise its maxmemory/);
  await redis.limitMemory(0);
  await redis.ask((client) => client.config('SET', 'maxmemory-policy', 'allkeys-lru'));
  expect(await problem()).toMatch(/set it to noeviction/);
  await redis.ask((client) => client.config('SET', 'maxmemory-policy', 'noeviction'));
  expect(await problem()).toBeNull();
  await redis.kill();
  expect(await problem()).toMatch(/does not answer|see whether it hangs/);
});

test('a store that cannot be written to is a problem in the words of the system', async () => {
  const folder = await temporaryFolder();
  // A file stands where the store's folder should be, for any user.
  await writeFile(join(folder, 'local'), '');
  const health = await checkHealth(await partsWith({ blobs: createFileBlobStore(folder) }));
  expect(problemOf(health, 'store')).toMatch(/ENOTDIR|EEXIST/);
  expect(health.ok).toBe(false);
});

test('a store that hangs is found within two seconds', async () => {
  const blobs = createFileBlobStore(await temporaryFolder());
  blobs.put = () => new Promise(() => undefined);
  const startMs = performance.now();
  const health = await checkHealth(await partsWith({ blobs }));
  expect(performance.now() - startMs).toBeLessThan(HEALTH_LIMIT_MS);
  expect(problemOf(health, 'store')).toMatch(/see whether it hangs/);
});

test('too little room is a problem though all else is well', async () => {
  const health = await checkHealth(await partsWith({ freeBytes: () => Promise.resolve(999) }));
  expect(problemOf(health, 'room')).toMatch(/make room/);
  expect(problemOf(health, 'store')).toBeNull();
  expect(health.ok).toBe(false);
});
