/**
 * Watches that no unfinished job stands still without an alert: what it owes is known from its
 * journal, and a sign of life is an event of its streams or a step that is at it.
 */

import type { ChunkState } from '../../src/domain/chunk.ts';
import type { JobState } from '../../src/domain/job.ts';
import { isTerminal } from '../../src/domain/job.ts';
import type { BellAnswer } from '../../src/ports/work-queue.ts';
import type { SimulatedProcess } from './process.ts';

const MINUTE_MS = 60_000;

/** Steps that wait for nothing: neither for a slot nor for anybody's wish. */
const OWING: ReadonlySet<ChunkState['status']> = new Set([
  'submitting',
  'abandoning',
  'submitted',
  'ended',
]);

/** Two of them are promised; one more may have just begun, two may fail. */
const SWEEPS = 5;

/** A sweep itself takes its time. */
const SLACK_MS = 10 * MINUTE_MS;

export interface LivenessParts {
  readonly nowMs: () => number;
  readonly sweepIntervalMs: number;
  readonly jobs: ReadonlyMap<string, JobState>;
  /** By `<job>/<chunk>`. */
  readonly chunks: ReadonlyMap<string, ChunkState>;
  readonly removed: ReadonlySet<string>;
  /** Those that sweep. */
  readonly workers: () => readonly SimulatedProcess[];
  readonly fail: (violation: string) => void;
}

export class Liveness {
  readonly #parts: LivenessParts;
  /** Until when nothing more is to be expected of the job than has come. */
  readonly #quietUntilMs = new Map<string, number>();
  readonly #toldMs = new Map<string, number>();

  constructor(parts: LivenessParts) {
    this.#parts = parts;
  }

  /** Something of the job was written. */
  moved(job: string): void {
    this.#expectQuiet(job, 0);
  }

  /** A step begins; the returned function takes its answer. What it promised may be kept twice. */
  attend(job: string): (answer: BellAnswer) => void {
    this.#expectQuiet(job, 0);
    return (answer) => this.#expectQuiet(job, answer.kind === 'later' ? 2 * answer.delayMs : 0);
  }

  /** Somebody was told that the job idles. */
  told(job: string): void {
    this.#toldMs.set(job, this.#parts.nowMs());
  }

  isTold(job: string): boolean {
    return this.#toldMs.has(job);
  }

  /** To be called now and then. */
  check(): void {
    const { nowMs, jobs, removed, sweepIntervalMs } = this.#parts;
    for (const [job, state] of jobs) {
      if (isTerminal(state) || removed.has(job) || !this.#owes(job)) continue;
      const sinceMs = this.#quietUntilMs.get(job) ?? 0;
      const isLong = nowMs() - sinceMs > SWEEPS * sweepIntervalMs + SLACK_MS;
      const isTold = (this.#toldMs.get(job) ?? 0) > sinceMs;
      if (!isLong || isTold || !this.#isLookedAfter(sinceMs)) continue;
      const minutes = Math.round((nowMs() - sinceMs) / MINUTE_MS);
      this.#parts.fail(`${job} idles for ${minutes} minutes, and nobody is told`);
    }
  }

  /** Whether a process could see all of it. */
  #isLookedAfter(sinceMs: number): boolean {
    return this.#parts.workers().some((one) => one.isRunning() && one.runningSinceMs < sinceMs);
  }

  #owes(job: string): boolean {
    const own = [...this.#parts.chunks].filter(([key]) => key.startsWith(`${job}/`));
    return own.some(([, { status }]) => OWING.has(status));
  }

  #expectQuiet(job: string, ms: number): void {
    const untilMs = this.#parts.nowMs() + ms;
    this.#quietUntilMs.set(job, Math.max(untilMs, this.#quietUntilMs.get(job) ?? 0));
  }
}
