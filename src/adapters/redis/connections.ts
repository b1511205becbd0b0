/** The connections that a process opened to one Redis, and what is common to them. */

import type { Redis, RedisOptions } from 'ioredis';

import type { RedisNews } from './news.ts';
import { inWordsOfConnection } from './trouble.ts';

const MAX_RECONNECT_DELAY_MS = 2_000;
const PROBE_RECONNECT_MS = 100;

/**
 * `worker` waits for the server however long it is away; `producer` fails within seconds. BullMQ
 * duplicates both freely. `probe` hears at once whatever the server answers, LOADING included.
 */
export type ConnectionPurpose = 'worker' | 'producer' | 'probe';

/** Replies keep their old shapes, whatever the protocol. */
export type ConnectionOptions = RedisOptions & { replyMapping: 'legacy' };

export type MakeConnection = (options: ConnectionOptions) => Redis;

export class Connections {
  readonly #make: MakeConnection;
  readonly #commandTimeoutMs: number;
  readonly #news: RedisNews;
  readonly #open = new Set<Redis>();

  constructor(make: MakeConnection, commandTimeoutMs: number, news: RedisNews) {
    this.#make = make;
    this.#commandTimeoutMs = commandTimeoutMs;
    this.#news = news;
  }

  open(purpose: ConnectionPurpose): Redis {
    const redis = this.#make(this.#options(purpose));
    this.#open.add(redis);
    redis.once('end', () => this.#open.delete(redis));
    if (purpose === 'probe') {
      // Who probes looks at the errors; ioredis throws those that nobody listens to.
      redis.on('error', () => undefined);
      return redis;
    }
    redis.on('error', (error) => void this.#news.hear(inWordsOfConnection(error)));
    redis.on('ready', () => this.#news.reached());
    if (purpose === 'producer') failFastOnceReady(redis);
    return redis;
  }

  close(): void {
    for (const redis of this.#open) redis.disconnect();
  }

  #options(purpose: ConnectionPurpose): ConnectionOptions {
    if (purpose === 'producer') {
      return { ...COMMON, maxRetriesPerRequest: 1, commandTimeout: this.#commandTimeoutMs };
    }
    const patient = { ...COMMON, maxRetriesPerRequest: null };
    if (purpose === 'worker') return patient;
    // Somebody waits for its answer.
    return { ...patient, enableReadyCheck: false, retryStrategy: () => PROBE_RECONNECT_MS };
  }
}

const COMMON: ConnectionOptions = {
  replyMapping: 'legacy',
  retryStrategy: (times) => Math.min(25 * 2 ** (times - 1), MAX_RECONNECT_DELAY_MS),
  disableClientInfo: true,
};

/** Before the first connect a command may wait for it; later it fails while the server is away. */
function failFastOnceReady(redis: Redis): void {
  redis.once('ready', () => {
    redis.options.enableOfflineQueue = false;
  });
}
