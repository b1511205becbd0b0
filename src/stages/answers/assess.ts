/** Assess: what a chunk's stored answers amount to, and what has to be sent again. */

import type { ClassCounts, UsageByModel } from '../../domain/answer.ts';
import { invariant } from '../../domain/errors.ts';
import type { ByteRange } from '../../ports/batch-provider.ts';
import type { ChunkAnswers } from './chunk-answers.ts';
import { AGAIN, ChunkOutcomes, FINAL, REJECTED, SUCCESS } from './chunk-outcomes.ts';
import type { InvalidAttempt } from './chunk-outcomes.ts';

export type { AttemptAnswers, ChunkAnswers } from './chunk-answers.ts';

export interface Assessment {
  readonly counts: {
    readonly requests: number;
    readonly succeeded: number;
    readonly failed: number;
    readonly pending: number;
  };
  /** Every request by its last answer; those without any are `no_answer`. */
  readonly byClass: ClassCounts;
  /** What is pending, as ranges of requests.jsonl: adjacent lines are one range. */
  readonly pendingRanges: readonly ByteRange[];
  readonly pendingBytes: number;
  /** A pending request's last answer says that the account has to be paid up first. */
  readonly quota: boolean;
  /** The last attempt that failed validation; null where none did. */
  readonly invalid: InvalidAttempt | null;
  readonly strangers: number;
  readonly unparsable: number;
  readonly duplicates: number;
  readonly conflicts: number;
  /** Of the successes. */
  readonly usage: UsageByModel;
}

/** Throws where an index is not whole or a file is shorter than its index says. */
export function assessChunk(input: ChunkAnswers): Assessment {
  const outcomes = new ChunkOutcomes(input);
  try {
    return assessmentOf(outcomes);
  } finally {
    outcomes.close();
  }
}

/** Requests by outcome. */
export function countOutcomes(outcomes: ChunkOutcomes): Assessment['counts'] {
  let succeeded = 0;
  let failed = 0;
  for (let record = 0; record < outcomes.index.count; record += 1) {
    const outcome = outcomes.outcome(record);
    if (outcome === SUCCESS) succeeded += 1;
    if (outcome === FINAL) failed += 1;
  }
  const { requests } = outcomes;
  return { requests, succeeded, failed, pending: requests - succeeded - failed };
}

/** Requests by the class of their last answer; `no_answer` where there was none. */
export function countClasses(outcomes: ChunkOutcomes): Record<string, number> {
  const counts = new Map<string, number>();
  for (let record = 0; record < outcomes.index.count; record += 1) {
    if (outcomes.outcome(record) === REJECTED) continue;
    const name = outcomes.className(record) ?? 'no_answer';
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  return Object.fromEntries([...counts].toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

function assessmentOf(outcomes: ChunkOutcomes): Assessment {
  const { invalid, strangers, unparsable, duplicates, conflicts } = outcomes;
  const { ranges, lines, sizeBytes, quota } = pendingOf(outcomes);
  const counts = countOutcomes(outcomes);
  invariant(lines === counts.pending, 'what is pending is what has no final answer');
  return {
    counts,
    byClass: countClasses(outcomes),
    pendingRanges: ranges,
    pendingBytes: sizeBytes,
    quota,
    invalid,
    strangers,
    unparsable,
    duplicates,
    conflicts,
    usage: outcomes.usage(),
  };
}

function pendingOf(outcomes: ChunkOutcomes) {
  const { index } = outcomes;
  const ranges: { start: number; end: number }[] = [];
  let lines = 0;
  let sizeBytes = 0;
  let quota = false;
  for (let record = 0; record < index.count; record += 1) {
    if (outcomes.outcome(record) > AGAIN) continue;
    const start = index.offset(record);
    const end = start + index.length(record);
    const last = ranges.at(-1);
    if (last?.end === start) last.end = end;
    else ranges.push({ start, end });
    lines += 1;
    sizeBytes += end - start;
    quota ||= outcomes.isQuota(record);
  }
  return { ranges, lines, sizeBytes, quota };
}
