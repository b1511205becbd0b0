/** What a scenario has to see in a place's store while its commands run. */

import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';

import type { Place } from '../support/program.ts';

/** How often a condition in the place is looked at. */
const LOOK_MS = 20;

/** The job that the run key leads to: beside it the husk of one may stand that nobody knew of. */
export function jobOf({ dataDir }: Place): string {
  const keys = join(dataDir, 'store/local/keys');
  const [key = ''] = readdirSync(keys);
  const entries = readdirSync(join(keys, key)).toSorted();
  const entry = JSON.parse(readFileSync(join(keys, key, entries.at(-1) ?? ''), 'utf8')) as {
    state: { job: string };
  };
  return entry.state.job;
}

/** Whether a chunk of the job has an attempt that was given up. */
export function hasGivenUp(place: Place): boolean {
  return streamsOf(place).some(({ state }) => (state.abandoned?.length ?? 0) > 0);
}

/** Takes away all that is known of a chunk whose batch is under way; none where none is. */
export function forgetLiveChunk(place: Place): void {
  const live = streamsOf(place).find(({ state }) => state.status === 'submitted');
  if (live !== undefined) rmSync(live.folder, { recursive: true });
}

interface Stream {
  readonly folder: string;
  readonly state: { readonly status: string; readonly abandoned?: readonly unknown[] };
}

/** Every stream of the job with its last state. */
function streamsOf(place: Place): Stream[] {
  const journal = join(place.dataDir, 'store/local/jobs', jobOf(place), 'journal');
  return readdirSync(journal).map((stream) => {
    const folder = join(journal, stream);
    const last = readdirSync(folder).toSorted().at(-1) ?? '';
    const { state } = JSON.parse(readFileSync(join(folder, last), 'utf8')) as Stream;
    return { folder, state };
  });
}

/** Resolves when it holds, or when the signal aborts. */
export async function untilTrue(signal: AbortSignal, holds: () => boolean): Promise<void> {
  while (!signal.aborted) {
    if (isTrueYet(holds)) return;
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
}

/** What is just being made is looked at again. */
function isTrueYet(holds: () => boolean): boolean {
  try {
    return holds();
  } catch {
    return false;
  }
}
