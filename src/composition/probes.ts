/** What doctor tries: each part once, as the composition would use it. */

import { join } from 'node:path';
import type { Config } from '../../config/load.ts';
import type { FileStoreProbe } from '../adapters/file/probe.ts';
import { probeFileStore } from '../adapters/file/probe.ts';
import type { RedisHandle } from '../adapters/redis/open.ts';
import { Refusal } from '../domain/errors.ts';
import { createProvider, openRedisOf, openStore } from '../compose.ts';
import type { Finding } from './health.ts';
import { checkHealth } from './health.ts';

/** Somebody waits for the answer. */
const OPEN_TIMEOUT_MS = 3_000;

/** What the data directory's file system can do. */
export async function probeStore(config: Config): Promise<FileStoreProbe> {
  return probeFileStore(join(config.dataDir, 'store'));
}

/** The health of a process that would be started now; Redis is opened for it and closed. */
export async function probeHealth(config: Config, minFreeBytes: number): Promise<Finding[]> {
  const store = openStore(config);
  const opened = await openRedis(config);
  const isOpen = !('problem' in opened);
  try {
    const parts = {
      redis: isOpen ? opened : null,
      blobs: store.blobs,
      freeBytes: () => store.scratch.freeBytes(),
      minFreeBytes,
      nonce: () => store.ids.nonce(),
    };
    const { findings } = await checkHealth(parts);
    return isOpen ? [...findings] : [opened, ...findings];
  } finally {
    if (isOpen) await opened.close();
    await store.close();
  }
}

async function openRedis(config: Config): Promise<RedisHandle | Finding> {
  try {
    return await openRedisOf(config, () => undefined, { openTimeoutMs: OPEN_TIMEOUT_MS });
  } catch (error) {
    const problem = error instanceof Error ? error.message : String(error);
    const detail = error instanceof Refusal ? 'not usable' : 'not opened';
    return { name: 'redis', ok: false, detail, problem };
  }
}

/** Lists one page of batches, which costs nothing; resolves to how far its clock is from ours. */
export async function probeProvider(config: Config): Promise<{ skewMs: number | null }> {
  await createProvider(config).listBatches(null);
  const answer = await fetch(config.OPENAI_BASE_URL, { method: 'HEAD' });
  const date = Date.parse(answer.headers.get('date') ?? '');
  return { skewMs: Number.isNaN(date) ? null : Date.now() - date };
}
