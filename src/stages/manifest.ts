/** The manifest: what a result is, in numbers that anybody can check without us. */

import type { TokenUsage, UsageByModel } from '../domain/answer.ts';
import type { JobState, ResultRecord } from '../domain/job.ts';
import type { SettledMark } from './settle.ts';

/** The manifest's text (JSON, indented, with a newline at its end). Deterministic. */
export function manifestOf(
  state: Extract<JobState, { status: 'planned' }>,
  result: ResultRecord,
  marks: readonly SettledMark[],
  programVersion: string,
): string {
  const { spec, plan } = state;
  const manifest = {
    manifest: 1,
    job: spec.id,
    endpoint: plan.endpoint,
    models: plan.models,
    source: { name: spec.name, size_bytes: plan.source.sizeBytes, sha256: plan.source.sha256 },
    result: {
      size_bytes: result.sizeBytes,
      sha256: result.sha256,
      lines: result.lines,
      succeeded: result.succeeded,
      failed: result.failed,
      rejected: result.rejected,
      ids_digest: plan.idsDigest,
    },
    input_lines: { total: plan.counts.lines, blank: plan.counts.blank },
    answers_by_class: addUp(marks.map((mark) => mark.byClass)),
    quarantine: quarantineOf(marks),
    usage: usageOf(marks),
    chunks: plan.chunkCount,
    batches: marks.flatMap((mark) => mark.batches),
    batchwright: programVersion,
  };
  return `${JSON.stringify(manifest, null, 2)}\n`;
}

/** What a manifest says of its result. */
export interface ManifestResult extends ResultRecord {
  readonly idsDigest: string;
}

/** Reads a manifest's text; null where it is not one of ours. */
export function parseManifest(text: string): ManifestResult | null {
  const manifest = parseObject(text);
  const result = manifest?.['manifest'] === 1 ? manifest['result'] : null;
  if (typeof result !== 'object' || result === null) return null;
  const fields = new Map<string, unknown>(Object.entries(result));
  const counts = ['size_bytes', 'lines', 'succeeded', 'failed', 'rejected'].map((name) =>
    Number(fields.get(name) ?? Number.NaN),
  );
  const [sizeBytes = 0, lines = 0, succeeded = 0, failed = 0, rejected = 0] = counts;
  const [sha256, idsDigest] = [fields.get('sha256'), fields.get('ids_digest')];
  const isWhole = counts.every((count) => Number.isSafeInteger(count) && count >= 0);
  if (!isWhole || typeof sha256 !== 'string' || typeof idsDigest !== 'string') return null;
  return { sizeBytes, lines, succeeded, failed, rejected, sha256, idsDigest };
}

/** What a manifest's text says that the answers used; null where it is not one of ours. */
export function usageOfManifest(text: string): UsageByModel | null {
  const manifest = parseObject(text);
  const usage = manifest?.['manifest'] === 1 ? manifest['usage'] : null;
  if (typeof usage !== 'object' || usage === null) return null;
  const models = Object.entries(usage as Record<string, Record<string, number> | undefined>);
  return Object.fromEntries(models.map(([model, counts]) => [model, inCamelCase(counts ?? {})]));
}

function parseObject(text: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? { ...value } : null;
  } catch {
    return null;
  }
}

function addUp(records: readonly Readonly<Record<string, number>>[]): Record<string, number> {
  const sums = new Map<string, number>();
  for (const record of records) {
    for (const [key, count] of Object.entries(record)) sums.set(key, (sums.get(key) ?? 0) + count);
  }
  return Object.fromEntries([...sums].toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

function quarantineOf(marks: readonly SettledMark[]): Record<string, number> {
  const counts = marks.map(({ strangers, duplicates, conflicts, unparsable }) => ({
    strangers,
    duplicates,
    conflicts,
    unparsable,
  }));
  return addUp(counts);
}

function usageOf(marks: readonly SettledMark[]): Record<string, Record<string, number>> {
  const byModel = new Map<string, Record<string, number>[]>();
  for (const mark of marks) {
    for (const [model, usage] of Object.entries(mark.usage)) {
      byModel.set(model, [...(byModel.get(model) ?? []), inSnakeCase(usage)]);
    }
  }
  return Object.fromEntries([...byModel].map(([model, list]) => [model, addUp(list)]));
}

function inSnakeCase(usage: TokenUsage): Record<string, number> {
  return {
    answers: usage.answers,
    input_tokens: usage.inputTokens,
    cached_input_tokens: usage.cachedTokens,
    output_tokens: usage.outputTokens,
    reasoning_tokens: usage.reasoningTokens,
    total_tokens: usage.totalTokens,
  };
}

function inCamelCase(counts: Readonly<Record<string, number | undefined>>): TokenUsage {
  return {
    answers: counts['answers'] ?? 0,
    inputTokens: counts['input_tokens'] ?? 0,
    cachedTokens: counts['cached_input_tokens'] ?? 0,
    outputTokens: counts['output_tokens'] ?? 0,
    reasoningTokens: counts['reasoning_tokens'] ?? 0,
    totalTokens: counts['total_tokens'] ?? 0,
  };
}
