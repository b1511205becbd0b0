/**
 * Finds the batch that an earlier try of the same call has made. OpenAI's SDKs repeat a create
 * whose answer they did not get, without a key by which it could be told from another one; they
 * only count the tries. Without a look, one call could be paid for three times.
 */

import type { IncomingMessage } from 'node:http';
import { isDeepStrictEqual } from 'node:util';
import type { JobState } from '../../domain/job.ts';
import type { Desk, Order } from '../../service/desk.ts';

/** An SDK that waits ten minutes for an answer and tries three times is done within this. */
const TRY_AGE_MS = 45 * 60_000;

/** Newest jobs that are looked at. */
const LOOKED_AT = 50;

/** Null: the call is not repeated, or it has made nothing yet. */
export async function earlierTry(
  request: IncomingMessage,
  order: Order,
  desk: Desk,
): Promise<JobState | null> {
  const tries = Number(request.headers['x-stainless-retry-count'] ?? 0);
  if (!(tries > 0)) return null;
  const page = await desk.list({ after: null, limit: LOOKED_AT, order: 'newest', wanted: null });
  const since = Date.now() - TRY_AGE_MS;
  const isTry = (state: JobState): boolean => state.spec.createdAtMs > since && isUnfinished(state);
  return page.jobs.find((state) => isTry(state) && isSame(state, order)) ?? null;
}

/** A batch that is over is no reason not to run its file again. */
function isUnfinished({ status }: JobState): boolean {
  return status === 'created' || status === 'planned';
}

function isSame({ spec }: JobState, { terms, defaults, onInvalid }: Order): boolean {
  if (spec.terms === undefined) return false;
  const { tenant: _, ...theirs } = spec.terms;
  return (
    isDeepStrictEqual(theirs, terms) &&
    isDeepStrictEqual(spec.defaults, defaults) &&
    spec.onInvalid === onInvalid
  );
}
