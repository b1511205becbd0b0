/** How the chunks of an unfinished job stand: by the live board, else by their streams. */

import type { ChunkId, JobId } from '../domain/ids.ts';
import { chunkIdOf } from '../domain/ids.ts';
import type { JobState, PlanReference } from '../domain/job.ts';
import type { Clock } from '../ports/clock.ts';
import type { ChunkProgress, LiveBoard } from '../ports/live-board.ts';
import { concurrently } from '../stages/concurrently.ts';
import { progressOf } from './chunk-effects.ts';
import type { JobViews } from './job-views.ts';
import { Recent } from './recent.ts';

/** Streams that are loaded at once. */
const LOADS_AT_ONCE = 16;

/** How long a look is good enough for people. */
const KEEP_MS = 1_000;

export interface LiveSums {
  /** Lines, rejected ones included. */
  readonly done: number;
  readonly failed: number;
  readonly phases: Readonly<Record<string, number>>;
  readonly reasons: Readonly<Record<string, number>>;
}

type Planned = JobState & { readonly plan: PlanReference };

export class LiveProgress {
  readonly #views: JobViews;
  readonly #board: LiveBoard | null;
  readonly #boards: Recent<JobId, ReadonlyMap<ChunkId, ChunkProgress>>;
  readonly #sums: Recent<JobId, LiveSums>;

  constructor(views: JobViews, board: LiveBoard | null, clock: Clock) {
    this.#views = views;
    this.#board = board;
    this.#boards = new Recent(clock, KEEP_MS);
    this.#sums = new Recent(clock, KEEP_MS);
  }

  /** What the board shows; empty where there is none, or it cannot be read. At most 1 s old. */
  async shown(job: JobId): Promise<ReadonlyMap<ChunkId, ChunkProgress>> {
    const board = this.#board;
    if (board === null) return new Map();
    return this.#boards.get(job, () => board.progress(job).catch(() => new Map()));
  }

  /**
   * All chunks added up: from the board, and from the streams of those that it does not show. Read
   * at most once a second for each job, and more rarely where many streams have to be loaded.
   */
  async sums(job: Planned): Promise<LiveSums> {
    return this.#sums.get(job.spec.id, () => this.#read(job));
  }

  async #read(job: Planned): Promise<LiveSums> {
    const shown = await this.shown(job.spec.id);
    const found: ChunkProgress[] = [];
    const missing: ChunkId[] = [];
    for (let index = 0; index < job.plan.chunkCount; index += 1) {
      const chunk = chunkIdOf(index);
      const progress = shown.get(chunk);
      if (progress === undefined) missing.push(chunk);
      else found.push(progress);
    }
    await concurrently(missing, LOADS_AT_ONCE, async (id) => {
      const chunk = await this.#views.plannedChunk(job, id);
      if (chunk === null) return;
      const task = await this.#views.chunkTask(job, chunk);
      found.push(progressOf(task, { kind: 'idle' }));
    });
    return sumChunks(found);
  }
}

/** Adds up chunks as the live board shows them. */
export function sumChunks(chunks: Iterable<ChunkProgress>): LiveSums {
  const phases = new Map<string, number>();
  const reasons = new Map<string, number>();
  let done = 0;
  let failed = 0;
  for (const chunk of chunks) {
    // A provider that counts an answer twice must not move the bar beyond its end.
    done += Math.min(chunk.done, chunk.total);
    failed += chunk.failed;
    phases.set(chunk.phase, (phases.get(chunk.phase) ?? 0) + 1);
    if (chunk.reason === '') continue;
    reasons.set(chunk.reason, (reasons.get(chunk.reason) ?? 0) + 1);
  }
  const records = { phases: Object.fromEntries(phases), reasons: Object.fromEntries(reasons) };
  return { done, failed, ...records };
}
