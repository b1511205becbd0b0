/** Copies lines out of a file whose places are known, in ascending order where it can. */

import type { AnswerFiles } from './answer-files.ts';

/** Blocks of this size stay in the processor's cache. */
const BLOCK_BYTES = 256 * 1024;

/** Reading one line by itself costs about as much as reading through this many bytes. */
const LINE_COST_BYTES = 16 * 1024;

export class LineReader {
  readonly #files: AnswerFiles;
  readonly #block = Buffer.allocUnsafeSlow(BLOCK_BYTES);
  #file = 0;
  #isDense = false;
  #start = 0;
  #end = 0;

  constructor(files: AnswerFiles) {
    this.#files = files;
  }

  /** Turns to a file of which `wanted` lines will be copied. */
  open(file: number, wanted: number): void {
    this.#file = file;
    this.#isDense = wanted * LINE_COST_BYTES > this.#files.sizeBytes(file);
    this.#start = 0;
    this.#end = 0;
  }

  /** Copies [offset, offset + length) of the file to target[at]. Throws where it is shorter. */
  copy(offset: number, length: number, target: Buffer, at: number): void {
    if (!this.#isDense || length > BLOCK_BYTES) {
      this.#files.read(this.#file, target, at, length, offset);
      return;
    }
    if (offset < this.#start || offset + length > this.#end) {
      const block = this.#block;
      const count = this.#files.readSome(this.#file, block, 0, BLOCK_BYTES, offset);
      this.#start = offset;
      this.#end = offset + count;
    }
    const from = offset - this.#start;
    if (offset + length > this.#end) throw new Error('a file is shorter than its index says');
    this.#block.copy(target, at, from, from + length);
  }
}
