/**
 * The index of picked lines of a file: where runs of them stand, in their order.
 *
 * Records of 24 bytes, three little-endian 64-bit floats each:
 *   0 byte offset of the run in the file · 8 bytes of picked lines before it ·
 *   16 number of the run's first line, counted from 1
 * The last record stands for the end: the file's size, all picked bytes, the number of lines + 1.
 * A run ends where its size does, which is the difference to the next record's second value.
 */

export const RUN_BYTES = 24;

export interface Run {
  /** Where it begins in the file. */
  readonly start: number;
  /** Bytes of picked lines before it. */
  readonly before: number;
  /** The number of its first line. */
  readonly line: number;
}

/** Writes a record at the byte `at` of the buffer. */
export function writeRun(buffer: Buffer, at: number, run: Run): void {
  buffer.writeDoubleLE(run.start, at);
  buffer.writeDoubleLE(run.before, at + 8);
  buffer.writeDoubleLE(run.line, at + 16);
}

/** Reads the record at the byte `at` of the buffer. */
export function readRun(buffer: Buffer, at: number): Run {
  return {
    start: buffer.readDoubleLE(at),
    before: buffer.readDoubleLE(at + 8),
    line: buffer.readDoubleLE(at + 16),
  };
}
