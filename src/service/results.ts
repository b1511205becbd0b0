/** What the doors may ask about a finished result: failures, parts of it, what to send again. */

import type { JobState } from '../domain/job.ts';
import type { PlannedChunk } from '../domain/plan.ts';
import { LineIndex } from '../jsonl/line-index.ts';
import type { BlobStore } from '../ports/blob-store.ts';
import type { FailedLine } from '../stages/answers/failures.ts';
import { readFailures } from '../stages/answers/failures.ts';
import { filterResult } from '../stages/answers/filter-result.ts';
import type { ManifestResult } from '../stages/manifest.ts';
import { parseManifest } from '../stages/manifest.ts';
import { chunkFileName } from '../stages/names.ts';
import type { JobViews } from './job-views.ts';
import { isPlanned } from './job-views.ts';

export type { FailedLine, FailureGroup } from '../stages/answers/failures.ts';

interface Place {
  readonly line: number;
  readonly name: string;
  readonly start: number;
  readonly end: number;
}

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
   * left out: they were never requests that could be sent. Memory grows with the failed only.
   */
  async *failedRequests(job: JobState, resultPath: string): AsyncGenerator<Buffer> {
    const failed = new Set<string>();
    for (const { customId } of readFailures(resultPath)) {
      if (customId !== null) failed.add(customId);
    }
    const places: Place[] = [];
    if (isPlanned(job)) {
      for (const chunk of (await this.#views.plan(job)).chunks) {
        places.push(...(await this.#placesIn(job, chunk, failed)));
      }
    }
    for (const { name, start, end } of places.toSorted((a, b) => a.line - b.line)) {
      const line = await this.#blobs.get(name, { start, end });
      if (line !== null) yield line;
    }
  }

  async #placesIn(
    job: JobState,
    chunk: PlannedChunk,
    failed: ReadonlySet<string>,
  ): Promise<Place[]> {
    const { id } = job.spec;
    const records = await this.#blobs.get(chunkFileName(id, chunk.id, 'lines.idx'));
    const ids = await this.#blobs.get(chunkFileName(id, chunk.id, 'ids.bin'));
    if (records === null || ids === null) return [];
    const index = new LineIndex(records, ids);
    const name = chunkFileName(id, chunk.id, 'requests.jsonl');
    const places: Place[] = [];
    for (let record = 0; record < index.count; record += 1) {
      if (index.isRejected(record) || !failed.has(index.idBytes(record).toString())) continue;
      const start = index.offset(record);
      places.push({ line: index.line(record), name, start, end: start + index.length(record) });
    }
    return places;
  }
}
