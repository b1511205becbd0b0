/** The connections that a process opened to one Redis, and what is common to them. */

import type { Redis, RedisOptions } from 'ioredis';

const MAX_RECONNECT_DELAY_MS = 2_000;

/**
 * `worker` waits for the server however long it is away; `producer` fails within seconds. BullMQ
 * duplicates both freely.
 */
export type ConnectionPurpose = 'worker' | 'producer';

/** Replies keep their old shapes, whatever the protocol. */
export type ConnectionOptions = RedisOptions & { replyMapping: 'legacy' };

export type MakeConnection = (options: ConnectionOptions) => Redis;

export class Connections {
  readonly #make: MakeConnection;
  readonly #commandTimeoutMs: number;
  readonly #log: (line: string) => void;
  readonly #open = new Set<Redis>();
  #away = false;

  constructor(make: MakeConnection, commandTimeoutMs: number, log: (line: string) => void) {
    this.#make = make;
    this.#commandTimeoutMs = commandTimeoutMs;
    this.#log = log;
  }

  open(purpose: ConnectionPurpose): Redis {
    const redis = this.#make(this.#options(purpose));
    this.#open.add(redis);
    redis.on('error', (error: NodeJS.ErrnoException) => this.#sawError(error));
    redis.on('ready', () => this.#sawReady());
    redis.once('end', () => this.#open.delete(redis));
    if (purpose === 'producer') failFastOnceReady(redis);
    return redis;
  }

  close(): void {
    for (const redis of this.#open) redis.disconnect();
  }

  #options(purpose: ConnectionPurpose): ConnectionOptions {
    if (purpose === 'worker') return { ...COMMON, maxRetriesPerRequest: null };
    return { ...COMMON, maxRetriesPerRequest: 1, commandTimeout: this.#commandTimeoutMs };
  }

  /** Every connection reports the same outage, many times: people hear of it once. */
  #sawError(error: NodeJS.ErrnoException): void {
    if (!this.#away) this.#log(`Redis is away (${error.code ?? error.message}); waiting for it`);
    this.#away = true;
  }

  #sawReady(): void {
    if (this.#away) this.#log('Redis is back');
    this.#away = false;
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
