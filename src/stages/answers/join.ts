/** Join: all parts to one result, in the order of the input's lines. */

import { IdsSink } from './ids-sink.ts';
import { ResultSink } from './result-sink.ts';
import { walkParts } from './walk-parts.ts';
import type { JoinPart } from './walk-parts.ts';

export interface JoinTask {
  readonly parts: readonly JoinPart[];
  /** Written anew. */
  readonly resultPath: string;
}

export interface JoinedResult {
  readonly sizeBytes: number;
  readonly sha256: string;
  readonly lines: number;
  /** Over the ids as they stand in the result; see domain/plan.ts. */
  readonly idsDigest: string;
}

/**
 * Writes the result, fsynced, and audits the parts on the way. Throws where a part has not the
 * size, the lines or the sha256 that were recorded of it, or where a line number comes twice.
 */
export function joinParts(task: JoinTask): JoinedResult {
  const sink = new ResultSink(task.resultPath);
  const audit = new IdsSink();
  try {
    walkParts(task.parts, [audit, sink], { hashed: true });
    return { ...sink.finish(), idsDigest: audit.finish().idsDigest };
  } finally {
    sink.close();
  }
}

/**
 * The first half of joinParts: writes the result, fsynced, and checks sizes and lines. In another
 * thread, auditParts does the rest at the same time; the two must agree on lines and size.
 */
export function writeResult(task: JoinTask): Omit<JoinedResult, 'idsDigest'> {
  const sink = new ResultSink(task.resultPath);
  try {
    walkParts(task.parts, [sink], { hashed: false });
    return sink.finish();
  } finally {
    sink.close();
  }
}

/** The second half of joinParts: checks each part's sha256, and tells the ids in their order. */
export function auditParts(task: Pick<JoinTask, 'parts'>): Omit<JoinedResult, 'sha256'> {
  const audit = new IdsSink();
  walkParts(task.parts, [audit], { hashed: true });
  return audit.finish();
}
