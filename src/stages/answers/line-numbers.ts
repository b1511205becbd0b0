/** Reads the line numbers of a chunk's lines.idx one by one, through a small buffer. */

import { closeSync, openSync, readSync } from 'node:fs';
import { LineIndex, RECORD_BYTES } from '../../jsonl/line-index.ts';

const BUFFER_RECORDS = 1024;

const NO_IDS = Buffer.alloc(0);

export class LineNumbers {
  readonly #fd: number;
  readonly #buffer = Buffer.allocUnsafe(BUFFER_RECORDS * RECORD_BYTES);
  #index = new LineIndex(NO_IDS, NO_IDS);
  #record = 0;
  #offset = 0;

  constructor(linesPath: string) {
    this.#fd = openSync(linesPath, 'r');
  }

  /** The next record's line number; Infinity behind the last. */
  next(): number {
    if (this.#record === this.#index.count) this.#read();
    if (this.#index.count === 0) return Infinity;
    const line = this.#index.line(this.#record);
    this.#record += 1;
    return line;
  }

  close(): void {
    closeSync(this.#fd);
  }

  #read(): void {
    let filled = 0;
    while (filled < this.#buffer.length) {
      const room = this.#buffer.length - filled;
      const count = readSync(this.#fd, this.#buffer, filled, room, this.#offset + filled);
      if (count === 0) break;
      filled += count;
    }
    this.#offset += filled;
    this.#index = new LineIndex(this.#buffer.subarray(0, filled), NO_IDS);
    this.#record = 0;
  }
}
