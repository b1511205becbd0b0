/**
 * Keeps one create from making two batches. OpenAI's SDKs repeat a create whose answer they did
 * not get, without a key by which it could be told from another one; they only count the tries.
 * Without a look, one call could be paid for three times.
 */

import type { IncomingHttpHeaders } from 'node:http';
import type { JobId } from '../../domain/ids.ts';
import type { JobState } from '../../domain/job.ts';
import type { JobPage, Order } from '../../service/desk.ts';
import { isSameOrder } from '../../service/desk.ts';
import type { Caller } from '../make-job.ts';

/** What the SDKs wait for an answer where they do not say; one says it by another name. */
const DEFAULT_TIMEOUT_SECONDS = 600;

/** Between two tries the SDKs rest for less than this; clocks and queues take the rest. */
const REST_SECONDS = 60;

/** Newest jobs that are looked at, at once and in all: others may be made between two tries. */
const PAGE = 50;
const LOOKED_AT = 1_000;

export class RepeatedCreates {
  /** The last one of each kind of create, so that those of a kind come one after another. */
  readonly #running = new Map<string, Promise<unknown>>();

  /**
   * Makes the batch by `make`, or finds the one that an earlier try of the same call has made. A
   * try that is still at work is waited for.
   */
  async once(caller: Caller, order: Order, make: () => Promise<JobState>): Promise<JobState> {
    const kind = JSON.stringify([caller.desk.tenant, order.terms, order.defaults]);
    const before = this.#running.get(kind) ?? Promise.resolve();
    const turn = before
      .catch(() => undefined)
      .then(async () => (await earlierTry(caller, order)) ?? make());
    this.#running.set(kind, turn);
    try {
      return await turn;
    } finally {
      if (this.#running.get(kind) === turn) this.#running.delete(kind);
    }
  }
}

/** Null: the call is not repeated, or it has made nothing yet, or it has a key, which decides. */
async function earlierTry(
  { desk, request: { headers } }: Caller,
  order: Order,
): Promise<JobState | null> {
  if (order.idempotencyKey !== null) return null;
  const tries = Number(headers['x-stainless-retry-count'] ?? 0);
  if (!(tries > 0)) return null;
  // The first try began no earlier than this. A batch of the time since may be over already.
  const sinceMs = Date.now() - tries * (timeoutSeconds(headers) + REST_SECONDS) * 1000;
  // A batch that its owner has cancelled is no answer to somebody who wants it to run.
  const isTry = (state: JobState): boolean =>
    state.spec.createdAtMs > sinceMs && state.intent.kind !== 'cancel' && isSameBatch(state, order);
  let after: JobId | null = null;
  for (let looked = 0; looked < LOOKED_AT; looked += PAGE) {
    const wish = { after, limit: PAGE, order: 'newest', statuses: null } as const;
    const { jobs, hasMore }: JobPage = await desk.list(wish);
    const found = jobs.find(isTry);
    if (found !== undefined) return found;
    const last = jobs.at(-1)?.spec;
    if (!hasMore || last === undefined || last.createdAtMs <= sinceMs) return null;
    after = last.id;
  }
  return null;
}

/** What the client waits for an answer; a longer wait than it told of could be paid twice. */
function timeoutSeconds(headers: IncomingHttpHeaders): number {
  const told = Number(headers['x-stainless-timeout'] ?? headers['x-stainless-read-timeout']);
  return Number.isNaN(told) ? DEFAULT_TIMEOUT_SECONDS : told;
}

/** Whether the job is what the order asks for: the same wishes for the same file. */
export function isSameBatch(state: JobState, order: Order): boolean {
  return isSameOrder(state, order) && state.spec.terms?.inputFile === order.terms.inputFile;
}
