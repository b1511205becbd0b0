/** Goes through the records of all chunks' indexes in the order of the input. */

import { closeSync, openSync, readSync } from 'node:fs';
import { LineIndex, RECORD_BYTES } from '../../jsonl/line-index.ts';

const BUFFER_RECORDS = 1024;

const NO_IDS = Buffer.alloc(0);

export interface IndexedChunk {
  readonly linesPath: string;
  readonly requestsPath: string;
  /** The numbers of its first and its last line. */
  readonly firstLine: number;
  readonly lastLine: number;
}

/** A line of a chunk. */
export interface WalkedRecord {
  /** The chunk's place in the list. */
  readonly chunk: number;
  readonly isRejected: boolean;
  /** In requests.jsonl, with the newline. */
  readonly offset: number;
  readonly length: number;
}

/** Yields each line once. Only chunks that interleave are open together. */
export function* walkRecords(chunks: readonly IndexedChunk[]): Generator<WalkedRecord, void> {
  const waiting = [...chunks.entries()].toSorted(([, a], [, b]) => b.firstLine - a.firstLine);
  const open: RecordCursor[] = [];
  try {
    for (;;) {
      let least = leastOf(open);
      for (let next = waiting.at(-1); next !== undefined; next = waiting.at(-1)) {
        if (least !== null && least.line < next[1].firstLine) break;
        waiting.pop();
        open.push(new RecordCursor(next[0], next[1].linesPath));
        least = leastOf(open);
      }
      if (least === null) return;
      yield* least.upTo(limitBeside(least, open, waiting.at(-1)?.[1]));
      if (least.line !== Infinity) continue;
      least.close();
      open.splice(open.indexOf(least), 1);
    }
  } finally {
    for (const cursor of open) cursor.close();
  }
}

function leastOf(open: readonly RecordCursor[]): RecordCursor | null {
  let least: RecordCursor | null = null;
  for (const cursor of open) if (least === null || cursor.line < least.line) least = cursor;
  return least;
}

/** The first line that is another chunk's. */
function limitBeside(
  least: RecordCursor,
  open: readonly RecordCursor[],
  next: IndexedChunk | undefined,
): number {
  let limit = next?.firstLine ?? Infinity;
  for (const cursor of open) if (cursor !== least) limit = Math.min(limit, cursor.line);
  return limit;
}

class RecordCursor {
  /** The number of the next line; Infinity behind the last. */
  line = 0;

  readonly #chunk: number;
  readonly #fd: number;
  readonly #buffer = Buffer.allocUnsafe(BUFFER_RECORDS * RECORD_BYTES);
  #index = new LineIndex(NO_IDS, NO_IDS);
  #record = -1;
  #offset = 0;

  constructor(chunk: number, linesPath: string) {
    this.#chunk = chunk;
    this.#fd = openSync(linesPath, 'r');
    this.#advance();
  }

  /** Yields the lines with numbers below the limit. */
  *upTo(limit: number): Generator<WalkedRecord, void> {
    while (this.line < limit) {
      const [index, record] = [this.#index, this.#record];
      yield {
        chunk: this.#chunk,
        isRejected: index.isRejected(record),
        offset: index.offset(record),
        length: index.length(record),
      };
      this.#advance();
    }
  }

  close(): void {
    closeSync(this.#fd);
  }

  #advance(): void {
    this.#record += 1;
    if (this.#record >= this.#index.count) this.#read();
    this.line = this.#index.count === 0 ? Infinity : this.#index.line(this.#record);
  }

  #read(): void {
    const count = readSync(this.#fd, this.#buffer, 0, this.#buffer.length, this.#offset);
    const whole = count - (count % RECORD_BYTES);
    this.#offset += whole;
    this.#index = new LineIndex(this.#buffer.subarray(0, whole), NO_IDS);
    this.#record = 0;
  }
}
