/**
 * The journal over any blob store: entry `version` of a stream is the object
 * `<stream>/<version, 8 digits>.json`, written with putIfAbsent, so that the store itself decides
 * every race.
 */

import { invariant } from '../../domain/errors.ts';
import type { BlobStore } from '../../ports/blob-store.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Ids } from '../../ports/ids.ts';
import type { AppendAnswer, Journal, JournalEntry } from '../../ports/journal.ts';
import { decodeEntry, encodeEntry } from './journal-entry.ts';

const ENTRY_NAME = /^(\d{8})\.json$/;
const LAST_VERSION = 99_999_999;

/** A journal whose entries lie in `blobs` under the streams' own names. */
export function createJournal(blobs: BlobStore, ids: Ids, clock: Clock): Journal {
  return new BlobJournal(blobs, ids, clock);
}

class BlobJournal implements Journal {
  readonly #blobs: BlobStore;
  readonly #ids: Ids;
  readonly #clock: Clock;
  readonly #writer: string;

  constructor(blobs: BlobStore, ids: Ids, clock: Clock) {
    this.#blobs = blobs;
    this.#ids = ids;
    this.#clock = clock;
    this.#writer = ids.nonce();
  }

  async load<Event, State>(stream: string): Promise<JournalEntry<Event, State> | null> {
    const last = await this.#lastVersion(stream);
    if (last === 0) return null;
    const entry = await this.#read<Event, State>(stream, last);
    if (entry !== null) return entry;
    // The stream was pruned between the two calls, or the store lost an entry.
    invariant((await this.#lastVersion(stream)) === 0, `${entryName(stream, last)} vanished`);
    return null;
  }

  async append<Event, State>(
    stream: string,
    version: number,
    event: Event,
    state: State,
  ): Promise<AppendAnswer<Event, State>> {
    await this.#checkVersion(stream, version);
    const eventId = this.#ids.nonce();
    const atMs = this.#clock.wallMs();
    const entry = { eventId, version, atMs, writer: this.#writer, event, state };
    const name = entryName(stream, version);
    let failure: unknown = new Error(`the store says that ${name} exists, but it cannot be read`);
    try {
      const outcome = await this.#blobs.putIfAbsent(name, encodeEntry(entry));
      if (outcome === 'created') return { status: 'appended', entry };
    } catch (error) {
      failure = error;
    }
    return this.#readBack(stream, entry, failure);
  }

  async history<Event, State>(stream: string): Promise<JournalEntry<Event, State>[]> {
    const last = await this.#lastVersion(stream);
    const entries: JournalEntry<Event, State>[] = [];
    for (let version = 1; version <= last; version += 1) {
      const entry = await this.#read<Event, State>(stream, version);
      invariant(entry !== null, `${entryName(stream, version)} vanished`);
      entries.push(entry);
    }
    return entries;
  }

  /** What the name holds after an append that was not answered with `created`. */
  async #readBack<Event, State>(
    stream: string,
    own: JournalEntry<Event, State>,
    failure: unknown,
  ): Promise<AppendAnswer<Event, State>> {
    // An unreadable entry says no more of the outcome than the first failure does.
    const found = await this.#read<Event, State>(stream, own.version).catch((error: unknown) => {
      throw new AggregateError([failure, error], `${messageOf(failure)}; ${messageOf(error)}`);
    });
    if (found === null) throw failure;
    return { status: found.eventId === own.eventId ? 'appended' : 'lost', entry: found };
  }

  async #read<Event, State>(
    stream: string,
    version: number,
  ): Promise<JournalEntry<Event, State> | null> {
    const name = entryName(stream, version);
    const bytes = await this.#blobs.get(name);
    return bytes === null ? null : decodeEntry<Event, State>(name, version, bytes);
  }

  /** 0 where the stream has no entry. */
  async #lastVersion(stream: string): Promise<number> {
    const versions: number[] = [];
    for (const name of await this.#blobs.list(stream)) {
      const digits = ENTRY_NAME.exec(name)?.[1];
      if (digits !== undefined) versions.push(Number(digits));
    }
    const last = versions.at(-1) ?? 0;
    invariant(
      last === versions.length,
      `the stream ${stream} has ${versions.length} entries and a last version ${last}`,
    );
    return last;
  }

  async #checkVersion(stream: string, version: number): Promise<void> {
    invariant(
      Number.isInteger(version) && version >= 1 && version <= LAST_VERSION,
      `${version} is not a version`,
    );
    if (version === 1) return;
    const before = entryName(stream, version - 1);
    const exists = (await this.#blobs.head(before)) !== null;
    invariant(exists, `version ${version} appended to ${stream}, which has no ${version - 1}`);
  }
}

function entryName(stream: string, version: number): string {
  return `${stream}/${String(version).padStart(8, '0')}.json`;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
