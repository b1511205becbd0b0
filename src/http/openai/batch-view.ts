/** A job as a batch: its status machine, its times, its counts, and the files of its answers. */

import type { OpenAI } from 'openai';
import type { UsageByModel } from '../../domain/answer.ts';
import type { JobId } from '../../domain/ids.ts';
import { parseJobId } from '../../domain/ids.ts';
import type { JobState } from '../../domain/job.ts';
import { outputFileId } from '../../service/file-places.ts';
import type { JobReport, JobReports } from '../../service/job-reports.ts';
import type { JobClock, JobTimes } from '../../service/job-times.ts';
import type { ResultViews } from '../../service/result-views.ts';
import { hasResult } from '../../service/settled-lines.ts';
import type { BatchBody } from '../contract/openai-shapes.ts';
import { batchErrors } from './batch-errors.ts';
import type { OnTheWire } from './wire.ts';
import { unixSeconds } from './wire.ts';

export interface BatchSources {
  readonly reports: JobReports;
  readonly jobClock: JobClock;
  readonly results: ResultViews;
}

type BatchStatus = BatchBody['status'];

const DAY_MS = 24 * 60 * 60 * 1000;

export function batchId(job: JobId): string {
  return `batch_${body(job)}`;
}

/** The job that runs as this batch; null where the text is no batch's id. */
export function jobOfBatch(id: string): JobId | null {
  return id.startsWith('batch_') ? parseJobId(`job_${id.slice('batch_'.length)}`) : null;
}

/** The batch as it stands. One that is over has files whose sizes are known. */
export async function batchView(state: JobState, sources: BatchSources): Promise<BatchBody> {
  const [report, times, sizes] = await Promise.all([
    sources.reports.report(state),
    sources.jobClock.times(state),
    hasResult(state) ? sources.results.knownSizes(state) : null,
  ]);
  return batchBody(report, times, statusOf(report, sizes !== null));
}

function batchBody(report: JobReport, times: JobTimes, status: BatchStatus): BatchBody {
  const { state, counts, usage } = report;
  const { spec } = state;
  const { plannedAtMs, cancelWishedAtMs, endedAtMs } = times;
  const plan = 'plan' in state ? state.plan : null;
  const [model = null, ...otherModels] = plan?.models ?? [];
  const failed = counts.failed + counts.rejected;
  const isOver = status === 'completed' || status === 'cancelled';
  const isOutput = isOver && counts.succeeded > 0;
  const at = (atMs: number | null, isReached: boolean) => (isReached ? unixSeconds(atMs) : null);
  return {
    id: batchId(spec.id),
    object: 'batch',
    endpoint: plan?.endpoint ?? spec.defaults.endpoint ?? '',
    model: otherModels.length === 0 ? model : null,
    errors: batchErrors(state),
    // A request set that was no file was sent with its job: what it is called can name none.
    input_file_id: spec.terms?.inputFile ?? `file-in${body(spec.id)}`,
    completion_window: '24h',
    status,
    output_file_id: isOutput ? outputFileId(spec.id, 'output') : null,
    error_file_id: isOver && failed > 0 ? outputFileId(spec.id, 'errors') : null,
    created_at: unixSeconds(spec.createdAtMs),
    in_progress_at: unixSeconds(plannedAtMs),
    expires_at: unixSeconds(spec.createdAtMs + DAY_MS),
    finalizing_at: at(endedAtMs, status === 'finalizing' || status === 'completed'),
    completed_at: at(endedAtMs, status === 'completed'),
    failed_at: at(endedAtMs, status === 'failed'),
    expired_at: null,
    cancelling_at: at(cancelWishedAtMs, status === 'cancelling' || status === 'cancelled'),
    cancelled_at: at(endedAtMs, status === 'cancelled'),
    request_counts: { total: counts.total, completed: counts.succeeded, failed },
    usage: usage === null ? null : usageBody(usage),
    metadata: metadataOf(state),
  } satisfies OnTheWire<OpenAI.Batch>;
}

/** A batch is not over before its files can be asked for. */
function statusOf({ status, state }: JobReport, areFilesKnown: boolean): BatchStatus {
  switch (status) {
    case 'planning':
      return 'validating';
    case 'running':
    case 'paused':
      return 'in_progress';
    case 'cancelling':
      return 'cancelling';
    case 'failed':
      return 'failed';
    case 'cancelled':
      return state.status === 'refused' || areFilesKnown ? 'cancelled' : 'cancelling';
    case 'completed':
    case 'completed_with_errors':
      return areFilesKnown ? 'completed' : 'finalizing';
  }
}

function usageBody(usage: UsageByModel) {
  const models = Object.values(usage);
  const sum = (of: (one: UsageByModel[string]) => number): number =>
    models.reduce((total, one) => total + of(one), 0);
  return {
    input_tokens: sum((one) => one.inputTokens),
    input_tokens_details: { cached_tokens: sum((one) => one.cachedTokens) },
    output_tokens: sum((one) => one.outputTokens),
    output_tokens_details: { reasoning_tokens: sum((one) => one.reasoningTokens) },
    total_tokens: sum((one) => one.totalTokens),
  };
}

function metadataOf({ spec }: JobState): Record<string, string> | null {
  const metadata = spec.terms?.metadata ?? {};
  return Object.keys(metadata).length === 0 ? null : { ...metadata };
}

function body(job: JobId): string {
  return job.slice('job_'.length);
}
