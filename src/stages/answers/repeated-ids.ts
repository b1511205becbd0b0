/**
 * Finds ids that stand more than once in a result, exactly and in flat memory: hashes tell which
 * ids may repeat, and only those are compared, in a second reading.
 */

import { ByteHash } from '../../jsonl/byte-hash.ts';
import { HashPartitions, PARTITIONS } from '../plan/hash-partitions.ts';
import { ResultLines } from './result-lines.ts';

/** Ids that are compared at most: a result in which more repeat is wrong anyway. */
const MAX_SUSPECTS = 100_000;

const MAX_LISTED = 20;

export class RepeatedIds {
  readonly #hash = new ByteHash();
  readonly #hashes: HashPartitions;

  /** The file is made only where memory does not do. */
  constructor(path: string) {
    this.#hashes = new HashPartitions(path);
  }

  /** Adds the decoded id bytes[start, end). */
  add(bytes: Buffer, start: number, end: number): void {
    this.#hash.of(bytes, start, end);
    this.#hashes.add(this.#hash.low, this.#hash.high);
  }

  /** Names the first repetitions and returns how many there are (of the ids that are compared). */
  find(resultPath: string, found: (line: number, firstLine: number) => void): number {
    const suspects = new Set<string>();
    for (let partition = 0; partition < PARTITIONS; partition += 1) {
      this.#hashes.repeated(partition, (low, high) => {
        if (suspects.size < MAX_SUSPECTS) suspects.add(`${low} ${high}`);
      });
    }
    return suspects.size === 0 ? 0 : this.#compare(resultPath, suspects, found);
  }

  close(): void {
    this.#hashes.close();
  }

  #compare(
    resultPath: string,
    suspects: ReadonlySet<string>,
    found: (line: number, firstLine: number) => void,
  ): number {
    const firstLines = new Map<string, number>();
    let repeated = 0;
    const lines = new ResultLines(resultPath);
    try {
      while (lines.next()) {
        const key = this.#suspectOf(lines, suspects);
        if (key === null) continue;
        const firstLine = firstLines.get(key);
        if (firstLine === undefined) {
          firstLines.set(key, lines.line);
          continue;
        }
        repeated += 1;
        if (repeated <= MAX_LISTED) found(lines.line, firstLine);
      }
    } finally {
      lines.close();
    }
    return repeated;
  }

  /** The current line's id as a key, where its hash is one of the suspects. */
  #suspectOf(lines: ResultLines, suspects: ReadonlySet<string>): string | null {
    const { id } = lines;
    if (id === null || lines.mayRepeat) return null;
    this.#hash.of(id.bytes, id.start, id.end);
    const isSuspect = suspects.has(`${this.#hash.low} ${this.#hash.high}`);
    return isSuspect ? id.bytes.toString('latin1', id.start, id.end) : null;
  }
}
