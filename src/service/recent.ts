/** What was looked at a moment ago: many who ask at once share one look. */

import type { Clock } from '../ports/clock.ts';

/** A look that took long stands longer, so that at most a tenth of the time goes into looking. */
const COST_FACTOR = 9;

interface Look<Value> {
  readonly value: Promise<Value>;
  /** On the monotonic clock; null: it is not finished yet. */
  untilMs: number | null;
}

export class Recent<Key, Value> {
  readonly #clock: Pick<Clock, 'monotonicMs'>;
  readonly #keepMs: number;
  readonly #looks = new Map<Key, Look<Value>>();

  /** A value is handed out for `keepMs` after it is there, or longer where it was dear. */
  constructor(clock: Pick<Clock, 'monotonicMs'>, keepMs: number) {
    this.#clock = clock;
    this.#keepMs = keepMs;
  }

  /** The value of a recent look, or of a new one. A look that fails is not kept. */
  async get(key: Key, look: () => Promise<Value>): Promise<Value> {
    const nowMs = this.#clock.monotonicMs();
    this.#dropStale(nowMs);
    const found = this.#looks.get(key);
    if (found !== undefined) return found.value;
    const value = look();
    const made: Look<Value> = { value, untilMs: null };
    this.#looks.set(key, made);
    try {
      await value;
    } catch (error) {
      this.#looks.delete(key);
      throw error;
    }
    const doneMs = this.#clock.monotonicMs();
    made.untilMs = doneMs + Math.max(this.#keepMs, (doneMs - nowMs) * COST_FACTOR);
    return value;
  }

  #dropStale(nowMs: number): void {
    for (const [key, { untilMs }] of this.#looks) {
      if (untilMs !== null && untilMs <= nowMs) this.#looks.delete(key);
    }
  }
}
