/**
 * Looks after an open Redis from time to time: whether it still takes writes, and whether somebody
 * has made it unfit. Tells of what has changed; the bells find out by themselves.
 */

import type { Redis } from 'ioredis';

import { inspectRedis } from './inspect.ts';
import type { RedisNews, Tell } from './news.ts';
import { inWords, RedisTrouble } from './trouble.ts';

const INTERVAL_MS = 10_000;
/** While it is in trouble it is looked at this often. */
const EAGER_INTERVAL_MS = 500;
/** The key says what it is; it vanishes by itself. */
const KEY = 'batchwright:writes-are-taken';
const KEY_SECONDS = 60;

export interface GuardOptions {
  /** A connection that fails fast. */
  readonly redis: Redis;
  readonly news: RedisNews;
  readonly tell: Tell;
  /** Between two looks while all is well; 10 s by default. */
  readonly intervalMs?: number;
}

export class RedisGuard {
  readonly #options: GuardOptions;
  readonly #timer: NodeJS.Timeout;
  #nextLookMs: number;
  #looking = false;
  /** The sentences about its settings that people have heard. */
  #told: readonly string[];

  /** `told`: what was said of it when it was opened. */
  constructor(options: GuardOptions, told: readonly string[]) {
    this.#options = options;
    this.#told = told;
    this.#nextLookMs = performance.now() + this.#intervalMs;
    const tickMs = Math.min(this.#intervalMs, EAGER_INTERVAL_MS);
    this.#timer = setInterval(() => void this.#tick(), tickMs);
    this.#timer.unref();
  }

  close(): void {
    clearInterval(this.#timer);
  }

  get #intervalMs(): number {
    return this.#options.intervalMs ?? INTERVAL_MS;
  }

  async #tick(): Promise<void> {
    const isDue = performance.now() >= this.#nextLookMs || this.#options.news.isTroubled;
    if (this.#looking || !isDue) return;
    this.#looking = true;
    await this.#look();
    this.#looking = false;
    this.#nextLookMs = performance.now() + this.#intervalMs;
  }

  /** Never rejects. */
  async #look(): Promise<void> {
    const { redis, news } = this.#options;
    try {
      const report = await inspectRedis(redis);
      this.#tellNews([...report.problems, ...report.warnings]);
      await redis.set(KEY, '1', 'EX', KEY_SECONDS);
      news.wrote();
    } catch (error) {
      const trouble = inWords(error);
      // A user that may write only the keys of the house is fine.
      const mayWriteElsewhere = trouble instanceof RedisTrouble && trouble.kind === 'permission';
      if (mayWriteElsewhere) news.wrote();
      else news.hear(trouble);
    }
  }

  /** What is in trouble has been told of: its settings are looked at when that is over. */
  #tellNews(sentences: readonly string[]): void {
    if (this.#options.news.isTroubled) return;
    for (const sentence of sentences) {
      if (!this.#told.includes(sentence)) this.#options.tell(sentence, 'warning');
    }
    if (this.#told.length > 0 && sentences.length === 0) {
      this.#options.tell('Redis is as it should be again.', 'warning');
    }
    this.#told = sentences;
  }
}
