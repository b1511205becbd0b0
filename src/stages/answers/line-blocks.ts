/**
 * Reads a file as blocks of whole lines through one reused buffer. A line longer than the buffer
 * makes it grow, up to a bound; a longer one is passed over and only its place is kept.
 */

import { readSync } from 'node:fs';
import { releaseMemory } from './release-memory.ts';

/** Blocks of this size stay in the processor's cache. */
const BLOCK_BYTES = 256 * 1024;

/** An answer to 2,048 embedding inputs has about 126 MB. */
const MAX_LINE_BYTES = 256 * 1024 * 1024;

const NEWLINE = 0x0a;

/** Where a line stands; the length is in bytes without its newline. */
export interface LinePlace {
  readonly offset: number;
  readonly length: number;
}

export class LineBlocks {
  /** The current block is [0, end); it ends with a newline. Its size is a multiple of 4. */
  bytes: Buffer = Buffer.allocUnsafeSlow(BLOCK_BYTES);
  end = 0;
  /** Where the current block stands in the file. */
  offset: number;
  /** Whether the file's last line came without its newline; its block got one. */
  cut = false;
  /** Lines that were passed over. */
  readonly overlong: LinePlace[] = [];

  readonly #fd: number;
  readonly #maxLineBytes: number;
  /** Bytes in the buffer; those behind `end` are the beginning of a line. */
  #filled = 0;

  /** Reads from byte `offset` of the file on. */
  constructor(fd: number, offset = 0, maxLineBytes = MAX_LINE_BYTES) {
    this.#fd = fd;
    this.offset = offset;
    this.#maxLineBytes = maxLineBytes;
  }

  /** Goes to the next block; false at the end of the file. */
  next(): boolean {
    this.#drop(this.end);
    for (;;) {
      const from = this.#filled;
      if (!this.#read()) return this.#lastLine();
      if (this.#endAtNewline(from)) return true;
      if (this.#filled + 1 < this.bytes.length) continue;
      if (this.#filled < this.#maxLineBytes) this.#grow();
      else if (this.#passOver()) return true;
    }
  }

  /** Forgets the current block; the next one begins at this byte of the file. */
  seek(offset: number): void {
    this.offset = offset;
    this.#filled = 0;
    this.end = 0;
  }

  /** Gives the memory back; nothing may be read afterwards. The file is the caller's to close. */
  release(): void {
    releaseMemory(this.bytes);
  }

  /** Forgets the buffer's first bytes: they are done. */
  #drop(length: number): void {
    if (length < this.#filled) this.bytes.copyWithin(0, length, this.#filled);
    this.offset += length;
    this.#filled = Math.max(0, this.#filled - length);
    this.end = 0;
  }

  /** Leaves room for one newline. False at the end of the file. */
  #read(): boolean {
    const room = this.bytes.length - 1 - this.#filled;
    const at = this.offset + this.#filled;
    const count = readSync(this.#fd, this.bytes, this.#filled, room, at);
    this.#filled += count;
    return count > 0;
  }

  #endAtNewline(from: number): boolean {
    const newline = this.bytes.subarray(from, this.#filled).lastIndexOf(NEWLINE);
    if (newline >= 0) this.end = from + newline + 1;
    return newline >= 0;
  }

  #lastLine(): boolean {
    if (this.#filled === 0) return false;
    this.cut ||= !isBlank(this.bytes, this.#filled);
    this.bytes[this.#filled] = NEWLINE;
    this.end = this.#filled + 1;
    return true;
  }

  /** Forgets a line that is too long; true where whole lines stand behind it. */
  #passOver(): boolean {
    const start = this.offset;
    let newline = -1;
    while (newline < 0) {
      this.#drop(this.#filled);
      if (!this.#read()) {
        this.cut = true;
        break;
      }
      newline = this.bytes.subarray(0, this.#filled).indexOf(NEWLINE);
    }
    const end = this.offset + Math.max(0, newline);
    this.overlong.push({ offset: start, length: end - start });
    this.#drop(newline + 1);
    return this.#endAtNewline(0);
  }

  #grow(): void {
    const larger = Buffer.allocUnsafeSlow(this.bytes.length * 2);
    this.bytes.copy(larger, 0, 0, this.#filled);
    releaseMemory(this.bytes);
    this.bytes = larger;
  }
}

function isBlank(bytes: Buffer, end: number): boolean {
  for (let i = 0; i < end; i += 1) {
    const byte = bytes[i];
    if (byte !== 0x20 && byte !== 0x09 && byte !== 0x0d) return false;
  }
  return true;
}
