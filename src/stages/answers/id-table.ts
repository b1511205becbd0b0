/** Finds the record of a chunk by its decoded id: hashes lead the way, bytes decide. */

import { randomInt } from 'node:crypto';
import { ByteHash } from '../../jsonl/byte-hash.ts';
import type { LineIndex } from '../../jsonl/line-index.ts';
import { releaseMemory } from './release-memory.ts';

export class IdTable {
  readonly #hash = new ByteHash();
  /** Ids by slot: record number + 1, 0 where the slot is free. Open addressing, half empty. */
  readonly #slots: Int32Array;
  readonly #hashes: Uint32Array;
  readonly #mask: number;
  /** Which ids meet in a slot differs from run to run, so that nobody can choose them so. */
  readonly #salt = randomInt(0x1_0000_0000);
  /** Decoded ids one behind the other; record r's is [starts[r], starts[r + 1]). */
  readonly #ids: Buffer;
  readonly #starts: Uint32Array;

  /**
   * Holds the ids of the records that are sent; they differ from each other. `idsBytes`: the size
   * of ids.bin, for an id is never longer when it is decoded.
   */
  constructor(index: LineIndex, idsBytes: number) {
    const size = 2 ** Math.ceil(Math.log2(Math.max(8, index.count * 2)));
    this.#slots = new Int32Array(size);
    this.#hashes = new Uint32Array(size);
    this.#mask = size - 1;
    this.#starts = new Uint32Array(index.count + 1);
    this.#ids = Buffer.allocUnsafeSlow(idsBytes);
    let length = 0;
    for (let record = 0; record < index.count; record += 1) {
      this.#starts[record] = length;
      if (!index.isRejected(record)) length += index.idBytes(record).copy(this.#ids, length);
    }
    this.#starts[index.count] = length;
    for (let record = 0; record < index.count; record += 1) {
      if (!index.isRejected(record)) this.#insert(record);
    }
  }

  /** The record whose decoded id is bytes[start, end); -1 where no sent record has it. */
  find(bytes: Buffer, start: number, end: number): number {
    const hash = this.#hashOf(bytes, start, end);
    let slot = hash & this.#mask;
    for (;;) {
      const record = (this.#slots[slot] as number) - 1;
      if (record < 0) return -1;
      if (this.#hashes[slot] === hash && this.#isIdOf(record, bytes, start, end)) return record;
      slot = (slot + 1) & this.#mask;
    }
  }

  /** Gives the memory back; nothing may be asked afterwards. */
  release(): void {
    releaseMemory(this.#slots);
    releaseMemory(this.#hashes);
    releaseMemory(this.#ids);
    releaseMemory(this.#starts);
  }

  #insert(record: number): void {
    const start = this.#starts[record] as number;
    const hash = this.#hashOf(this.#ids, start, this.#starts[record + 1] as number);
    let slot = hash & this.#mask;
    while (this.#slots[slot] !== 0) slot = (slot + 1) & this.#mask;
    this.#slots[slot] = record + 1;
    this.#hashes[slot] = hash;
  }

  #hashOf(bytes: Buffer, start: number, end: number): number {
    this.#hash.of(bytes, start, end);
    return (this.#hash.low ^ Math.imul(this.#hash.high, this.#salt | 1)) >>> 0;
  }

  #isIdOf(record: number, bytes: Buffer, start: number, end: number): boolean {
    const ids = this.#ids;
    const from = this.#starts[record] as number;
    if ((this.#starts[record + 1] as number) - from !== end - start) return false;
    for (let i = from, j = start; j < end; i += 1, j += 1) if (ids[i] !== bytes[j]) return false;
    return true;
  }
}
