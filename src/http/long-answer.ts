/** Answers that may take hours: so many at once, and no longer than their caller is let in. */

import type { Call } from './call.ts';
import type { StreamSlots } from './stream-slots.ts';

/** A key ends everywhere within 5 s; what is known of keys may be a second old. */
const ASK_MS = 2_000;

/**
 * Takes a slot for an answer of the call; throws a `Problem` (429) where none is left. Cuts the
 * connection where the caller would not be let in any more. `using` gives the slot back.
 */
export function longAnswer(
  { tenant, response, requireAllowed }: Call<unknown, unknown>,
  slots: StreamSlots,
): Disposable {
  const slot = slots.take(tenant);
  // However many ask, the keys are looked at once a second.
  const timer = setInterval(() => {
    void requireAllowed().catch(() => response.destroy());
  }, ASK_MS);
  return {
    [Symbol.dispose]: () => {
      clearInterval(timer);
      slot[Symbol.dispose]();
    },
  };
}
