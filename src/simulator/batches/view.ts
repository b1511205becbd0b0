/** The batch as the API shows it, and as the faults distort it. */

import type { World } from '../world.ts';
import { type BatchRecord, subjectOf, drawKeyOf } from './record.ts';

export type BatchOnWire = { id: string; status: string } & Record<string, unknown>;

/** Every field of the API, null where it has no value. */
export function batchOnWire(batch: BatchRecord): BatchOnWire {
  const { inputTokens, outputTokens } = batch.usage;
  return {
    id: batch.id,
    object: 'batch',
    endpoint: batch.endpoint,
    model: batch.model,
    errors: batch.findings.length === 0 ? null : { object: 'list', data: batch.findings },
    input_file_id: batch.inputFileId,
    completion_window: batch.completionWindow,
    status: batch.status,
    output_file_id: batch.outputFileId,
    error_file_id: batch.errorFileId,
    created_at: batch.createdAt,
    in_progress_at: batch.inProgressAt,
    expires_at: batch.expiresAt,
    finalizing_at: batch.finalizingAt,
    completed_at: batch.completedAt,
    failed_at: batch.failedAt,
    expired_at: batch.expiredAt,
    cancelling_at: batch.cancellingAt,
    cancelled_at: batch.cancelledAt,
    request_counts: { total: batch.total, completed: batch.completed, failed: batch.failed },
    usage: {
      input_tokens: inputTokens,
      input_tokens_details: { cached_tokens: 0 },
      output_tokens: outputTokens,
      output_tokens_details: { reasoning_tokens: 0 },
      total_tokens: inputTokens + outputTokens,
    },
    metadata: batch.metadata,
  };
}

/** What one answer shows of the batch, with the faults of this moment. */
export function shownBatch(world: World, batch: BatchRecord): BatchOnWire {
  const { faults } = world;
  const subject = subjectOf(batch);
  const struck = (name: Parameters<typeof faults.strikes>[0]): boolean =>
    faults.strikes(name, subject) !== null;
  const shown = batchOnWire(batch);
  if (faults.isOn('completed_with_null_output_for_a_while') && batch.status === 'completed') {
    if (faults.lingers('completed_with_null_output_for_a_while', drawKeyOf(batch), subject)) {
      shown['output_file_id'] = null;
      shown['error_file_id'] = null;
    }
  }
  if (struck('status_backwards')) stepBack(shown);
  if (struck('unknown_status')) shown.status = 'awaiting_capacity';
  if (struck('upper_case_status')) shown.status = shown.status.toUpperCase();
  if (struck('counts_null')) shown['request_counts'] = null;
  if (struck('counts_wrong')) {
    shown['request_counts'] = { total: batch.total + 1, completed: batch.completed, failed: 7 };
  }
  if (struck('errors_as_list')) shown['errors'] = batch.findings;
  if (struck('metadata_dropped')) shown['metadata'] = null;
  if (struck('empty_file_ids')) {
    shown['output_file_id'] ??= '';
    shown['error_file_id'] ??= '';
  }
  if (!struck('null_fields_absent')) return shown;
  return Object.fromEntries(
    Object.entries(shown).filter(([, value]) => value !== null),
  ) as BatchOnWire;
}

const BEFORE: Readonly<Record<string, string>> = {
  in_progress: 'validating',
  finalizing: 'in_progress',
  completed: 'in_progress',
  expired: 'in_progress',
  failed: 'validating',
  cancelling: 'in_progress',
  cancelled: 'cancelling',
};

function stepBack(shown: BatchOnWire): void {
  shown.status = BEFORE[shown.status] ?? shown.status;
  for (const field of ['output_file_id', 'error_file_id', 'completed_at']) shown[field] = null;
}
