/** Join: all parts to one result, in the order of the input's lines. */

import { invariant } from '../../domain/errors.ts';
import { PartCursor, firstLineOf } from './part-cursor.ts';
import { ResultSink } from './result-sink.ts';

export interface JoinTask {
  readonly parts: readonly JoinPart[];
  /** Written anew. */
  readonly resultPath: string;
}

/** A part, and what was recorded of it when it was settled. */
export interface JoinPart {
  readonly partPath: string;
  readonly linesPath: string;
  readonly sha256: string;
  readonly sizeBytes: number;
  readonly lines: number;
}

export interface JoinedResult {
  readonly sizeBytes: number;
  readonly sha256: string;
  readonly lines: number;
  /** Over the ids as they stand in the result; see domain/plan.ts. */
  readonly idsDigest: string;
}

/**
 * Writes the result, fsynced. Runs of lines are copied as blocks, parts that do not interleave
 * whole. Throws where a part has not the size, the lines or the sha256 that were recorded of it,
 * or where a line number comes twice.
 */
export function joinParts(task: JoinTask): JoinedResult {
  const waiting = inOrder(task.parts);
  const open: PartCursor[] = [];
  const sink = new ResultSink(task.resultPath);
  try {
    for (;;) {
      openDue(waiting, open);
      const least = leastOf(open);
      if (least === null) break;
      least.copyUntil(nextLimit(open, least, waiting), sink);
      if (!least.isDone) continue;
      least.finish();
      open.splice(open.indexOf(least), 1);
    }
    return sink.finish();
  } finally {
    for (const cursor of open) cursor.close();
    sink.close();
  }
}

interface WaitingPart {
  readonly part: JoinPart;
  readonly firstLine: number;
}

/** Parts by their first line, the last one first, so that they are taken from the end. */
function inOrder(parts: readonly JoinPart[]): WaitingPart[] {
  return parts
    .filter((part) => part.lines > 0)
    .map((part) => ({ part, firstLine: firstLineOf(part.linesPath) }))
    .toSorted((a, b) => b.firstLine - a.firstLine);
}

/** Opens what may come next: never more parts than overlap at one line. */
function openDue(waiting: WaitingPart[], open: PartCursor[]): void {
  for (;;) {
    const next = waiting.at(-1);
    const least = leastOf(open);
    if (next === undefined || (least !== null && least.nextLine < next.firstLine)) return;
    open.push(new PartCursor(next.part));
    waiting.pop();
  }
}

function leastOf(open: readonly PartCursor[]): PartCursor | null {
  let least: PartCursor | null = null;
  for (const cursor of open) {
    invariant(cursor.nextLine !== least?.nextLine, `line ${cursor.nextLine} stands in two parts`);
    if (least === null || cursor.nextLine < least.nextLine) least = cursor;
  }
  return least;
}

/** The first line that is another part's. */
function nextLimit(
  open: readonly PartCursor[],
  least: PartCursor,
  waiting: readonly WaitingPart[],
): number {
  let limit = waiting.at(-1)?.firstLine ?? Infinity;
  for (const cursor of open) {
    if (cursor !== least && cursor.nextLine < limit) limit = cursor.nextLine;
  }
  return limit;
}
