/** The ages of owed steps in Redis: one small key that the last sweep wrote. */

import type { Redis } from 'ioredis';

import type { SharedStepAges, StepAges } from '../../ports/step-ages.ts';
import { inWords } from './trouble.ts';

/** Workers that are gone for longer than this have been missed before. */
const KEPT_SECONDS = 7 * 86_400;

export interface SharedStepAgesOptions {
  /** A connection that fails fast; the caller closes it. */
  readonly redis: Redis;
  /** Before the key; separates provider identities on one server. */
  readonly prefix: string;
}

export function openStepAges({ redis, prefix }: SharedStepAgesOptions): SharedStepAges {
  const key = `${prefix}:step-ages`;
  return {
    async tell(ages) {
      try {
        const told: Told = { atMs: await serverMs(redis), ages };
        await redis.set(key, JSON.stringify(told), 'EX', KEPT_SECONDS);
      } catch (error) {
        throw inWords(error);
      }
    },
    async now() {
      try {
        const text = await redis.get(key);
        if (text === null) return null;
        const { atMs, ages } = JSON.parse(text) as Told;
        const sinceMs = Math.max(0, (await serverMs(redis)) - atMs);
        return Object.fromEntries(
          Object.entries(ages).map(([step, ageMs]) => [step, ageMs + sinceMs]),
        );
      } catch (error) {
        throw inWords(error);
      }
    },
  };
}

interface Told {
  /** By the clock of the server: the clocks of many machines need not agree. */
  readonly atMs: number;
  readonly ages: StepAges;
}

async function serverMs(redis: Redis): Promise<number> {
  const [seconds, microseconds] = await redis.time();
  return Number(seconds) * 1000 + Math.floor(Number(microseconds) / 1000);
}
