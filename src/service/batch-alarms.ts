/** Tells of batches that stay in one status too long, and of answers that may soon be deleted. */

import type { ChunkState } from '../domain/chunk.ts';
import type { ChunkTask, Tools } from '../stages/tools.ts';
import { expiryOf } from './expiry.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/**
 * How long a healthy batch stays in a status, as multiples of the setting (an hour): validation
 * takes minutes; finalizing writes one file; a cancel is promised within ten minutes.
 */
const BOUNDS: ReadonlyMap<string, number> = new Map([
  ['validating', 1],
  ['finalizing', 2],
  ['cancelling', 2],
]);

/** All else ends with the window; batches were seen to expire half an hour after it. */
const WINDOW_SLACK = 1;

/** Beyond the window, whatever the statuses were: all of them together. */
const WHOLE_SLACK = 4;

/** An alert that lasts is told again. */
const REMINDER_MS = HOUR_MS;

interface Seen {
  readonly batchId: string;
  readonly sinceMs: number;
  phase: string;
  phaseSinceMs: number;
  /** When the journal was asked for its age; once an hour is enough. */
  agedMs: number | null;
  toldMs: number | null;
}

export class BatchAlarms {
  readonly #tools: Tools;
  /** By chunk; since when this process has seen it so, monotonic. */
  readonly #seen = new Map<string, Seen>();

  constructor(tools: Tools) {
    this.#tools = tools;
  }

  /** Looks at a chunk as the sweep loaded it; `phase` is what people see of it. */
  async look(task: ChunkTask, phase: string): Promise<void> {
    const { job, chunk, stream } = task;
    const key = `${job.id}/${chunk.id}`;
    const { state } = stream;
    const batchId = watchedBatch(state);
    if (batchId === null) {
      this.#seen.delete(key);
      return;
    }
    const nowMs = this.#tools.clock.monotonicMs();
    const seen = this.#update(key, batchId, phase, nowMs);
    if (state.status !== 'ended') this.#tellIfStuck(task, seen, nowMs);
    if (seen.agedMs !== null && nowMs - seen.agedMs < REMINDER_MS) return;
    seen.agedMs = nowMs;
    const { journal, clock, notices } = this.#tools;
    const expiring = await expiryOf({ job, chunk, state }, journal, clock.wallMs());
    if (expiring !== null) notices.tell(expiring);
  }

  #update(key: string, batchId: string, phase: string, nowMs: number): Seen {
    const before = this.#seen.get(key);
    if (before?.batchId === batchId) {
      if (before.phase !== phase) Object.assign(before, { phase, phaseSinceMs: nowMs });
      return before;
    }
    const fresh = { batchId, sinceMs: nowMs, phase, phaseSinceMs: nowMs };
    const seen: Seen = { ...fresh, agedMs: null, toldMs: null };
    this.#seen.set(key, seen);
    return seen;
  }

  #tellIfStuck({ job, chunk }: ChunkTask, seen: Seen, nowMs: number): void {
    const windowMs = windowOf(job.completionWindow);
    const { stuckBatchAlertMs: unitMs } = this.#tools.policy;
    const times = BOUNDS.get(seen.phase);
    const bound = times === undefined ? windowMs + WINDOW_SLACK * unitMs : times * unitMs;
    const phaseMs = nowMs - seen.phaseSinceMs;
    const wholeMs = nowMs - seen.sinceMs;
    if (phaseMs <= bound && wholeMs <= windowMs + WHOLE_SLACK * unitMs) return;
    if (seen.toldMs !== null && nowMs - seen.toldMs < REMINDER_MS) return;
    seen.toldMs = nowMs;
    const lasted = phaseMs > bound ? phaseMs : wholeMs;
    const what = phaseMs > bound ? seen.phase : 'not over';
    this.#tools.notices.tell({
      level: 'alert',
      code: 'batch_stuck',
      message: `Batch ${seen.batchId} is ${what} for ${inHours(lasted)} or more.`,
      job: job.id,
      chunk: chunk.id,
    });
  }
}

/** The batch that the chunk waits for; null: none. */
function watchedBatch(state: ChunkState): string | null {
  if (state.status === 'submitted') return state.batchId;
  if (state.status === 'ended') return state.batch.batchId;
  const waits = state.status === 'waiting' || state.status === 'settling';
  return waits ? (state.strays[0]?.batchId ?? null) : null;
}

/** `24h` or `7d` in milliseconds; a day where it says something else. */
function windowOf(text: string): number {
  const [, count, unit] = /^(\d+)([hd])$/.exec(text) ?? [];
  return count === undefined ? DAY_MS : Number(count) * (unit === 'd' ? DAY_MS : HOUR_MS);
}

function inHours(ms: number): string {
  const hours = ms / HOUR_MS;
  return hours < 2 ? `${Math.floor(ms / MINUTE_MS)} minutes` : `${Math.floor(hours)} hours`;
}
