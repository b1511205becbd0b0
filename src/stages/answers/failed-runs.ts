/** Finds where in a result the failed lines stand, for all who read only those or the others. */

import { statSync } from 'node:fs';
import { StoreDamage } from '../../domain/errors.ts';
import type { Run } from '../../jsonl/run-index.ts';
import { RUN_BYTES, writeRun } from '../../jsonl/run-index.ts';
import { AppendFile } from '../plan/append-file.ts';
import { ResultLines } from './result-lines.ts';

const BUFFER_BYTES = 64 * 1024;

/** A longer run becomes two, so that a line in it is found without reading much before it. */
const MAX_RUN_BYTES = 1024 * 1024;

export interface FailedRunsTask {
  readonly resultPath: string;
  /** Must not be there; see jsonl/run-index.ts. */
  readonly runsPath: string;
}

export interface FailedRuns {
  readonly failedLines: number;
  readonly failedBytes: number;
}

/**
 * Writes the index of the failed lines, fsynced. The same result makes the same bytes. Rejects
 * with StoreDamage where the result is cut.
 */
export async function findFailedRuns(task: FailedRunsTask): Promise<FailedRuns> {
  const lines = new ResultLines(task.resultPath);
  const file = new AppendFile(task.runsPath, BUFFER_BYTES);
  try {
    const { sizeBytes, ...found } = writeRuns(lines, file);
    const { size } = statSync(task.resultPath);
    if (lines.problems.length > 0 || sizeBytes !== size) {
      throw new StoreDamage(`${task.resultPath} is no whole result. ${lines.problems.join(' ')}`);
    }
    append(file, { start: size, before: found.failedBytes, line: lines.line + 1 });
    await file.finish();
    return found;
  } finally {
    file.abandon();
    lines.close();
  }
}

function writeRuns(lines: ResultLines, file: AppendFile): FailedRuns & { sizeBytes: number } {
  let sizeBytes = 0;
  let failedLines = 0;
  let failedBytes = 0;
  let runStart = 0;
  let runEnd = -1;
  while (lines.next()) {
    const { offset, length } = lines;
    sizeBytes += length;
    if (lines.isSuccess) continue;
    if (offset !== runEnd || offset - runStart >= MAX_RUN_BYTES) {
      append(file, { start: offset, before: failedBytes, line: lines.line });
      runStart = offset;
    }
    runEnd = offset + length;
    failedLines += 1;
    failedBytes += length;
  }
  return { sizeBytes, failedLines, failedBytes };
}

function append(file: AppendFile, run: Run): void {
  const buffer = file.reserve(RUN_BYTES);
  writeRun(buffer, file.reservedAt, run);
}
