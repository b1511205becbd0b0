/** The stream that the journal's contract is about, and entries of it. */

import { createJournal } from '../../src/adapters/blob/journal.ts';
import { createSystemClock } from '../../src/adapters/system/clock.ts';
import { createIds } from '../../src/adapters/system/ids.ts';
import type { BlobStore } from '../../src/ports/blob-store.ts';
import type { Journal } from '../../src/ports/journal.ts';

export interface Counted {
  readonly type: string;
}
export interface Count {
  readonly count: number;
}

export const STREAM = 'local/jobs/job_x/journal/c000000';

export function journalOver(store: BlobStore): Journal {
  const clock = createSystemClock();
  return createJournal(store, createIds(clock), clock);
}

/** Appends versions 1 to `count`. */
export async function fill(journal: Journal, count: number) {
  const entries = [];
  for (let version = 1; version <= count; version += 1) {
    const event: Counted = { type: `step ${version}` };
    const answer = await journal.append<Counted, Count>(STREAM, version, event, { count: version });
    entries.push(answer.entry);
  }
  return entries;
}
