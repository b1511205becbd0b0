/**
 * What one process remembers between steps: since when it has seen something, and how often it
 * failed in a row. Times are monotonic. Losing it (a restart) starts the waits anew and is
 * otherwise harmless, so it is not journaled.
 */

import type { Clock } from '../ports/clock.ts';

export interface Watched {
  /** Since the first call with this key. */
  readonly elapsedMs: number;
  /** Calls with this key so far, this one included. */
  readonly times: number;
}

/** What this process does for a subject, as far as it can be told from outside. */
export interface Attendance {
  /** Steps that came to something so far. */
  readonly answers: number;
  readonly isRunning: boolean;
  /** The time until a step said that it comes again; 0: none did, or it is over. */
  readonly quietMs: number;
  /** How long the latest such promise was, when it was given. */
  readonly promiseMs: number;
}

/** A step that runs longer than this is taken for stuck, in milliseconds. */
const PATIENCE_MS = 2 * 60 * 60_000;

const NOBODY: Attendance = { answers: 0, isRunning: false, quietMs: 0, promiseMs: 0 };

interface Attended {
  answers: number;
  untilMs: number;
  promiseMs: number;
  /** The last step threw: that the next one runs is no good sign. */
  isFailing: boolean;
  /** Since when steps run. */
  readonly running: Set<{ readonly sinceMs: number }>;
}

/** Keys are forgotten, oldest first, beyond this many. */
const MAX_KEYS = 200_000;

export class Watch {
  readonly #clock: Clock;
  readonly #seen = new Map<string, { firstMs: number; times: number }>();
  readonly #attended = new Map<string, Attended>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Counts one more observation of the key. */
  see(key: string): Watched {
    const nowMs = this.#clock.monotonicMs();
    const seen = this.#seen.get(key) ?? { firstMs: nowMs, times: 0 };
    seen.times += 1;
    this.#seen.set(key, seen);
    if (this.#seen.size > MAX_KEYS) this.#forgetOldest();
    return { elapsedMs: nowMs - seen.firstMs, times: seen.times };
  }

  /** Whether the key was seen; does not count as an observation. */
  has(key: string): boolean {
    return this.#seen.has(key);
  }

  forget(key: string): void {
    this.#seen.delete(key);
  }

  /**
   * A step for the subject begins. Call the returned function when it is over, with the time
   * until it comes again (0: nothing is promised), null where it did nothing, or `failed`.
   */
  attend(subject: string): (came: number | 'failed' | null) => void {
    const attended = this.#attended.get(subject) ?? freshlyAttended();
    this.#attended.set(subject, attended);
    const step = { sinceMs: this.#clock.monotonicMs() };
    attended.running.add(step);
    return (came) => {
      attended.running.delete(step);
      if (came === 'failed') attended.isFailing = true;
      if (typeof came !== 'number') return this.#forgetIfIdle(subject, attended);
      attended.isFailing = false;
      attended.answers += 1;
      const untilMs = this.#clock.monotonicMs() + came;
      if (untilMs <= attended.untilMs) return;
      attended.untilMs = untilMs;
      attended.promiseMs = came;
    };
  }

  attended(subject: string): Attendance {
    const attended = this.#attended.get(subject);
    if (attended === undefined) return NOBODY;
    const nowMs = this.#clock.monotonicMs();
    const { answers, untilMs, promiseMs, isFailing, running } = attended;
    const isPatient = [...running].some(({ sinceMs }) => nowMs - sinceMs < PATIENCE_MS);
    const quietMs = Math.max(0, untilMs - nowMs);
    return { answers, isRunning: isPatient && !isFailing, quietMs, promiseMs };
  }

  /** Nothing more is done for the subject. */
  dismiss(subject: string): void {
    this.#attended.delete(subject);
  }

  /** A late bell of a job that is over must not be remembered for ever. */
  #forgetIfIdle(subject: string, attended: Attended): void {
    const { answers, isFailing, running } = attended;
    if (answers > 0 || isFailing || running.size > 0) return;
    if (this.#attended.get(subject) === attended) this.#attended.delete(subject);
  }

  #forgetOldest(): void {
    for (const key of this.#seen.keys()) {
      this.#seen.delete(key);
      return;
    }
  }
}

function freshlyAttended(): Attended {
  return { answers: 0, untilMs: 0, promiseMs: 0, isFailing: false, running: new Set() };
}
