/**
 * Finds every id that stood before, exactly, in flat memory at any number of ids: hashes tell which
 * ids may be twins, and only those are compared byte for byte, in input order, so that the first
 * line with an id keeps it.
 */

import { join } from 'node:path';
import { ByteHash } from '../../jsonl/byte-hash.ts';
import { HashPartitions, PARTITIONS } from './hash-partitions.ts';
import { IdsLog } from './ids-log.ts';
import type { IdPlace } from './ids-log.ts';

/** Suspects of one reading of the log; their ids are held in memory while it runs. */
const MAX_SUSPECTS = 250_000;
const FILTER_BITS = 1 << 24;

/** Called for a line whose id `firstLine` had before; the place is valid during the call only. */
export type DuplicateFound = (place: IdPlace, firstLine: number) => void;

export class DuplicateIds {
  readonly #hash = new ByteHash();
  readonly #hashes: HashPartitions;
  readonly #log: IdsLog;
  readonly #maxSuspects: number;
  #filter: Uint8Array | null = null;

  /** Files are made in the folder only where memory does not do. */
  constructor(folder: string, maxSuspects: number = MAX_SUSPECTS) {
    this.#hashes = new HashPartitions(join(folder, 'hashes.tmp'));
    this.#log = new IdsLog(join(folder, 'ids.tmp'));
    this.#maxSuspects = maxSuspects;
  }

  /** Adds the decoded id in [start, end); lines come in ascending order. */
  add(bytes: Uint8Array, start: number, end: number, place: IdPlace): void {
    this.#hash.of(bytes, start, end);
    this.#hashes.add(this.#hash.low, this.#hash.high);
    this.#log.add(bytes, start, end, place);
  }

  /** Reports all duplicates: ascending by line within each of the few readings of the log. */
  find(found: DuplicateFound): void {
    let suspects = 0;
    let from = 0;
    for (let partition = 0; partition < PARTITIONS; partition += 1) {
      this.#hashes.repeated(partition, (low, high) => {
        suspects += 1;
        this.#suspect(low, high);
      });
      if (suspects >= this.#maxSuspects || (partition === PARTITIONS - 1 && suspects > 0)) {
        this.#compare(from, partition, found);
        this.#filter?.fill(0);
        suspects = 0;
        from = partition + 1;
      }
    }
  }

  close(): void {
    this.#hashes.close();
    this.#log.close();
  }

  #compare(from: number, to: number, found: DuplicateFound): void {
    const firstLines = new Map<string, number>();
    const hash = this.#hash;
    this.#log.forEach((place, bytes, start, end) => {
      hash.of(bytes, start, end);
      const partition = hash.high >>> 24;
      if (partition < from || partition > to || !this.#isSuspect(hash.low, hash.high)) return;
      const id = bytes.toString('latin1', start, end);
      const firstLine = firstLines.get(id);
      if (firstLine === undefined) firstLines.set(id, place.line);
      else found(place, firstLine);
    });
  }

  /** Two bits a hash keep the share of mistaken suspects below one in a thousand. */
  #suspect(low: number, high: number): void {
    this.#filter ??= new Uint8Array(FILTER_BITS / 8);
    for (const bit of [low % FILTER_BITS, secondBit(low, high)]) {
      this.#filter[bit >>> 3] = (this.#filter[bit >>> 3] as number) | (1 << (bit & 7));
    }
  }

  #isSuspect(low: number, high: number): boolean {
    return this.#isSet(low % FILTER_BITS) && this.#isSet(secondBit(low, high));
  }

  #isSet(bit: number): boolean {
    const byte = this.#filter === null ? 0 : (this.#filter[bit >>> 3] as number);
    return (byte & (1 << (bit & 7))) !== 0;
  }
}

function secondBit(low: number, high: number): number {
  return (((low >>> 24) | (high << 8)) >>> 0) % FILTER_BITS;
}
