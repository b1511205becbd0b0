/** The part of the work queue's contract about sleeping bells and how they are woken. */

import { expect, test } from 'vitest';

import type { WorkQueue } from '../../src/ports/work-queue.ts';
import { Answers, bellFor, DONE } from './bells.ts';

/** The queue of the running test. */
export type QueueOf = () => WorkQueue;

const AN_HOUR_MS = 3_600_000;

export function sleeping(queue: QueueOf): void {
  test('a delayed bell does not ring before its time, others pass it', async () => {
    const answers = new Answers();
    await queue().listen('poll', 1, answers.done);
    const startMs = performance.now();
    await queue().ring(bellFor(1), 150);
    await queue().ring(bellFor(2));
    await answers.until(2);
    expect(answers.bells).toEqual([bellFor(2), bellFor(1)]);
    // Timers of different processes round differently.
    expect(performance.now() - startMs).toBeGreaterThanOrEqual(145);
  });

  test('a bell that sleeps is not rung by a second ring', async () => {
    const answers = new Answers();
    await queue().ring(bellFor(1), AN_HOUR_MS);
    await queue().ring(bellFor(1));
    await queue().ring(bellFor(99));
    await queue().listen('poll', 1, answers.done);
    await answers.until(1);
    expect(answers.bells).toEqual([bellFor(99)]);
  });

  test('a bell answered with later rings again as the same bell', async () => {
    const answers = new Answers();
    await queue().listen('poll', 1, async (bell) => {
      answers.record(bell);
      return answers.bells.length < 4 ? { kind: 'later', delayMs: 10 } : DONE;
    });
    await queue().ring(bellFor(5, 2));
    await answers.until(4);
    expect(answers.bells).toEqual(Array.from({ length: 4 }, () => bellFor(5, 2)));
  });

  test('a bell answered with later lets others be answered meanwhile', async () => {
    const answers = new Answers();
    await queue().listen('poll', 1, async (bell) => {
      answers.record(bell);
      return bell.chunk === 'c000001' ? { kind: 'later', delayMs: AN_HOUR_MS } : DONE;
    });
    await queue().ring(bellFor(1));
    await queue().ring(bellFor(2));
    await answers.until(2);
    expect(answers.bells).toEqual([bellFor(1), bellFor(2)]);
  });
}

export function waking(queue: QueueOf): void {
  test('waking cuts the sleep of a delayed bell short, and it rings once', async () => {
    const answers = new Answers();
    await queue().listen('poll', 1, answers.done);
    await queue().ring(bellFor(1), AN_HOUR_MS);
    await queue().wake(bellFor(1));
    await answers.until(1);
    await queue().ring(bellFor(99));
    await answers.until(2);
    expect(answers.bells).toEqual([bellFor(1), bellFor(99)]);
  });

  test('waking cuts the sleep short that an answer asked for', async () => {
    const answers = new Answers();
    await queue().listen('poll', 1, async (bell) => {
      answers.record(bell);
      return bell.version === 1 && answers.bells.length === 1
        ? { kind: 'later', delayMs: AN_HOUR_MS }
        : DONE;
    });
    await queue().ring(bellFor(1));
    await answers.until(1);
    await queue().ring(bellFor(2));
    await answers.until(2);
    await queue().wake(bellFor(1));
    await answers.until(3);
    expect(answers.bells).toEqual([bellFor(1), bellFor(2), bellFor(1)]);
  });

  test('waking rings a bell that does not exist', async () => {
    const answers = new Answers();
    await queue().listen('poll', 1, answers.done);
    await queue().wake(bellFor(1));
    await answers.until(1);
    expect(answers.bells).toEqual([bellFor(1)]);
  });

  test('waking while the answer runs is not lost when it asks for a sleep', async () => {
    const answers = new Answers();
    const release = Promise.withResolvers<void>();
    await queue().listen('poll', 1, async (bell) => {
      answers.record(bell);
      if (answers.bells.length > 1) return DONE;
      await release.promise;
      return { kind: 'later', delayMs: AN_HOUR_MS };
    });
    await queue().ring(bellFor(1));
    await answers.until(1);
    await queue().wake(bellFor(1));
    release.resolve();
    await answers.until(2);
    expect(answers.bells).toEqual([bellFor(1), bellFor(1)]);
  });

  test('a wake is used up by the answer that follows it', async () => {
    const answers = new Answers();
    await queue().listen('poll', 1, async (bell) => {
      answers.record(bell);
      return bell.chunk === 'c000001' ? { kind: 'later', delayMs: AN_HOUR_MS } : DONE;
    });
    await queue().ring(bellFor(1), AN_HOUR_MS);
    await queue().wake(bellFor(1));
    await answers.until(1);
    await queue().ring(bellFor(99));
    await answers.until(2);
    await queue().ring(bellFor(100));
    await answers.until(3);
    expect(answers.bells).toEqual([bellFor(1), bellFor(99), bellFor(100)]);
  });
}
