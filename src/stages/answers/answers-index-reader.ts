/** Reads an answers index entry by entry, through a small buffer. */

import { closeSync, openSync, readSync } from 'node:fs';
import { ENTRY_BYTES, ENTRY_KINDS, Entry } from './answers-index.ts';
import { releaseMemory } from './release-memory.ts';

const BUFFER_BYTES = 64 * 1024;

export class AnswersIndexReader {
  /** The current entry; `next` changes it. */
  readonly entry = new Entry();
  /** The names met so far, by number. */
  readonly names: string[] = [];
  /** The current entry's text is bytes[textStart, textEnd). */
  bytes: Buffer = Buffer.allocUnsafeSlow(BUFFER_BYTES);
  textStart = 0;
  textEnd = 0;

  readonly #fd: number;
  #view = new DataView(this.bytes.buffer);
  #filled = 0;
  #entries = 0;

  constructor(path: string) {
    this.#fd = openSync(path, 'r');
  }

  /** Goes to the next entry of an answer; false at the end. Throws where the index is not whole. */
  next(): boolean {
    for (;;) {
      this.#need(ENTRY_BYTES);
      this.#get(this.textEnd);
      this.#need(ENTRY_BYTES + this.#textLength());
      this.textStart = this.textEnd + ENTRY_BYTES;
      this.textEnd = this.textStart + this.#textLength();
      if (this.entry.kind === 'end') {
        if (this.entry.offset !== this.#entries || this.#hasMore()) throw broken();
        return false;
      }
      this.#entries += 1;
      if (this.entry.kind !== 'name') return true;
      this.names.push(this.bytes.toString('utf8', this.textStart, this.textEnd));
    }
  }

  close(): void {
    closeSync(this.#fd);
    releaseMemory(this.bytes);
  }

  #get(at: number): void {
    const { entry } = this;
    const view = this.#view;
    const kind = ENTRY_KINDS[view.getUint8(at)];
    if (kind === undefined) throw broken();
    entry.kind = kind;
    entry.isError = view.getUint8(at + 1) === 1;
    entry.classNumber = view.getUint16(at + 2, true);
    entry.modelNumber = view.getUint16(at + 4, true);
    entry.offset = view.getFloat64(at + 8, true);
    entry.length = view.getFloat64(at + 16, true);
    entry.input = view.getUint32(at + 28, true);
    entry.output = view.getUint32(at + 32, true);
    entry.total = view.getUint32(at + 36, true);
    entry.cached = view.getUint32(at + 40, true);
    entry.reasoning = view.getUint32(at + 44, true);
  }

  /** Of the entry that begins at textEnd, which is where the one before ends. */
  #textLength(): number {
    return this.#view.getUint32(this.textEnd + 24, true);
  }

  /** Makes sure that so many bytes behind textEnd are in the buffer; it may move to the front. */
  #need(length: number): void {
    if (this.#filled - this.textEnd >= length) return;
    this.#toFront(length);
    while (this.#filled < length) {
      const room = this.bytes.length - this.#filled;
      const count = readSync(this.#fd, this.bytes, this.#filled, room, null);
      if (count === 0) throw broken();
      this.#filled += count;
    }
  }

  #toFront(length: number): void {
    const from = this.bytes;
    if (length > from.length) {
      this.bytes = Buffer.allocUnsafeSlow(length + BUFFER_BYTES);
      this.#view = new DataView(this.bytes.buffer);
    }
    from.copy(this.bytes, 0, this.textEnd, this.#filled);
    if (from !== this.bytes) releaseMemory(from);
    this.#filled -= this.textEnd;
    this.textEnd = 0;
  }

  #hasMore(): boolean {
    const isLast = this.textEnd === this.#filled;
    return !isLast || readSync(this.#fd, Buffer.alloc(1), 0, 1, null) > 0;
  }
}

function broken(): Error {
  return new Error('an answers index is not whole');
}
