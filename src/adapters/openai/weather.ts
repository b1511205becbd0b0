/**
 * What is certain after a call failed. Money hangs on this file: `unknown` where a batch may
 * exist, `transient` or `permanent` only where none can.
 */

import { APIConnectionTimeoutError, APIError, APIUserAbortError } from 'openai';
import { Weather } from '../../domain/errors.ts';
import type { WeatherKind } from '../../domain/errors.ts';
import type { Clean } from './provider-text.ts';
import { retryAfterMs } from './retry-after.ts';

/**
 * What repeating a call would do: `creates` a second batch; `repeatable` no harm; `cancels` no
 * harm, and a 409 says that there is nothing left to cancel.
 */
export type Effect = 'creates' | 'repeatable' | 'cancels';

/** The server answered with a success that cannot be read. */
export class UnreadableAnswer extends Error {
  override readonly name = 'UnreadableAnswer';
}

/** An answer whose status is not a success. */
export interface FailedAnswer {
  readonly status: number;
  readonly header: (name: string) => string | null;
  /** The envelope's `error`, or whatever stands in its place: an object, a text, nothing. */
  readonly error: unknown;
}

/** The weather behind anything that a call can throw; `status` where one came before it. */
export function weatherOf(
  error: unknown,
  effect: Effect,
  clean: Clean,
  status: number | null = null,
): Weather {
  if (error instanceof Weather) return error;
  if (error instanceof APIError && error.status !== undefined) {
    const header = (name: string): string | null => error.headers?.get(name) ?? null;
    return weatherOfAnswer(
      { status: error.status, header, error: error.error ?? bodyText(error) },
      effect,
      clean,
    );
  }
  const timedOut = error instanceof APIConnectionTimeoutError || error instanceof APIUserAbortError;
  const cause = deepestCoded(error);
  return new Weather({
    kind: neverSent(cause) || effect !== 'creates' ? 'transient' : 'unknown',
    status,
    code: timedOut && !neverSent(cause) ? 'ETIMEDOUT' : codeOf(cause, clean),
    message: clean(messageOf(timedOut ? error : cause)),
    retryAfterMs: null,
  });
}

/** The weather of an answer with a status that is not a success. */
export function weatherOfAnswer(answer: FailedAnswer, effect: Effect, clean: Clean): Weather {
  const code = textIn(answer.error, 'code') ?? textIn(answer.error, 'type');
  const text = typeof answer.error === 'string' ? answer.error : textIn(answer.error, 'message');
  const location = answer.status < 400 ? answer.header('location') : null;
  const redirect = location === null ? '' : `, a redirect to ${location}, is not followed`;
  return new Weather({
    kind: kindOfStatus(answer.status, effect),
    status: answer.status,
    code: code === null ? null : clean(code),
    message: clean(`HTTP ${answer.status}${redirect}${text ? `: ${text}` : ''}`),
    retryAfterMs: retryAfterMs(answer.header),
  });
}

/** What a status that is not a success proves. */
export function kindOfStatus(status: number, effect: Effect): WeatherKind {
  if (status === 429 || status === 425) return 'transient';
  if (status === 409 && effect === 'cancels') return 'permanent';
  // Above 451 stand the inventions of proxies, some of which mean "the client went away".
  const isDefinite = status >= 400 && status <= 451 && status !== 408 && status !== 409;
  if (isDefinite) return 'permanent';
  if (effect === 'creates') return 'unknown';
  return status >= 300 && status < 400 ? 'permanent' : 'transient';
}

/**
 * Whether no byte of the request can have left: the connection was refused or the name not
 * found, on each address that was tried.
 */
function neverSent(error: unknown): boolean {
  if (error instanceof AggregateError) {
    return error.errors.length > 0 && error.errors.every(neverSent);
  }
  if (!(error instanceof Error)) return false;
  const { code, syscall } = error as NodeJS.ErrnoException;
  if (code === 'ECONNREFUSED') return syscall === 'connect';
  return (code === 'ENOTFOUND' || code === 'EAI_AGAIN') && syscall === 'getaddrinfo';
}

/** The network's own error below the SDK's wrapping; the error itself where there is none. */
function deepestCoded(error: unknown): unknown {
  let found = error;
  let current = error;
  // A chain of causes may be a ring: eight links are enough for any wrapping.
  for (let link = 0; link < 8 && current instanceof Error; link += 1) {
    if (current instanceof AggregateError || hasCode(current)) found = current;
    current = current.cause;
  }
  return found;
}

function hasCode(error: Error): boolean {
  return typeof (error as NodeJS.ErrnoException).code === 'string';
}

function codeOf(error: unknown, clean: Clean): string | null {
  return error instanceof Error && hasCode(error)
    ? clean((error as NodeJS.ErrnoException).code ?? '')
    : null;
}

function messageOf(error: unknown): string {
  if (error instanceof AggregateError && error.message === '') {
    return error.errors.map(messageOf).join('; ');
  }
  return error instanceof Error ? error.message : String(error);
}

/** What the SDK kept of a body that is not JSON; it puts the status in front of it. */
function bodyText(error: APIError): string {
  return error.message.replace(/^\d+ /, '').replace('status code (no body)', '');
}

function textIn(value: unknown, key: string): string | null {
  if (typeof value !== 'object' || value === null) return null;
  const field = (value as Record<string, unknown>)[key];
  if (typeof field === 'number') return String(field);
  return typeof field === 'string' && field !== '' ? field : null;
}
