/** How a job stands, in numbers: cheap however many chunks it has. */

import type { UsageByModel } from '../domain/answer.ts';
import type { Alert } from '../domain/alert.ts';
import { meaningOf } from '../domain/alert.ts';
import type { ChunkState, Tally } from '../domain/chunk.ts';
import type { ChunkId, JobId } from '../domain/ids.ts';
import type { JobEvent, JobState, JobStatus, ResultRecord } from '../domain/job.ts';
import { jobStatus } from '../domain/job.ts';
import type { PlannedChunk } from '../domain/plan.ts';
import type { BlobStore } from '../ports/blob-store.ts';
import type { Clock } from '../ports/clock.ts';
import type { Journal } from '../ports/journal.ts';
import type { ChunkProgress, LiveBoard } from '../ports/live-board.ts';
import { concurrently } from '../stages/concurrently.ts';
import { usageOfManifest } from '../stages/manifest.ts';
import { jobStreamName, manifestName } from '../stages/names.ts';
import type { Alerts } from './alerts.ts';
import type { JobViews } from './job-views.ts';
import { isPlanned } from './job-views.ts';
import { LiveProgress } from './live-progress.ts';

/** Streams that are loaded at once. */
const LOADS_AT_ONCE = 16;

/** Jobs whose end is kept in memory: it never changes. */
const MAX_ENDS = 1_000;

/**
 * Lines that have an answer or will get one; `total` is the sum of the others. All are 0 before
 * there is a plan, and of a job that was refused. Exact once the job is merged. Before, `total`
 * and `rejected` are exact; `succeeded` holds what live batches say they have completed, collected
 * or not; `failed` only what is collected and not sent again.
 */
export interface JobCounts {
  readonly total: number;
  readonly succeeded: number;
  readonly failed: number;
  readonly rejected: number;
  readonly pending: number;
}

export interface ReportedAlert extends Alert {
  /** What to do about it. */
  readonly todo: string;
}

export interface JobReport {
  readonly state: JobState;
  readonly status: JobStatus;
  readonly counts: JobCounts;
  /** Chunks by phase; empty before there is a plan. */
  readonly phases: Readonly<Record<string, number>>;
  /** Waiting chunks by why they wait, in words. */
  readonly reasons: Readonly<Record<string, number>>;
  readonly alerts: readonly ReportedAlert[];
  /** Wall time at which the result was merged, or the job refused; null: neither yet. */
  readonly finishedAtMs: number | null;
  /** What the provider counted for all answers; null before the result is merged. */
  readonly usage: UsageByModel | null;
}

export interface ChunkReport {
  readonly id: ChunkId;
  /** Null where all lines of the chunk were rejected. */
  readonly model: string | null;
  /** By its journal. */
  readonly status: ChunkState['status'];
  /** The same in more detail where the live board knows it: `validating`, `held` … */
  readonly phase: string;
  /** Why it waits, in words; '' where it does not. */
  readonly reason: string;
  /** Lines that are sent, and lines that are not. */
  readonly requests: number;
  readonly rejected: number;
  /** Batches that executed. */
  readonly executed: number;
  /** Of the sent lines: what is collected, or settled. */
  readonly tally: Tally;
  readonly firstLine: number;
  readonly lastLine: number;
}

export interface ChunkPage {
  readonly chunks: readonly ChunkReport[];
  /** Whether chunks follow after the last of them. */
  readonly hasMore: boolean;
}

export interface ReportParts {
  readonly views: JobViews;
  readonly blobs: BlobStore;
  readonly journal: Journal;
  readonly alerts: Alerts;
  readonly clock: Clock;
  /** Null: without Redis; everything then comes from the journal. */
  readonly board: LiveBoard | null;
}

type JobEnd = Pick<JobReport, 'finishedAtMs' | 'usage'>;

export class JobReports {
  readonly #parts: ReportParts;
  readonly #live: LiveProgress;
  readonly #ends = new Map<JobId, JobEnd>();

  constructor(parts: ReportParts) {
    this.#parts = parts;
    this.#live = new LiveProgress(parts.views, parts.board, parts.clock);
  }

  /** How the job stands; the numbers of an unfinished one may be a second old. */
  async report(state: JobState): Promise<JobReport> {
    const [numbers, alerts, end] = await Promise.all([
      this.#numbers(state),
      this.#parts.alerts.current(state),
      this.#end(state),
    ]);
    const reported = alerts.map((alert) => ({ ...alert, todo: meaningOf(alert.code).todo }));
    return { state, status: jobStatus(state), ...numbers, alerts: reported, ...end };
  }

  /** A page of chunks in their order; empty before there is a plan. `limit`: from 1. */
  async chunks(
    state: JobState,
    { after, limit }: { readonly after: ChunkId | null; readonly limit: number },
  ): Promise<ChunkPage> {
    if (!isPlanned(state)) return { chunks: [], hasMore: false };
    const planned = (await this.#parts.views.plan(state)).chunks;
    const start = after === null ? 0 : Number(after.slice(1)) + 1;
    const shown = await this.#live.shown(state.spec.id);
    const chunks: ChunkReport[] = [];
    const page = planned.slice(start, start + limit);
    await concurrently(page.entries(), LOADS_AT_ONCE, async ([index, chunk]) => {
      const { state: own } = await this.#parts.views.chunkStream(state.spec.id, chunk);
      chunks[index] = chunkReport(chunk, own, shown.get(chunk.id));
    });
    return { chunks, hasMore: start + limit < planned.length };
  }

  async #numbers(state: JobState): Promise<Pick<JobReport, 'counts' | 'phases' | 'reasons'>> {
    if (state.status === 'created' || state.status === 'refused') {
      return { counts: NOTHING, phases: {}, reasons: {} };
    }
    if (state.status !== 'planned') {
      const phases = { settled: state.plan.chunkCount };
      return { counts: countsOf(state.result), phases, reasons: {} };
    }
    const { lines, blank, rejected } = state.plan.counts;
    const { done, failed, phases, reasons } = await this.#live.sums(state);
    const counts = {
      total: lines - blank,
      succeeded: Math.max(0, done - failed),
      failed: failed - rejected,
      rejected,
      pending: lines - blank - done,
    };
    return { counts, phases, reasons };
  }

  /** Read once: the journal's history and the manifest of a big job are no small reading. */
  async #end(state: JobState): Promise<JobEnd> {
    const { id } = state.spec;
    if (state.status === 'created' || state.status === 'planned') return NO_END;
    const known = this.#ends.get(id);
    if (known !== undefined) return known;
    const history = await this.#parts.journal.history<JobEvent, JobState>(jobStreamName(id));
    const last = history.findLast(({ event }) => ENDING.has(event.type));
    const manifest =
      state.status === 'refused' ? null : await this.#parts.blobs.get(manifestName(id));
    const usage = manifest === null ? null : usageOfManifest(manifest.toString());
    const end = { finishedAtMs: last?.atMs ?? null, usage };
    this.#keep(id, end);
    return end;
  }

  #keep(id: JobId, end: JobEnd): void {
    const [oldest] = this.#ends.keys();
    if (this.#ends.size >= MAX_ENDS && oldest !== undefined) this.#ends.delete(oldest);
    this.#ends.set(id, end);
  }
}

const NOTHING: JobCounts = { total: 0, succeeded: 0, failed: 0, rejected: 0, pending: 0 };
const NO_END: JobEnd = { finishedAtMs: null, usage: null };
const ENDING: ReadonlySet<JobEvent['type']> = new Set(['merged', 'refused']);

function countsOf({ lines, succeeded, failed, rejected }: ResultRecord): JobCounts {
  return { total: lines, succeeded, failed, rejected, pending: 0 };
}

function chunkReport(
  chunk: PlannedChunk,
  state: ChunkState,
  shown: ChunkProgress | undefined,
): ChunkReport {
  const { id, model, requests, rejected, firstLine, lastLine } = chunk;
  const isOver = state.status === 'settled';
  const { succeeded, failed } = isOver ? state.part : state.tally;
  const reason = state.status === 'waiting' || state.status === 'uploaded' ? state.reason : '';
  return {
    id,
    model,
    status: state.status,
    // The board may lag behind the journal: what is settled stays settled.
    phase: isOver ? 'settled' : (shown?.phase ?? state.status),
    reason: isOver ? '' : (shown?.reason ?? reason),
    requests,
    rejected,
    executed: state.executed,
    tally: { succeeded, failed, pending: requests - succeeded - failed },
    firstLine,
    lastLine,
  };
}
