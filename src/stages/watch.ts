/**
 * What one process remembers between steps: since when it has seen something, and how often it
 * failed in a row. Times are monotonic. Losing it (a restart) starts the waits anew and is
 * otherwise harmless, so it is not journaled.
 */

import type { Clock } from '../ports/clock.ts';

export interface Watched {
  /** Since the first call with this key. */
  readonly elapsedMs: number;
  /** Calls with this key so far, this one included. */
  readonly times: number;
}

/** Keys are forgotten, oldest first, beyond this many. */
const MAX_KEYS = 200_000;

export class Watch {
  readonly #clock: Clock;
  readonly #seen = new Map<string, { firstMs: number; times: number }>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Counts one more observation of the key. */
  see(key: string): Watched {
    const nowMs = this.#clock.monotonicMs();
    const seen = this.#seen.get(key) ?? { firstMs: nowMs, times: 0 };
    seen.times += 1;
    this.#seen.set(key, seen);
    if (this.#seen.size > MAX_KEYS) this.#forgetOldest();
    return { elapsedMs: nowMs - seen.firstMs, times: seen.times };
  }

  forget(key: string): void {
    this.#seen.delete(key);
  }

  #forgetOldest(): void {
    for (const key of this.#seen.keys()) {
      this.#seen.delete(key);
      return;
    }
  }
}
