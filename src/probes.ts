/** What doctor tries: each part once, as the composition would use it. */

import { join } from 'node:path';
import type { Config } from '../config/load.ts';
import type { FileStoreProbe } from './adapters/file/probe.ts';
import { probeFileStore } from './adapters/file/probe.ts';
import { openRedis } from './adapters/redis/open.ts';
import { createProvider } from './compose.ts';

/** What the data directory's file system can do. */
export async function probeStore(config: Config): Promise<FileStoreProbe> {
  return probeFileStore(join(config.dataDir, 'store'));
}

/** Opens Redis and closes it; resolves to what it is. Rejects with what to do. */
export async function probeRedis(config: Config): Promise<string> {
  const warnings: string[] = [];
  const redis = await openRedis({
    url: config.REDIS_URL ?? null,
    serverBin: config.REDIS_SERVER_BIN ?? null,
    dataDir: config.dataDir,
    runtimeDir: config.runtimeDir,
    cacheDir: config.cacheDir,
    log: (line) => warnings.push(line),
  });
  try {
    return [redis.describe(), ...warnings].join(' · ');
  } finally {
    await redis.close();
  }
}

/** Lists one page of batches, which costs nothing; resolves to how far its clock is from ours. */
export async function probeProvider(config: Config): Promise<{ skewMs: number | null }> {
  await createProvider(config).listBatches(null);
  const answer = await fetch(config.OPENAI_BASE_URL, { method: 'HEAD' });
  const date = Date.parse(answer.headers.get('date') ?? '');
  return { skewMs: Number.isNaN(date) ? null : Date.now() - date };
}
