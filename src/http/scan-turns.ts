/** Work that reads a whole request set or result in a thread for one call: in turns. */

import type { TenantId } from '../domain/ids.ts';
import type { Call } from './call.ts';
import { requireThere } from './client-gone.ts';
import { Problem } from './problem.ts';

/** Calls of one tenant, the one at work and those that wait for it. */
const IN_LINE = 4;

/** When a refused client may look again. */
const RETRY_AFTER_SECONDS = 5;

interface Line {
  count: number;
  /** Resolves when the last of them is done. */
  last: Promise<unknown>;
}

/** There are few threads, and jobs are planned in them: one tenant takes one at most. */
export class ScanTurns {
  readonly #lines = new Map<TenantId, Line>();

  /**
   * Does the work when those of the tenant before it are done, unless its client has gone by then.
   * Throws a `Problem` (429) where too many wait already.
   */
  async within<Value>(
    { tenant, signal }: Pick<Call<unknown, unknown>, 'tenant' | 'signal'>,
    work: () => Promise<Value>,
  ): Promise<Value> {
    const line = this.#lines.get(tenant) ?? { count: 0, last: Promise.resolve() };
    if (line.count >= IN_LINE) throw full();
    this.#lines.set(tenant, line);
    line.count += 1;
    const turn = line.last.then(() => {
      requireThere(signal);
      return work();
    });
    line.last = turn.catch(() => undefined);
    try {
      return await turn;
    } finally {
      line.count -= 1;
      if (line.count === 0) this.#lines.delete(tenant);
    }
  }
}

function full(): Problem {
  const message =
    `At most ${IN_LINE} dry runs, looks at failures and retries of a tenant at once, ` +
    'which take turns; wait until one is done.';
  const headers = { 'retry-after': String(RETRY_AFTER_SECONDS) };
  return new Problem({ status: 429, code: 'too_many_scans', message, headers });
}
