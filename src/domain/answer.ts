/** What one answer line means: an answer to keep, a final refusal, or a reason to ask again. */

/** `quota` is `again` with a condition: the account has to be paid up first. */
export type AnswerKind = 'success' | 'final' | 'again' | 'quota';

/** What an answer line says, as far as its fate depends on it. */
export interface AnswerFacts {
  /** `response.status_code`; null where there is none. */
  readonly statusCode: number | null;
  /** The line's own `error.code`; '' where an error stands there without a code; null: no error. */
  readonly errorCode: string | null;
  /** `response.body.error.code`, with the same meanings. */
  readonly bodyErrorCode: string | null;
  /** Whether `response.body` holds anything but null. */
  readonly hasBody: boolean;
}

export interface AnswerClass {
  readonly kind: AnswerKind;
  /** Short and stable, for counting: `ok`, `batch_expired`, `400 context_length_exceeded` … */
  readonly class: string;
}

/** How many requests have each class. */
export type ClassCounts = Readonly<Record<string, number>>;

/** Tokens as the provider counted them; what an answer does not state counts as 0. */
export interface TokenUsage {
  /** Answers that name the model. */
  readonly answers: number;
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly totalTokens: number;
  readonly cachedTokens: number;
  readonly reasoningTokens: number;
}

/** By the model's name as the answers have it: often a dated form of what was asked for. */
export type UsageByModel = Readonly<Record<string, TokenUsage>>;

export const SUCCESS: AnswerClass = { kind: 'success', class: 'ok' };

const AGAIN_STATUSES = new Set([408, 409, 425, 429]);

/** Codes that say "pay first": they concern the account, not the request. */
const QUOTA_CODES = new Set(['insufficient_quota', 'billing_hard_limit_reached']);

/** Codes of our own error lines after which the same request may well succeed. */
const OWN_AGAIN_CODES = new Set([
  'attempts_exhausted',
  'job_cancelled',
  'output_lost',
  'answer_unreadable',
]);

const LABEL_LENGTH = 64;

/**
 * What follows from an answer. A body without any status is kept: it was paid for. An error
 * without a status whose code is unknown is asked again: expired batches report such ones.
 */
export function classifyAnswer(facts: AnswerFacts): AnswerClass {
  const { statusCode, hasBody } = facts;
  const code = facts.errorCode ?? facts.bodyErrorCode;
  if (code === null && hasBody && (statusCode === null || isSuccessStatus(statusCode))) {
    return SUCCESS;
  }
  return { kind: failureKind(statusCode, code), class: failureClass(statusCode, code) };
}

/** What follows from an error line that Batchwright wrote itself. */
export function classifyOwnFailure(code: string): AnswerClass {
  return { kind: OWN_AGAIN_CODES.has(code) ? 'again' : 'final', class: label(code) };
}

/** Whether the account has to be paid up before anything more is done for it. */
export function isQuotaCode(code: string): boolean {
  return QUOTA_CODES.has(code);
}

function failureKind(statusCode: number | null, code: string | null): AnswerKind {
  if (code !== null && isQuotaCode(code)) return 'quota';
  if (code !== null && isBatchCode(code)) return 'again';
  const refused = statusCode !== null && statusCode >= 400 && statusCode < 500;
  return refused && !AGAIN_STATUSES.has(statusCode) ? 'final' : 'again';
}

function failureClass(statusCode: number | null, code: string | null): string {
  if (statusCode === null) return code === null ? 'no_response' : label(code);
  if (code !== null && isBatchCode(code)) return code;
  if (code === null && isSuccessStatus(statusCode)) return `${statusCode} no_body`;
  return code === null || code === '' ? String(statusCode) : `${statusCode} ${label(code)}`;
}

/** Whether the batch, not the request, is why there is no answer. */
function isBatchCode(code: string): boolean {
  return code === 'batch_expired' || code === 'batch_cancelled' || code === 'request_timeout';
}

function isSuccessStatus(statusCode: number): boolean {
  return statusCode >= 200 && statusCode < 300;
}

function label(code: string): string {
  return code === '' ? 'error' : code.replaceAll(/[^\w.:-]+/g, '_').slice(0, LABEL_LENGTH);
}
