/** What failed in a result: line by line, and grouped by class. */

import type { AnswerClass } from '../../domain/answer.ts';
import { ResultLines } from './result-lines.ts';
import { RunFile } from './run-file.ts';

/** A line of a result that is not a success. */
export interface FailedEntry {
  /** Counted from 1 in the result. */
  readonly line: number;
  /** Decoded; null where the line has none. */
  readonly customId: string | null;
  readonly class: string;
  /** Whether asking again may help. */
  readonly retryable: boolean;
  /** The provider's words, or ours. */
  readonly message: string;
}

export interface FailedLine extends FailedEntry {
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

/** Where to look for failed lines. */
export interface FailedPlace {
  readonly resultPath: string;
  /** The index of the failed lines, so that only those are read; null: there is none. */
  readonly runsPath: string | null;
  /** Lines up to this number are left out. */
  readonly after: number;
}

export interface FailedPage {
  readonly failures: readonly FailedEntry[];
  /** Where to go on; null: nothing is left. */
  readonly next: number | null;
}

/** A message on a page is cut behind so many characters. */
const MAX_MESSAGE = 2_000;

/** A page ends after so many bytes of failed lines, found or not: a thread is not one's own. */
const MAX_PAGE_BYTES = 256 * 1024 * 1024;

/** Yields the failed lines in their order; the file is open until the generator ends. */
export function* readFailures(resultPath: string): Generator<FailedLine> {
  for (const lines of failedLines({ resultPath, runsPath: null, after: 0 })) {
    const text = lines.bytes.toString('utf8', lines.start, lines.end);
    yield { ...entryOf(lines), text };
  }
}

/** Failed lines of one class, or of every one where `ofClass` is null: at most `limit`, from 1. */
export function pageFailures(
  task: FailedPlace & { readonly limit: number; readonly ofClass: string | null },
): FailedPage {
  const failures: FailedEntry[] = [];
  let last = task.after;
  let readBytes = 0;
  for (const lines of failedLines(task)) {
    if (failures.length === task.limit || readBytes > MAX_PAGE_BYTES) {
      return { failures, next: last };
    }
    last = lines.line;
    readBytes += lines.length;
    if (task.ofClass !== null && classOf(lines).class !== task.ofClass) continue;
    const entry = entryOf(lines);
    failures.push({ ...entry, message: entry.message.slice(0, MAX_MESSAGE) });
  }
  return { failures, next: null };
}

/** Groups the failed lines by class, the largest group first. Memory does not grow with them. */
export function groupFailures(task: {
  readonly resultPath: string;
  readonly runsPath: string | null;
  readonly samples: number;
}): { groups: FailureGroup[]; failed: number } {
  const groups = new Map<string, FailureGroup & { count: number; sampleIds: string[] }>();
  let failed = 0;
  for (const lines of failedLines({ ...task, after: 0 })) {
    const failure = entryOf(lines);
    failed += 1;
    const { retryable, message } = failure;
    const isNew = !groups.has(failure.class);
    const name = isNew && groups.size >= MAX_GROUPS ? 'other' : failure.class;
    const group = groups.get(name) ?? { class: name, retryable, count: 0, sampleIds: [], message };
    groups.set(name, group);
    group.count += 1;
    const isSample = failure.customId !== null && group.sampleIds.length < task.samples;
    if (isSample && failure.customId !== null) group.sampleIds.push(failure.customId);
  }
  const sorted = [...groups.values()].toSorted((a, b) => b.count - a.count);
  return { groups: sorted, failed };
}

/** Stands on one failed line after the other. */
export function* failedLines({ resultPath, runsPath, after }: FailedPlace): Generator<ResultLines> {
  const lines = new ResultLines(resultPath);
  try {
    if (runsPath === null) yield* failedUntil(lines, Infinity, after);
    else yield* failedInRuns(lines, runsPath, after);
  } finally {
    lines.close();
  }
}

function* failedInRuns(lines: ResultLines, runsPath: string, after: number) {
  const runs = new RunFile(runsPath);
  try {
    for (let index = runs.indexAfter(after); index < runs.count; index += 1) {
      const { start, before, line } = runs.at(index);
      const end = start + runs.at(index + 1).before - before;
      lines.seek(start, line);
      yield* failedUntil(lines, end, after);
    }
  } finally {
    runs.close();
  }
}

function* failedUntil(lines: ResultLines, end: number, after: number): Generator<ResultLines> {
  while (lines.next()) {
    const isLast = lines.offset + lines.length >= end;
    if (lines.line > after && !lines.isSuccess) yield lines;
    if (isLast) return;
  }
}

/** How a failed line is counted, and whether asking again may help. */
export function classOf(lines: ResultLines): AnswerClass {
  return lines.isReadable ? lines.scanner.classify() : UNREADABLE;
}

function entryOf(lines: ResultLines): FailedEntry {
  const { id, isReadable, scanner, line } = lines;
  const answer = classOf(lines);
  return {
    line,
    customId: id === null ? null : id.bytes.toString('utf8', id.start, id.end),
    class: answer.class,
    retryable: answer.kind !== 'final',
    message: isReadable ? scanner.message() : '',
  };
}
