/** The live board in Redis: slots and lines for each model, progress for each job. */

import type { Redis } from 'ioredis';

import { invariant } from '../../domain/errors.ts';
import { type ChunkId, type JobId, parseChunkId, parseJobId } from '../../domain/ids.ts';
import type { ChunkProgress, ChunkRef, LiveBoard, SlotAnswer } from '../../ports/live-board.ts';
import { inWords } from './trouble.ts';
import { DROP_JOB, FREE_SLOT, HOLDERS, RESTORE_SLOT, TAKE_SLOT } from './live-board-scripts.ts';

export interface LiveBoardOptions {
  /** A connection that fails fast; the caller closes it. */
  readonly redis: Redis;
  /** Before every key; separates provider identities on one server. */
  readonly prefix: string;
}

export function openLiveBoard({ redis, prefix }: LiveBoardOptions): LiveBoard {
  return new RedisLiveBoard(redis, `${prefix}:board`);
}

class RedisLiveBoard implements LiveBoard {
  readonly #redis: Redis;
  readonly #root: string;
  readonly #epoch: string;
  readonly #models: string;

  constructor(redis: Redis, root: string) {
    this.#redis = redis;
    this.#root = root;
    this.#epoch = `${root}:epoch`;
    this.#models = `${root}:models`;
  }

  async isReady(): Promise<boolean> {
    return (await this.#ask(() => this.#redis.exists(this.#epoch))) === 1;
  }

  async markReady(): Promise<void> {
    await this.#ask(() => this.#redis.set(this.#epoch, '1'));
  }

  async takeSlot(model: string, holder: ChunkRef, capacity: number): Promise<SlotAnswer> {
    const keys = [this.#epoch, this.#slots(model), this.#line(model), this.#models];
    const answer = await this.#run(TAKE_SLOT, keys, [nameOf(holder), String(capacity), model]);
    return answer as SlotAnswer;
  }

  async freeSlot(model: string, holder: ChunkRef): Promise<ChunkRef | null> {
    const keys = [this.#slots(model), this.#line(model)];
    const next = await this.#run(FREE_SLOT, keys, [nameOf(holder)]);
    return typeof next === 'string' ? refOf(next) : null;
  }

  async restoreSlot(model: string, holder: ChunkRef): Promise<void> {
    await this.#run(RESTORE_SLOT, [this.#slots(model), this.#line(model)], [nameOf(holder)]);
  }

  async holders(model: string): Promise<{ holder: ChunkRef; heldMs: number }[]> {
    const flat = (await this.#run(HOLDERS, [this.#slots(model)], [])) as (string | number)[];
    const pairs = Array.from({ length: flat.length / 2 }, (_, i) => flat.slice(2 * i, 2 * i + 2));
    return pairs.map(([name, heldMs]) => ({
      holder: refOf(String(name)),
      heldMs: Number(heldMs),
    }));
  }

  async setProgress({ job, chunk }: ChunkRef, progress: ChunkProgress): Promise<void> {
    const { phase, reason, total, done, failed } = progress;
    const fields: ProgressFields = [phase, reason, total, done, failed];
    await this.#ask(() => this.#redis.hset(this.#progress(job), chunk, JSON.stringify(fields)));
  }

  async progress(job: JobId): Promise<Map<ChunkId, ChunkProgress>> {
    const all = await this.#ask(() => this.#redis.hgetall(this.#progress(job)));
    return new Map(
      Object.entries(all).map(([chunk, text]) => {
        const [phase, reason, total, done, failed] = JSON.parse(text) as ProgressFields;
        return [chunk as ChunkId, { phase, reason, total, done, failed }];
      }),
    );
  }

  async dropJob(job: JobId): Promise<void> {
    const models = await this.#ask(() => this.#redis.smembers(this.#models));
    const keys = [this.#progress(job), ...models.map((model) => this.#line(model))];
    await this.#run(DROP_JOB, keys, [`${job}${SEPARATOR}`, `${job}${AFTER_SEPARATOR}`]);
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  #slots(model: string): string {
    return `${this.#root}:slots:${model}`;
  }

  #line(model: string): string {
    return `${this.#root}:line:${model}`;
  }

  #progress(job: JobId): string {
    return `${this.#root}:progress:${job}`;
  }

  #run(script: string, keys: readonly string[], args: readonly string[]): Promise<unknown> {
    return this.#ask(() => this.#redis.eval(script, keys.length, ...keys, ...args));
  }

  async #ask<Reply>(question: () => Promise<Reply>): Promise<Reply> {
    try {
      return await question();
    } catch (error) {
      throw inWords(error);
    }
  }
}

/** As stored: names of fields would be most of the bytes. */
type ProgressFields = [phase: string, reason: string, total: number, done: number, failed: number];

const SEPARATOR = '/';
/** The next character: the end of all names that start with a job and the separator. */
const AFTER_SEPARATOR = '0';

function nameOf({ job, chunk }: ChunkRef): string {
  return `${job}${SEPARATOR}${chunk}`;
}

function refOf(name: string): ChunkRef {
  const [job, chunk] = name.split(SEPARATOR);
  const ref = { job: parseJobId(job ?? ''), chunk: parseChunkId(chunk ?? '') };
  invariant(ref.job !== null && ref.chunk !== null, `the live board holds ${name}`);
  return { job: ref.job, chunk: ref.chunk };
}
