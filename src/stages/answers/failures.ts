/** What failed in a result: line by line, and grouped by class. */

import type { AnswerClass } from '../../domain/answer.ts';
import { ResultLines } from './result-lines.ts';

/** A line of a result that is not a success. */
export interface FailedLine {
  /** Counted from 1 in the result. */
  readonly line: number;
  /** Decoded; null where the line has none. */
  readonly customId: string | null;
  readonly class: string;
  /** Whether asking again may help. */
  readonly retryable: boolean;
  /** The provider's words, or ours. */
  readonly message: string;
  /** The line itself, without its newline. */
  readonly text: string;
}

export interface FailureGroup {
  readonly class: string;
  readonly retryable: boolean;
  readonly count: number;
  /** The first of them. */
  readonly sampleIds: readonly string[];
  /** Of the first of them. */
  readonly message: string;
}

const UNREADABLE: AnswerClass = { kind: 'final', class: 'unreadable_line' };

/** More classes than this become one group `other`. */
const MAX_GROUPS = 200;

/** Yields the failed lines in their order; the file is open until the generator ends. */
export function* readFailures(resultPath: string): Generator<FailedLine> {
  const lines = new ResultLines(resultPath);
  try {
    while (lines.next()) if (!lines.isSuccess) yield failureOf(lines);
  } finally {
    lines.close();
  }
}

/** Groups the failed lines by class, the largest group first. Memory does not grow with them. */
export function groupFailures(
  resultPath: string,
  options: { readonly samples: number },
): { groups: FailureGroup[]; failed: number } {
  const groups = new Map<string, FailureGroup & { count: number; sampleIds: string[] }>();
  let failed = 0;
  for (const failure of readFailures(resultPath)) {
    failed += 1;
    const { retryable, message } = failure;
    const isNew = !groups.has(failure.class);
    const name = isNew && groups.size >= MAX_GROUPS ? 'other' : failure.class;
    const group = groups.get(name) ?? { class: name, retryable, count: 0, sampleIds: [], message };
    groups.set(name, group);
    group.count += 1;
    const isSample = failure.customId !== null && group.sampleIds.length < options.samples;
    if (isSample && failure.customId !== null) group.sampleIds.push(failure.customId);
  }
  const sorted = [...groups.values()].toSorted((a, b) => b.count - a.count);
  return { groups: sorted, failed };
}

function failureOf(lines: ResultLines): FailedLine {
  const { bytes, id, isReadable, scanner, line, start, end } = lines;
  const answer = isReadable ? scanner.classify() : UNREADABLE;
  return {
    line,
    customId: id === null ? null : id.bytes.toString('utf8', id.start, id.end),
    class: answer.class,
    retryable: answer.kind !== 'final',
    message: isReadable ? scanner.message() : '',
    text: bytes.toString('utf8', start, end),
  };
}
