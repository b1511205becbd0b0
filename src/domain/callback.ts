/** The callback of a job: what its submitter is told when it is over, and when it is told again. */

import type { JobState } from './job.ts';
import { jobStatus } from './job.ts';

export type CallbackEvent = 'job.completed' | 'job.failed' | 'job.cancelled';

const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;

/** After each try but the last, in milliseconds: a day in all. */
const WAITS_MS: readonly number[] = [
  5 * SECOND_MS,
  30 * SECOND_MS,
  2 * MINUTE_MS,
  15 * MINUTE_MS,
  45 * MINUTE_MS,
  HOUR_MS,
  ...Array.from({ length: 11 }, () => 2 * HOUR_MS),
];

/** How much longer than planned a wait may be: receivers that come back are not met by all. */
const SPREAD = 0.1;

/** Its receiver wants no more of these. */
const GONE = 410;

/**
 * The time after so many tries that failed, in milliseconds; null: that was the last one. Tries
 * are counted and not the hours, so that a clock that jumps ends nothing early. `spread`: 0 to 1.
 */
export type CallbackSchedule = (tries: number, spread: number) => number | null;

export const callbackWaitMs: CallbackSchedule = (tries, spread) => {
  const waitMs = WAITS_MS[tries - 1];
  return waitMs === undefined ? null : Math.round(waitMs * (1 + SPREAD * spread));
};

/** What the submitter is to be told of the job as it is; null: nothing, or nothing yet. */
export function callbackEventOf(state: JobState): CallbackEvent | null {
  const { terms } = state.spec;
  if (terms === undefined || terms.callbackUrl === null) return null;
  switch (jobStatus(state)) {
    case 'completed':
    case 'completed_with_errors':
      return 'job.completed';
    case 'failed':
      return 'job.failed';
    case 'cancelled':
      return 'job.cancelled';
    case 'planning':
    case 'running':
    case 'paused':
    case 'cancelling':
      return null;
  }
}

/** One name for all tries of an event. It holds no full stop: the signed text is split at them. */
export function callbackId(state: JobState, event: CallbackEvent): string {
  return `${state.spec.id}_${event.slice('job.'.length)}`;
}

/** The body, without anything of a request or an answer; `atMs`: when the job was over. */
export function callbackBody(state: JobState, event: CallbackEvent, atMs: number): string {
  const { id, name, terms } = state.spec;
  return JSON.stringify({
    type: event,
    timestamp: new Date(atMs).toISOString(),
    data: {
      job: id,
      name,
      status: jobStatus(state),
      counts: countsOf(state),
      error: errorOf(state),
      metadata: terms?.metadata ?? {},
    },
  });
}

/** What an HTTP status of the receiver means for the callback. */
export function callbackVerdict(status: number): 'delivered' | 'unwanted' | 'failed' {
  if (status >= 200 && status < 300) return 'delivered';
  return status === GONE ? 'unwanted' : 'failed';
}

/** Null: the job was never planned. */
function countsOf(state: JobState) {
  if (state.status !== 'merged' && state.status !== 'done') return null;
  const { lines, succeeded, failed, rejected } = state.result;
  return { total: lines, succeeded, failed, rejected };
}

function errorOf(state: JobState) {
  if (state.status !== 'refused') return null;
  const { code, message } = state.refusal;
  return { code, message };
}
