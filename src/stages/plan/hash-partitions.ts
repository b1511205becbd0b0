/**
 * Finds which 64-bit hashes of a multitude stand more than once, in flat memory: they are dealt
 * into 256 partitions, spilled block by block into one file, and each partition is sorted alone.
 */

import { closeSync, openSync, readSync } from 'node:fs';
import { writeAll } from './append-file.ts';

export const PARTITIONS = 256;
const BLOCK_HASHES = 1024;
const BLOCK_BYTES = BLOCK_HASHES * 8;
/** So many blocks of one partition are sorted at once. */
const STEP_BLOCKS = 512;

export class HashPartitions {
  readonly #path: string;
  #fd = -1;
  #spilled = 0;
  /** Low and high lane in turn; one block a partition. */
  readonly #slots = new Uint32Array(PARTITIONS * BLOCK_HASHES * 2);
  readonly #slotBytes = Buffer.from(this.#slots.buffer);
  readonly #filled = new Uint32Array(PARTITIONS);
  /** Numbers of the spilled blocks of each partition. */
  readonly #blocks: number[][] = Array.from({ length: PARTITIONS }, () => []);
  #work = new Uint32Array(0);

  /** The file is made only when the first block is spilled. */
  constructor(path: string) {
    this.#path = path;
  }

  /** Both lanes unsigned; the partition is the high lane's first byte. */
  add(low: number, high: number): void {
    const partition = high >>> 24;
    let filled = this.#filled[partition] as number;
    if (filled === BLOCK_HASHES) {
      this.#spill(partition);
      filled = 0;
    }
    const at = (partition * BLOCK_HASHES + filled) * 2;
    this.#slots[at] = low;
    this.#slots[at + 1] = high;
    this.#filled[partition] = filled + 1;
  }

  /** Names each hash of the partition that was added more than once, some of them repeatedly. */
  repeated(partition: number, found: (low: number, high: number) => void): void {
    const blocks = this.#blocks[partition] as number[];
    let kept = 0;
    for (let from = 0; from <= blocks.length; from += STEP_BLOCKS) {
      const step = blocks.slice(from, from + STEP_BLOCKS);
      const isLast = from + STEP_BLOCKS > blocks.length;
      const tail = isLast ? (this.#filled[partition] as number) : 0;
      const count = this.#gather(partition, kept, step, tail);
      new BigUint64Array(this.#work.buffer, 0, count).sort();
      kept = dropRepeats(this.#work, count, found);
    }
  }

  close(): void {
    if (this.#fd >= 0) closeSync(this.#fd);
    this.#fd = -1;
  }

  #spill(partition: number): void {
    if (this.#fd < 0) this.#fd = openSync(this.#path, 'wx+');
    const start = partition * BLOCK_BYTES;
    const position = this.#spilled * BLOCK_BYTES;
    writeAll(this.#fd, this.#slotBytes, start, start + BLOCK_BYTES, position);
    (this.#blocks[partition] as number[]).push(this.#spilled);
    this.#spilled += 1;
  }

  /** Puts the blocks and the unspilled tail behind the `kept` hashes; returns the new count. */
  #gather(partition: number, kept: number, blocks: readonly number[], tail: number): number {
    const count = kept + blocks.length * BLOCK_HASHES + tail;
    if (this.#work.length < count * 2) {
      const larger = new Uint32Array(Math.ceil(count * 1.25) * 2);
      larger.set(this.#work.subarray(0, kept * 2));
      this.#work = larger;
    }
    const bytes = Buffer.from(this.#work.buffer);
    let at = kept;
    for (const block of blocks) {
      readAll(this.#fd, bytes, at * 8, BLOCK_BYTES, block * BLOCK_BYTES);
      at += BLOCK_HASHES;
    }
    const start = partition * BLOCK_HASHES * 2;
    this.#work.set(this.#slots.subarray(start, start + tail * 2), at * 2);
    return count;
  }
}

/** Leaves one of each hash in front; returns how many are left. */
function dropRepeats(
  hashes: Uint32Array,
  count: number,
  found: (low: number, high: number) => void,
): number {
  let kept = 0;
  for (let i = 0; i < count; i += 1) {
    const low = hashes[2 * i] as number;
    const high = hashes[2 * i + 1] as number;
    if (kept > 0 && hashes[2 * kept - 2] === low && hashes[2 * kept - 1] === high) {
      found(low, high);
    } else {
      hashes[2 * kept] = low;
      hashes[2 * kept + 1] = high;
      kept += 1;
    }
  }
  return kept;
}

function readAll(fd: number, bytes: Buffer, at: number, length: number, position: number): void {
  let done = 0;
  while (done < length) {
    const count = readSync(fd, bytes, at + done, length - done, position + done);
    if (count === 0) throw new Error('the spilled hashes end early');
    done += count;
  }
}
