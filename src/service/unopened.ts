/**
 * Jobs that nobody knows: their submitter died after it had made them, and before it opened them
 * and told its client. They are withdrawn, since the client has sent its request set again.
 */

import { madeAtMs, parseJobId } from '../domain/ids.ts';
import type { BlobStore } from '../ports/blob-store.ts';
import { JOBS_FOLDER, OPEN_FOLDER } from '../stages/names.ts';
import type { JobViews } from './job-views.ts';
import type { Jobs } from './jobs.ts';

const HOUR_MS = 60 * 60_000;

/** A younger job's submitter may still be at it. */
const MIN_AGE_MS = HOUR_MS;

/** Older ones were looked at before: the looks are an hour apart. */
const MAX_AGE_MS = 7 * 24 * HOUR_MS;

export interface UnopenedParts {
  readonly blobs: BlobStore;
  readonly views: JobViews;
  readonly jobs: Jobs;
}

/** Withdraws them; nothing was sent of any. Resolves to how many there were. */
export async function withdrawUnopened(
  { blobs, views, jobs }: UnopenedParts,
  nowMs: number,
): Promise<number> {
  const open = new Set(await blobs.list(OPEN_FOLDER));
  let withdrawn = 0;
  for (const name of await blobs.list(JOBS_FOLDER)) {
    const id = parseJobId(name.replace('/', ''));
    if (id === null || open.has(id)) continue;
    const ageMs = nowMs - madeAtMs(id);
    if (ageMs < MIN_AGE_MS || ageMs > MAX_AGE_MS) continue;
    const state = await views.job(id);
    // What a command made, the same command goes on with.
    if (state?.status !== 'created' || state.spec.terms === undefined) continue;
    await jobs.cancel(id);
    withdrawn += 1;
  }
  return withdrawn;
}
