/** Asks Redis whether it takes writes now: before somebody sends a gigabyte for nothing. */

import type { Redis } from 'ioredis';

import { inWords } from './trouble.ts';

/** The key vanishes by itself. */
const KEY_SECONDS = 60;

export interface WriteProbeOptions {
  /** A connection that fails fast; the caller closes it. */
  readonly redis: Redis;
  /** Before the key. */
  readonly prefix: string;
}

/** The function writes one small key; it rejects with `RedisTrouble` where that is refused. */
export function createWriteProbe({ redis, prefix }: WriteProbeOptions): () => Promise<void> {
  return async () => {
    try {
      await redis.set(`${prefix}:write-probe`, '1', 'EX', KEY_SECONDS);
    } catch (error) {
      throw inWords(error);
    }
  };
}
