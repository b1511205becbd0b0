/** Answers that may take hours: so many at once, and no longer than their caller is let in. */

import { setTimeout as sleep } from 'node:timers/promises';
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
  const stopping = new AbortController();
  void keepAsking(requireAllowed, stopping.signal).catch(() => {
    if (!stopping.signal.aborted) response.destroy();
  });
  return {
    [Symbol.dispose]: () => {
      stopping.abort();
      slot[Symbol.dispose]();
    },
  };
}

/** Rejects when the answer is no, and when the signal is aborted. */
async function keepAsking(ask: () => Promise<void>, signal: AbortSignal): Promise<never> {
  for (;;) {
    await sleep(ASK_MS, undefined, { signal, ref: false });
    await ask();
  }
}
