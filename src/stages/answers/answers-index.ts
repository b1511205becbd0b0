/**
 * The index of one attempt's answers: what is known of each answer line, so that no later pass
 * parses it again. About 70 bytes a line, written in one go while the answers are checked.
 *
 * A run of entries of 52 bytes, little-endian, each followed by its text:
 *   0 u8 kind · 1 u8 file (0 output, 1 errors) · 2 u16 name of its class · 4 u16 name of its model
 *   6 u16 zero · 8 f64 offset · 16 f64 length (without the newline) · 24 u32 bytes of its text
 *   28 u32 × 5 tokens: input, output, total, cached, reasoning · 48 u32 zero
 * The text is the decoded custom_id. Entries of kind `name` come before the first use of the name,
 * their number counts from 0, and their text is the name. The last entry is of kind `end`; its
 * offset holds the number of entries before it.
 */

import type { AnswerKind } from '../../domain/answer.ts';
import { writeAll } from '../plan/append-file.ts';

export const ENTRY_BYTES = 52;
const BUFFER_BYTES = 256 * 1024;

/** Kinds of entries by number. */
export const ENTRY_KINDS = [
  'success',
  'final',
  'again',
  'quota',
  'unparsable',
  'name',
  'end',
] as const satisfies readonly (AnswerKind | 'unparsable' | 'name' | 'end')[];

export type EntryKind = (typeof ENTRY_KINDS)[number];

/** Stands for "no model". */
export const NO_NAME = 0xffff;

const KIND_NUMBERS = new Map<EntryKind, number>(ENTRY_KINDS.map((kind, index) => [kind, index]));

/** An entry while it is written or read; one object serves all. */
export class Entry {
  kind: EntryKind = 'success';
  isError = false;
  classNumber = NO_NAME;
  modelNumber = NO_NAME;
  offset = 0;
  length = 0;
  input = 0;
  output = 0;
  total = 0;
  cached = 0;
  reasoning = 0;
}

const NO_TEXT = Buffer.alloc(0);

/** Writes an index to an open file, from its beginning. */
export class AnswersIndexWriter {
  readonly #fd: number;
  readonly #buffer = Buffer.allocUnsafeSlow(BUFFER_BYTES);
  readonly #view = new DataView(this.#buffer.buffer);
  readonly #names = new Map<string, number>();
  readonly #entry = new Entry();
  #filled = 0;
  #entries = 0;

  constructor(fd: number) {
    this.#fd = fd;
  }

  /** The number of the name, which is written at its first use. */
  nameNumber(name: string): number {
    const known = this.#names.get(name);
    if (known !== undefined) return known;
    const number = this.#names.size;
    this.#names.set(name, number);
    const text = Buffer.from(name, 'utf8');
    this.#entry.kind = 'name';
    this.add(this.#entry, text, 0, text.length);
    return number;
  }

  /** Adds an entry whose text is text[start, end). */
  add(entry: Entry, text: Buffer, start: number, end: number): void {
    const length = end - start;
    if (this.#filled + ENTRY_BYTES + length > BUFFER_BYTES) this.#flush();
    this.#put(entry, length);
    if (this.#filled + length > BUFFER_BYTES) {
      this.#flush();
      writeAll(this.#fd, text, start, end);
    } else {
      text.copy(this.#buffer, this.#filled, start, end);
      this.#filled += length;
    }
    this.#entries += 1;
  }

  /** Writes what is left and the end mark. The file is the caller's to sync and close. */
  finish(): void {
    this.#entry.kind = 'end';
    this.#entry.offset = this.#entries;
    this.add(this.#entry, NO_TEXT, 0, 0);
    this.#flush();
  }

  #put(entry: Entry, textLength: number): void {
    const view = this.#view;
    const at = this.#filled;
    view.setUint8(at, KIND_NUMBERS.get(entry.kind) ?? 0);
    view.setUint8(at + 1, entry.isError ? 1 : 0);
    view.setUint16(at + 2, entry.classNumber, true);
    view.setUint16(at + 4, entry.modelNumber, true);
    view.setUint16(at + 6, 0, true);
    view.setFloat64(at + 8, entry.offset, true);
    view.setFloat64(at + 16, entry.length, true);
    view.setUint32(at + 24, textLength, true);
    view.setUint32(at + 28, entry.input, true);
    view.setUint32(at + 32, entry.output, true);
    view.setUint32(at + 36, entry.total, true);
    view.setUint32(at + 40, entry.cached, true);
    view.setUint32(at + 44, entry.reasoning, true);
    view.setUint32(at + 48, 0, true);
    this.#filled += ENTRY_BYTES;
  }

  #flush(): void {
    writeAll(this.#fd, this.#buffer, 0, this.#filled);
    this.#filled = 0;
  }
}
