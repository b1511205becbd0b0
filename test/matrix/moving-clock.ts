/** The machine's clocks, which a case can set forward and back. */

import { createSystemClock } from '../../src/adapters/system/clock.ts';
import type { Clock } from '../../src/ports/clock.ts';

export class MovingClock implements Clock {
  readonly #system = createSystemClock();
  /** Added to the wall clock, as by somebody who sets it. */
  wallOffsetMs = 0;
  /** Added to the monotonic clock, as by a process that was frozen meanwhile; only grows. */
  frozenMs = 0;

  wallMs(): number {
    return this.#system.wallMs() + this.wallOffsetMs + this.frozenMs;
  }

  monotonicMs(): number {
    return this.#system.monotonicMs() + this.frozenMs;
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return this.#system.sleep(ms, signal);
  }
}
