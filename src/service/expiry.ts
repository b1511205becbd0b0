/** Answers that lie at the provider too long: it deletes them, collected or not. */

import type { ChunkEvent, ChunkState } from '../domain/chunk.ts';
import type { Journal, JournalEntry } from '../ports/journal.ts';
import type { Notice } from '../ports/notices.ts';
import { chunkStreamName } from '../stages/names.ts';
import type { ChunkTask } from '../stages/tools.ts';

const DAY_MS = 86_400_000;

/** OpenAI keeps files for batches this long; others keep theirs as long, or do not say. */
const RETENTION_DAYS = 30;

/** People are told while there is time left to do something. */
const NOTICE_DAYS = 3;

/**
 * The alert where a batch of the chunk was sent so long ago that its answers will soon be deleted;
 * null otherwise. Counted in wall time, since that is how the provider counts, and from the
 * sending, since answers cannot be older. Of a batch that others sent, only its input file's age
 * is known.
 */
export async function expiryOf(
  task: Pick<ChunkTask, 'job' | 'chunk'> & { readonly state: ChunkState },
  journal: Journal,
  nowMs: number,
): Promise<(Notice & { readonly code: 'output_expiring' }) | null> {
  const { job, chunk, state } = task;
  const open = new Set(state.status === 'settled' ? [] : state.strays.map((one) => one.batchId));
  if (state.status === 'submitted') open.add(state.batchId);
  if (state.status === 'ended') open.add(state.batch.batchId);
  if (open.size === 0) return null;
  const stream = chunkStreamName(job.id, chunk.id);
  const history = await journal.history<ChunkEvent, ChunkState>(stream);
  const [oldest] = history
    .flatMap((entry) => sentBatches(entry, history))
    .filter(({ batchId }) => open.has(batchId))
    .toSorted((a, b) => a.atMs - b.atMs);
  if (oldest === undefined) return null;
  const { batchId, atMs } = oldest;
  const daysLeft = RETENTION_DAYS - (nowMs - atMs) / DAY_MS;
  if (daysLeft > NOTICE_DAYS) return null;
  const day = new Date(atMs).toISOString().slice(0, 10);
  const message =
    `Answers of batch ${batchId}, sent on ${day}, are not collected; the provider may delete ` +
    (daysLeft > 0 ? `them in ${Math.ceil(daysLeft)} days.` : 'them any moment.');
  return { level: 'alert', code: 'output_expiring', message, job: job.id, chunk: chunk.id };
}

type Entry = JournalEntry<ChunkEvent, ChunkState>;

/** The batches that the event makes known, with the time from which their age is counted. */
function sentBatches({ event, atMs }: Entry, history: readonly Entry[]) {
  if (event.type === 'submitted') {
    // Found late, it may be old: it was sent when that was decided.
    const decided = history.findLast(
      (entry) => entry.event.type === 'submitting' && entry.event.attemptId === event.attemptId,
    );
    return [{ batchId: event.batchId, atMs: decided?.atMs ?? atMs }];
  }
  if (event.type === 'taken_over') {
    const sentMs = earlier(event.attempt.upload.createdAtMs, atMs);
    const ids = [event.batchId, ...event.strays.map((stray) => stray.batchId)];
    return ids.map((batchId) => ({ batchId, atMs: sentMs }));
  }
  return event.type === 'stray_found' ? [{ batchId: event.stray.batchId, atMs }] : [];
}

/** The provider's own time, where it states one that can be. */
function earlier(statedMs: number, recordedMs: number): number {
  return statedMs > 0 ? Math.min(statedMs, recordedMs) : recordedMs;
}
