/** The request lines behind failed answers, byte for byte and in input order. */

import { open } from 'node:fs/promises';
import type { Store } from '../compose.ts';
import type { JobState } from '../domain/job.ts';
import type { PlannedChunk } from '../domain/plan.ts';
import { LineIndex } from '../jsonl/line-index.ts';
import { isPlanned } from '../service/job-views.ts';
import { readFailures } from '../stages/answers/failures.ts';
import { chunkFileName } from '../stages/names.ts';

interface Place {
  readonly line: number;
  readonly path: string;
  readonly offset: number;
  readonly length: number;
}

/**
 * Rejected lines are left out: they were never requests that could be sent. Memory grows with
 * the number of failed lines only.
 */
export async function failedRequests(
  job: JobState,
  resultPath: string,
  store: Store,
): Promise<AsyncIterable<Buffer>> {
  const failed = new Set<string>();
  for (const { customId } of readFailures(resultPath)) {
    if (customId !== null) failed.add(customId);
  }
  const places: Place[] = [];
  if (isPlanned(job)) {
    for (const chunk of (await store.views.plan(job)).chunks) {
      places.push(...(await placesIn(job, chunk, failed, store)));
    }
  }
  return linesAt(places.toSorted((a, b) => a.line - b.line));
}

async function placesIn(
  job: JobState,
  chunk: PlannedChunk,
  failed: ReadonlySet<string>,
  store: Store,
): Promise<Place[]> {
  const name = (file: 'lines.idx' | 'ids.bin' | 'requests.jsonl'): string =>
    chunkFileName(job.spec.id, chunk.id, file);
  const records = await store.blobs.get(name('lines.idx'));
  const ids = await store.blobs.get(name('ids.bin'));
  if (records === null || ids === null) return [];
  const index = new LineIndex(records, ids);
  const path = await store.blobs.toLocal(name('requests.jsonl'));
  const places: Place[] = [];
  for (let record = 0; record < index.count; record += 1) {
    if (index.isRejected(record) || !failed.has(index.idBytes(record).toString())) continue;
    const [line, offset, length] = [index.line(record), index.offset(record), index.length(record)];
    places.push({ line, path, offset, length });
  }
  return places;
}

async function* linesAt(places: readonly Place[]): AsyncGenerator<Buffer> {
  for (const { path, offset, length } of places) {
    const file = await open(path);
    try {
      const { buffer } = await file.read(Buffer.alloc(length), 0, length, offset);
      yield buffer;
    } finally {
      await file.close();
    }
  }
}
