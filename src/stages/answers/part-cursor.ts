/** Reads a part from its first line to its last, checks it, and hands its lines on in runs. */

import { closeSync, openSync } from 'node:fs';
import { crc32 } from 'node:zlib';
import { invariant } from '../../domain/errors.ts';
import { crcText } from './crc-text.ts';
import { LineBlocks } from './line-blocks.ts';
import { LineNumbers } from './line-numbers.ts';

const NEWLINE = 0x0a;

const NO_BYTES = Buffer.alloc(0);

/** A part, and what was recorded of it when it was settled. */
export interface JoinPart {
  readonly partPath: string;
  readonly linesPath: string;
  readonly crc32: string;
  readonly sizeBytes: number;
  readonly lines: number;
}

/** A run of whole lines, bytes[start, end): one object that stands for one after the other. */
export class LineRun {
  bytes: Buffer = NO_BYTES;
  start = 0;
  end = 0;
  lines = 0;
  /** Behind each line's newline; as many as `lines` are of this run. */
  readonly ends: number[] = [];
}

/** What is done with the lines of all parts, in their order. */
export interface LineSink {
  /** Takes a run; it and its buffer are used again afterwards. */
  take(run: LineRun): void;
}

export class PartCursor {
  /** The number of the next line; Infinity behind the last. */
  nextLine: number;

  readonly #part: JoinPart;
  readonly #run = new LineRun();
  readonly #fd: number;
  readonly #blocks: LineBlocks;
  readonly #numbers: LineNumbers;
  /** Where the next line begins in the current block. */
  #at = 0;
  #lines = 0;
  #sizeBytes = 0;
  #crc = 0;

  constructor(part: JoinPart) {
    this.#part = part;
    this.#numbers = new LineNumbers(part.linesPath);
    this.#fd = openSync(part.partPath, 'r');
    this.#blocks = new LineBlocks(this.#fd);
    this.nextLine = this.#numbers.next();
  }

  get isDone(): boolean {
    return this.nextLine === Infinity;
  }

  /** Hands on the lines with numbers below the limit, in runs. */
  walkUntil(limit: number, sinks: readonly LineSink[]): void {
    while (this.nextLine < limit) {
      if (this.#at === this.#blocks.end) this.#nextBlock();
      this.#goUntil(limit);
      for (const sink of sinks) sink.take(this.#run);
    }
  }

  /** Checks what was read against what was recorded, and closes. */
  finish(): void {
    const { partPath, lines, sizeBytes, crc32: crc } = this.#part;
    const isRead = this.#at === this.#blocks.end && !this.#blocks.next() && !this.#blocks.cut;
    invariant(isRead, `${partPath} has more lines than its index, or a cut one`);
    invariant(this.#lines === lines, `${partPath} has ${this.#lines} lines instead of ${lines}`);
    invariant(this.#sizeBytes === sizeBytes, `${partPath} has not ${sizeBytes} bytes`);
    const found = crcText(this.#crc);
    invariant(found === crc, `${partPath} has not the crc32 ${crc}`);
    this.close();
  }

  close(): void {
    closeSync(this.#fd);
    this.#blocks.release();
    this.#numbers.close();
  }

  #nextBlock(): void {
    const { partPath } = this.#part;
    invariant(this.#blocks.next(), `${partPath} has fewer lines than its index`);
    const { bytes, end } = this.#blocks;
    this.#crc = crc32(bytes.subarray(0, end), this.#crc);
    this.#sizeBytes += end;
    this.#at = 0;
  }

  /** Makes a run up to the last line of the block whose number is below the limit. */
  #goUntil(limit: number): void {
    const { bytes, end } = this.#blocks;
    const run = this.#run;
    run.bytes = bytes;
    run.start = this.#at;
    run.lines = 0;
    while (this.#at < end && this.nextLine < limit) {
      this.#at = bytes.indexOf(NEWLINE, this.#at) + 1;
      run.ends[run.lines++] = this.#at;
      const next = this.#numbers.next();
      invariant(next > this.nextLine, `${this.#part.linesPath} is not in ascending order`);
      this.nextLine = next;
    }
    run.end = this.#at;
    this.#lines += run.lines;
  }
}

/** The number of the part's first line. */
export function firstLineOf(linesPath: string): number {
  const numbers = new LineNumbers(linesPath);
  try {
    return numbers.next();
  } finally {
    numbers.close();
  }
}
