/**
 * Cuts a stream of bytes into blocks of whole lines, in one buffer that is used again and again.
 * A line ends at the byte 0x0A and nowhere else; a byte order mark at the very start is dropped;
 * a last line without a newline gets one.
 */

import { NEWLINE } from './json-walker.ts';

/** Blocks of this size stay in a processor's cache; larger ones lose. */
const BLOCK_BYTES = 256 * 1024;

export interface LineSink {
  /** Whole lines, each with its newline, in [start, end); the buffer is used again afterwards. */
  lines(buffer: Buffer, start: number, end: number): void;
  /** A line over the limit; its bytes are gone. */
  tooLong(): void;
}

/**
 * Use: read at most `room()` bytes into `buffer` at `filled`, call `advance` with their number,
 * and so on; then `end`. Memory is bounded by the longest line that is allowed.
 */
export class LineSplitter {
  buffer: Buffer;
  filled = 0;
  readonly #maxLineBytes: number;
  readonly #blockBytes: number;
  readonly #sink: LineSink;
  #started = false;
  #skipping = false;

  /** `maxLineBytes` counts without the newline. */
  constructor(sink: LineSink, maxLineBytes: number, blockBytes: number = BLOCK_BYTES) {
    this.#sink = sink;
    this.#maxLineBytes = maxLineBytes;
    this.#blockBytes = blockBytes;
    this.buffer = allocate(2 * blockBytes);
  }

  /** How many bytes may be written at `filled`; grows the buffer where a line needs it. */
  room(): number {
    if (this.buffer.length < this.filled + this.#blockBytes + 1) {
      const larger = allocate(2 * (this.filled + this.#blockBytes));
      this.buffer.copy(larger, 0, 0, this.filled);
      this.buffer = larger;
    }
    return this.#blockBytes;
  }

  /** Takes in `count` bytes that were written at `filled`, and hands on the lines they complete. */
  advance(count: number): void {
    const from = this.filled;
    this.filled += count;
    const last = lastNewline(this.buffer, from, this.filled);
    if (!this.#started) this.#dropMark(last >= 0);
    if (!this.#started) return;
    const moved = from + count - this.filled;
    if (last >= 0) this.#handOn(last + 1 - moved);
    if (this.filled > this.#maxLineBytes) {
      this.#skipping = true;
      this.filled = 0;
    }
  }

  /** The stream is over. */
  end(): void {
    if (!this.#started) this.#dropMark(true);
    if (this.#skipping) {
      this.#skipping = false;
      this.filled = 0;
      this.#sink.tooLong();
    } else if (this.filled > 0) {
      this.room();
      this.buffer[this.filled] = NEWLINE;
      this.filled += 1;
      this.#handOn(this.filled);
    }
  }

  #handOn(end: number): void {
    let start = 0;
    if (this.#skipping) {
      start = this.buffer.indexOf(NEWLINE) + 1;
      this.#skipping = false;
      this.#sink.tooLong();
    }
    if (start < end) this.#sink.lines(this.buffer, start, end);
    this.buffer.copyWithin(0, end, this.filled);
    this.filled -= end;
  }

  #dropMark(whole: boolean): void {
    if (this.filled < 3 && !whole) return;
    this.#started = true;
    const { buffer } = this;
    if (this.filled < 3 || buffer[0] !== 0xef || buffer[1] !== 0xbb || buffer[2] !== 0xbf) return;
    buffer.copyWithin(0, 3, this.filled);
    this.filled -= 3;
  }
}

/** Memory of its own, so that words of it can be viewed. */
function allocate(size: number): Buffer {
  return Buffer.allocUnsafeSlow(Math.ceil(size / 4) * 4);
}

function lastNewline(buffer: Buffer, from: number, to: number): number {
  const at = buffer.subarray(from, to).lastIndexOf(NEWLINE);
  return at < 0 ? -1 : from + at;
}
