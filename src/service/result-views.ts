/**
 * What the doors may read of results: whole, the answered or the failed lines, as byte ranges and
 * line by line; and what is there of a job that is not over. Nothing is ever whole in memory.
 */

import { Refusal, StoreDamage } from '../domain/errors.ts';
import type { JobId } from '../domain/ids.ts';
import type { JobState } from '../domain/job.ts';
import { jobStatus } from '../domain/job.ts';
import type { BlobStore } from '../ports/blob-store.ts';
import type { Clock } from '../ports/clock.ts';
import type { Notices } from '../ports/notices.ts';
import type { Scratch } from '../ports/scratch.ts';
import type { ThreadPool } from '../ports/thread-pool.ts';
import type { WantedFailures } from '../stages/answers/failed-requests.ts';
import type { FailedPage, FailureGroup } from '../stages/answers/failures.ts';
import type { Engines } from '../stages/engines.ts';
import { manifestName, resultName } from '../stages/names.ts';
import { EMPTY_VIEW, pickedView, wholeView } from './byte-view.ts';
import type { ByteView } from './byte-view.ts';
import { FailedIndex, failuresOf } from './failed-index.ts';
import type { FinishedJob, ResultSizes } from './failed-index.ts';
import type { JobViews } from './job-views.ts';
import { isPlanned } from './job-views.ts';
import { localChunks } from './results.ts';
import { hasResult, neverThere, SettledLines } from './settled-lines.ts';

export type { ByteRange, ByteView } from './byte-view.ts';
export type { ResultSizes } from './failed-index.ts';
export type { FailedEntry, FailedPage, FailureGroup } from '../stages/answers/failures.ts';
export type { WantedFailures } from '../stages/answers/failed-requests.ts';

/** Which lines of a result: all, those that succeeded, all others. */
export type Included = 'all' | 'ok' | 'failed';

export interface FailedLinesWish {
  /** Only lines of the result with a number above it; 0: from the first. */
  readonly after: number;
  /** From 1. */
  readonly limit: number;
  /** Only failures of this class. */
  readonly class?: string;
}

export interface ResultViewsParts {
  readonly blobs: BlobStore;
  readonly engines: ThreadPool<Engines>;
  readonly scratch: Scratch;
  readonly views: JobViews;
  readonly clock: Clock;
  readonly notices: Notices;
}

/**
 * Methods that need the result reject with the refusal `not_finished` where it is not there yet,
 * and with `no_result` where it never will be.
 */
export class ResultViews {
  readonly #parts: ResultViewsParts;
  readonly #index: FailedIndex;
  readonly #settled: SettledLines;

  constructor(parts: ResultViewsParts) {
    this.#parts = parts;
    this.#index = new FailedIndex(parts);
    this.#settled = new SettledLines(parts.blobs, parts.views, parts.clock);
  }

  /** The result or a half of it. Waits for a scan where a half is asked for the first time. */
  async view(state: JobState, include: Included): Promise<ByteView> {
    const job = finished(state);
    const { blobs } = this.#parts;
    const name = resultName(job.spec.id);
    const { sizeBytes } = job.result;
    if ((await blobs.head(name))?.sizeBytes !== sizeBytes) {
      throw new StoreDamage(`${name} is missing, or has not the size that was journaled`);
    }
    if (include === 'all') return wholeView(blobs, name, sizeBytes);
    const { okBytes, failedBytes } = await this.#index.sizes(job);
    const wantedBytes = include === 'ok' ? okBytes : failedBytes;
    if (wantedBytes === 0) return EMPTY_VIEW;
    if (wantedBytes === sizeBytes) return wholeView(blobs, name, sizeBytes);
    return pickedView(blobs, name, () => this.#index.table(job), include, wantedBytes);
  }

  /** What the halves of the result weigh; waits for a scan where one is needed. */
  async sizes(state: JobState): Promise<ResultSizes> {
    return this.#index.sizes(finished(state));
  }

  /**
   * The same, but null where a scan is needed: that is done in the background, and tried again at
   * the next call if it fails.
   */
  async knownSizes(state: JobState): Promise<ResultSizes | null> {
    return this.#index.knownSizes(finished(state));
  }

  /** The manifest as tenants see it: which batches the provider made is the operator's to know. */
  async manifest(state: JobState): Promise<Buffer> {
    const name = manifestName(finished(state).spec.id);
    const bytes = await this.#parts.blobs.get(name);
    if (bytes === null) throw new StoreDamage(`${name} is missing`);
    const { batches: _, ...shown } = JSON.parse(bytes.toString()) as Record<string, unknown>;
    return Buffer.from(`${JSON.stringify(shown, null, 2)}\n`);
  }

  /** All lines of the chunks that are settled now, in input order. */
  async *partial(state: JobState): AsyncGenerator<Buffer> {
    if (hasResult(state)) yield* (await this.view(state, 'all')).read();
    else if (isPlanned(state)) yield* this.#settled.partial(state);
  }

  /**
   * The lines before which none is missing, as chunks settle, until the job is over: then it has
   * yielded exactly the result. Rejects where the signal is aborted, with `no_result` where the
   * job is refused, and with `unknown_job` where it is deleted meanwhile.
   */
  follow(job: JobId, signal: AbortSignal): AsyncIterable<Buffer> {
    return this.#settled.follow(job, signal);
  }

  /** A page of failed lines, in their order. A page may be short, or empty, and not the last. */
  async failures(state: JobState, wish: FailedLinesWish): Promise<FailedPage> {
    const place = await this.#failedPlace(finished(state));
    if (place === null) return { failures: [], next: null };
    const { after, limit, class: ofClass = null } = wish;
    return this.#parts.engines.run('pageFailures', { ...place, after, limit, ofClass });
  }

  /** The failed lines by class, the largest group first, each with some of their ids. */
  async groups(
    state: JobState,
    samples: number,
  ): Promise<{ groups: readonly FailureGroup[]; failed: number }> {
    const place = await this.#failedPlace(finished(state));
    if (place === null) return { groups: [], failed: 0 };
    return this.#parts.engines.run('groupFailures', { ...place, samples });
  }

  /**
   * Writes the requests behind failed answers to a new file, byte for byte and in input order,
   * fsynced. Rejected lines are left out: they were never requests that could be sent.
   */
  async writeFailedRequests(
    state: JobState,
    wanted: WantedFailures,
    path: string,
  ): Promise<{ requests: number; sizeBytes: number }> {
    const job = finished(state);
    const { blobs, engines, views } = this.#parts;
    const chunks = await localChunks(job.spec.id, await views.plan(job), blobs);
    const resultPath = await blobs.toLocal(resultName(job.spec.id));
    const runsPath = await this.#index.localPath(job);
    // Without failures the file is empty, and nothing has to be read to know that.
    const task = { resultPath, runsPath, chunks: runsPath === null ? [] : chunks, wanted, path };
    return engines.run('writeFailedRequests', task);
  }

  /** Null where nothing failed. */
  async #failedPlace(job: FinishedJob) {
    if (failuresOf(job.result) === 0) return null;
    const resultPath = await this.#parts.blobs.toLocal(resultName(job.spec.id));
    return { resultPath, runsPath: await this.#index.localPath(job) };
  }
}

function finished(state: JobState): FinishedJob {
  if (hasResult(state)) return state;
  // Who waits for what never comes would wait for ever.
  if (state.status === 'refused') throw neverThere(state.spec.id);
  throw new Refusal('not_finished', `${state.spec.id} is ${jobStatus(state)}: it has no result.`);
}
