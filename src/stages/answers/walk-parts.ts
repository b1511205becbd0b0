/** Goes through the lines of all parts in the order of the input. */

import { invariant } from '../../domain/errors.ts';
import { PartCursor, firstLineOf } from './part-cursor.ts';
import type { JoinPart, LineSink } from './part-cursor.ts';

/**
 * Hands the sinks every line once. Only parts that interleave are open together. Throws where a
 * part has not the lines, the size or the crc32 that were recorded of it, and where a line number
 * comes twice.
 */
export function walkParts(parts: readonly JoinPart[], sinks: readonly LineSink[]): void {
  const waiting = inOrder(parts);
  const open: PartCursor[] = [];
  try {
    for (;;) {
      openDue(waiting, open);
      const least = leastOf(open);
      if (least === null) return;
      least.walkUntil(nextLimit(open, least, waiting), sinks);
      if (!least.isDone) continue;
      least.finish();
      open.splice(open.indexOf(least), 1);
    }
  } finally {
    for (const cursor of open) cursor.close();
  }
}

interface WaitingPart {
  readonly part: JoinPart;
  readonly firstLine: number;
}

/** Parts by their first line, the last one first, so that they are taken from the end. */
function inOrder(parts: readonly JoinPart[]): WaitingPart[] {
  return parts
    .map((part) => ({ part, firstLine: firstLineOf(part.linesPath) }))
    .toSorted((a, b) => b.firstLine - a.firstLine);
}

/** Opens what may come next. */
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
    const isTwice = cursor.nextLine === least?.nextLine && !cursor.isDone;
    invariant(!isTwice, `line ${cursor.nextLine} stands in two parts`);
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
