/**
 * Hints that a batch has ended: the poll of its chunk is rung now instead of later. A hint proves
 * nothing and may be lost; polling is the truth.
 */

import type { ChunkId, JobId } from '../domain/ids.ts';
import { parseChunkId, parseJobId } from '../domain/ids.ts';
import type { PlannedChunk } from '../domain/plan.ts';
import type { BatchProvider, ProviderBatch } from '../ports/batch-provider.ts';
import type { BlobStore } from '../ports/blob-store.ts';
import type { WorkQueue } from '../ports/work-queue.ts';
import { concurrently } from '../stages/concurrently.ts';
import { OPEN_FOLDER, settledFolder } from '../stages/names.ts';
import { chunkBell } from './bells.ts';
import type { JobViews } from './job-views.ts';
import { isPlanned } from './job-views.ts';

/** Hints that are followed at once, and those that may wait for it; others are dropped. */
const MAX_AT_ONCE = 4;
const MAX_WAITING = 1_000;

/** Streams that are read at once. */
const READS_AT_ONCE = 8;

export interface HintTools {
  readonly provider: Pick<BatchProvider, 'retrieveBatch'>;
  readonly blobs: Pick<BlobStore, 'list'>;
  readonly views: JobViews;
  readonly queue: Pick<WorkQueue, 'wake'>;
  readonly installation: string;
}

export class BatchHints {
  readonly #tools: HintTools;
  /** In the order in which they came. */
  readonly #waiting = new Set<string>();
  readonly #running = new Set<Promise<void>>();

  constructor(tools: HintTools) {
    this.#tools = tools;
  }

  /** Follows the hint soon; never throws. */
  hear(batchId: string): void {
    if (this.#waiting.size < MAX_WAITING) this.#waiting.add(batchId);
    this.#follow();
  }

  /** Resolves when no hint is left to be followed. */
  async settled(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running);
  }

  #follow(): void {
    for (const batchId of this.#waiting) {
      if (this.#running.size >= MAX_AT_ONCE) return;
      this.#waiting.delete(batchId);
      // What goes wrong costs the wait for the next poll.
      const running = this.#lookUp(batchId)
        .catch(() => undefined)
        .finally(() => {
          this.#running.delete(running);
          this.#follow();
        });
      this.#running.add(running);
    }
  }

  async #lookUp(batchId: string): Promise<void> {
    const batch = await this.#tools.provider.retrieveBatch(batchId);
    const { installation } = batch.metadata;
    if (installation !== undefined && installation !== this.#tools.installation) return;
    const named = nameOf(batch);
    if (named !== null && (await this.#wakeNamed(batchId, named))) return;
    await this.#search(batchId);
  }

  /** False where the chunk does not wait for the batch. */
  async #wakeNamed(batchId: string, { job, chunk }: Named): Promise<boolean> {
    const state = await this.#tools.views.job(job);
    if (state === null || !isPlanned(state)) return false;
    const planned = await this.#tools.views.plannedChunk(state, chunk);
    return planned !== null && this.#wake(batchId, job, planned);
  }

  /** Some servers lose metadata, and batches that were taken over never had ours. */
  async #search(batchId: string): Promise<void> {
    for (const name of await this.#tools.blobs.list(OPEN_FOLDER)) {
      const job = parseJobId(name);
      const state = job === null ? null : await this.#tools.views.job(job);
      if (job === null || state?.status !== 'planned') continue;
      const { chunks } = await this.#tools.views.plan(state);
      const settled = new Set(await this.#tools.blobs.list(settledFolder(job)));
      const live = chunks.filter(({ id }) => !settled.has(`${id}.json`));
      let isFound = false;
      await concurrently(live, READS_AT_ONCE, async (chunk) => {
        if (!isFound && (await this.#wake(batchId, job, chunk))) isFound = true;
      });
      if (isFound) return;
    }
  }

  async #wake(batchId: string, job: JobId, chunk: PlannedChunk): Promise<boolean> {
    const { state, version } = await this.#tools.views.chunkStream(job, chunk);
    if (state.status !== 'submitted' || state.batchId !== batchId) return false;
    const due = chunkBell(job, chunk.id, state, version);
    if (due !== null) await this.#tools.queue.wake(due.bell);
    return true;
  }
}

interface Named {
  readonly job: JobId;
  readonly chunk: ChunkId;
}

/** Whose batch it is by its metadata; null where that does not say. */
function nameOf({ metadata }: ProviderBatch): Named | null {
  const job = parseJobId(metadata['job'] ?? '');
  const chunk = parseChunkId(metadata['chunk'] ?? '');
  return job === null || chunk === null ? null : { job, chunk };
}
