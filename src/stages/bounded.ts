/** Waiting that ends: for what should be over soon, and must not keep anybody if it is not. */

import type { Clock } from '../ports/clock.ts';

/** Resolves with the work, or after `ms`; leaves no timer behind. Rejects as the work does. */
export async function bounded(work: Promise<unknown>, ms: number, clock: Clock): Promise<void> {
  const over = new AbortController();
  try {
    await Promise.race([work, clock.sleep(ms, over.signal)]);
  } finally {
    over.abort();
  }
}
