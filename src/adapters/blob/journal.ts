/**
 * The journal over any blob store: entry `version` of a stream is the object
 * `<stream>/<version, 8 digits>.json`, written with putIfAbsent, so that the store itself decides
 * every race.
 */

import { StoreDamage, invariant } from '../../domain/errors.ts';
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
    if ((await this.#lastVersion(stream)) === 0) return null;
    throw new StoreDamage(`the journal entry ${entryName(stream, last)} vanished`);
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
      if (entry === null) {
        // As in `load`: what was pruned meanwhile is no damage.
        if ((await this.#lastVersion(stream)) === 0) return [];
        throw new StoreDamage(`the journal entry ${entryName(stream, version)} vanished`);
      }
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
      throw bothOf(failure, error);
    });
    if (found === null) throw failure;
    if (found.eventId !== own.eventId) return { status: 'lost', entry: found };
    // It can be read, which does not say that it would outlast a loss of power: `exists` does.
    await this.#blobs.putIfAbsent(entryName(stream, own.version), encodeEntry(own));
    return { status: 'appended', entry: found };
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
    if (last === versions.length) return last;
    const missing = await this.#firstMissing(stream, new Set(versions), last);
    if (missing === null) return last;
    // Where the stream is being pruned, there is nothing left to be missed.
    if ((await this.#blobs.list(stream)).length === 0) return 0;
    throw new StoreDamage(
      `the journal entry ${entryName(stream, missing)} is missing: ` +
        `${stream} has ${versions.length} entries and a last version ${last}`,
    );
  }

  /**
   * Folders of some stores are not listed at one moment: of two entries that were just written
   * the older one may be left out. So those are asked for by their names. Null: all are there.
   */
  async #firstMissing(
    stream: string,
    listed: ReadonlySet<number>,
    last: number,
  ): Promise<number | null> {
    for (let version = 1; version < last; version += 1) {
      if (listed.has(version)) continue;
      if ((await this.#blobs.head(entryName(stream, version))) === null) return version;
    }
    return null;
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

/**
 * One error that says both, with the code by which trouble of the disk is known. Where the store
 * only said that the entry exists, its damage is the trouble.
 */
function bothOf(failure: unknown, second: unknown): unknown {
  if (codeOf(failure) === undefined && second instanceof StoreDamage) return second;
  const code = codeOf(failure) ?? codeOf(second);
  const message = `${messageOf(failure)}; ${messageOf(second)}`;
  const both = new AggregateError([failure, second], message);
  return code === undefined ? both : Object.assign(both, { code });
}

function codeOf(error: unknown): string | undefined {
  const { code } = error as { code?: unknown };
  return typeof code === 'string' ? code : undefined;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
