/** Which files hold the lines of which others: by a hash of each line, blank ones left out. */

import { ByteHash } from '../../jsonl/byte-hash.ts';
import type { LineSink } from '../../jsonl/line-splitter.ts';

const NEWLINE = 0x0a;

/** Bits of one lane that a number has beside the 32 of the other. */
const HIGH_BITS = 21;

/** Spaces, tabs and carriage returns, beside the newline: a line of them asks for nothing. */
const BLANKS: ReadonlySet<number> = new Set([0x20, 0x09, 0x0d, NEWLINE]);

/** The lines of one file. Twins by accident are possible: one in 10^15 pairs. */
export class LineSurvey implements LineSink {
  readonly #hash = new ByteHash();
  #hashes = new Float64Array(1024);
  count = 0;
  blank = 0;

  lines(buffer: Buffer, start: number, end: number): void {
    let at = start;
    while (at < end) {
      const newline = buffer.indexOf(NEWLINE, at);
      let first = at;
      while (first < newline && BLANKS.has(buffer[first] as number)) first += 1;
      if (first < newline) this.#add(buffer, at, newline);
      else this.blank += 1;
      at = newline + 1;
    }
  }

  /** The line counts for nothing here: whoever plans the file rejects it. */
  tooLong(): void {}

  /** To be called once, when all lines are in. */
  sort(): void {
    this.#hashes = this.#hashes.subarray(0, this.count).toSorted();
  }

  /** Whether every line of the other file stands in this one. */
  holds(other: LineSurvey): boolean {
    if (other.count === 0 || other.count > this.count) return false;
    for (let at = 0; at < other.count; at += 1) {
      if (!this.#has(other.#hashes[at] as number)) return false;
    }
    return true;
  }

  #add(bytes: Buffer, start: number, end: number): void {
    if (this.count === this.#hashes.length) {
      const larger = new Float64Array(2 * this.count);
      larger.set(this.#hashes);
      this.#hashes = larger;
    }
    this.#hash.of(bytes, start, end);
    const high = this.#hash.high >>> (32 - HIGH_BITS);
    this.#hashes[this.count] = high * 0x1_0000_0000 + this.#hash.low;
    this.count += 1;
  }

  #has(wanted: number): boolean {
    let low = 0;
    let high = this.count - 1;
    while (low <= high) {
      const middle = (low + high) >>> 1;
      const found = this.#hashes[middle] as number;
      if (found === wanted) return true;
      if (found < wanted) low = middle + 1;
      else high = middle - 1;
    }
    return false;
  }
}

/** For each file the one whose chunk it belongs to: the largest that holds it, else itself. */
export function homesOf(files: readonly LineSurvey[]): number[] {
  return files.map((file, own) => {
    let home = own;
    for (const [index, other] of files.entries()) {
      const most = files[home]?.count ?? 0;
      const isBetter = other.count > most || (other.count === most && index < home);
      if (isBetter && other.holds(file)) home = index;
    }
    return home;
  });
}
