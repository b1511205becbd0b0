/** The bytes of a journal entry: one JSON object and a newline, so that `cat` shows a stream. */

import { StoreDamage } from '../../domain/errors.ts';
import type { JournalEntry } from '../../ports/journal.ts';

/** The entry's bytes. */
export function encodeEntry(entry: JournalEntry<unknown, unknown>): Uint8Array {
  return Buffer.from(`${JSON.stringify(entry)}\n`, 'utf8');
}

/**
 * The entry in the bytes of the object `name`. Throws, naming the object, where they are not a
 * whole entry of that version.
 */
export function decodeEntry<Event, State>(
  name: string,
  version: number,
  bytes: Buffer,
): JournalEntry<Event, State> {
  if (bytes.length === 0) throw unreadable(name, 'it is empty');
  const entry = parse(name, bytes);
  if (!isEntry(entry)) throw unreadable(name, 'it is not an entry');
  if (entry.version !== version) throw unreadable(name, `it says version ${entry.version}`);
  return entry as JournalEntry<Event, State>;
}

function parse(name: string, bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString('utf8'));
  } catch (error) {
    throw unreadable(name, 'it is not JSON', error);
  }
}

function isEntry(value: unknown): value is JournalEntry<unknown, unknown> {
  if (typeof value !== 'object' || value === null) return false;
  const { eventId, version, atMs, writer } = value as Record<string, unknown>;
  return (
    typeof eventId === 'string' &&
    typeof version === 'number' &&
    typeof atMs === 'number' &&
    typeof writer === 'string' &&
    Object.hasOwn(value, 'event') &&
    Object.hasOwn(value, 'state')
  );
}

function unreadable(name: string, why: string, cause?: unknown): Error {
  return new StoreDamage(`the journal entry ${name} is unreadable: ${why}`, { cause });
}
