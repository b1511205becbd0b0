/** When a job went from one status to the next, by its journal. */

import type { JobId } from '../domain/ids.ts';
import type { JobEvent, JobState } from '../domain/job.ts';
import type { Journal, JournalEntry } from '../ports/journal.ts';
import { jobStreamName } from '../stages/names.ts';

/** Wall times; null: that has not happened. */
export interface JobTimes {
  readonly plannedAtMs: number | null;
  /** When its owner first wished it cancelled. */
  readonly cancelWishedAtMs: number | null;
  /** When its result was merged, or it was refused. */
  readonly endedAtMs: number | null;
}

/** Jobs whose times are kept: nothing of them changes after the end. */
const MAX_KEPT = 2_000;

export class JobClock {
  readonly #journal: Journal;
  readonly #kept = new Map<JobId, JobTimes>();

  constructor(journal: Journal) {
    this.#journal = journal;
  }

  async times({ spec }: JobState): Promise<JobTimes> {
    const known = this.#kept.get(spec.id);
    if (known !== undefined) return known;
    const history = await this.#journal.history<JobEvent, JobState>(jobStreamName(spec.id));
    const times: JobTimes = {
      plannedAtMs: firstAt(history, ({ type }) => type === 'planned'),
      cancelWishedAtMs: firstAt(
        history,
        (event) => event.type === 'wished' && event.wish.kind === 'cancel',
      ),
      endedAtMs: firstAt(history, ({ type }) => type === 'merged' || type === 'refused'),
    };
    if (times.endedAtMs !== null) this.#keep(spec.id, times);
    return times;
  }

  #keep(id: JobId, times: JobTimes): void {
    const [oldest] = this.#kept.keys();
    if (this.#kept.size >= MAX_KEPT && oldest !== undefined) this.#kept.delete(oldest);
    this.#kept.set(id, times);
  }
}

function firstAt(
  history: readonly JournalEntry<JobEvent, JobState>[],
  isMeant: (event: JobEvent) => boolean,
): number | null {
  return history.find(({ event }) => isMeant(event))?.atMs ?? null;
}
