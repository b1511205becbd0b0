import { expect, test } from 'vitest';

import { bounded } from '../../src/stages/bounded.ts';

/** A clock whose sleeps end only by their signal, and that knows which still run. */
function sleeplessClock() {
  const running = new Set<AbortSignal>();
  const sleep = (_ms: number, signal?: AbortSignal): Promise<void> => {
    if (signal === undefined) throw new Error('a sleep without a signal cannot be ended');
    running.add(signal);
    signal.addEventListener('abort', () => running.delete(signal), { once: true });
    return new Promise(() => undefined);
  };
  return { running, clock: { wallMs: () => 0, monotonicMs: () => 0, sleep } };
}

test('work that ends in time is waited for, and its timer ends with it', async () => {
  const { clock, running } = sleeplessClock();
  const work = Promise.withResolvers<void>();
  const waiting = bounded(work.promise, 1_000, clock);
  expect(running.size).toBe(1);
  work.resolve();
  await waiting;
  expect(running.size).toBe(0);
});

test('work that fails is told, and its timer ends with it', async () => {
  const { clock, running } = sleeplessClock();
  await expect(bounded(Promise.reject(new Error('broken')), 1_000, clock)).rejects.toThrow(
    'broken',
  );
  expect(running.size).toBe(0);
});

test('work that never ends is left when the time is over', async () => {
  const clock = { wallMs: () => 0, monotonicMs: () => 0, sleep: () => Promise.resolve() };
  await expect(bounded(new Promise(() => undefined), 1_000, clock)).resolves.toBeUndefined();
});
