/** Which batches and provider files the jobs of a data directory know of. */

import type { ChunkState } from '../domain/chunk.ts';
import type { ChunkId, JobId } from '../domain/ids.ts';
import type { JobState } from '../domain/job.ts';
import { isTerminal } from '../domain/job.ts';
import type { PlannedChunk } from '../domain/plan.ts';
import type { JobViews } from './job-views.ts';
import { isPlanned } from './job-views.ts';

/** A batch that the journal says is under way. */
export interface BatchInFlight {
  readonly job: JobId;
  readonly chunk: ChunkId;
  readonly batchId: string;
}

export class KnownBatches {
  /** The job that each known batch belongs to. */
  readonly owners = new Map<string, JobId>();
  readonly inFlight: BatchInFlight[] = [];
  /** Files at the provider that an attempt refers to. */
  readonly files = new Set<string>();
  /** Jobs that are not over, those that cannot be read included. */
  readonly unfinished = new Set<JobId>();
  /** Of these nothing was sent, as far as is known here. */
  readonly unplanned = new Set<JobId>();
  /** Of these nobody can tell what they know; whoever fails to read one adds it to both. */
  readonly unreadable = new Set<JobId>();
  /** By input file, the jobs that look for a batch over it: a create of theirs got no answer. */
  readonly awaited = new Map<string, JobId>();
  /** Chunks that can still be given a batch that they have forgotten; see `chunkKey`. */
  readonly takers = new Map<string, PlannedChunk>();

  /** Reads the last state of every chunk of these jobs; refused ones own nothing. */
  static async of(jobs: readonly JobState[], views: JobViews): Promise<KnownBatches> {
    const known = new KnownBatches();
    for (const job of jobs) await known.add(job, views);
    return known;
  }

  /** Takes in one more job. */
  async add(job: JobState, views: JobViews): Promise<void> {
    const { id, source } = job.spec;
    if (job.status === 'refused') return;
    if (!isTerminal(job)) this.unfinished.add(id);
    if (source.kind === 'batches') {
      for (const { batchId, fileId } of source.batches) {
        this.owners.set(batchId, id);
        this.files.add(fileId);
      }
    }
    if (job.status === 'created') this.unplanned.add(id);
    if (!isPlanned(job)) return;
    for (const chunk of (await views.plan(job)).chunks) {
      const { state } = await views.chunkStream(id, chunk);
      this.#addChunk(id, chunk.id, state);
      if (job.status === 'planned' && state.status !== 'settled') this.#addOpen(id, chunk, state);
    }
  }

  #addOpen(job: JobId, chunk: PlannedChunk, state: ChunkState): void {
    this.takers.set(chunkKey(job, chunk.id), chunk);
    // One that is only uploaded is not looked for: it would be submitted.
    const isDecided = state.status === 'submitting' || state.status === 'abandoning';
    if (isDecided) this.awaited.set(state.attempt.upload.fileId, job);
  }

  #addChunk(job: JobId, chunk: ChunkId, state: ChunkState): void {
    for (const fileId of state.files) this.files.add(fileId);
    for (const { fileId } of state.abandoned) {
      this.files.add(fileId);
      if (this.unfinished.has(job)) this.awaited.set(fileId, job);
    }
    for (const { batchId } of [...state.collected, ...state.strays]) this.owners.set(batchId, job);
    if (state.status === 'ended') this.owners.set(state.batch.batchId, job);
    if (state.status === 'submitted') this.owners.set(state.batchId, job);
    const live = state.status === 'submitted' ? [state.batchId] : [];
    for (const batchId of [...live, ...state.strays.map((stray) => stray.batchId)]) {
      this.inFlight.push({ job, chunk, batchId });
    }
  }
}

export function chunkKey(job: JobId, chunk: ChunkId): string {
  return `${job}/${chunk}`;
}
