/**
 * Where the failed lines of results are: made in a thread when first asked for, kept as an object
 * beside the result. It follows from the result, so losing it only costs a scan.
 */

import { Refusal, StoreDamage } from '../domain/errors.ts';
import type { JobId } from '../domain/ids.ts';
import type { JobState, ResultRecord } from '../domain/job.ts';
import type { BlobStore } from '../ports/blob-store.ts';
import type { Notices } from '../ports/notices.ts';
import type { Scratch } from '../ports/scratch.ts';
import type { ThreadPool } from '../ports/thread-pool.ts';
import type { Engines } from '../stages/engines.ts';
import { failedRunsName, jobFolder, journalFolder, resultName } from '../stages/names.ts';
import { RunTable } from './run-table.ts';

/** Sizes that are remembered: a result never changes. */
const MAX_REMEMBERED = 10_000;

/** A job whose result is there. */
export type FinishedJob = Extract<JobState, { result: ResultRecord }>;

/** What the two halves of a result weigh, in bytes; a line that cannot be read counts as failed. */
export interface ResultSizes {
  readonly okBytes: number;
  readonly failedBytes: number;
}

export interface FailedIndexParts {
  readonly blobs: BlobStore;
  readonly engines: ThreadPool<Engines>;
  readonly scratch: Scratch;
  /** Hear of a scan that failed where nobody waits for it; whoever asks again has it made again. */
  readonly notices: Notices;
}

export class FailedIndex {
  readonly #parts: FailedIndexParts;
  readonly #sizes = new Map<JobId, ResultSizes>();
  readonly #making = new Map<JobId, Promise<void>>();
  /** Results that nobody waits for, the one that was asked for last at the end. */
  readonly #wanted = new Set<JobId>();
  #isBusy = false;

  constructor(parts: FailedIndexParts) {
    this.#parts = parts;
  }

  /** The table of the failed runs, made where it is not there yet. */
  async table(job: FinishedJob): Promise<RunTable> {
    const known = await this.#open(job);
    if (known !== null) return known;
    await this.#make(job.spec.id);
    const made = await this.#open(job);
    if (made !== null) return made;
    throw new StoreDamage(`${resultName(job.spec.id)} has not the size that was journaled`);
  }

  /** A local path of the table, made where it is not there yet; null: the job has no failures. */
  async localPath(job: FinishedJob): Promise<string | null> {
    if (failuresOf(job.result) === 0) return null;
    await this.table(job);
    return this.#parts.blobs.toLocal(failedRunsName(job.spec.id));
  }

  /** Waits for a scan where one is needed. */
  async sizes(job: FinishedJob): Promise<ResultSizes> {
    const known = await this.#lookUp(job);
    if (known !== null) return known;
    return this.#remember(job, await this.table(job));
  }

  /** Null where a scan is needed: it goes on in the background, and is tried again if it fails. */
  async knownSizes(job: FinishedJob): Promise<ResultSizes | null> {
    const known = await this.#lookUp(job);
    if (known === null) this.#makeLater(job.spec.id);
    return known;
  }

  /** One at a time: whoever lists a thousand old jobs must not take the threads from new ones. */
  #makeLater(job: JobId): void {
    this.#wanted.delete(job);
    this.#wanted.add(job);
    if (this.#isBusy) return;
    this.#isBusy = true;
    void this.#makeWanted().finally(() => {
      this.#isBusy = false;
    });
  }

  async #makeWanted(): Promise<void> {
    for (let job = this.#lastWanted(); job !== null; job = this.#lastWanted()) {
      this.#wanted.delete(job);
      try {
        await this.#make(job);
      } catch (error) {
        // A job that is deleted needs no index.
        if (!(error instanceof Refusal)) this.#tellOf(job, error);
      }
    }
  }

  #tellOf(job: JobId, error: unknown): void {
    const why = error instanceof Error ? error.message : String(error);
    const message = `The failed lines of the result could not be found: ${why}`;
    this.#parts.notices.tell({ level: 'warning', code: 'step_failed', message, job, chunk: null });
  }

  #lastWanted(): JobId | null {
    return [...this.#wanted].at(-1) ?? null;
  }

  async #lookUp(job: FinishedJob): Promise<ResultSizes | null> {
    const { result, spec } = job;
    if (failuresOf(result) === 0) return { okBytes: result.sizeBytes, failedBytes: 0 };
    if (result.succeeded === 0) return { okBytes: 0, failedBytes: result.sizeBytes };
    const remembered = this.#sizes.get(spec.id);
    if (remembered !== undefined) return remembered;
    const table = await this.#open(job);
    return table === null ? null : this.#remember(job, table);
  }

  async #remember({ spec, result }: FinishedJob, table: RunTable): Promise<ResultSizes> {
    const { before: failedBytes } = await table.at(table.count);
    const sizes = { okBytes: result.sizeBytes - failedBytes, failedBytes };
    if (this.#sizes.size >= MAX_REMEMBERED) this.#sizes.clear();
    this.#sizes.set(spec.id, sizes);
    return sizes;
  }

  async #open({ spec, result }: FinishedJob): Promise<RunTable | null> {
    return RunTable.open(this.#parts.blobs, failedRunsName(spec.id), result.sizeBytes);
  }

  /** However many ask, one scan is made. */
  async #make(job: JobId): Promise<void> {
    const running = this.#making.get(job);
    if (running !== undefined) return running;
    const making = this.#scan(job).finally(() => this.#making.delete(job));
    this.#making.set(job, making);
    return making;
  }

  async #scan(job: JobId): Promise<void> {
    const { blobs, engines, scratch } = this.#parts;
    const resultPath = await blobs.toLocal(resultName(job));
    const folder = await scratch.makeFolder('failed-runs');
    try {
      const runsPath = `${folder}/failed-runs.bin`;
      await engines.run('findFailedRuns', { resultPath, runsPath });
      await blobs.putFile(failedRunsName(job), runsPath);
    } finally {
      await scratch.removeFolder(folder);
    }
    // What is written for a job that was deleted meanwhile would make its folder anew, for ever.
    if ((await blobs.list(journalFolder(job))).length > 0) return;
    await blobs.deleteFolder(jobFolder(job));
    throw new Refusal('unknown_job', `The job ${job} is deleted.`);
  }
}

/** Lines of the result that are no successes. */
export function failuresOf({ failed, rejected }: ResultRecord): number {
  return failed + rejected;
}
