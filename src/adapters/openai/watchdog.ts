/** Ends a transfer that makes no progress: neither node nor the SDK times a body. */

import type { Destroyable } from './exchange.ts';

export interface Watchdog {
  /** There was progress; the next must come within the time. */
  fed(): void;
  /** From now on the time is this many milliseconds. */
  expectWithin(ms: number, what: string): void;
  stop(): void;
}

/** Destroys the guarded stream with an ETIMEDOUT error when it was not fed in time. */
export function createWatchdog(guarded: Destroyable, ms: number, what: string): Watchdog {
  let timer = start(guarded, ms, what);
  return {
    fed: () => void timer.refresh(),
    expectWithin(nextMs, nextWhat) {
      clearTimeout(timer);
      timer = start(guarded, nextMs, nextWhat);
    },
    stop: () => clearTimeout(timer),
  };
}

function start(guarded: Destroyable, ms: number, what: string): NodeJS.Timeout {
  return setTimeout(() => {
    const error = new Error(`${what} for ${ms} ms`);
    guarded.destroy(Object.assign(error, { code: 'ETIMEDOUT' }));
  }, ms);
}
