/**
 * Join: all parts to one result, in the order of the input's lines. It is two tasks that run at
 * the same time in two threads, each of which reads all parts by itself: one checks and writes
 * them, the other tells the sha256. The two must agree on lines and size.
 */

import { HashSink } from './hash-sink.ts';
import { IdsSink } from './ids-sink.ts';
import { ResultSink } from './result-sink.ts';
import { walkParts } from './walk-parts.ts';
import type { JoinPart } from './part-cursor.ts';

export interface JoinTask {
  readonly parts: readonly JoinPart[];
  /** Written anew. */
  readonly resultPath: string;
}

export interface WrittenResult {
  readonly sizeBytes: number;
  readonly lines: number;
  /** Over the ids as they stand in the result; see domain/plan.ts. */
  readonly idsDigest: string;
}

/**
 * Writes the result, fsynced. Throws where a part has not the size, the lines or the crc32 that
 * were recorded of it, where a line number comes twice, or where a line has no custom_id.
 */
export function writeResult(task: JoinTask): WrittenResult {
  const sink = new ResultSink(task.resultPath);
  const ids = new IdsSink();
  try {
    walkParts(task.parts, [ids, sink]);
    sink.finish();
    return ids.finish();
  } finally {
    sink.close();
  }
}

/**
 * The sha256 of what writeResult writes of these parts. It leaves the check of the ids to
 * writeResult, and throws where that does otherwise.
 */
export function hashResult(task: Pick<JoinTask, 'parts'>): {
  sizeBytes: number;
  lines: number;
  sha256: string;
} {
  const sink = new HashSink();
  walkParts(task.parts, [sink]);
  return sink.finish();
}
