/** A batch as the simulated provider knows it. */

import type { BatchError, ProviderBatch } from '../../../src/ports/batch-provider.ts';

export interface StoredFile {
  readonly id: string;
  readonly filename: string;
  readonly bytes: Buffer;
  readonly createdAtMs: number;
  deletedAtMs: number | null;
  /** Somebody asked for its deletion, and was told that it is done. */
  deletionConfirmed: boolean;
  /** Downloads that still come cut between two lines. */
  cuts: number;
}

export interface Batch {
  readonly id: string;
  readonly inputFileId: string;
  readonly metadata: Readonly<Record<string, string>>;
  readonly createdAtMs: number;
  /** Not in any list before. */
  readonly listedAtMs: number;
  /** Made by the same POST as another one. */
  readonly isTwin: boolean;
  /** A paid answer was left out of its files. */
  isShort: boolean;
  status: 'validating' | 'in_progress' | 'finalizing' | Final | 'cancelling';
  /** The ids of the file's lines, in order. */
  customIds: readonly string[];
  /** Answer lines by id, as far as it got. */
  readonly answers: Map<string, { line: string; ok: boolean }>;
  errors: readonly BatchError[];
  outputFileId: string | null;
  errorFileId: string | null;
  /** The ids of its files are not shown before. */
  filesShownAtMs: number;
  cancelAsked: boolean;
}

export type Final = 'completed' | 'failed' | 'expired' | 'cancelled';

/** Whether it may still execute requests, and nobody has asked it to stop. */
export function isLive(batch: Batch): boolean {
  return ['validating', 'in_progress', 'finalizing'].includes(batch.status) && !batch.cancelAsked;
}

export function isFinal(batch: Batch): boolean {
  return ['completed', 'failed', 'expired', 'cancelled'].includes(batch.status);
}

/** The batch as an answer of the API shows it at the time. */
export function viewOf(
  batch: Batch,
  nowMs: number,
  states: { times: boolean; counts: boolean },
): ProviderBatch {
  const answers = [...batch.answers.values()];
  const completed = answers.filter(({ ok }) => ok).length;
  const failed = answers.length - completed;
  const shown = nowMs >= batch.filesShownAtMs;
  // Without counts and without files nobody could ever say that nothing was paid.
  const hasFiles = batch.outputFileId !== null || batch.errorFileId !== null;
  const countsShown = states.counts || (isFinal(batch) && !hasFiles);
  return {
    id: batch.id,
    status: batch.status,
    inputFileId: batch.inputFileId,
    outputFileId: shown ? batch.outputFileId : null,
    errorFileId: shown ? batch.errorFileId : null,
    createdAtMs: states.times ? wholeSeconds(batch.createdAtMs) : 0,
    counts: countsShown ? { total: batch.customIds.length, completed, failed } : null,
    errors: batch.errors,
    metadata: batch.metadata,
  };
}

export function wholeSeconds(ms: number): number {
  return Math.floor(ms / 1000) * 1000;
}
