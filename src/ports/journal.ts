/**
 * The truth: streams of write-once entries, numbered 1, 2, 3 … without gaps.
 *
 * A stream is named like a folder of the blob store. Each entry carries the state after its
 * event, so the last entry alone is the stream's state. Events and states are JSON values; the
 * caller names their types, the journal does not check them.
 */
export interface Journal {
  /**
   * The last entry; null where the stream has none. Rejects, naming the object, where the entry
   * cannot be read or a version is missing.
   */
  load<Event, State>(stream: string): Promise<JournalEntry<Event, State> | null>;

  /**
   * Appends as `version`, which must be the last version + 1 (from 1). Of racing appenders of one
   * version exactly one gets `appended`, and then the entry is durable; each other one gets the
   * winner's entry. Rejects where the outcome cannot be known: load again before deciding.
   */
  append<Event, State>(
    stream: string,
    version: number,
    event: Event,
    state: State,
  ): Promise<AppendAnswer<Event, State>>;

  /** All entries in order; empty where the stream has none. Rejects as `load` does. */
  history<Event, State>(stream: string): Promise<JournalEntry<Event, State>[]>;
}

export interface JournalEntry<Event, State> {
  /** Random, the append's own: tells one's entry from another writer's. */
  readonly eventId: string;
  /** Counted from 1. */
  readonly version: number;
  /** Wall time of the append, for people: never to be computed with. */
  readonly atMs: number;
  /** The process that appended; random for each journal made. */
  readonly writer: string;
  readonly event: Event;
  /** The state after the event. */
  readonly state: State;
}

export type AppendAnswer<Event, State> =
  | { readonly status: 'appended'; readonly entry: JournalEntry<Event, State> }
  | { readonly status: 'lost'; readonly entry: JournalEntry<Event, State> };
