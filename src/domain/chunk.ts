/** A chunk's fate, from waiting to its settled part. */

import type { ClassCounts, UsageByModel } from './answer.ts';
import type { FinalStatus } from './batch-status.ts';
import type { Intent, Trouble } from './job.ts';

/** A Batch input file at the provider, made for one attempt. */
export interface Upload {
  readonly fileId: string;
  readonly sha256: string;
  readonly sizeBytes: number;
  /** Lines in it, which is what a batch over it executes. */
  readonly requests: number;
  /** The provider's own clock: how far back a look for its batch must go. */
  readonly createdAtMs: number;
}

/** One try to have a batch made; the number counts uploads, executed or not. */
export interface Attempt {
  readonly number: number;
  readonly upload: Upload;
}

/** An attempt that a create was decided for. */
export interface DecidedAttempt extends Attempt {
  readonly attemptId: string;
}

/** What the provider said of a batch that will not change any more. */
export interface EndedBatch {
  readonly batchId: string;
  readonly status: FinalStatus;
  readonly outputFileId: string | null;
  readonly errorFileId: string | null;
  /** Lines that the provider says it wrote; null where it does not say. */
  readonly counts: { readonly completed: number; readonly failed: number } | null;
  readonly errors: readonly ValidationError[];
}

/** A line counted from 1 in the uploaded file; null: the batch as a whole. */
export interface ValidationError {
  readonly code: string;
  readonly message: string;
  readonly line: number | null;
}

/** An attempt whose answers (or validation errors) are stored with us. */
export interface CollectedAttempt {
  readonly number: number;
  readonly batchId: string;
  readonly status: EndedBatch['status'];
  readonly stray: boolean;
  /** Requests that the batch's file held. */
  readonly requests: number;
  /** Where its files lie, below the chunk's attempts; random, so that two collectors differ. */
  readonly folder: string;
  readonly hasOutput: boolean;
  readonly hasErrors: boolean;
  /** Of a batch that failed validation. */
  readonly errors: readonly ValidationError[];
}

/** An attempt that was given up without knowing for ever that no batch exists. */
export interface AbandonedAttempt {
  readonly number: number;
  readonly attemptId: string;
  readonly fileId: string;
  readonly fileCreatedAtMs: number;
}

/** A further batch over requests of an attempt: cancelled, and what it answered is used. */
export interface StrayBatch {
  readonly batchId: string;
  readonly number: number;
  /** It was not ours to make: it may run to its end. */
  readonly spared?: boolean;
}

/** The reason that every unanswered request of the chunk gets as its error line. */
export interface Close {
  readonly code: string;
  readonly message: string;
}

/** Why the unanswered requests of a cancelled job have their error lines. */
export const JOB_CANCELLED: Close = {
  code: 'job_cancelled',
  message: 'The job was cancelled before this request was answered.',
};

/** Requests by what is known of them. */
export interface Tally {
  readonly succeeded: number;
  readonly failed: number;
  readonly pending: number;
}

/** What a settled chunk's part holds. */
export interface PartRecord {
  readonly lines: number;
  readonly succeeded: number;
  readonly failed: number;
  readonly rejected: number;
  readonly sizeBytes: number;
  /** Of all its bytes, in 8 hexadecimal digits. */
  readonly crc32: string;
  /** Sent requests by the class of their last answer. */
  readonly byClass: ClassCounts;
  /** Of the successes. */
  readonly usage: UsageByModel;
  /** Answers that no request of the chunk asked for. */
  readonly strangers: number;
  readonly unparsable: number;
  /** Further answers to a request that had one; `conflicts` said something else. */
  readonly duplicates: number;
  readonly conflicts: number;
}

interface ChunkCommon {
  readonly intent: Intent;
  /** The number that the next upload gets. */
  readonly nextAttempt: number;
  /** Batches that executed: what --max-attempts counts. */
  readonly executed: number;
  /** Batches that failed validation and were cut again. */
  readonly recuts: number;
  /** Pauses in a row that the provider asked for, and creates given up; set back by a batch. */
  readonly pauses: number;
  readonly collected: readonly CollectedAttempt[];
  readonly abandoned: readonly AbandonedAttempt[];
  readonly strays: readonly StrayBatch[];
  /** Files at the provider that are ours to delete after the audit. */
  readonly files: readonly string[];
  readonly tally: Tally;
}

export type ChunkState = ChunkCommon &
  (
    | {
        readonly status: 'waiting';
        readonly pauseMs: number;
        readonly reason: string;
        /** Whoever would upload holds the job instead; any newer intent takes it away. */
        readonly trouble?: Trouble;
      }
    | {
        readonly status: 'uploaded';
        readonly attempt: Attempt;
        readonly pauseMs: number;
        readonly reason: string;
      }
    | { readonly status: 'submitting'; readonly attempt: DecidedAttempt }
    | {
        readonly status: 'abandoning';
        readonly attempt: DecidedAttempt;
        readonly account: string;
      }
    | { readonly status: 'submitted'; readonly attempt: DecidedAttempt; readonly batchId: string }
    | { readonly status: 'ended'; readonly attempt: DecidedAttempt; readonly batch: EndedBatch }
    | { readonly status: 'settling'; readonly close: Close | null }
    | { readonly status: 'settled'; readonly part: PartRecord }
  );

/** What follows an attempt whose answers are stored. */
export type Next =
  | {
      readonly kind: 'again';
      readonly pauseMs: number;
      readonly reason: string;
      /** The job has to be held first. */
      readonly trouble?: Trouble;
    }
  | { readonly kind: 'settle'; readonly close: Close | null };

/** How much an attempt weighs in the chunk's counters. */
export type Burned = 'executed' | 'recut' | 'pause';

/**
 * What happened to a chunk. What belongs to one attempt names it: a fact that comes late must
 * not be taken for another attempt's. `drained`: nothing is left to be sent, or may be.
 * `taken_over`: the chunk's first batch was made by somebody else.
 */
export type ChunkEvent =
  | {
      readonly type: 'taken_over';
      readonly attempt: DecidedAttempt;
      readonly batchId: string;
      readonly strays: readonly StrayBatch[];
      /** Input files that are to be deleted after the audit. */
      readonly files: readonly string[];
    }
  | { readonly type: 'uploaded'; readonly attempt: Attempt }
  | { readonly type: 'submitting'; readonly attemptId: string }
  | {
      readonly type: 'unsent';
      readonly attemptId: string;
      readonly pauseMs: number;
      readonly reason: string;
    }
  | {
      readonly type: 'file_lost';
      readonly fileId: string;
      readonly pauseMs: number;
      readonly reason: string;
    }
  | {
      readonly type: 'submitted';
      readonly attemptId: string;
      readonly batchId: string;
      readonly adopted: boolean;
    }
  | {
      readonly type: 'abandoning';
      readonly attemptId: string;
      /** The mark of the account that has proof that the input file was its own to see. */
      readonly account: string;
    }
  | {
      readonly type: 'abandoned';
      readonly attemptId: string;
      /** Before the next upload. */
      readonly pauseMs: number;
    }
  | { readonly type: 'ended'; readonly batch: EndedBatch }
  | {
      readonly type: 'collected';
      readonly attempt: CollectedAttempt;
      readonly files: readonly string[];
      readonly tally: Tally;
      readonly burned: Burned;
      readonly next: Next;
    }
  | { readonly type: 'drained'; readonly close: Close | null }
  | { readonly type: 'stray_found'; readonly stray: StrayBatch }
  | {
      readonly type: 'stray_collected';
      readonly attempt: CollectedAttempt;
      readonly files: readonly string[];
      readonly tally: Tally;
      /** Where what it answered is lost: what is left must not be sent again. */
      readonly close: Close | null;
    }
  | { readonly type: 'intended'; readonly intent: Intent }
  | { readonly type: 'settled'; readonly part: PartRecord };

/** A chunk of which no event is written yet: version 0. */
export function freshChunk(requests: number): ChunkState {
  const common = {
    intent: { kind: 'run', revision: 0 },
    nextAttempt: 1,
    executed: 0,
    recuts: 0,
    pauses: 0,
    collected: [],
    abandoned: [],
    strays: [],
    files: [],
    tally: { succeeded: 0, failed: 0, pending: requests },
  } as const;
  return requests === 0
    ? { ...common, status: 'settling', close: null }
    : { ...common, status: 'waiting', pauseMs: 0, reason: '' };
}
