/** Repeats a call that only looks, through weather that passes: for commands, not for steps. */

import { Weather } from '../domain/errors.ts';
import type { Clock } from '../ports/clock.ts';

const TRIES = 6;
const FIRST_WAIT_MS = 250;

/** The longest that a provider may make us wait between two tries. */
const LONGEST_WAIT_MS = 30_000;

/** Resolves to the call's answer; rejects with its last `Weather`, at once where it is final. */
export async function patiently<Value>(clock: Clock, call: () => Promise<Value>): Promise<Value> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await call();
    } catch (error) {
      if (!(error instanceof Weather) || error.kind === 'permanent' || tries === TRIES) throw error;
      const waitMs = Math.max(FIRST_WAIT_MS * 2 ** (tries - 1), error.retryAfterMs ?? 0);
      await clock.sleep(Math.min(LONGEST_WAIT_MS, waitMs));
    }
  }
}
