/** The bells over BullMQ: one queue for each kind of step, ids only in Redis. */

import { Queue } from 'bullmq';

import type {
  Bell,
  BellAnswer,
  Listener,
  QueueDepth,
  QueueMeter,
  QueueName,
  WorkQueue,
} from '../../ports/work-queue.ts';
import { QUEUES } from '../../ports/work-queue.ts';
import { type BellData, bellData, bellJobId, promoteBell } from './bell-jobs.ts';
import { BellListener } from './bell-listener.ts';
import { complaintsTo } from './complaints.ts';
import type { WorkQueueOptions } from './work-queue-options.ts';
import { leaveMark, wakeMarkKey } from './wake-marks.ts';

/** Nobody reads BullMQ's events here. */
const EVENTS_KEPT = 100;
const CLOSE_GRACE_MS = 5_000;

export function openWorkQueue(options: WorkQueueOptions): WorkQueue & QueueMeter {
  return new BullWorkQueue(options);
}

class BullWorkQueue implements WorkQueue, QueueMeter {
  readonly #options: WorkQueueOptions;
  readonly #complain: (error: Error) => void;
  readonly #queues = new Map<QueueName, Queue<BellData>>();
  readonly #listeners = new Set<BellListener>();

  constructor(options: WorkQueueOptions) {
    this.#options = options;
    this.#complain = complaintsTo((error) => options.onError(this.#inWords(error), null));
  }

  async ring(bell: Bell, delayMs = 0): Promise<void> {
    try {
      await this.#add(bell, delayMs);
    } catch (error) {
      throw this.#inWords(error);
    }
  }

  async wake(bell: Bell): Promise<void> {
    const queue = this.#queue(bell.queue);
    try {
      const client = await queue.getBackend().client;
      await leaveMark(client, wakeMarkKey(this.#options.prefix, bell.queue, bellJobId(bell)));
      const job = await this.#add(bell, 0);
      await promoteBell(job);
    } catch (error) {
      throw this.#inWords(error);
    }
  }

  listen(
    queue: QueueName,
    concurrency: number,
    answer: (bell: Bell) => Promise<BellAnswer>,
  ): Promise<Listener> {
    const ring = (bell: Bell, delayMs: number) => this.ring(bell, delayMs);
    const inWords = (error: unknown): unknown => this.#inWords(error);
    const own = { queue, concurrency, answer, ring, inWords, complain: this.#complain };
    const listener = new BellListener({ ...this.#options, ...own });
    this.#listeners.add(listener);
    return Promise.resolve(listener);
  }

  async depths(): Promise<QueueDepth[]> {
    try {
      return await Promise.all(
        QUEUES.map(async (queue) => {
          const counts = await this.#queue(queue).getJobCounts('wait', 'active', 'delayed');
          const { wait = 0, active = 0, delayed = 0 } = counts;
          return { queue, waiting: wait, active, delayed };
        }),
      );
    } catch (error) {
      throw this.#inWords(error);
    }
  }

  async close(): Promise<void> {
    await Promise.all([...this.#listeners].map((listener) => listener.stop(CLOSE_GRACE_MS)));
    await Promise.all([...this.#queues.values()].map((queue) => queue.close()));
  }

  #inWords(error: unknown): unknown {
    return this.#options.inWords?.(error) ?? error;
  }

  #add(bell: Bell, delayMs: number) {
    const settings = { jobId: bellJobId(bell), delay: delayMs };
    return this.#queue(bell.queue).add('bell', bellData(bell), settings);
  }

  #queue(name: QueueName): Queue<BellData> {
    const known = this.#queues.get(name);
    if (known !== undefined) return known;
    const queue = new Queue<BellData>(name, {
      prefix: this.#options.prefix,
      connection: this.#options.connections.producer,
      // Asking for the version could fail, and a queue that failed so never works again.
      skipVersionCheck: true,
      streams: { events: { maxLen: EVENTS_KEPT } },
      defaultJobOptions: { removeOnComplete: true, removeOnFail: true, attempts: 1 },
    });
    queue.on('error', this.#complain);
    this.#queues.set(name, queue);
    return queue;
  }
}
