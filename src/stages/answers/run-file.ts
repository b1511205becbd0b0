/** Reads an index of runs from its file: one after the other, and from a line on. */

import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import type { Run } from '../../jsonl/run-index.ts';
import { RUN_BYTES, readRun } from '../../jsonl/run-index.ts';

const BLOCK_RUNS = 1024;

export class RunFile {
  /** Runs, without the record that stands for the end. */
  readonly count: number;

  readonly #fd: number;
  readonly #block = Buffer.allocUnsafe(BLOCK_RUNS * RUN_BYTES);
  /** Records in the block: [from, to). */
  #from = 0;
  #to = 0;

  constructor(path: string) {
    this.#fd = openSync(path, 'r');
    this.count = Math.max(0, Math.floor(fstatSync(this.#fd).size / RUN_BYTES) - 1);
  }

  /** Record number `index`, from 0; `count` is the one for the end. */
  at(index: number): Run {
    if (index < this.#from || index >= this.#to) this.#read(index);
    return readRun(this.#block, (index - this.#from) * RUN_BYTES);
  }

  /** The first run that may hold a line with a number above `after`. */
  indexAfter(after: number): number {
    let low = 0;
    let high = this.count;
    while (low < high) {
      const middle = Math.floor((low + high) / 2);
      if (this.at(middle).line > after) high = middle;
      else low = middle + 1;
    }
    return Math.max(0, low - 1);
  }

  close(): void {
    closeSync(this.#fd);
  }

  #read(index: number): void {
    const { length } = this.#block;
    const count = readSync(this.#fd, this.#block, 0, length, index * RUN_BYTES);
    this.#from = index;
    this.#to = index + Math.floor(count / RUN_BYTES);
  }
}
