/** Answers the bells of one queue: a BullMQ worker whose retries are ours. */

import { setTimeout as delay } from 'node:timers/promises';

import { DelayedError, type Job, Worker } from 'bullmq';

import type { Bell, BellAnswer, Listener, QueueName } from '../../ports/work-queue.ts';
import { type BellData, bellOf, promoteBell } from './bell-jobs.ts';
import type { WorkQueueOptions } from './work-queue-options.ts';
import { takeMark, wakeMarkKey } from './wake-marks.ts';

/** The defaults of BullMQ take a minute to hand over a dead worker's bell. */
const LOCK_DURATION_MS = 15_000;
const STALLED_INTERVAL_MS = 5_000;
/** A bell outlives every crash of its answerers: giving up is decided by the journal. */
const MAX_STALLED_COUNT = 1_000;
const RECONNECT_PAUSE_MS = 1_000;
/** The longest sleep of an idle worker that has lost the mark of the next bell in an outage. */
const IDLE_LOOK_SECONDS = 1;
const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 60_000;
/** Other processes may answer what failed here, so entries can stay behind. */
const MAX_REMEMBERED = 10_000;

export interface ListenerOptions extends WorkQueueOptions {
  readonly queue: QueueName;
  readonly concurrency: number;
  /** What it throws is told as it is: it may have met more than Redis. */
  readonly answer: (bell: Bell) => Promise<BellAnswer>;
  /** For what our own calls of Redis throw. */
  readonly inWords: (error: unknown) => unknown;
  /** Takes what BullMQ reports by itself. */
  readonly complain: (error: Error) => void;
  /** Adds the bell anew where Redis has lost it. */
  readonly ring: (bell: Bell, delayMs: number) => Promise<void>;
}

type BellJob = Job<BellData>;

export class BellListener implements Listener {
  readonly #options: ListenerOptions;
  readonly #worker: Worker<BellData, void>;
  readonly #stopping = new AbortController();
  /** How often in a row a bell's answer threw, by job id; in memory, so a restart forgives. */
  readonly #failures = new Map<string, number>();

  constructor(options: ListenerOptions) {
    this.#options = options;
    const { queue, prefix, concurrency, connections } = options;
    this.#worker = new Worker(queue, (job, token) => this.#answer(job, token), {
      prefix,
      concurrency,
      connection: connections.worker,
      lockDuration: options.lockDurationMs ?? LOCK_DURATION_MS,
      stalledInterval: options.stalledIntervalMs ?? STALLED_INTERVAL_MS,
      maxStalledCount: MAX_STALLED_COUNT,
      runRetryDelay: RECONNECT_PAUSE_MS,
      drainDelay: IDLE_LOOK_SECONDS,
    });
    this.#worker.on('error', options.complain);
  }

  /** BullMQ's own close waits for ever: for a stuck answer, and for a Redis that is away. */
  async stop(graceMs: number): Promise<void> {
    this.#stopping.abort();
    const closed = this.#worker.close().catch(this.#options.complain);
    const timer = new AbortController();
    const timeout = delay(graceMs, null, { signal: timer.signal }).catch(() => null);
    await Promise.race([closed, timeout]);
    timer.abort();
  }

  async #answer(job: BellJob, token: string | undefined): Promise<void> {
    const bell = bellOf(this.#options.queue, job);
    const id = job.id ?? '';
    let answer: BellAnswer;
    try {
      await this.#takeMark(id);
      answer = await this.#options.answer(bell);
      this.#failures.delete(id);
    } catch (error) {
      this.#options.onError(error, bell);
      answer = { kind: 'later', delayMs: this.#pauseAfterFailure(id) };
    }
    if (answer.kind === 'later') await this.#sleep(job, token, bell, answer.delayMs);
  }

  #pauseAfterFailure(id: string): number {
    if (this.#failures.size >= MAX_REMEMBERED) this.#failures.clear();
    const failures = (this.#failures.get(id) ?? 0) + 1;
    this.#failures.set(id, failures);
    return Math.min(FIRST_PAUSE_MS * 2 ** (failures - 1), LONGEST_PAUSE_MS);
  }

  /** Always throws: that is how BullMQ hears that the job was moved and is not completed. */
  async #sleep(
    job: BellJob,
    token: string | undefined,
    bell: Bell,
    delayMs: number,
  ): Promise<never> {
    try {
      await job.moveToDelayed(Date.now() + delayMs, token);
      if (await this.#takeMark(job.id ?? '')) await promoteBell(job);
    } catch (error) {
      // Redis lost the job or its lock, or was away: an id that still lives is not taken twice.
      this.#options.onError(this.#options.inWords(error), bell);
      await this.#ringUntilTaken(bell, delayMs);
    }
    throw new DelayedError();
  }

  /** Right after an outage a producer's connection may be back later than the worker's. */
  async #ringUntilTaken(bell: Bell, delayMs: number): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      try {
        await this.#options.ring(bell, delayMs);
        return;
      } catch (error) {
        this.#options.onError(error, bell);
        await delay(FIRST_PAUSE_MS, null, { signal }).catch(() => null);
      }
    }
  }

  async #takeMark(jobId: string): Promise<boolean> {
    const { prefix, queue, inWords } = this.#options;
    try {
      const client = await this.#worker.getBackend().client;
      return await takeMark(client, wakeMarkKey(prefix, queue, jobId));
    } catch (error) {
      throw inWords(error);
    }
  }
}
