/** Reads a part from its first line to its last, checks it, and hands its lines on in runs. */

import { createHash } from 'node:crypto';
import type { Hash } from 'node:crypto';
import { closeSync, openSync } from 'node:fs';
import { invariant } from '../../domain/errors.ts';
import type { JoinPart } from './walk-parts.ts';
import { LineBlocks } from './line-blocks.ts';
import { LineNumbers } from './line-numbers.ts';

const NEWLINE = 0x0a;

/** What is done with the lines of all parts, in their order. */
export interface LineSink {
  /** Takes the run [start, end) of `lines` whole lines; the buffer is used again afterwards. */
  run(bytes: Buffer, start: number, end: number, lines: number): void;
}

export class PartCursor {
  /** The number of the next line; Infinity behind the last. */
  nextLine: number;

  readonly #part: JoinPart;
  readonly #fd: number;
  readonly #blocks: LineBlocks;
  readonly #numbers: LineNumbers;
  readonly #hash: Hash | null;
  /** Where the next line begins in the current block. */
  #at = 0;
  #lines = 0;
  #sizeBytes = 0;

  constructor(part: JoinPart, isHashed: boolean) {
    this.#hash = isHashed ? createHash('sha256') : null;
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
      const { bytes } = this.#blocks;
      const start = this.#at;
      const before = this.#lines;
      this.#goUntil(limit);
      for (const sink of sinks) sink.run(bytes, start, this.#at, this.#lines - before);
    }
  }

  /** Checks what was read against what was recorded, and closes. */
  finish(): void {
    const { partPath, lines, sizeBytes, sha256 } = this.#part;
    const isRead = this.#at === this.#blocks.end && !this.#blocks.next() && !this.#blocks.cut;
    invariant(isRead, `${partPath} has more lines than its index, or a cut one`);
    invariant(this.#lines === lines, `${partPath} has ${this.#lines} lines instead of ${lines}`);
    invariant(this.#sizeBytes === sizeBytes, `${partPath} has not ${sizeBytes} bytes`);
    const found = this.#hash?.digest('hex') ?? sha256;
    invariant(found === sha256, `${partPath} has not the sha256 ${sha256}`);
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
    this.#hash?.update(bytes.subarray(0, end));
    this.#sizeBytes += end;
    this.#at = 0;
  }

  /** Goes behind the last line of the block whose number is below the limit. */
  #goUntil(limit: number): void {
    const { bytes, end } = this.#blocks;
    while (this.#at < end && this.nextLine < limit) {
      this.#at = bytes.indexOf(NEWLINE, this.#at) + 1;
      this.#lines += 1;
      const next = this.#numbers.next();
      invariant(next > this.nextLine, `${this.#part.linesPath} is not in ascending order`);
      this.nextLine = next;
    }
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
