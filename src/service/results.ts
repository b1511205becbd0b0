/** What the doors may ask about a finished result: failures, parts of it, what to send again. */

import type { JobId } from '../domain/ids.ts';
import type { JobState } from '../domain/job.ts';
import type { Plan, PlannedChunk } from '../domain/plan.ts';
import type { BlobStore } from '../ports/blob-store.ts';
import { failedRequests } from '../stages/answers/failed-requests.ts';
import type { FailedLine } from '../stages/answers/failures.ts';
import { readFailures } from '../stages/answers/failures.ts';
import { filterResult } from '../stages/answers/filter-result.ts';
import type { IndexedChunk } from '../stages/answers/walk-records.ts';
import type { ManifestResult } from '../stages/manifest.ts';
import { parseManifest } from '../stages/manifest.ts';
import { chunkFileName } from '../stages/names.ts';
import type { JobViews } from './job-views.ts';
import { isPlanned } from './job-views.ts';

export type { FailedLine, FailureGroup } from '../stages/answers/failures.ts';

export class Results {
  readonly #blobs: BlobStore;
  readonly #views: JobViews;

  constructor(blobs: BlobStore, views: JobViews) {
    this.#blobs = blobs;
    this.#views = views;
  }

  /** What a manifest's text says of its result; null where it is not one of ours. */
  manifest(text: string): ManifestResult | null {
    return parseManifest(text);
  }

  /** The failed lines of a result file, in their order. */
  failures(resultPath: string): Iterable<FailedLine> {
    return readFailures(resultPath);
  }

  /** The answered or the failed lines of a result file, byte for byte, in blocks. */
  filtered(resultPath: string, wanted: 'ok' | 'failed'): Iterable<Buffer> {
    return filterResult(resultPath, wanted);
  }

  /**
   * The requests behind failed answers, byte for byte and in input order. Rejected lines are
   * left out: they were never requests that could be sent. Memory does not grow with them.
   */
  async *failedRequests(job: JobState, resultPath: string): AsyncGenerator<Buffer> {
    if (!isPlanned(job)) return;
    const chunks = await localChunks(job.spec.id, await this.#views.plan(job), this.#blobs);
    const task = { resultPath, runsPath: null, chunks, wanted: 'all' } as const;
    for (const { bytes } of failedRequests(task)) yield Buffer.from(bytes);
  }
}

/** Local paths of what says where the chunks' requests are. */
export async function localChunks(job: JobId, plan: Plan, blobs: BlobStore) {
  const local = async ({ id, firstLine, lastLine }: PlannedChunk): Promise<IndexedChunk> => ({
    linesPath: await blobs.toLocal(chunkFileName(job, id, 'lines.idx')),
    requestsPath: await blobs.toLocal(chunkFileName(job, id, 'requests.jsonl')),
    firstLine,
    lastLine,
  });
  return Promise.all(plan.chunks.map(local));
}
