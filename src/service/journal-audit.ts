/** Folds whole streams of the journal again, and says where they are not what they should be. */

import type { ChunkEvent, ChunkState, Close } from '../domain/chunk.ts';
import { freshChunk } from '../domain/chunk.ts';
import type { JobId } from '../domain/ids.ts';
import type { JobEvent, JobState } from '../domain/job.ts';
import type { PlannedChunk } from '../domain/plan.ts';
import { applyToChunk, applyToJob } from '../domain/transitions.ts';
import type { Journal, JournalEntry } from '../ports/journal.ts';
import type { Fold } from '../stages/event-stream.ts';
import { chunkStreamName, jobStreamName } from '../stages/names.ts';
import { sameValue } from './same-value.ts';

/** What a stream is, as far as it can be read. */
export interface StreamAudit<State> {
  readonly state: State;
  /** Entries that were read. */
  readonly version: number;
  /** Null: each state is what its events fold to. */
  readonly damage: string | null;
}

/** The job's own stream. */
export async function auditJob(journal: Journal, id: JobId): Promise<StreamAudit<JobState | null>> {
  const name = jobStreamName(id);
  const audit = await auditStream<JobEvent, JobState | null>(journal, name, applyToJob, null);
  if (audit.damage !== null || audit.version > 0) return audit;
  return { ...audit, damage: `${name} has no entry: nothing can be told of this job` };
}

/** One chunk's stream, with why its unanswered requests were closed. */
export async function auditChunk(
  journal: Journal,
  id: JobId,
  chunk: PlannedChunk,
): Promise<StreamAudit<ChunkState> & { readonly close: Close | null }> {
  let close: Close | null = null;
  const seen = (state: ChunkState): void => {
    if (state.status === 'settling') close = state.close;
  };
  const name = chunkStreamName(id, chunk.id);
  const audit = await auditStream<ChunkEvent, ChunkState>(
    journal,
    name,
    applyToChunk,
    freshChunk(chunk.requests),
    seen,
  );
  return { ...audit, close };
}

async function auditStream<Event extends { readonly type: string }, State>(
  journal: Journal,
  name: string,
  fold: Fold<Event, State>,
  fresh: State,
  seen: (state: State) => void = () => {},
): Promise<StreamAudit<State>> {
  let entries: JournalEntry<Event, State>[];
  try {
    entries = await journal.history<Event, State>(name);
  } catch (error) {
    const damage = error instanceof Error ? error.message : String(error);
    return { state: fresh, version: 0, damage };
  }
  let state = fresh;
  for (const { version, event, state: stored } of entries) {
    const next = fold(state, event);
    if (next === null || !sameValue(next, stored)) {
      const why =
        next === null ? 'does not fit the state before it' : 'does not make the state beside it';
      const damage = `entry ${version} of ${name}: its event ${event.type} ${why}`;
      return { state: entries.at(-1)?.state ?? stored, version: entries.length, damage };
    }
    state = next;
    seen(state);
  }
  return { state, version: entries.length, damage: null };
}
