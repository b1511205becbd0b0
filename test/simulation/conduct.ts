/**
 * How the house behaves on its way, seen from outside: how many batches live at once, how often a
 * provider in trouble is called, and whether the brake is pulled.
 */

import type { ChunkState } from '../../src/domain/chunk.ts';
import type { JobEvent, JobState } from '../../src/domain/job.ts';
import type { Plan } from '../../src/domain/plan.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

/** A brake that is due is pulled within this time, though who noticed it first may have died. */
const BRAKE_MS = HOUR_MS;

/** A slot that no journal explains may be freed after this time. */
const SLOT_GRACE_MS = 20_000;

/** Calls that fail within an hour, for each stream, and for people; with growing waits. */
const FAILED_CALLS_AN_HOUR = 150;

/** Batches of one chunk that fail their validation before all of it is given up. */
const MAX_RECUTS = 3;

const SENT: ReadonlySet<ChunkState['status']> = new Set(['submitting', 'abandoning', 'submitted']);

export interface ConductParts {
  readonly nowMs: () => number;
  readonly maxLiveBatches: number;
  /** Every stream as it is now; chunks by `<job>/<chunk>`. */
  readonly jobs: ReadonlyMap<string, JobState>;
  readonly chunks: ReadonlyMap<string, ChunkState>;
  readonly planOf: (job: string) => Plan;
  readonly fail: (violation: string) => void;
}

export class Conduct {
  readonly #parts: ConductParts;
  /** Since when a job has more failed lines than its bound allows, and nobody has held it. */
  readonly #brakeDueMs = new Map<string, number>();
  /** Chunks whose batch was made by others, who ask for no slot. */
  readonly #takenOver = new Set<string>();
  /** Slots were lost, or freed by somebody who had slept: there may be too many of them. */
  #areSlotsUnsure = false;
  /** A step that slept gave a slot away that its chunk had taken again. */
  #slack = 0;
  #hour = 0;
  #failedCalls = 0;

  constructor(parts: ConductParts) {
    this.#parts = parts;
  }

  /** The board and all bells are lost: slots and steps come back only with a sweep. */
  flushed(): void {
    this.#areSlotsUnsure = true;
    this.#brakeDueMs.clear();
  }

  /** A sweep that slept knows slots as held by nobody that were taken since. */
  slept(ms: number): void {
    this.#slack = 1;
    if (ms >= SLOT_GRACE_MS) this.#areSlotsUnsure = true;
  }

  /** A call of the provider did not succeed. */
  callFailed(): void {
    const hour = Math.floor(this.#parts.nowMs() / HOUR_MS);
    if (hour !== this.#hour) this.#failedCalls = 0;
    this.#hour = hour;
    this.#failedCalls += 1;
    const streams = 1 + this.#parts.jobs.size + this.#parts.chunks.size;
    if (this.#failedCalls <= FAILED_CALLS_AN_HOUR * streams) return;
    this.#parts.fail(`${this.#failedCalls} calls failed in one hour for ${streams} streams`);
  }

  jobMoved(job: string, event: JobEvent): void {
    if (event.type === 'wished' || event.type === 'adjusted') this.#brakeDueMs.delete(job);
  }

  /** After the chunk's event, when its new state is known. */
  chunkMoved(key: string, type: string, state: ChunkState): void {
    if (type === 'taken_over') this.#takenOver.add(key);
    if (type === 'collected') this.#takenOver.delete(key);
    if (type === 'submitting') {
      this.#checkSlots(key);
      this.#checkBrake(key);
    }
    if (state.recuts > MAX_RECUTS) this.#parts.fail(`${key} is cut ${state.recuts} times`);
    if (type === 'settled') this.#noteBrake(jobOf(key));
  }

  /** What was restored after a flush, and what others made, may be more than there are slots. */
  #checkSlots(key: string): void {
    if (this.#areSlotsUnsure) return;
    const { chunks, maxLiveBatches } = this.#parts;
    const model = this.#modelOf(key);
    const live = [...chunks].filter(
      ([other, { status }]) =>
        SENT.has(status) && !this.#takenOver.has(other) && this.#modelOf(other) === model,
    );
    if (live.length <= maxLiveBatches + this.#slack) return;
    this.#parts.fail(`${live.length} batches of ${model} live beside ${key}`);
  }

  #noteBrake(job: string): void {
    const state = this.#parts.jobs.get(job);
    const bound = state?.options.maxErrors ?? null;
    if (state?.intent.kind !== 'run' || bound === null) return;
    const parts = this.#chunksOf(job).flatMap((one) => (one.status === 'settled' ? one.part : []));
    const failed = parts.reduce((sum, part) => sum + part.failed + part.rejected, 0);
    const lines = parts.reduce((sum, part) => sum + part.lines, 0);
    const isPassed =
      bound.kind === 'count' ? failed > bound.count : lines > 0 && failed / lines > bound.share;
    if (!isPassed || this.#brakeDueMs.has(job)) return;
    this.#brakeDueMs.set(job, this.#parts.nowMs());
  }

  #checkBrake(key: string): void {
    const dueMs = this.#brakeDueMs.get(jobOf(key)) ?? Infinity;
    if (this.#parts.nowMs() - dueMs <= BRAKE_MS) return;
    this.#parts.fail(`${key} is sent although too many lines of its job have failed`);
  }

  #chunksOf(job: string): ChunkState[] {
    const own = [...this.#parts.chunks].filter(([key]) => jobOf(key) === job);
    return own.map(([, state]) => state);
  }

  #modelOf(key: string): string {
    const { chunks } = this.#parts.planOf(jobOf(key));
    return chunks.find(({ id }) => key.endsWith(id))?.model ?? '';
  }
}

function jobOf(key: string): string {
  return key.split('/')[0] ?? '';
}
