/** Lines of a file: split on the byte 0x0A, one block in memory at a time. */

import type { FileHandle } from 'node:fs/promises';

const BLOCK_BYTES = 256 * 1024;

/** A line's place in its file; `length` is without the newline. */
export interface LineSpan {
  readonly offset: number;
  readonly length: number;
}

/** The places of many lines, two numbers a line. */
export class LineTable {
  readonly #offsets: number[] = [];
  readonly #lengths: number[] = [];

  get count(): number {
    return this.#offsets.length;
  }

  add(span: LineSpan): void {
    this.#offsets.push(span.offset);
    this.#lengths.push(span.length);
  }

  /** Throws a RangeError beyond the end. */
  at(index: number): LineSpan {
    const offset = this.#offsets[index];
    const length = this.#lengths[index];
    if (offset === undefined || length === undefined) throw new RangeError(`no line ${index}`);
    return { offset, length };
  }
}

/**
 * Calls `onLine` for every line, the last one also where no newline ends it. The line is a view
 * that is valid only during the call.
 */
export async function eachLine(
  file: FileHandle,
  onLine: (line: Buffer, span: LineSpan) => void,
): Promise<void> {
  const block = Buffer.allocUnsafe(BLOCK_BYTES);
  let begun: Buffer[] = [];
  let begunBytes = 0;
  let position = 0;
  const finish = (tail: Buffer, end: number): void => {
    const line = begunBytes === 0 ? tail : Buffer.concat([...begun, tail]);
    begun = [];
    begunBytes = 0;
    onLine(line, { offset: end - line.length, length: line.length });
  };
  for (;;) {
    const { bytesRead } = await file.read(block, 0, BLOCK_BYTES, position);
    if (bytesRead === 0) break;
    const view = block.subarray(0, bytesRead);
    let start = 0;
    for (let end = view.indexOf(10); end >= 0; end = view.indexOf(10, start)) {
      finish(view.subarray(start, end), position + end);
      start = end + 1;
    }
    if (start < bytesRead) {
      begun.push(Buffer.from(view.subarray(start)));
      begunBytes += bytesRead - start;
    }
    position += bytesRead;
  }
  if (begunBytes > 0) finish(Buffer.alloc(0), position);
}
