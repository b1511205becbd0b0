/** The order of the result's lines, as the chunks' indexes tell it: whose the next ones are. */

import { StoreDamage } from '../domain/errors.ts';
import type { JobId } from '../domain/ids.ts';
import type { PlannedChunk } from '../domain/plan.ts';
import { LineIndex, RECORD_BYTES } from '../jsonl/line-index.ts';
import type { BlobStore } from '../ports/blob-store.ts';
import { chunkFileName } from './names.ts';

const BLOCK_RECORDS = 4096;

const NOTHING = Buffer.alloc(0);

/** Lines of one chunk that stand next to each other in the result. */
export interface ChunkLines {
  readonly chunk: PlannedChunk;
  readonly lines: number;
  /** The chunk has no lines behind these. */
  readonly isRest: boolean;
}

/**
 * Yields the lines of these chunks in the order of the input. Indexes are read only of chunks
 * that interleave with others.
 */
export async function* lineOrder(
  blobs: BlobStore,
  job: JobId,
  chunks: readonly PlannedChunk[],
): AsyncGenerator<ChunkLines> {
  const waiting = chunks.toSorted((a, b) => b.firstLine - a.firstLine);
  const open: Cursor[] = [];
  for (;;) {
    let least = leastOf(open);
    for (let next = waiting.at(-1); next !== undefined; next = waiting.at(-1)) {
      if (least !== null && least.nextLine < next.firstLine) break;
      waiting.pop();
      open.push(new Cursor(blobs, job, next));
      least = leastOf(open);
    }
    if (least === null) return;
    const others = open.filter((cursor) => cursor !== least).map(({ nextLine }) => nextLine);
    yield await least.upTo(Math.min(waiting.at(-1)?.firstLine ?? Infinity, ...others));
    if (least.nextLine === Infinity) open.splice(open.indexOf(least), 1);
  }
}

function leastOf(open: readonly Cursor[]): Cursor | null {
  let least: Cursor | null = null;
  for (const cursor of open) {
    if (least === null || cursor.nextLine < least.nextLine) least = cursor;
  }
  return least;
}

class Cursor {
  /** The number of the next line; Infinity behind the last. */
  nextLine: number;

  readonly #blobs: BlobStore;
  readonly #name: string;
  readonly #chunk: PlannedChunk;
  #left: number;
  #index = new LineIndex(NOTHING, NOTHING);
  #record = 0;
  #offset = 0;

  constructor(blobs: BlobStore, job: JobId, chunk: PlannedChunk) {
    this.#blobs = blobs;
    this.#name = chunkFileName(job, chunk.id, 'lines.idx');
    this.#chunk = chunk;
    this.#left = chunk.requests + chunk.rejected;
    this.nextLine = chunk.firstLine;
  }

  /** Goes over the lines with numbers below the limit, which is above the next one's. */
  async upTo(limit: number): Promise<ChunkLines> {
    const chunk = this.#chunk;
    const before = this.#left;
    if (limit > chunk.lastLine) {
      this.nextLine = Infinity;
      return { chunk, lines: before, isRest: true };
    }
    while (this.nextLine < limit) {
      if (this.#record === this.#index.count) await this.#read();
      this.#record += 1;
      this.#left -= 1;
      if (this.#record === this.#index.count) await this.#read();
      this.nextLine = this.#index.line(this.#record);
    }
    return { chunk, lines: before - this.#left, isRest: false };
  }

  async #read(): Promise<void> {
    const range = { start: this.#offset, end: this.#offset + BLOCK_RECORDS * RECORD_BYTES };
    const records = await this.#blobs.get(this.#name, range);
    if (records === null || records.length === 0) throw new StoreDamage(`${this.#name} is cut`);
    this.#offset = range.end;
    this.#index = new LineIndex(records, NOTHING);
    this.#record = 0;
  }
}
