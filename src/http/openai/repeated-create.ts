/**
 * Keeps one create from making two batches. OpenAI's SDKs repeat a create whose answer they did
 * not get, without a key by which it could be told from another one; they only count the tries.
 * Without a look, one call could be paid for three times.
 */

import type { IncomingMessage } from 'node:http';
import { isDeepStrictEqual } from 'node:util';
import type { JobState } from '../../domain/job.ts';
import type { Desk, Order } from '../../service/desk.ts';

/** What the SDKs wait for an answer where they do not say. */
const DEFAULT_TIMEOUT_SECONDS = 600;

/** Between two tries the SDKs rest for less than this; clocks and queues take the rest. */
const REST_SECONDS = 60;

/** Newest jobs that are looked at. */
const LOOKED_AT = 50;

export class RepeatedCreates {
  /** The last one of each kind of create, so that those of a kind come one after another. */
  readonly #running = new Map<string, Promise<unknown>>();

  /**
   * Makes the batch by `make`, or finds the one that an earlier try of the same call has made. A
   * try that is still at work is waited for.
   */
  async once(
    request: IncomingMessage,
    order: Order,
    desk: Desk,
    make: () => Promise<JobState>,
  ): Promise<JobState> {
    const kind = JSON.stringify([desk.tenant, order.terms, order.defaults]);
    const before = this.#running.get(kind) ?? Promise.resolve();
    const turn = before
      .catch(() => undefined)
      .then(async () => (await earlierTry(request, order, desk)) ?? make());
    this.#running.set(kind, turn);
    try {
      return await turn;
    } finally {
      if (this.#running.get(kind) === turn) this.#running.delete(kind);
    }
  }
}

/** Null: the call is not repeated, or it has made nothing yet. */
async function earlierTry(
  { headers }: IncomingMessage,
  order: Order,
  desk: Desk,
): Promise<JobState | null> {
  const tries = Number(headers['x-stainless-retry-count'] ?? 0);
  if (!(tries > 0)) return null;
  const timeoutSeconds = Number(headers['x-stainless-timeout'] ?? DEFAULT_TIMEOUT_SECONDS);
  // The first try began no earlier than this. A batch of the time since may be over already.
  const ageMs = tries * (timeoutSeconds + REST_SECONDS) * 1000;
  const sinceMs = Date.now() - ageMs;
  const page = await desk.list({ after: null, limit: LOOKED_AT, order: 'newest', statuses: null });
  const isTry = ({ spec }: JobState): boolean => spec.createdAtMs > sinceMs && isSame(spec, order);
  return page.jobs.find(isTry) ?? null;
}

/** Whether the job is what the order asks for. */
export function isSame(spec: JobState['spec'], { terms, defaults, onInvalid }: Order): boolean {
  if (spec.terms === undefined) return false;
  const { tenant: _, ...theirs } = spec.terms;
  return (
    isDeepStrictEqual(theirs, terms) &&
    isDeepStrictEqual(spec.defaults, defaults) &&
    spec.onInvalid === onInvalid
  );
}
