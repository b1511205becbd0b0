/** The machine's own clocks and timers. */

import type { Clock } from '../../ports/clock.ts';

/** The longest delay that a timer of node keeps: a longer one would fire at once. */
const TIMER_MAX_MS = 2 ** 31 - 1;

/** The system's clock. A sleep keeps the process alive. */
export function createSystemClock(): Clock {
  return {
    wallMs: () => Date.now(),
    monotonicMs: () => performance.now(),
    async sleep(ms, signal) {
      const until = performance.now() + ms;
      for (let left = ms; left > 0; left = until - performance.now()) {
        if (signal?.aborted === true) return;
        await nap(Math.min(Math.ceil(left), TIMER_MAX_MS), signal);
      }
    },
  };
}

async function nap(ms: number, signal: AbortSignal | undefined): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const wake = (): void => resolve();
  const timer = setTimeout(wake, ms);
  signal?.addEventListener('abort', wake, { once: true });
  await promise;
  clearTimeout(timer);
  // One signal may outlive thousands of sleeps: leave no listener on it.
  signal?.removeEventListener('abort', wake);
}
