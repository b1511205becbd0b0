/** What no event may take back, said without the transitions that make the states. */

import type { ChunkState } from '../../src/domain/chunk.ts';
import type { JobState } from '../../src/domain/job.ts';

const JOB_ORDER = ['created', 'planned', 'merged', 'done'];

/** Why the job went back; null where it did not. */
export function jobStepsBack(before: JobState, after: JobState): string | null {
  const places = [before, after].map(({ status }) => JOB_ORDER.indexOf(status));
  const [from = -1, to = -1] = places;
  if (after.status === 'refused') return before.status === 'created' ? null : 'refused late';
  if (to < from || before.status === 'refused') return `${before.status} became ${after.status}`;
  if (after.intent.revision < before.intent.revision) return 'an older intent came back';
  if (before.intent.kind === 'cancel' && after.intent.kind !== 'cancel') return 'was cancelled';
  return after.spreadRevision < before.spreadRevision ? 'heard less than before' : null;
}

/** Why the chunk went back; null where it did not. */
export function chunkStepsBack(before: ChunkState, after: ChunkState): string | null {
  if (before.status === 'settled') return 'an event after it was settled';
  for (const count of ['nextAttempt', 'executed', 'recuts'] as const) {
    if (after[count] < before[count]) return `${count} fell to ${after[count]}`;
  }
  if (after.intent.revision < before.intent.revision) return 'an older intent came back';
  if (!continues(before.files, after.files)) return 'forgot a file';
  if (!continues(ids(before.collected), ids(after.collected))) return 'forgot answers';
  if (!continues(ids(before.abandoned), ids(after.abandoned))) return 'forgot a lost create';
  const known = new Set([...after.collected, ...after.strays].map(({ batchId }) => batchId));
  const lost = before.strays.find(({ batchId }) => !known.has(batchId));
  if (lost !== undefined) return `forgot the stray ${lost.batchId}`;
  if (batchOf(before) === null || batchOf(after) !== null) return null;
  return known.has(batchOf(before) ?? '') ? null : `forgot its batch ${batchOf(before)}`;
}

/** The batch that runs, or has run, for the chunk's present attempt. */
function batchOf(state: ChunkState): string | null {
  if (state.status === 'submitted') return state.batchId;
  return state.status === 'ended' ? state.batch.batchId : null;
}

function ids(of: readonly ({ batchId: string } | { attemptId: string })[]): string[] {
  return of.map((one) => ('batchId' in one ? one.batchId : one.attemptId));
}

function continues(before: readonly string[], after: readonly string[]): boolean {
  return before.every((one, at) => after[at] === one);
}
