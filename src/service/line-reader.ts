/** Reads lines of an object from its start on, without ever holding a long one whole. */

import type { BlobStore } from '../ports/blob-store.ts';
import { BLOCK_BYTES } from './block-gatherer.ts';

const NEWLINE = 0x0a;

const NOTHING = Buffer.alloc(0);

/** The object is gone, or shorter than it was: a part goes when the result is there. */
export class GoneMeanwhile extends Error {
  override readonly name = 'GoneMeanwhile';
}

export class LineReader {
  readonly #blobs: BlobStore;
  readonly #name: string;
  readonly #sizeBytes: number;
  #block: Buffer = NOTHING;
  /** Where the next line begins in the block. */
  #at = 0;
  /** Where the block ends in the object. */
  #end = 0;

  constructor(blobs: BlobStore, name: string, sizeBytes: number) {
    this.#blobs = blobs;
    this.#name = name;
    this.#sizeBytes = sizeBytes;
  }

  /** Yields the next so many lines. Rejects with GoneMeanwhile where they are not there. */
  async *take(lines: number): AsyncGenerator<Buffer> {
    for (let left = lines; left > 0;) {
      if (this.#at === this.#block.length) await this.#next();
      const start = this.#at;
      while (left > 0 && this.#at < this.#block.length) {
        const newline = this.#block.indexOf(NEWLINE, this.#at);
        this.#at = newline < 0 ? this.#block.length : newline + 1;
        if (newline >= 0) left -= 1;
      }
      yield this.#block.subarray(start, this.#at);
    }
  }

  /** Yields all that is left. Rejects with GoneMeanwhile where it is not there. */
  async *rest(): AsyncGenerator<Buffer> {
    const left = this.#block.subarray(this.#at);
    this.#at = this.#block.length;
    if (left.length > 0) yield left;
    while (this.#end < this.#sizeBytes) {
      await this.#next();
      this.#at = this.#block.length;
      yield this.#block;
    }
  }

  async #next(): Promise<void> {
    const range = { start: this.#end, end: Math.min(this.#sizeBytes, this.#end + BLOCK_BYTES) };
    const block = range.start < range.end ? await this.#blobs.get(this.#name, range) : null;
    if (block === null || block.length < range.end - range.start) {
      throw new GoneMeanwhile(`${this.#name} has no bytes ${range.start} to ${range.end}`);
    }
    this.#block = block;
    this.#at = 0;
    this.#end = range.end;
  }
}
