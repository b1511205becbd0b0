/** What follows a failure: the only policy of waiting, repeating and giving up. */

import { isQuotaCode } from './answer.ts';
import { JOB_CANCELLED } from './chunk.ts';
import type { Burned, Close, EndedBatch, Next, Tally, ValidationError } from './chunk.ts';
import type { Weather } from './errors.ts';
import type { Trouble } from './job.ts';

/** Waits, in milliseconds; settings, so that tests can shorten them. */
export interface RetryPolicy {
  /** The first wait after a transient failure; doubles. */
  readonly weatherBaseMs: number;
  readonly weatherMaxMs: number;
  /** Before requests that failed go again. */
  readonly attemptPauseMs: number;
  /** The first wait after `token_limit_exceeded`; doubles. */
  readonly tokenPauseBaseMs: number;
  readonly tokenPauseMaxMs: number;
}

/** The same call failing for this long is worth an alert, again and again. */
export const LASTING_WEATHER_MS = 15 * 60_000;

/** Batches of one chunk that may fail validation before the chunk is given up. */
const MAX_RECUTS = 3;

/** A larger share of bad lines than this says that the whole chunk is wrong. */
const MAX_INVALID_SHARE = 0.1;

/** Validation codes that no smaller cut of the same chunk can mend. */
const MODEL_CODES = new Set(['model_not_found', 'invalid_model', 'model_mismatch']);

const NO_CREDIT: Trouble = {
  code: 'insufficient_quota',
  message: 'The provider answered insufficient_quota: the account has no credit left.',
};

export interface AttemptOutcome {
  readonly batch: EndedBatch;
  /** Requests by what is known after the attempt. */
  readonly tally: Tally;
  /** Requests that the attempt's file held. */
  readonly sent: number;
  readonly cancelled: boolean;
  /** A pending request was refused because the account has to be paid up first. */
  readonly quota: boolean;
  readonly executed: number;
  readonly recuts: number;
  readonly pauses: number;
  readonly maxAttempts: number;
}

/** What follows an attempt, and what it counts as. */
export function afterAttempt(
  outcome: AttemptOutcome,
  policy: RetryPolicy,
): { burned: Burned; next: Next } {
  if (outcome.batch.status === 'failed') return afterFailedValidation(outcome, policy);
  if (outcome.tally.pending === 0) return { burned: 'executed', next: settle(null) };
  if (outcome.cancelled) return { burned: 'executed', next: settle(JOB_CANCELLED) };
  // What the account could not pay for was not tried: nothing goes again before it can.
  if (outcome.quota) {
    const next = { ...again(0, 'the account has no credit left'), trouble: NO_CREDIT };
    return { burned: 'pause', next };
  }
  const executed = outcome.executed + 1;
  if (executed >= outcome.maxAttempts) {
    return { burned: 'executed', next: settle(exhausted(executed)) };
  }
  const reason = `attempt ${executed + 1} of ${outcome.maxAttempts}`;
  return { burned: 'executed', next: again(policy.attemptPauseMs, reason) };
}

/** What to do after a failed provider call that is not a create. */
export type Response =
  | { readonly kind: 'later'; readonly delayMs: number }
  | ({ readonly kind: 'hold' } & Trouble);

/**
 * `failures` counts the failures in a row before this one. Permanent failures hold the job with
 * the provider's words: nothing is lost, and the owner can mend the cause and resume.
 */
export function afterWeather(weather: Weather, failures: number, policy: RetryPolicy): Response {
  const hold = accountTrouble(weather);
  if (hold !== null) return hold;
  if (weather.kind === 'permanent') {
    return { kind: 'hold', code: 'provider_refused', message: weather.message };
  }
  const backoffMs = grow(policy.weatherBaseMs, policy.weatherMaxMs, failures);
  return { kind: 'later', delayMs: Math.max(backoffMs, weather.retryAfterMs ?? 0) };
}

/** The trouble of the account that stops the whole job, or null. */
export function accountTrouble(weather: Weather): ({ kind: 'hold' } & Trouble) | null {
  if (weather.status === 401 || weather.status === 403) {
    return { kind: 'hold', code: 'unauthorized', message: weather.message };
  }
  if (weather.code !== null && isQuotaCode(weather.code)) {
    return { kind: 'hold', code: 'insufficient_quota', message: weather.message };
  }
  return null;
}

/** Whether a create was refused because the provider does not (yet) see the input file. */
export function saysFileMissing(weather: Weather): boolean {
  if (weather.status !== 400 && weather.status !== 404) return false;
  return /file/i.test(weather.message) && /find|found|exist|access/i.test(weather.message);
}

/** `base` doubled `times` times, at most `max`. */
export function grow(base: number, max: number, times: number): number {
  return Math.min(max, base * 2 ** Math.min(times, 30));
}

function afterFailedValidation(
  outcome: AttemptOutcome,
  policy: RetryPolicy,
): { burned: Burned; next: Next } {
  if (outcome.cancelled) return { burned: 'recut', next: settle(JOB_CANCELLED) };
  const { errors } = outcome.batch;
  const tokens = errors.find((error) => error.code === 'token_limit_exceeded');
  if (tokens !== undefined) {
    const pauseMs = grow(policy.tokenPauseBaseMs, policy.tokenPauseMaxMs, outcome.pauses);
    return { burned: 'pause', next: again(pauseMs, 'the provider’s token queue is full') };
  }
  const close = hopeless(errors, outcome);
  if (close !== null) return { burned: 'recut', next: settle(close) };
  if (outcome.tally.pending === 0) return { burned: 'recut', next: settle(null) };
  return { burned: 'recut', next: again(policy.attemptPauseMs, 'cut again without bad lines') };
}

/** Why no further cut can help, or null. */
function hopeless(errors: readonly ValidationError[], outcome: AttemptOutcome): Close | null {
  const first = errors[0] ?? { code: 'batch_failed', message: 'The batch failed.', line: null };
  const close = { code: first.code, message: first.message };
  const aboutModel = errors.find((error) => MODEL_CODES.has(error.code));
  if (aboutModel !== undefined) return { code: aboutModel.code, message: aboutModel.message };
  const lines = new Set(errors.map((error) => error.line).filter((line) => line !== null)).size;
  if (lines > outcome.sent * MAX_INVALID_SHARE && lines > 1) return close;
  return outcome.recuts + 1 >= MAX_RECUTS ? close : null;
}

/** Why requests stay unanswered after the last attempt that was allowed. */
export function exhausted(attempts: number): Close {
  const times = attempts === 1 ? '1 attempt' : `${attempts} attempts`;
  return { code: 'attempts_exhausted', message: `No answer after ${times}.` };
}

function settle(close: Close | null): Next {
  return { kind: 'settle', close };
}

function again(pauseMs: number, reason: string) {
  return { kind: 'again', pauseMs, reason } as const;
}
