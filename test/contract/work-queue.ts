/** What every work queue must do, whatever it is made of. */

import { afterEach, beforeEach, describe, expect, test } from 'vitest';

import type { WorkQueue } from '../../src/ports/work-queue.ts';
import { Answers, bellFor, DONE } from './bells.ts';
import { type QueueOf, sleeping, waking } from './work-queue-sleep.ts';

export interface WorkQueueUnderTest {
  readonly queue: WorkQueue;
  /** Ends the queue and everything that was made for it. */
  close(): Promise<void>;
}

/** `make` is called for each test and gives a queue that shares nothing with earlier ones. */
export function workQueueContract(name: string, make: () => Promise<WorkQueueUnderTest>): void {
  describe(`${name} as a work queue`, () => {
    let subject: WorkQueueUnderTest;
    let queue: WorkQueue;
    beforeEach(async () => {
      subject = await make();
      queue = subject.queue;
    });
    afterEach(() => subject.close());
    const current = () => queue;
    ringing(current);
    sleeping(current);
    waking(current);
    failing(current);
    stopping(current);
  });
}

function ringing(queue: QueueOf): void {
  test('a bell arrives as it was rung, for a chunk and for a job', async () => {
    const answers = new Answers();
    await queue().listen('poll', 1, answers.done);
    await queue().ring(bellFor(7, 3));
    await queue().ring(bellFor(null, 12));
    await answers.until(2);
    expect(answers.bells).toEqual([bellFor(7, 3), bellFor(null, 12)]);
  });

  test('a bell that was rung before anybody listened arrives', async () => {
    const answers = new Answers();
    await queue().ring(bellFor(1));
    await queue().listen('poll', 1, answers.done);
    await answers.until(1);
    expect(answers.bells).toEqual([bellFor(1)]);
  });

  test('a bell that waits is not rung twice, one of another version is', async () => {
    const answers = new Answers();
    for (const version of [1, 1, 2, 1, 2]) await queue().ring(bellFor(1, version));
    await queue().ring(bellFor(99));
    await queue().listen('poll', 1, answers.done);
    await answers.until(3);
    expect(answers.bells).toEqual([bellFor(1, 1), bellFor(1, 2), bellFor(99)]);
  });

  test('a bell that is being answered is not rung twice', async () => {
    const answers = new Answers();
    const release = Promise.withResolvers<void>();
    await queue().listen('poll', 1, async (bell) => {
      answers.record(bell);
      await release.promise;
      return DONE;
    });
    await queue().ring(bellFor(1));
    await answers.until(1);
    await queue().ring(bellFor(1));
    await queue().ring(bellFor(99));
    release.resolve();
    await answers.until(2);
    expect(answers.bells).toEqual([bellFor(1), bellFor(99)]);
  });

  test('an answered bell can be rung again', async () => {
    const answers = new Answers();
    await queue().listen('poll', 1, answers.done);
    await queue().ring(bellFor(1));
    await answers.until(1);
    // The answer of another bell says that the first one is over.
    await queue().ring(bellFor(2));
    await answers.until(2);
    await queue().ring(bellFor(1));
    await answers.until(3);
    expect(answers.bells.map(({ chunk }) => chunk)).toEqual(['c000001', 'c000002', 'c000001']);
  });

  test('bells go to the listeners of their own queue', async () => {
    const polls = new Answers();
    const merges = new Answers();
    await queue().listen('poll', 1, polls.done);
    await queue().listen('merge', 1, merges.done);
    await queue().ring(bellFor(1, 1, 'merge'));
    await queue().ring(bellFor(1, 1, 'poll'));
    await Promise.all([polls.until(1), merges.until(1)]);
    expect(polls.bells).toEqual([bellFor(1, 1, 'poll')]);
    expect(merges.bells).toEqual([bellFor(1, 1, 'merge')]);
  });

  test('a listener answers up to its concurrency at once and no more', async () => {
    const answers = new Answers();
    const release = Promise.withResolvers<void>();
    let running = 0;
    let most = 0;
    await queue().listen('poll', 3, async (bell) => {
      running += 1;
      most = Math.max(most, running);
      answers.record(bell);
      await release.promise;
      running -= 1;
      return DONE;
    });
    for (let chunk = 0; chunk < 8; chunk += 1) await queue().ring(bellFor(chunk));
    await answers.until(3);
    release.resolve();
    await answers.until(8);
    expect(most).toBe(3);
  });

  test('two listeners share the bells, each bell is answered once', async () => {
    const answers = new Answers();
    await queue().listen('poll', 2, answers.done);
    await queue().listen('poll', 2, answers.done);
    for (let chunk = 0; chunk < 40; chunk += 1) await queue().ring(bellFor(chunk));
    await answers.until(40);
    expect(new Set(answers.bells.map(({ chunk }) => chunk)).size).toBe(40);
    expect(answers.bells).toHaveLength(40);
  });
}

function failing(queue: QueueOf): void {
  test('a bell whose answer throws rings again until it is answered', async () => {
    const answers = new Answers();
    await queue().listen('poll', 1, async (bell) => {
      answers.record(bell);
      if (answers.bells.length === 1) throw new Error('planned failure of the answer');
      return DONE;
    });
    await queue().ring(bellFor(1));
    await answers.until(2);
    expect(answers.bells).toEqual([bellFor(1), bellFor(1)]);
  });
}

function stopping(queue: QueueOf): void {
  test('stopping waits for the running answer and takes no further bell', async () => {
    const answers = new Answers();
    const release = Promise.withResolvers<void>();
    const first = await queue().listen('poll', 1, async (bell) => {
      answers.record(bell);
      await release.promise;
      return DONE;
    });
    await queue().ring(bellFor(1));
    await answers.until(1);
    await queue().ring(bellFor(2));
    const stopped = first.stop(60_000).then(() => answers.bells.length);
    release.resolve();
    expect(await stopped).toBe(1);
    const second = new Answers();
    await queue().listen('poll', 1, second.done);
    await second.until(1);
    expect(second.bells).toEqual([bellFor(2)]);
  });

  test('stopping does not wait longer than its time for a stuck answer', async () => {
    const answers = new Answers();
    const release = Promise.withResolvers<void>();
    const listener = await queue().listen('poll', 1, async (bell) => {
      answers.record(bell);
      await release.promise;
      return DONE;
    });
    await queue().ring(bellFor(1));
    await answers.until(1);
    const startMs = performance.now();
    await listener.stop(50);
    expect(performance.now() - startMs).toBeLessThan(5_000);
    expect(answers.bells).toHaveLength(1);
    release.resolve();
  });

  test('stopping an idle listener is quick', async () => {
    const listener = await queue().listen('poll', 4, new Answers().done);
    const startMs = performance.now();
    await listener.stop(60_000);
    expect(performance.now() - startMs).toBeLessThan(5_000);
  });
}
