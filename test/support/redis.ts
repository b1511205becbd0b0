/** A private Redis for one test file: own sockets, own data directory, nothing left behind. */

import { mkdtemp, rm } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';

import { openRedis, type RedisHandle, type RedisSettings } from '../../src/adapters/redis/open.ts';

export interface TestRedis extends RedisHandle {
  /** What another process needs to work on the same server. */
  readonly settings: RedisSettings;
  /** What the adapter told people, in order. */
  readonly lines: readonly string[];
}

/** Resolves when the server answers; `close` ends it and removes its folders. */
export async function startTestRedis(overrides: Partial<RedisSettings> = {}): Promise<TestRedis> {
  const folder = await mkdtemp(join(tmpdir(), 'bw-redis-'));
  const lines: string[] = [];
  const settings: RedisSettings = {
    url: null,
    serverBin: null,
    dataDir: join(folder, 'data'),
    runtimeDir: join(folder, 'run'),
    cacheDir: join(homedir(), '.cache', 'batchwright'),
    log: (line) => void lines.push(line),
    ...overrides,
  };
  const handle = await openRedis(settings);
  return {
    ...handle,
    settings,
    lines,
    async close() {
      await handle.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
