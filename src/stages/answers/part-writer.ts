/**
 * Writes lines in record order although they stand in any order in their files: through a window
 * of the part that is to come, in memory. Each file is read once for each window, in its own
 * order, and every line is copied to its final place.
 */

import { createHash } from 'node:crypto';
import { writeAll } from '../plan/append-file.ts';
import type { ChunkOutcomes } from './chunk-outcomes.ts';
import { FINAL, REJECTED } from './chunk-outcomes.ts';
import { LineReader } from './line-reader.ts';
import { takeWindow } from './window-memory.ts';

const NEWLINE = 0x0a;

/** Room for lines of ours, whose sizes are not known beforehand. */
const MIN_WINDOW_BYTES = 1024 * 1024;

export class PartWriter {
  readonly #fd: number;
  readonly #outcomes: ChunkOutcomes;
  readonly #hash = createHash('sha256');
  readonly #reader: LineReader;
  readonly #window: Buffer;
  /** Where each record of the window has its line. */
  readonly #at: Int32Array;
  /** Number of rejected.jsonl among the files; -1: none. */
  readonly #rejectedFile: number;
  /** Each file's answers are consecutive: those of file f begin at firstAnswers[f]. */
  readonly #firstAnswers: number[];
  /** Lines that the window needs of each file. */
  readonly #wanted: Uint32Array;
  #firstRecord = 0;
  #endRecord = 0;
  #filled = 0;
  #lines = 0;
  #sizeBytes = 0;

  /** `windowBytes`: at most so much of the part is held in memory. */
  constructor(
    fd: number,
    outcomes: ChunkOutcomes,
    rejectedPath: string | null,
    windowBytes: number,
  ) {
    this.#fd = fd;
    this.#outcomes = outcomes;
    this.#at = new Int32Array(outcomes.index.count);
    this.#firstAnswers = firstAnswers(outcomes);
    this.#rejectedFile = rejectedPath === null ? -1 : outcomes.files.add(rejectedPath);
    this.#wanted = new Uint32Array(outcomes.files.count);
    this.#reader = new LineReader(outcomes.files);
    const needed = Math.max(MIN_WINDOW_BYTES, neededBytes(outcomes));
    this.#window = takeWindow(Math.min(windowBytes, needed));
  }

  /** Adds the line that answers the record; records come in order, each once. */
  add(record: number): void {
    const { places } = this.#outcomes;
    const answer = this.#outcomes.answer(record);
    const isRejected = this.#outcomes.outcome(record) === REJECTED;
    const file = isRejected ? this.#rejectedFile : places.file(answer);
    const length = lineLength(this.#outcomes, record);
    if (length > this.#window.length) {
      this.#copyThrough(record, file, length);
      return;
    }
    this.#place(record, length);
    this.#wanted[file] = (this.#wanted[file] as number) + 1;
  }

  /** Adds a line of ours, with its newline, for the record. */
  addOwn(record: number, line: Buffer): void {
    if (line.length > this.#window.length) {
      this.#flush(record + 1);
      this.#write(line, line.length);
      this.#lines += 1;
      return;
    }
    this.#place(record, line.length);
    line.copy(this.#window, this.#at[record]);
  }

  /** Writes what is left. The file is the caller's to sync and close. */
  finish(): { lines: number; sizeBytes: number; sha256: string } {
    this.#flush(this.#endRecord);
    const sha256 = this.#hash.digest('hex');
    return { lines: this.#lines, sizeBytes: this.#sizeBytes, sha256 };
  }

  #place(record: number, length: number): void {
    if (this.#filled + length > this.#window.length) this.#flush(record);
    this.#at[record] = this.#filled;
    this.#filled += length;
    this.#endRecord = record + 1;
    this.#lines += 1;
  }

  /** Fills the window's gaps from the files and writes it; the next window begins at `next`. */
  #flush(next: number): void {
    for (const [file, wanted] of this.#wanted.entries()) {
      if (wanted === 0) continue;
      if (file === this.#rejectedFile) this.#fillRejected(file, wanted);
      else this.#fillAnswers(file, wanted);
    }
    this.#wanted.fill(0);
    this.#write(this.#window, this.#filled);
    this.#filled = 0;
    this.#firstRecord = next;
    this.#endRecord = next;
  }

  #fillAnswers(file: number, wanted: number): void {
    const outcomes = this.#outcomes;
    const { places } = outcomes;
    const window = this.#window;
    this.#reader.open(file, wanted);
    const end = this.#firstAnswers[file + 1] ?? places.count;
    for (let answer = this.#firstAnswers[file] ?? end; answer < end; answer += 1) {
      const record = places.record(answer);
      if (record < this.#firstRecord || record >= this.#endRecord) continue;
      if (outcomes.answer(record) !== answer || outcomes.outcome(record) < FINAL) continue;
      const at = this.#at[record] as number;
      const length = places.length(answer);
      this.#reader.copy(places.offset(answer), length, window, at);
      window[at + length] = NEWLINE;
    }
  }

  #fillRejected(file: number, wanted: number): void {
    const { index } = this.#outcomes;
    this.#reader.open(file, wanted);
    for (let record = this.#firstRecord; record < this.#endRecord; record += 1) {
      if (!index.isRejected(record)) continue;
      const at = this.#at[record] as number;
      this.#reader.copy(index.offset(record), index.length(record), this.#window, at);
    }
  }

  /** A line larger than the window goes through it in pieces. */
  #copyThrough(record: number, file: number, length: number): void {
    this.#flush(record + 1);
    const { files, index, places } = this.#outcomes;
    const isRejected = file === this.#rejectedFile;
    const start = isRejected ? index.offset(record) : places.offset(this.#outcomes.answer(record));
    const size = isRejected ? length : length - 1;
    for (let done = 0; done < size;) {
      const piece = Math.min(size - done, this.#window.length);
      files.read(file, this.#window, 0, piece, start + done);
      this.#write(this.#window, piece);
      done += piece;
    }
    if (!isRejected) this.#write(Buffer.of(NEWLINE), 1);
    this.#lines += 1;
  }

  #write(bytes: Buffer, length: number): void {
    this.#hash.update(bytes.subarray(0, length));
    writeAll(this.#fd, bytes, 0, length);
    this.#sizeBytes += length;
  }
}

/** Bytes of the record's line in the part, with its newline; 0 where it stands in no file. */
function lineLength(outcomes: ChunkOutcomes, record: number): number {
  if (outcomes.outcome(record) === REJECTED) return outcomes.index.length(record);
  if (!outcomes.hasLine(record)) return 0;
  return outcomes.places.length(outcomes.answer(record)) + 1;
}

function neededBytes(outcomes: ChunkOutcomes): number {
  let bytes = 0;
  for (let record = 0; record < outcomes.index.count; record += 1) {
    bytes += lineLength(outcomes, record);
  }
  return bytes;
}

function firstAnswers(outcomes: ChunkOutcomes): number[] {
  const { places, files } = outcomes;
  const first: number[] = [];
  for (let answer = 0; answer < places.count; answer += 1) {
    while (first.length <= places.file(answer)) first.push(answer);
  }
  while (first.length < files.count) first.push(places.count);
  return first;
}
