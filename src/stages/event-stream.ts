/** One stream of the journal under the hand of one step: what it is, and how it moves on. */

import { invariant } from '../domain/errors.ts';
import type { Journal } from '../ports/journal.ts';

/** A pure function that folds one event into a state; null where the event does not fit. */
export type Fold<Event, State> = (state: State, event: Event) => State | null;

/** How often a fact is brought again to a stream that others write to at the same time. */
const FACT_TRIES = 20;

export class EventStream<Event, State> {
  readonly #journal: Journal;
  readonly #name: string;
  readonly #fold: Fold<Event, State>;
  #state: State;
  #version: number;
  #atMs: number | null;

  private constructor(
    journal: Journal,
    name: string,
    fold: Fold<Event, State>,
    state: State,
    version: number,
    atMs: number | null,
  ) {
    this.#journal = journal;
    this.#name = name;
    this.#fold = fold;
    this.#state = state;
    this.#version = version;
    this.#atMs = atMs;
  }

  /** Loads the stream; `fresh` is its state before the first event. */
  static async open<Event, State>(
    journal: Journal,
    name: string,
    fold: Fold<Event, State>,
    fresh: State,
  ): Promise<EventStream<Event, State>> {
    const entry = await journal.load<Event, State>(name);
    const { state, version, atMs } = entry ?? { state: fresh, version: 0, atMs: null };
    return new EventStream(journal, name, fold, state, version, atMs);
  }

  get state(): State {
    return this.#state;
  }

  get version(): number {
    return this.#version;
  }

  /** Wall time of the last event, which may be wrong by any amount; null: there is none. */
  get atMs(): number | null {
    return this.#atMs;
  }

  /**
   * Appends a decision: true only where this very call's event is the stream's next. On false
   * another event came first: the caller stops, its knowledge is stale.
   */
  async decide(event: Event): Promise<boolean> {
    const next = this.#fold(this.#state, event);
    invariant(next !== null, `${this.#name}: an event was decided that does not fit its state`);
    return (await this.#append(event, next)) === 'appended';
  }

  /**
   * Appends a fact, again and again behind the events of others, until it is recorded. False
   * where it does not fit any more: somebody else has recorded it, or it does not matter now.
   */
  async record(event: Event): Promise<boolean> {
    for (let tries = 0; tries < FACT_TRIES; tries += 1) {
      const next = this.#fold(this.#state, event);
      if (next === null) return false;
      if ((await this.#append(event, next)) === 'appended') return true;
      await this.#reload();
    }
    throw new Error(`${this.#name}: a fact lost ${FACT_TRIES} races in a row`);
  }

  async #append(event: Event, next: State): Promise<'appended' | 'lost'> {
    const version = this.#version + 1;
    const answer = await this.#journal.append(this.#name, version, event, next);
    if (answer.status === 'appended') {
      this.#state = next;
      this.#version = version;
      this.#atMs = answer.entry.atMs;
    }
    return answer.status;
  }

  async #reload(): Promise<void> {
    const entry = await this.#journal.load<Event, State>(this.#name);
    invariant(entry !== null, `${this.#name}: an append was lost to an event that is not there`);
    this.#state = entry.state;
    this.#version = entry.version;
    this.#atMs = entry.atMs;
  }
}
