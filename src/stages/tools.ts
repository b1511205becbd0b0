/** What a stage is given and what it answers. */

import type { PollPolicy } from '../domain/cadence.ts';
import type { ChunkEvent, ChunkState } from '../domain/chunk.ts';
import type { HoldCode, JobEvent, JobOptions, JobSpec, JobState } from '../domain/job.ts';
import type { PlannedChunk } from '../domain/plan.ts';
import type { RetryPolicy } from '../domain/retry.ts';
import type { BatchProvider } from '../ports/batch-provider.ts';
import type { BlobStore } from '../ports/blob-store.ts';
import type { Clock } from '../ports/clock.ts';
import type { Ids } from '../ports/ids.ts';
import type { Journal } from '../ports/journal.ts';
import type { LiveBoard } from '../ports/live-board.ts';
import type { Notices } from '../ports/notices.ts';
import type { Scratch } from '../ports/scratch.ts';
import type { ThreadPool } from '../ports/thread-pool.ts';
import type { Engines } from './engines.ts';
import type { EventStream } from './event-stream.ts';
import type { Sightings } from './sightings.ts';
import type { Watch } from './watch.ts';

/** Times around a create, in milliseconds; what they protect stands in design: one paid batch. */
export interface CreatePolicy {
  /** A create whose decision is older than this is not sent any more. */
  readonly deadlineMs: number;
  /** The longest wait for the answer to a create. */
  readonly timeoutMs: number;
  /** How long a create of unknown outcome is looked for before its attempt is given up. */
  readonly settleMs: number;
  /** Complete listings without a match that the same needs. */
  readonly minLooks: number;
}

export interface StagePolicy {
  readonly retry: RetryPolicy;
  readonly create: CreatePolicy;
  readonly poll: PollPolicy;
  readonly maxLiveBatches: number;
  /** The provider is known to list the newest batch first: a look may stop at a date. */
  readonly listsNewestFirst: boolean;
  /** How long the provider shall keep an input file, in seconds. */
  readonly uploadExpiresAfterSeconds: number;
  /** A batch that is not found by its id is worth an alert after this time. */
  readonly missingBatchAlertMs: number;
  /** A batch that validates this long is worth one; other statuses get more. */
  readonly stuckBatchAlertMs: number;
}

export interface Tools {
  readonly provider: BatchProvider;
  readonly blobs: BlobStore;
  readonly journal: Journal;
  readonly scratch: Scratch;
  readonly engines: ThreadPool<Engines>;
  readonly board: LiveBoard;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly notices: Notices;
  readonly sightings: Sightings;
  /** What this process has observed so far; lost with it, which only costs time. */
  readonly watch: Watch;
  readonly policy: StagePolicy;
  /** Names this data directory to the provider: in file names and batch metadata. */
  readonly installation: string;
  /**
   * A mark of the key, organisation and project that this process works with: another one is
   * another account, most probably. Too short to tell anything about the key.
   */
  readonly account: string;
  readonly programVersion: string;
}

/** One chunk under the hand of one step. */
export interface ChunkTask {
  readonly job: JobSpec;
  readonly options: JobOptions;
  readonly endpoint: string;
  readonly chunk: PlannedChunk;
  readonly stream: EventStream<ChunkEvent, ChunkState>;
}

/** A job's own stream under the hand of one step. */
export interface JobTask {
  readonly job: JobSpec;
  readonly stream: EventStream<JobEvent, JobState>;
}

/**
 * What became of a step: `moved`, the stream has a new event (ours or another's); `later`, look
 * again after a while; `parked`, it waits in line and will be rung; `idle`, nothing to do now;
 * `hold`, the whole job must pause.
 */
export type StageAnswer =
  | { readonly kind: 'moved' }
  | { readonly kind: 'later'; readonly delayMs: number; readonly reason: string }
  | { readonly kind: 'parked' }
  | { readonly kind: 'idle' }
  | { readonly kind: 'hold'; readonly code: HoldCode; readonly message: string };

export const MOVED: StageAnswer = { kind: 'moved' };

/** Why a step waits that the provider asked to slow down. */
export const RATE_LIMIT = 'rate limit';

/** The answer while the shared board is not rebuilt: nobody submits before it is. */
export const BOARD_UNREADY: StageAnswer = later(250, 'the board is being rebuilt');

/** The answer "again after a while", with the reason for people. */
export function later(delayMs: number, reason: string): StageAnswer {
  return { kind: 'later', delayMs, reason };
}
