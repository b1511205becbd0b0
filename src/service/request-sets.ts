/** Request sets on their way in: kept with their job, checked without one, compared. */

import { createHash } from 'node:crypto';
import type { JobId } from '../domain/ids.ts';
import type { JobState, StoredSource } from '../domain/job.ts';
import type { RequestDefaults } from '../domain/plan.ts';
import type { BlobStore } from '../ports/blob-store.ts';
import type { Ids } from '../ports/ids.ts';
import type { Scratch } from '../ports/scratch.ts';
import type { ThreadPool } from '../ports/thread-pool.ts';
import type { Engines } from '../stages/engines.ts';
import { jobFolder, JOBS_FOLDER, jobSourceName } from '../stages/names.ts';
import { parseJobId } from '../domain/ids.ts';
import type { LimitRules, LimitWish } from './chunk-limits.ts';
import { chunkLimits } from './chunk-limits.ts';
import { isPlanned } from './job-views.ts';

export type { PlanOutcome } from '../stages/plan/plan.ts';

/** Bad lines that a preview lists; the rest is counted. */
const MAX_REPORTED = 100;

/** A job's folder without a journal is left alone so long: its submitter may be at it. */
const UNBORN_AGE_MS = 60 * 60_000;

export interface RequestSetParts {
  readonly blobs: BlobStore;
  readonly engines: ThreadPool<Engines>;
  readonly scratch: Scratch;
  readonly ids: Ids;
  readonly rules: LimitRules;
}

/** How a request set would be read. */
export interface Reading {
  readonly defaults: RequestDefaults;
  readonly limits: LimitWish;
  readonly onInvalid: 'fail' | 'skip';
}

export class RequestSets {
  readonly #parts: RequestSetParts;

  constructor(parts: RequestSetParts) {
    this.#parts = parts;
  }

  /** A new id for a job whose request set is still on its way. */
  newJob(): JobId {
    return this.#parts.ids.job();
  }

  /** A local folder for the work, which removes it when it ends. */
  async inFolder<Value>(work: (folder: string) => Promise<Value>): Promise<Value> {
    const folder = await this.#parts.scratch.makeFolder('intake');
    try {
      return await work(folder);
    } finally {
      await this.#parts.scratch.removeFolder(folder);
    }
  }

  /** Takes the local file as the job's request set; durable when it resolves. */
  async keep(job: JobId, localPath: string, sizeBytes: number): Promise<StoredSource> {
    const location = jobSourceName(job);
    await this.#parts.blobs.putFile(location, localPath);
    return { kind: 'blob', location, encoding: 'identity', sizeBytes, sha256: null };
  }

  /** Forgets a request set whose job was not made. */
  async drop(job: JobId): Promise<void> {
    await this.#parts.blobs.deleteFolder(jobFolder(job));
  }

  /** Checks and plans it in a thread; nothing is kept. Refuses what cannot be read at all. */
  async preview(localPath: string, { defaults, limits, onInvalid }: Reading) {
    return this.inFolder((folder) =>
      this.#parts.engines.run('planRequestSet', {
        sourcePath: localPath,
        encoding: 'identity',
        outputFolder: folder,
        job: this.newJob(),
        defaults,
        limits: chunkLimits(limits, this.#parts.rules),
        onInvalid,
        write: false,
        maxReported: MAX_REPORTED,
      }),
    );
  }

  /** Whether the job was made of the same bytes as the object; `load` loads the job once more. */
  async isSame(
    job: JobState,
    source: StoredSource,
    load: () => Promise<JobState>,
  ): Promise<boolean> {
    const made = job.spec.source;
    if (made.kind === 'batches' || made.sizeBytes !== source.sizeBytes) return false;
    if (made.location === source.location) return true;
    const theirs = isPlanned(job)
      ? job.plan.source.sha256
      : ((await this.#sha256(made)) ?? plannedSha256(await load()));
    return theirs !== null && theirs === (await this.#sha256(source));
  }

  /** Removes request sets whose submitter died before there was a job. Resolves to how many. */
  async removeUnborn(nowMs: number): Promise<number> {
    const { blobs } = this.#parts;
    let removed = 0;
    for (const name of await blobs.list(JOBS_FOLDER)) {
      const id = parseJobId(name.replace('/', ''));
      if (id === null) continue;
      const source = await blobs.head(jobSourceName(id));
      if (source === null || nowMs - source.modifiedAtMs < UNBORN_AGE_MS) continue;
      const parts = await blobs.list(jobFolder(id));
      if (parts.includes('journal/')) continue;
      await this.drop(id);
      removed += 1;
    }
    return removed;
  }

  /** Null: the object is gone. */
  async #sha256({ location, sizeBytes }: StoredSource): Promise<string | null> {
    const { blobs, engines } = this.#parts;
    if (sizeBytes === 0) return createHash('sha256').digest('hex');
    try {
      const path = await blobs.toLocal(location);
      return await engines.run('hashRanges', { path, ranges: [{ start: 0, end: sizeBytes }] });
    } catch (error) {
      // It may go while the task waits for a thread: the plan before it in the line removes it.
      if ((await blobs.head(location)) !== null) throw error;
      return null;
    }
  }
}

/** What the job is made of, by its plan: what came with the call goes when it is planned. */
function plannedSha256(job: JobState): string | null {
  return isPlanned(job) ? job.plan.source.sha256 : null;
}
