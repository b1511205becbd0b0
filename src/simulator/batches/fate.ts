/** What becomes of a batch, as far as it is decided by its input, its limits and chance. */

import { chance } from '../random.ts';
import type { World } from '../world.ts';
import { type BatchFinding, type BatchRecord, subjectOf, drawKeyOf } from './record.ts';
import type { Inspection } from './validation.ts';

/** Why the batch fails its validation; empty where it does not. */
export function reasonsToFail(
  world: World,
  batch: BatchRecord,
  inspection: Inspection | null,
): readonly BatchFinding[] {
  if (inspection === null || world.files.find(batch.inputFileId) === null) {
    const message = `Cannot find file ${batch.inputFileId}, or it is not accessible.`;
    return [{ code: 'invalid_request', line: null, message, param: 'file_id' }];
  }
  if (batch.order?.kind === 'fail') return batch.order.findings ?? [unknownFailure()];
  if (inspection.findings.length > 0) return inspection.findings;
  if (world.faults.strikes('fails_without_reason', subjectOf(batch)) !== null) {
    return [unknownFailure()];
  }
  return tokensOverLimit(world, batch, inspection);
}

function tokensOverLimit(
  world: World,
  batch: BatchRecord,
  inspection: Inspection,
): readonly BatchFinding[] {
  const model = inspection.model ?? '';
  const limits = world.settings.limits.enqueuedTokens;
  const limit = limits[model] ?? limits['*'] ?? Number.POSITIVE_INFINITY;
  const isForced = world.faults.strikes('token_limit_exceeded', subjectOf(batch)) !== null;
  const tokens = world.batches.enqueuedTokens(model) + inspection.promptTokens;
  if (!isForced && tokens <= limit) return [];
  const stated = Number.isFinite(limit) ? limit : 2_000_000;
  const message =
    `Enqueued token limit reached for ${model} in organization org-simulator. ` +
    `Limit: ${stated.toLocaleString('en-US')} enqueued tokens. ` +
    'Please try again once some in_progress batches have been completed.';
  return [{ code: 'token_limit_exceeded', line: null, message, param: null }];
}

/** How a batch ends by itself. */
export interface NaturalEnd {
  readonly kind: 'complete' | 'expire' | 'cancel';
  /** Of its requests that are executed before that, 0 … 1. */
  readonly share: number;
}

/** Decided when the batch begins to execute. */
export function naturalEnd(world: World, batch: BatchRecord): NaturalEnd {
  const subject = subjectOf(batch);
  const { seed, flakiness } = world.settings;
  const share = chance(seed, 'share', batch.ordinal);
  const cancelled = world.faults.afflicts('cancelled_partially', drawKeyOf(batch), subject);
  if (cancelled !== null) return { kind: 'cancel', share: cancelled.share ?? share };
  const expired = world.faults.afflicts('expired_partially', drawKeyOf(batch), subject);
  if (expired !== null) return { kind: 'expire', share: expired.share ?? share };
  if (chance(seed, 'expires', batch.ordinal) < flakiness.expiredRate) {
    return { kind: 'expire', share };
  }
  return { kind: 'complete', share: 1 };
}

/** A failure without a better reason. */
export function unknownFailure(): BatchFinding {
  const message = 'The batch failed for an internal reason.';
  return { code: 'server_error', line: null, message, param: null };
}
