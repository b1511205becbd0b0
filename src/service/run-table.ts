/** Reads the index of a result's failed lines from the store, a block of records at a time. */

import { StoreDamage } from '../domain/errors.ts';
import { RUN_BYTES, readRun } from '../jsonl/run-index.ts';
import type { Run } from '../jsonl/run-index.ts';
import type { BlobStore } from '../ports/blob-store.ts';

const BLOCK_RUNS = 1024;

export class RunTable {
  /** Runs, without the record that stands for the end. */
  readonly count: number;

  readonly #blobs: BlobStore;
  readonly #name: string;
  #block: Buffer = Buffer.alloc(0);
  /** Number of the block's first record. */
  #from = 0;

  private constructor(blobs: BlobStore, name: string, count: number) {
    this.#blobs = blobs;
    this.#name = name;
    this.count = count;
  }

  /** The table of a result of this size; null where there is none, or that of something else. */
  static async open(blobs: BlobStore, name: string, sizeBytes: number): Promise<RunTable | null> {
    const records = ((await blobs.head(name))?.sizeBytes ?? 0) / RUN_BYTES;
    if (!Number.isInteger(records) || records < 1) return null;
    const table = new RunTable(blobs, name, records - 1);
    const end = await table.at(table.count);
    return end.start === sizeBytes ? table : null;
  }

  /** Record number `index`, from 0; `count` is the one for the end. */
  async at(index: number): Promise<Run> {
    const at = (index - this.#from) * RUN_BYTES;
    if (at >= 0 && at < this.#block.length) return readRun(this.#block, at);
    const start = index * RUN_BYTES;
    const range = { start, end: start + BLOCK_RUNS * RUN_BYTES };
    const block = await this.#blobs.get(this.#name, range);
    if (block === null || block.length < RUN_BYTES) throw new StoreDamage(`${this.#name} is cut`);
    this.#block = block;
    this.#from = index;
    return readRun(block, 0);
  }

  /** The least index from 0 to `count` of which this is true; it is for all above, too. */
  async search(isAbove: (run: Run) => boolean): Promise<number> {
    let low = 0;
    let high = this.count;
    while (low < high) {
      const middle = Math.floor((low + high) / 2);
      if (isAbove(await this.at(middle))) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}
