/** Settle: a chunk's part, one line for every record of it, in input order. */

import { closeSync, fsyncSync, openSync, rmSync, statSync } from 'node:fs';
import type { ClassCounts, UsageByModel } from '../../domain/answer.ts';
import type { Close, PartRecord } from '../../domain/chunk.ts';
import { invariant } from '../../domain/errors.ts';
import { ownErrorLine } from '../own-error-line.ts';
import { countClasses, countOutcomes } from './assess.ts';
import type { ChunkAnswers } from './chunk-answers.ts';
import { ChunkOutcomes } from './chunk-outcomes.ts';
import { PartWriter } from './part-writer.ts';
import { writeQuarantine } from './quarantine.ts';

export interface SettleTask extends ChunkAnswers {
  /** Null: no line of the chunk was rejected. */
  readonly rejectedPath: string | null;
  /** Why what is still pending stays unanswered; null: nothing is pending. */
  readonly close: Close | null;
  /** Written anew. */
  readonly partPath: string;
  /** Written only where there are strangers or lines that do not parse; else absent afterwards. */
  readonly quarantinePath: string;
}

export interface SettledPart extends PartRecord {
  /** Sent requests by the class of their last answer; `ok` for successes. */
  readonly byClass: ClassCounts;
  /** Of the successes. */
  readonly usage: UsageByModel;
  readonly strangers: number;
  readonly unparsable: number;
  readonly duplicates: number;
  readonly conflicts: number;
}

/**
 * Writes the part and the quarantine, fsynced. Throws where a request is pending without a
 * `close`, where files do not fit their indexes, or where lines and bytes do not add up.
 */
export function settleChunk(task: SettleTask): SettledPart {
  const outcomes = new ChunkOutcomes(task);
  try {
    const written = writePart(task, outcomes);
    const onDisk = statSync(task.partPath).size;
    invariant(onDisk === written.sizeBytes, `the part has ${onDisk} bytes on the disk`);
    settleQuarantine(outcomes, task.quarantinePath);
    return partOf(outcomes, written);
  } finally {
    outcomes.close();
  }
}

type Written = Pick<PartRecord, 'lines' | 'sizeBytes' | 'crc32'>;

function writePart(task: SettleTask, outcomes: ChunkOutcomes): Written {
  const fd = openSync(task.partPath, 'w');
  try {
    const writer = new PartWriter(fd, outcomes, task.rejectedPath);
    for (let record = 0; record < outcomes.index.count; record += 1) {
      if (outcomes.hasLine(record)) writer.addAnswer(record);
      else writer.addLine(errorLineOf(record, outcomes, task.close));
    }
    const written = writer.finish();
    fsyncSync(fd);
    return written;
  } finally {
    closeSync(fd);
  }
}

function errorLineOf(record: number, outcomes: ChunkOutcomes, close: Close | null): Buffer {
  const { index } = outcomes;
  const refusal = outcomes.refusals.get(record);
  if (refusal !== undefined) {
    return ownErrorLine(index.rawId(record), index.line(record), refusal);
  }
  invariant(close !== null, `line ${index.line(record)} is pending while its chunk settles`);
  const last = outcomes.className(record);
  const message = last === null ? close.message : `${close.message} Its last answer: ${last}.`;
  return ownErrorLine(index.rawId(record), index.line(record), { code: close.code, message });
}

function settleQuarantine(outcomes: ChunkOutcomes, path: string): void {
  if (outcomes.strangers + outcomes.unparsable > 0) writeQuarantine(outcomes, path);
  else rmSync(path, { force: true });
}

function partOf(outcomes: ChunkOutcomes, written: Written): SettledPart {
  const { index, requests, strangers, unparsable, duplicates, conflicts } = outcomes;
  const { succeeded, failed, pending } = countOutcomes(outcomes);
  const rejected = index.count - requests;
  invariant(written.lines === index.count, `${written.lines} lines for ${index.count} records`);
  invariant(succeeded + failed + pending === requests, 'every sent request has an outcome');
  return {
    ...written,
    succeeded,
    failed: failed + pending,
    rejected,
    byClass: countClasses(outcomes),
    usage: outcomes.usage(),
    strangers,
    unparsable,
    duplicates,
    conflicts,
  };
}
