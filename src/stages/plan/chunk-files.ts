/** The files of one chunk while the planner fills it: requests, their index, ids, rejections. */

import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { RECORD_BYTES, writeRecord } from '../../jsonl/line-index.ts';
import type { LineRecord } from '../../jsonl/line-index.ts';
import { AppendFile } from './append-file.ts';

/** Small enough that two hundred open chunks stay below 25 MB. */
const REQUESTS_BUFFER_BYTES = 64 * 1024;
const SIDE_BUFFER_BYTES = 680 * RECORD_BYTES;

export class ChunkFiles {
  readonly requests: AppendFile;
  readonly #folder: string;
  readonly #index: AppendFile;
  readonly #ids: AppendFile;
  #rejected: AppendFile | null = null;

  /** Makes the folder, which must not exist. */
  constructor(folder: string) {
    this.#folder = folder;
    mkdirSync(folder);
    this.requests = new AppendFile(join(folder, 'requests.jsonl'), REQUESTS_BUFFER_BYTES);
    this.#index = new AppendFile(join(folder, 'lines.idx'), SIDE_BUFFER_BYTES);
    this.#ids = new AppendFile(join(folder, 'ids.bin'), SIDE_BUFFER_BYTES);
  }

  /** Appends an id's bytes as they stand between the quotes; returns where they begin. */
  addId(bytes: Uint8Array, start: number, end: number): number {
    const at = this.#ids.sizeBytes;
    this.#ids.append(bytes, start, end);
    return at;
  }

  /** Appends a finished error line; returns where it begins. */
  addErrorLine(line: Buffer): number {
    this.#rejected ??= new AppendFile(join(this.#folder, 'rejected.jsonl'), SIDE_BUFFER_BYTES);
    const at = this.#rejected.sizeBytes;
    this.#rejected.append(line, 0, line.length);
    return at;
  }

  addRecord(record: LineRecord): void {
    const buffer = this.#index.reserve(RECORD_BYTES);
    writeRecord(buffer, this.#index.reservedAt / RECORD_BYTES, record);
  }

  /** Resolves when all of it is on the disk. */
  async finish(): Promise<void> {
    const outcomes = await Promise.allSettled(this.#all().map((file) => file.finish()));
    const failed = outcomes.find((outcome) => outcome.status === 'rejected');
    if (failed !== undefined) throw failed.reason;
  }

  abandon(): void {
    for (const file of this.#all()) file.abandon();
  }

  #all(): AppendFile[] {
    const files = [this.requests, this.#index, this.#ids];
    return this.#rejected === null ? files : [...files, this.#rejected];
  }
}
