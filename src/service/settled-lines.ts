/**
 * The lines of a job that is not over yet, from the parts of its settled chunks. A merge joins
 * the parts to the result and then deletes them: who loses a part goes on in the result.
 */

import { Refusal, StoreDamage } from '../domain/errors.ts';
import type { ChunkId, JobId } from '../domain/ids.ts';
import type { JobState, PlanReference, ResultRecord } from '../domain/job.ts';
import type { PlannedChunk } from '../domain/plan.ts';
import type { BlobStore } from '../ports/blob-store.ts';
import type { Clock } from '../ports/clock.ts';
import { lineOrder } from '../stages/line-order.ts';
import type { ChunkLines } from '../stages/line-order.ts';
import { partName, resultName, settledFolder, settledName } from '../stages/names.ts';
import { BlockGatherer } from './block-gatherer.ts';
import { readRange } from './byte-view.ts';
import type { JobViews } from './job-views.ts';
import { isPlanned } from './job-views.ts';
import { GoneMeanwhile, LineReader } from './line-reader.ts';

/** How often a follower looks whether its next chunk is settled. */
const LOOK_MS = 300;

/** Stands in a stream where its reader shall not wait for what comes next. */
const NOTHING_SOON = Buffer.alloc(0);

type PlannedJob = JobState & { plan: PlanReference };

export class SettledLines {
  readonly #blobs: BlobStore;
  readonly #views: JobViews;
  readonly #clock: Clock;

  constructor(blobs: BlobStore, views: JobViews, clock: Clock) {
    this.#blobs = blobs;
    this.#views = views;
    this.#clock = clock;
  }

  /** All lines of the chunks that are settled now, in input order. */
  async *partial(job: PlannedJob): AsyncGenerator<Buffer> {
    const { id } = job.spec;
    const marks = new Set(await this.#blobs.list(settledFolder(id)));
    const chunks = (await this.#views.plan(job)).chunks;
    const settled = chunks.filter((chunk) => marks.has(`${chunk.id}.json`));
    let sentBytes = 0;
    try {
      const order = lineOrder(this.#blobs, id, settled);
      const parts = readParts(order, (chunk) => this.#partOf(id, chunk));
      for await (const block of gathered(parts)) {
        sentBytes += block.length;
        yield block;
      }
    } catch (error) {
      if (!(error instanceof GoneMeanwhile)) throw error;
      const order = lineOrder(this.#blobs, id, chunks);
      const result = await this.#resultInstead(id, error);
      const kept = new Set(settled.map((chunk) => chunk.id));
      yield* gathered(behind(sentBytes, this.#fromResult(id, result, order, kept)));
    }
  }

  /**
   * The lines before which none is missing, as chunks settle, until the job is over: then it has
   * yielded exactly the result. Rejects where the signal is aborted, and where the job is refused
   * or deleted meanwhile.
   */
  async *follow(id: JobId, signal: AbortSignal): AsyncGenerator<Buffer> {
    let sentBytes = 0;
    const planned = await this.#waitFor(id, signal, isPlanned);
    if (!('result' in planned)) {
      try {
        const { chunks } = await this.#views.plan(planned);
        const order = lineOrder(this.#blobs, id, chunks);
        const parts = readParts(order, (chunk, isFirstLook) =>
          this.#settledPart(id, chunk, isFirstLook, signal),
        );
        for await (const block of gathered(parts)) {
          sentBytes += block.length;
          yield block;
        }
      } catch (error) {
        if (!(error instanceof GoneMeanwhile)) throw error;
        await this.#resultInstead(id, error);
      }
    }
    const over = await this.#waitFor(id, signal, hasResult);
    yield* readRange(this.#blobs, resultName(id), {
      start: sentBytes,
      end: over.result.sizeBytes,
    });
  }

  /** The chunk's part; null where it is not settled yet. Waits before it looks again. */
  async #settledPart(
    job: JobId,
    chunk: PlannedChunk,
    isFirstLook: boolean,
    signal: AbortSignal,
  ): Promise<LineReader | null> {
    if (!isFirstLook) await this.#clock.sleep(LOOK_MS, signal);
    signal.throwIfAborted();
    const mark = await this.#blobs.head(settledName(job, chunk.id));
    if (mark !== null) return this.#partOf(job, chunk);
    if (hasResult(await this.#job(job))) throw new GoneMeanwhile('the result is there');
    return null;
  }

  async #partOf(job: JobId, chunk: PlannedChunk): Promise<LineReader> {
    const { state } = await this.#views.chunkStream(job, chunk);
    if (state.status !== 'settled') {
      throw new StoreDamage(`${settledName(job, chunk.id)} marks a chunk that is ${state.status}`);
    }
    return new LineReader(this.#blobs, partName(job, chunk.id, state.part), state.part.sizeBytes);
  }

  /** The lines of these chunks out of the result. */
  async *#fromResult(
    id: JobId,
    { sizeBytes }: ResultRecord,
    order: AsyncIterable<ChunkLines>,
    kept: ReadonlySet<ChunkId>,
  ): AsyncGenerator<Buffer> {
    const reader = new LineReader(this.#blobs, resultName(id), sizeBytes);
    for await (const { chunk, lines } of order) {
      for await (const piece of reader.take(lines)) if (kept.has(chunk.id)) yield piece;
    }
  }

  /** The result of a job that has lost a part. Rejects where there is none: then it is damaged. */
  async #resultInstead(id: JobId, gone: GoneMeanwhile): Promise<ResultRecord> {
    const job = await this.#job(id);
    if (hasResult(job)) return job.result;
    throw new StoreDamage(gone.message);
  }

  /** Waits until the job is so; rejects where it never will be. */
  async #waitFor<Wanted extends JobState>(
    id: JobId,
    signal: AbortSignal,
    isSo: (job: JobState) => job is Wanted,
  ): Promise<Wanted> {
    for (;;) {
      signal.throwIfAborted();
      const job = await this.#job(id);
      if (isSo(job)) return job;
      if (job.status === 'refused') throw neverThere(id);
      await this.#clock.sleep(LOOK_MS, signal);
    }
  }

  async #job(id: JobId): Promise<JobState> {
    const job = await this.#views.job(id);
    if (job === null) throw new Refusal('unknown_job', `The job ${id} is deleted.`);
    return job;
  }
}

/** Of a job that was refused. */
export function neverThere(id: JobId): Refusal {
  return new Refusal('no_result', `${id} ended before anything was sent, so it has no result.`);
}

/** Whether the job has its result. */
export function hasResult(job: JobState): job is Extract<JobState, { result: ResultRecord }> {
  return 'result' in job;
}

/** The lines of parts, each of which is opened, in the end, when its first line is due. */
async function* readParts(
  order: AsyncIterable<ChunkLines>,
  open: (chunk: PlannedChunk, isFirstLook: boolean) => Promise<LineReader | null>,
): AsyncGenerator<Buffer> {
  const readers = new Map<ChunkId, LineReader>();
  for await (const { chunk, lines, isRest } of order) {
    let reader = readers.get(chunk.id) ?? (await open(chunk, true));
    while (reader === null) {
      yield NOTHING_SOON;
      reader = await open(chunk, false);
    }
    readers.set(chunk.id, reader);
    yield* isRest ? reader.rest() : reader.take(lines);
    if (isRest) readers.delete(chunk.id);
  }
}

/** The stream without its first bytes. */
async function* behind(sizeBytes: number, pieces: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let left = sizeBytes;
  for await (const piece of pieces) {
    const skipped = Math.min(left, piece.length);
    left -= skipped;
    if (skipped < piece.length) yield piece.subarray(skipped);
  }
}

async function* gathered(pieces: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  const gatherer = new BlockGatherer();
  for await (const piece of pieces) {
    const block = piece === NOTHING_SOON ? gatherer.take() : gatherer.add(piece);
    if (block !== null) yield block;
  }
  const last = gatherer.take();
  if (last !== null) yield last;
}
