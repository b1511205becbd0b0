/** A job's report as the own API shows it. */

import type { UsageByModel } from '../../domain/answer.ts';
import type { Intent, JobState } from '../../domain/job.ts';
import type { ChunkReport, JobReport } from '../../service/job-reports.ts';
import type { ChunkBody, JobBody } from '../contract/job-shapes.ts';
import { wordsOfAlert, wordsOfHold } from './trouble-words.ts';

/** The contract's `Job`. */
export function jobBody(report: JobReport): JobBody {
  const { state, status, counts, phases, reasons, alerts, finishedAtMs, usage } = report;
  const { spec } = state;
  const plan = 'plan' in state ? state.plan : null;
  return {
    object: 'job',
    id: spec.id,
    name: spec.name,
    status,
    created_at: seconds(spec.createdAtMs),
    finished_at: finishedAtMs === null ? null : seconds(finishedAtMs),
    endpoint: plan?.endpoint ?? null,
    models: [...(plan?.models ?? [])],
    input: {
      file_id: spec.terms?.inputFile ?? null,
      size_bytes: spec.source.sizeBytes,
      lines: plan?.counts.lines ?? null,
    },
    counts,
    chunks: { total: plan?.chunkCount ?? null, by_phase: phases, waiting_for: reasons },
    usage: usage === null ? null : usageBody(usage),
    result: 'result' in state ? resultBody(state) : null,
    paused: state.intent.kind === 'hold' ? pauseBody(state.intent) : null,
    refusal: state.status === 'refused' ? refusalBody(state) : null,
    alerts: alerts.map(({ code, chunk, atMs }) => {
      return { code, chunk, at: seconds(atMs), ...wordsOfAlert(code) };
    }),
    metadata: spec.terms?.metadata ?? {},
    callback_url: spec.terms?.callbackUrl ?? null,
    retry_of: spec.terms?.retryOf ?? null,
  };
}

/** The contract's `Chunk`. */
export function chunkBody(chunk: ChunkReport): ChunkBody {
  const { succeeded, failed, pending } = chunk.tally;
  return {
    object: 'chunk',
    id: chunk.id,
    model: chunk.model,
    status: chunk.phase,
    requests: chunk.requests,
    rejected: chunk.rejected,
    succeeded,
    failed,
    pending,
    attempts: chunk.executed,
    first_line: chunk.firstLine,
    last_line: chunk.lastLine,
  };
}

function resultBody({ result }: Extract<JobState, { status: 'merged' | 'done' }>) {
  return { size_bytes: result.sizeBytes, sha256: result.sha256, lines: result.lines };
}

function refusalBody({ refusal }: Extract<JobState, { status: 'refused' }>) {
  const { code, message, rejected, rejectedTotal } = refusal;
  const errors = rejected.map((line) => ({ ...line }));
  return { code, message, errors, errors_total: rejectedTotal };
}

function pauseBody({ code }: Extract<Intent, { kind: 'hold' }>) {
  return { code, message: wordsOfHold(code).message };
}

/** Summed over the models. */
function usageBody(usage: UsageByModel) {
  const sum = { input: 0, cached: 0, output: 0, reasoning: 0, total: 0 };
  for (const one of Object.values(usage)) {
    sum.input += one.inputTokens;
    sum.cached += one.cachedTokens;
    sum.output += one.outputTokens;
    sum.reasoning += one.reasoningTokens;
    sum.total += one.totalTokens;
  }
  return {
    input_tokens: sum.input,
    cached_input_tokens: sum.cached,
    output_tokens: sum.output,
    reasoning_tokens: sum.reasoning,
    total_tokens: sum.total,
  };
}

/** Wall time as the API writes it. */
export function seconds(atMs: number): number {
  return Math.floor(atMs / 1000);
}
