/** What was seen lately, as keys of Redis that go by themselves. */

import type { Redis } from 'ioredis';
import type { FirstTime } from '../../ports/first-time.ts';

export interface FirstTimeOptions {
  readonly redis: Redis;
  /** The installation's own. */
  readonly prefix: string;
}

/** Rejects where Redis does not answer. */
export function createFirstTime({ redis, prefix }: FirstTimeOptions): FirstTime {
  return {
    async isFirst(key, forMs) {
      const answer = await redis.set(`${prefix}:seen:${key}`, '1', 'PX', forMs, 'NX');
      return answer === 'OK';
    },
  };
}
