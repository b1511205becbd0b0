/** Jobs and chunks as steps need them: loaded from the journal, plans kept in memory. */

import { createHash } from 'node:crypto';
import { applyToChunk, applyToJob } from '../domain/transitions.ts';
import type { ChunkEvent, ChunkState } from '../domain/chunk.ts';
import { freshChunk } from '../domain/chunk.ts';
import { StoreDamage } from '../domain/errors.ts';
import type { ChunkId, JobId } from '../domain/ids.ts';
import type { JobEvent, JobState, PlanReference } from '../domain/job.ts';
import type { Plan, PlannedChunk } from '../domain/plan.ts';
import type { BlobStore } from '../ports/blob-store.ts';
import type { Journal } from '../ports/journal.ts';
import { EventStream } from '../stages/event-stream.ts';
import { chunkStreamName, jobStreamName, planName } from '../stages/names.ts';
import type { ChunkTask, JobTask } from '../stages/tools.ts';

export type ChunkStream = EventStream<ChunkEvent, ChunkState>;

/** Plans kept at once: a plan never changes, so a copy is as good as the object. */
const MAX_PLANS = 8;

export class JobViews {
  readonly #blobs: BlobStore;
  readonly #journal: Journal;
  readonly #plans = new Map<JobId, Plan>();

  constructor(blobs: BlobStore, journal: Journal) {
    this.#blobs = blobs;
    this.#journal = journal;
  }

  /** The job's last state; null where there is no such job. */
  async job(id: JobId): Promise<JobState | null> {
    const entry = await this.#journal.load<JobEvent, JobState>(jobStreamName(id));
    return entry?.state ?? null;
  }

  /** The job's stream for a step; null where there is no such job. */
  async jobTask(id: JobId): Promise<JobTask | null> {
    const name = jobStreamName(id);
    const stream = await EventStream.open<JobEvent, JobState | null>(
      this.#journal,
      name,
      applyToJob,
      null,
    );
    if (stream.state === null) return null;
    return { job: stream.state.spec, stream: stream as EventStream<JobEvent, JobState> };
  }

  /** The chunk's last state; null where nothing has happened to it yet. */
  async chunk(job: JobId, chunk: ChunkId): Promise<ChunkState | null> {
    const name = chunkStreamName(job, chunk);
    return (await this.#journal.load<ChunkEvent, ChunkState>(name))?.state ?? null;
  }

  /** A planned job's chunk for a step. */
  async chunkTask(
    job: JobState & { plan: PlanReference },
    chunk: PlannedChunk,
  ): Promise<ChunkTask> {
    return {
      job: job.spec,
      options: job.options,
      endpoint: job.plan.endpoint,
      chunk,
      stream: await this.chunkStream(job.spec.id, chunk),
    };
  }

  async chunkStream(job: JobId, chunk: PlannedChunk): Promise<ChunkStream> {
    const name = chunkStreamName(job, chunk.id);
    return EventStream.open(this.#journal, name, applyToChunk, freshChunk(chunk.requests));
  }

  /** The job's plan, checked against the hash that its journal names. */
  async plan(job: JobState & { plan: PlanReference }): Promise<Plan> {
    const { id } = job.spec;
    const kept = this.#plans.get(id);
    if (kept !== undefined) return kept;
    const bytes = await this.#blobs.get(planName(id));
    if (bytes === null) throw new StoreDamage(`${planName(id)} is missing`);
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    if (sha256 !== job.plan.sha256) {
      throw new StoreDamage(`${planName(id)} is not the plan whose sha256 was journaled`);
    }
    const plan = JSON.parse(bytes.toString()) as Plan;
    if (this.#plans.size >= MAX_PLANS) this.#forgetOldest();
    this.#plans.set(id, plan);
    return plan;
  }

  async plannedChunk(
    job: JobState & { plan: PlanReference },
    chunk: ChunkId,
  ): Promise<PlannedChunk | null> {
    const plan = await this.plan(job);
    return plan.chunks[Number(chunk.slice(1))] ?? null;
  }

  #forgetOldest(): void {
    for (const id of this.#plans.keys()) {
      this.#plans.delete(id);
      return;
    }
  }
}

/** Whether the job has a plan. */
export function isPlanned(state: JobState): state is JobState & { plan: PlanReference } {
  return 'plan' in state;
}
