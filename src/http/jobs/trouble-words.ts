/**
 * What a tenant is told of a job's trouble. The operator's words name batches and keys of the
 * provider; they stand in the logs and in what the commands say on the service's own machine.
 */

import type { NoticeCode } from '../../domain/alert.ts';
import type { HoldCode } from '../../domain/job.ts';

export interface TroubleWords {
  readonly message: string;
  /** What the tenant can do about it. */
  readonly todo: string;
}

const WAIT = 'Nothing: the operator of the service was told, and the work goes on by itself.';
const RESUME = 'Ask the operator of the service; resume the job when that is mended.';

const STORAGE: TroubleWords = {
  message: 'The storage of the service is in trouble, so work waits.',
  todo: WAIT,
};
const LOOKED_FOR: TroubleWords = {
  message: 'What the provider has made of a part of the job is not to be seen, so that waits.',
  todo: WAIT,
};
const TWICE: TroubleWords = {
  message: 'Some requests may have been answered twice by the provider; one answer is used.',
  todo: 'Nothing.',
};

const HOLDS: Readonly<Record<HoldCode, TroubleWords>> = {
  unconfirmed: {
    message: 'Nothing is sent before the plan of the job is agreed to.',
    todo: 'Resume the job, or cancel it.',
  },
  paused: { message: 'The job was paused.', todo: 'Resume the job.' },
  unauthorized: { message: 'The provider does not let the service in.', todo: RESUME },
  insufficient_quota: {
    message: 'The service’s account at the provider has no credit left.',
    todo: RESUME,
  },
  provider_refused: { message: 'The provider refuses what the service asks of it.', todo: RESUME },
  max_errors: {
    message: 'More lines have failed than the job’s bound allows.',
    todo: 'See what failed; resume the job, or cancel it.',
  },
};

/** By what is told of jobs; whatever else is told is the operator's alone. */
const ALERTS: Readonly<Partial<Record<NoticeCode, TroubleWords>>> = {
  ...HOLDS,
  job_idle: { message: 'Something of the job is due, and nobody has done it yet.', todo: WAIT },
  batch_stuck: { message: 'The provider takes longer than usual.', todo: WAIT },
  output_expiring: {
    message: 'Answers of the provider are not collected yet, and it deletes them soon.',
    todo: 'Resume the job where it is paused; else ask the operator of the service.',
  },
  disk_full: STORAGE,
  disk_read_only: STORAGE,
  disk_forbidden: STORAGE,
  disk_failing: STORAGE,
  store_damaged: STORAGE,
  provider_unreachable: { message: 'The provider does not answer.', todo: WAIT },
  batch_missing: LOOKED_FOR,
  output_missing: LOOKED_FOR,
  file_unseen: LOOKED_FOR,
  file_not_deleted: LOOKED_FOR,
  answers_incomplete: {
    message: 'Some answers could not be fetched whole from the provider.',
    todo: 'See what failed, and retry it when the job is over.',
  },
  stray_batch: TWICE,
  batch_of_another_create: TWICE,
  callback_failed: {
    message: 'The end of the job could not be told to its callback URL; the job is not affected.',
    todo: 'See that the receiver works and is reachable.',
  },
};

const OTHER: TroubleWords = {
  message: 'The operator of the service has to see to something of the job.',
  todo: WAIT,
};

export function wordsOfAlert(code: NoticeCode): TroubleWords {
  return ALERTS[code] ?? OTHER;
}

/** Why the job is paused. */
export function wordsOfHold(code: HoldCode): TroubleWords {
  return HOLDS[code];
}
